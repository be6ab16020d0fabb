"""What worker processes do for the app: tasks by name, with arguments and results that JSON holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from retimbre import audio
from retimbre.app import drawing, lesson, steps
from retimbre.app.steps import Order, Shelf


def check(source: str, minutes: float) -> float:
    """Seconds of a sound that may be used."""
    return steps.check(Path(source), minutes)


def transform(folder: str, order: dict[str, Any]) -> dict[str, Any]:
    """Render an order: files to hear, pictures (HTML), and what to say."""
    shelf, wish = Shelf(Path(folder)), Order(**order)
    heard = steps.hear(shelf, wish.source)
    fitted = steps.fit(shelf, wish)
    after = steps.play(shelf, wish)
    before = steps.before(shelf, wish.source)
    picture = shelf.file("picture", [order], ".json", lambda path: _draw(path, shelf, wish, after))
    shelf.forget_oldest()
    voiced = fitted.controls.voiced
    return {
        "before": str(before),
        "after": str(after),
        "picture": json.loads(picture.read_text(encoding="utf-8")),
        "seconds": round(len(heard.sound) / heard.sample_rate, 2),
        "median_hz": float(np.median(fitted.controls.f0_hz[voiced])) if voiced.any() else None,
        **fitted.told,
    }


def _draw(path: Path, shelf: Shelf, order: Order, after: Path) -> None:
    heard, fitted = steps.hear(shelf, order.source), steps.fit(shelf, order)
    sound, rate = audio.read(after)
    shade = shelf.arrays(
        "shade", [Path(order.source).name], lambda: {"shade": drawing.shade_of(heard.sound, heard.sample_rate)}
    )
    parts = drawing.before_and_after(
        drawing.Sounding(shade["shade"], heard.controls, len(heard.sound) / heard.sample_rate),
        drawing.Sounding(drawing.shade_of(sound, rate), fitted.controls, len(sound) / rate),
    )
    path.write_text(json.dumps(parts), encoding="utf-8")


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


def room(path: str) -> str:
    """The name of a room in a file, which can be used."""
    from retimbre.rooms import library

    return library.find(path).name


TASKS: dict[str, Callable[..., Any]] = {
    "check": check,
    "transform": transform,
    "controls_csv": controls_csv,
    "midi": midi,
    "explain": explain,
    "room": room,
}
"""By the names that `Pool.run` takes."""
