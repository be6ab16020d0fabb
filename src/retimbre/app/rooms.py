"""What the app does with rooms: shape them, hear them in recordings, draw them, play in them. For worker processes."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from retimbre import audio
from retimbre.app import drawing, steps
from retimbre.app.drawing import Curve, panel, time_axis
from retimbre.app.steps import Shelf
from retimbre.engine import Floats
from retimbre.errors import RetimbreError
from retimbre.rooms import library
from retimbre.rooms.estimate import estimate_file
from retimbre.rooms.match import match_file
from retimbre.rooms.measure import decay, find_direct
from retimbre.rooms.measured import MeasuredRoom
from retimbre.rooms.place import dry_file, place_file
from retimbre.rooms.room import Room

NOWHERE = "none"
"""In the place of a room: out of the one that a sound was recorded in."""

RATE = 48_000
DEEPEST_DB = -60.0
DRAWN_HZ = {250.0: "low", 1000.0: "heard", 4000.0: "played"}
"""Octaves whose decays are drawn, and the kinds of their lines."""


def listen(shelf: Shelf, source: str, name: str) -> dict[str, Any]:
    """The room of a recording: a room.json, and what is known of it with how far that can be trusted."""
    path = shelf.path("listened", [Path(source).name], ".json")
    told = estimate_file(Path(source))
    library.save(replace(told.room, name=name), path, overwrite=True)
    known = {key: getattr(told, key) for key in ("t60_s", "t60_range_s", "c50_db", "c50_range_db", "warnings")}
    return {"path": str(path), **known}


def shape(shelf: Shelf, room: str, decay_factor: float, distance: float) -> str:
    """A room that rings so many times as long, heard from so many times as far: the name of its file."""
    if decay_factor == distance == 1:
        return room
    found = library.find(room)
    if isinstance(found, MeasuredRoom):
        raise RetimbreError("A measured response is played as it is: only rooms in numbers can be changed.")

    def make(path: Path) -> None:
        try:
            library.save(found.scale(decay=decay_factor, distance=distance), path)
        except ValueError as error:
            raise RetimbreError(f"The room cannot become that ({error}); go less far.") from None

    return str(shelf.file("room", [room, decay_factor, distance], ".json", make))


def report(shelf: Shelf, room: str) -> dict[str, Any]:
    """Figures per octave (ISO 3382-1), warnings, and a picture of the decays (HTML)."""

    def make(path: Path) -> None:
        path.write_text(json.dumps(_report(library.find(room))), encoding="utf-8")

    return json.loads(shelf.file("report", [room], ".json", make).read_text(encoding="utf-8"))


def _report(found: Room | MeasuredRoom) -> dict[str, Any]:
    told = found.report()
    response = found.response[:, 0] if isinstance(found, MeasuredRoom) else found.to_rir(RATE)
    rate = found.sample_rate if isinstance(found, MeasuredRoom) else RATE
    return {
        "rows": [asdict(row) for row in (*told.octaves, told.broadband)],
        "warnings": told.warnings[:3],
        "picture": _decays(response, rate, told.broadband.t30_s or told.broadband.t20_s or 1.0),
    }


def _decays(response: Floats, rate: int, t60_s: float) -> str:
    """How the energy of some octaves dies away."""
    seconds, start = 1.1 * t60_s, find_direct(response, rate).start
    curves, keys = [], []
    for hz, kind in DRAWN_HZ.items():
        if hz * np.sqrt(2) > rate / 2:
            continue
        level_db = decay(np.asarray(response, np.float64), rate, start, hz, hz).level_db[: round(seconds * rate)]
        values = np.asarray(1 - np.maximum(level_db[:: max(1, len(level_db) // 2000)], DEEPEST_DB - 1) / DEEPEST_DB)
        curves.append(Curve(np.where(values < 0, np.nan, values), kind, len(level_db) / rate / seconds))
        keys.append((kind, f"{hz:g} Hz"))
    ticks = [(f"\N{MINUS SIGN}{-db} dB", 1 - db / DEEPEST_DB) for db in (-10, -30, -50)]
    return panel("Decay", curves, ticks, height=190, keys=keys) + time_axis(seconds)


def place(shelf: Shelf, source: str, room: str, own: bool) -> dict[str, Any]:
    """A sound in a room, in stereo, beside the sound as it was, with pictures.

    Args:
        shelf: of the session.
        source: the sound.
        room: as `retimbre.rooms.library.find` takes it; `NOWHERE` takes the sound's own room away.
        own: whether the sound was recorded in a room of its own, which is heard in it and taken out as far as needed.
    """
    heard, before = steps.hear(shelf, source), steps.before(shelf, source)

    def make(path: Path) -> None:
        told = _moved(before, path, room, own, 0.0)
        if told["clipped_samples"]:
            told = _moved(before, path, room, own, told["suggested_gain_db"])
        path.with_suffix(".json").write_text(json.dumps(told.get("warnings", [])), encoding="utf-8")

    after = shelf.file("placed", [Path(source).name, room, own], ".wav", make)
    sound, rate = audio.read(after)
    seconds = max(len(sound) / rate, len(heard.sound) / heard.sample_rate)
    was, became = (
        drawing.spectrum_panel(
            drawing.Sounding(drawing.shade_of(one, one_rate), None, len(one) / one_rate), "heard", seconds, height=120
        )
        for one, one_rate in ((heard.sound, heard.sample_rate), (sound, rate))
    )
    return {
        "before": str(before),
        "after": str(after),
        "pictures": {"before": was, "after": became + time_axis(seconds)},
        "warnings": json.loads(after.with_suffix(".json").read_text(encoding="utf-8")),
    }


def _moved(source: Path, output: Path, room: str, own: bool, gain_db: float) -> dict[str, Any]:
    if room == NOWHERE:
        return dry_file(source, output, estimate_file(source).room, gain_db=gain_db, overwrite=True)
    target = library.find(room)
    if own:
        return match_file(source, output, target, channels=2, gain_db=gain_db, overwrite=True)
    return place_file(source, output, target, channels=2, gain_db=gain_db, overwrite=True)


def response(shelf: Shelf, room: str) -> str:
    """The response of a room as a stereo .wav for any convolution reverb: the name of the file."""
    return str(shelf.file("response", [room], ".wav", lambda path: library.find(room).save_wav(path, channels=2)))


def numbers(shelf: Shelf, room: str) -> str:
    """The numbers of a room as JSON, fitted if it was measured: the name of the file."""

    def make(path: Path) -> None:
        found = library.find(room)
        if isinstance(found, MeasuredRoom):
            found = Room.from_rir(found.response[:, 0], found.sample_rate, found.name)
        library.save(found, path)

    return str(shelf.file("numbers", [room], ".json", make))
