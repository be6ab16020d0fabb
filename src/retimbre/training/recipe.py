"""Recipes: all that a person decides about an instrument, in one small file.

A recipe names the recordings, says who made them and what they allow, sets right what they get wrong (levels), and
keeps the settings of the training. `recipes/` holds those of the shipped instruments.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TypeVar

from retimbre.errors import RetimbreError
from retimbre.training.config import Config

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

T = TypeVar("T")

_SHAPE = {
    "name": str,
    "description": str,
    "license": str,
    "recordings": str,
    "files": list,
    "sources": list,
    "levels": dict,
    "rooms": dict,
    "band_limits": dict,
    "training": dict,
    "voices": list,
}


@dataclass(frozen=True)
class Recipe:
    """How to make an instrument.

    Attributes:
        recordings: the folder of the recordings.
        files: patterns of file names that belong to the instrument; all, where there is none.
        levels: dB to add to the files whose names match a pattern (the first that does). Sample libraries often make
            soft and loud notes equally loud, and a network learns from that that loudness does not matter.
        rooms: the session that the files whose names match a pattern were recorded in. The room of a session is
            learned with the instrument, and stays out of it; files of no session are taken as dry.
        band_limits: Hz above which files hold nothing because a codec left it out, not because nothing was played:
            nothing is learned from them there.
        about: name, description, license and sources, as they go to the card.
        training: settings of `Config`.
        voices: recipes of the instruments of a base, which has no recordings of its own.
    """

    recordings: Path
    files: tuple[str, ...] = ()
    levels: dict[str, float] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)
    band_limits: dict[str, float] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    voices: tuple[Recipe, ...] = ()

    def takes(self, path: Path) -> bool:
        """Whether a file belongs to the instrument."""
        return not self.files or any(fnmatch(path.name, pattern) for pattern in self.files)

    def level_db(self, path: Path) -> float:
        """What to add to the level of a file."""
        return _first(self.levels, path, 0.0)

    def session(self, path: Path) -> str | None:
        """The session in whose room a file was recorded, if any."""
        return _first(self.rooms, path, None)

    def band_limit_hz(self, path: Path) -> float | None:
        """Where the band of a file was cut off, if it was."""
        return _first(self.band_limits, path, None)


def _first(table: Mapping[str, T], path: Path, otherwise: T) -> T:
    """What the first pattern that matches a file's name stands for."""
    return next((value for pattern, value in table.items() if fnmatch(path.name, pattern)), otherwise)


def read_recipe(path: Path, recordings: Path | None = None) -> Recipe:
    """Read a recipe (TOML).

    Args:
        path: the file.
        recordings: where the folder of recordings that the recipe names lies; beside the recipe, if None.

    Raises:
        RetimbreError: the file cannot be read, or says something that a recipe does not; which, and what to do.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RetimbreError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except ValueError as error:
        raise RetimbreError(f"{path}: is not a recipe that can be read ({error}); see recipes/cello.toml") from error
    settings = {setting.name for setting in fields(Config)}
    for key, value in table.items():
        if not isinstance(value, _SHAPE.get(key, ())):
            raise RetimbreError(f"{path}: {key} is not right; a recipe may hold {', '.join(_SHAPE)}")
    for key, value in table.get("training", {}).items():
        if key not in settings or not isinstance(value, int | float):
            raise RetimbreError(f"{path}: training.{key} is no setting; there are: {', '.join(sorted(settings))}")
    if not all(isinstance(gain, int | float) and abs(gain) <= 60 for gain in table.get("levels", {}).values()):
        raise RetimbreError(f"{path}: levels must be numbers of dB, -60 to 60, by pattern of file name")
    if not all(isinstance(session, str) and session for session in table.get("rooms", {}).values()):
        raise RetimbreError(f"{path}: rooms must be names of sessions, by pattern of file name")
    if not all(isinstance(hz, int | float) and 1000 <= hz <= 24_000 for hz in table.get("band_limits", {}).values()):
        raise RetimbreError(f"{path}: band_limits must be 1000 to 24000 Hz, by pattern of file name")
    folder = (recordings or path.parent) / table.get("recordings", "")
    about = {key: table[key] for key in ("name", "description", "license", "sources") if key in table}
    if table.get("voices") and "recordings" in table:
        raise RetimbreError(f"{path}: has both voices and recordings; a base takes those of its voices")
    return Recipe(
        folder,
        tuple(table.get("files", ())),
        *(table.get(key, {}) for key in ("levels", "rooms", "band_limits")),
        about=about,
        training=dict(table.get("training", {})),
        voices=tuple(read_recipe(path.parent / voice, recordings) for voice in table.get("voices", ())),
    )
