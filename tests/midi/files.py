"""Small MIDI files for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mido

from retimbre.midi.notes import Note

TUNE = [
    Note(start_s, start_s + length_s, key, velocity)
    for start_s, length_s, key, velocity in (
        (0.2, 0.45, 67, 90),
        (0.7, 0.45, 69, 60),
        (1.2, 0.22, 71, 80),
        (1.45, 0.22, 71, 100),  # the same again
        (1.7, 0.5, 72, 70),  # no gap from here on
        (2.2, 0.15, 74, 80),
        (2.35, 0.15, 76, 80),
        (2.5, 0.15, 77, 80),
        (2.65, 0.15, 76, 80),
        (2.8, 1.2, 79, 110),
        (4.2, 0.5, 67, 40),
    )
]


def message(kind: str, time_s: float = 0, **values: int) -> tuple[float, mido.Message]:
    return time_s, mido.Message(kind, **values)


def save(path: Path, *tracks: Sequence[Note | tuple[float, mido.Message | mido.MetaMessage]], kind: int = 1) -> Path:
    """A file of notes and messages, each with its time in seconds, at 120 beats a minute and a tick a millisecond."""
    file = mido.MidiFile(type=kind, ticks_per_beat=500)
    for contents in tracks:
        rows: list[tuple[float, int, mido.Message | mido.MetaMessage]] = []
        for item in contents:
            if isinstance(item, Note):
                place = {"note": item.key, "channel": item.channel}
                rows.append((item.start_s, 2, mido.Message("note_on", velocity=item.velocity, **place)))
                rows.append((item.end_s, 1, mido.Message("note_off", **place)))
            else:
                rows.append((item[0], 0, item[1]))
        track, now = mido.MidiTrack(), 0
        for time_s, _, what in sorted(rows, key=lambda row: row[:2]):
            track.append(what.copy(time=round(1000 * time_s) - now))
            now = round(1000 * time_s)
        file.tracks.append(track)
    file.save(path)
    return path
