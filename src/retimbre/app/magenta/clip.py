"""What the page plays: a clip, the same by our engine, and the exported instrument. Runs in worker processes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from retimbre import audio
from retimbre.app import steps
from retimbre.app.steps import Order, Shelf
from retimbre.base import choose
from retimbre.errors import RetimbreError
from retimbre.export import magenta
from retimbre.files import making_folder

FOLDER = "magenta"
"""Of a session's folder: all of it may be fetched by whom the session gave its address to, and nothing else."""

LONGEST_S = magenta.MAX_FRAMES * magenta.HOP / magenta.SAMPLE_RATE
"""Magenta.js needs memory for all of a clip at once, so of a longer one the beginning is played."""

KEPT = 4
"""Clips that a session keeps for the page; the one that was asked for longest ago is forgotten first."""


def lay_out(shelf: Shelf, order: Order) -> dict[str, Any]:
    """Make a folder of clip.wav, ours.wav (dry, as Magenta.js has a room of its own) and the exported instrument.

    Returns:
        `folder`, its name; `octave`, how far up our engine plays the clip.

    Raises:
        RetimbreError: the sound or the instrument cannot be used.
    """
    dry = replace(order, room="none")
    place = shelf.folder / FOLDER
    place.mkdir(exist_ok=True)
    told = json.dumps(asdict(dry) | {"source": Path(order.source).name})
    folder = place / hashlib.sha256(told.encode()).hexdigest()[:24]
    try:
        _make(shelf, dry, folder)
    except RetimbreError:
        if not folder.exists():  # else it has been made at the same time
            raise
    os.utime(folder)
    _forget(place)
    return {"folder": folder.name, "octave": steps.fit(shelf, dry).told["octave"]}


def _make(shelf: Shelf, order: Order, folder: Path) -> None:
    if folder.exists():
        return
    with making_folder(folder) as part:
        seconds = _cut(steps.before(shelf, order.source), part / "clip.wav")
        _cut(steps.play(shelf, order), part / "ours.wav")
        magenta.export(choose(order.instrument), part / "instrument", frames=magenta.frames_for(seconds))


def _cut(source: Path, target: Path) -> float:
    """Copy the beginning; the seconds that it lasts."""
    sound, rate = audio.read(source)
    sound = sound[: round(LONGEST_S * rate)]
    audio.write(target, sound, rate)
    return len(sound) / rate


def _forget(place: Path) -> None:
    made = sorted((folder for folder in place.iterdir() if folder.name[0] != "."), key=lambda one: one.stat().st_mtime)
    for old in made[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
