"""The gallery that comes with retimbre, in the app: its files, and the way from an example into Transform."""

from __future__ import annotations

import functools
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from retimbre.gallery.example import Example
from retimbre.gallery.folder import SHIPPED, read_gallery
from retimbre.rooms import library

FILES = "gallery-files"
"""Where the files of the examples lie under the app's address."""


@functools.cache
def shown() -> tuple[Example, ...]:
    """The examples, in order."""
    return tuple(read_gallery(SHIPPED))


@functools.cache
def files() -> dict[str, Path]:
    """The examples' files by name."""
    return {name: SHIPPED / name for one in shown() for name in one.files}


def choose(one: Example, state: MutableMapping[str, Any]) -> None:
    """Set what Transform asks for to what the example was made with.

    Args:
        one: an example that an instrument plays.
        state: of the session; its keys are those of the widgets.
    """
    state.update({"way": "Example", "example": one.title, "octave": one.octave, "semitones": round(one.semitones)})
    state.update({"loudness": 0, "fit": True, "gate": "auto", "harmonics": 100, "noise": 100})
    state["room"] = one.room if one.room in library.shipped() else "none"
    if ":" not in one.instrument:
        state["instrument"] = one.instrument
        return
    shares = {name: float(share) for name, share in (part.split(":") for part in one.instrument.split(","))}
    state.update({"instrument": "a blend", "voices": list(shares)})
    state.update({f"share {name}": round(100 * share / sum(shares.values())) for name, share in shares.items()})
