"""What worker processes do for the app: tasks by name, with arguments and results that JSON holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from retimbre import audio
from retimbre.app import drawing, edits, lesson, rooms, steps
from retimbre.app.magenta import clip
from retimbre.app.steps import Order, Shelf
from retimbre.rooms import library


def check(source: str, minutes: float) -> float:
    """Seconds of a sound that may be used."""
    return steps.check(Path(source), minutes)


def transform(folder: str, order: dict[str, Any]) -> dict[str, Any]:
    """Render an order: files to hear, and what to say."""
    shelf, wish = Shelf(Path(folder)), Order(**order)
    heard = steps.hear(shelf, wish.source)
    fitted = steps.fit(shelf, wish)
    after = steps.play(shelf, wish)
    before = steps.before(shelf, wish.source)
    shelf.forget_oldest()
    voiced = fitted.controls.voiced
    return {
        "before": str(before),
        "after": str(after),
        "seconds": round(len(heard.sound) / heard.sample_rate, 2),
        "median_hz": float(np.median(fitted.controls.f0_hz[voiced])) if voiced.any() else None,
        **fitted.told,
    }


def picture(folder: str, order: dict[str, Any]) -> dict[str, str]:
    """What `transform` rendered, before and after, in parts (HTML): `retimbre.app.drawing.before_and_after`."""
    shelf, wish = Shelf(Path(folder)), Order(**order)
    made = shelf.file("picture", [order], ".json", lambda path: _draw(path, shelf, wish))
    return json.loads(made.read_text(encoding="utf-8"))


def _draw(path: Path, shelf: Shelf, order: Order) -> None:
    heard, fitted = steps.hear(shelf, order.source), steps.fit(shelf, order)
    sound, rate = audio.read(steps.play(shelf, order))
    shade = shelf.arrays(
        "shade", [Path(order.source).name], lambda: {"shade": drawing.shade_of(heard.sound, heard.sample_rate)}
    )
    parts = drawing.before_and_after(
        drawing.Sounding(shade["shade"], heard.controls, len(heard.sound) / heard.sample_rate),
        drawing.Sounding(drawing.shade_of(sound, rate), fitted.controls, len(sound) / rate),
    )
    path.write_text(json.dumps(parts), encoding="utf-8")


def curves(folder: str, order: dict[str, Any]) -> dict[str, Any]:
    """What a visitor draws on: the curves as they were heard, and as they are played where nothing is drawn."""
    shelf, wish = Shelf(Path(folder)), Order(**order)
    base = steps.adjusted(shelf, wish)
    heard = steps.hear(shelf, wish.source).controls
    return {"heard": edits.packed(heard), "played": edits.packed(base.controls), **asdict(base.standing)}


def controls_csv(folder: str, order: dict[str, Any]) -> str:
    """The controls that are played, as a CSV file."""
    shelf, wish = Shelf(Path(folder)), Order(**order)

    def write(path: Path) -> None:
        steps.fit(shelf, wish).controls.save_csv(path)

    return str(shelf.file("controls", [order], ".csv", write))


def midi(folder: str, order: dict[str, Any]) -> str:
    """The notes that are played, as a MIDI file."""
    from retimbre.midi.transcribe import transcribe
    from retimbre.midi.write import write_notes

    shelf, wish = Shelf(Path(folder)), Order(**order)

    def write(path: Path) -> None:
        controls = steps.fit(shelf, wish).controls
        write_notes(transcribe(controls), path, controls)

    return str(shelf.file("notes", [order], ".mid", write))


def explain(folder: str, order: dict[str, Any]) -> dict[str, Any]:
    """Every step of an order, to see and to hear."""
    return lesson.explain(Shelf(Path(folder)), Order(**order))


def magenta(folder: str, order: dict[str, Any]) -> dict[str, Any]:
    """A clip, as the page of Magenta.js plays it."""
    return clip.lay_out(Shelf(Path(folder)), Order(**order))


def room(path: str) -> str:
    """The name of a room in a file, which can be used."""
    return library.find(path).name


def listen(folder: str, source: str, name: str) -> dict[str, Any]:
    """The room of a recording."""
    return rooms.listen(Shelf(Path(folder)), source, name)


def report(folder: str, room: str) -> dict[str, Any]:
    """What a room is like."""
    return rooms.report(Shelf(Path(folder)), room)


def shape(folder: str, room: str, decay: float, distance: float) -> str:
    """A room, changed."""
    return rooms.shape(Shelf(Path(folder)), room, decay, distance)


def place(folder: str, source: str, room: str, own: bool) -> dict[str, Any]:
    """A sound in a room."""
    return rooms.place(Shelf(Path(folder)), source, room, own)


def response(folder: str, room: str) -> str:
    """The response of a room, as a .wav."""
    return rooms.response(Shelf(Path(folder)), room)


def numbers(folder: str, room: str) -> str:
    """The numbers of a room, as JSON."""
    return rooms.numbers(Shelf(Path(folder)), room)


def doctor(folder: str, minutes: float) -> dict[str, Any]:
    """What is wrong with a folder of so many minutes of recordings at most, and the pitches that it covers (HTML)."""
    from retimbre.training.doctor import examine

    steps.check_length(Path(folder), minutes)
    told = examine(Path(folder))
    return {
        "verdict": told.verdict,
        "usable_minutes": told.usable_minutes,
        "findings": [f"{finding.text}: {finding.advice}" for finding in told.findings],
        "files": {
            Path(file.path).name: [f"{finding.text}: {finding.advice}" for finding in file.findings]
            for file in told.files
        },
        "pitches": drawing.histogram(told.pitches.seconds),
    }


TASKS: dict[str, Callable[..., Any]] = {
    task.__name__: task
    for task in (
        *(check, transform, picture, curves, controls_csv, midi, explain, magenta, doctor),
        *(room, report, listen, shape, place, response, numbers),
    )
}
"""By the names that `Pool.run` takes."""
