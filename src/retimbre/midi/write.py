"""Notes to a MIDI file, their intonation and vibrato as pitch bends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retimbre.controls import FRAME_RATE, Controls
from retimbre.errors import RetimbreError
from retimbre.files import refuse_overwrite, replacing
from retimbre.midi.notes import Note

BEATS_A_MINUTE = 120
TICKS_A_BEAT = 480
TICKS_A_SECOND = TICKS_A_BEAT * BEATS_A_MINUTE // 60

_RANGE = 2, 24  # semitones of bend: the usual, and the widest that is asked for
_STEP = 2  # frames between two bends
_FINEST = 0.015  # semitones that a bend must move to be written


def write_notes(
    notes: Sequence[Note], path: Path, controls: Controls | None = None, *, overwrite: bool = False
) -> None:
    """Write notes to a file of one track at 120 beats a minute.

    Args:
        notes: in order, none overlapping another.
        path: the file; its suffix must be .mid or .midi.
        controls: whose pitch curve becomes bends; None writes none.
        overwrite: whether an existing file may be replaced.

    Raises:
        RetimbreError: the file exists, has another suffix or cannot be written.
    """
    check_suffix(path)
    refuse_overwrite(path, overwrite=overwrite)
    import mido

    rows: list[tuple[int, int, list[int]]] = []  # tick, order at one tick, message
    curves = [_curve(note, controls) for note in notes] if controls else []
    semitones = _range(curves)
    if controls:
        rows += [
            (0, 0, [0xB0, *pair]) for pair in ((101, 0), (100, 0), (6, semitones), (38, 0), (101, 127), (100, 127))
        ]
    for place, note in enumerate(notes):
        first, last = _tick(note.start_s), max(_tick(note.end_s), _tick(note.start_s) + 1)
        rows += [(first, 3, [0x90, note.key, note.velocity]), (last, 1, [0x80, note.key, 0])]
        if curves:
            rows += [(tick, 2, message) for tick, message in _bends(curves[place], first, last, semitones)]
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(BEATS_A_MINUTE))])
    now = 0
    for tick, _, message in sorted(rows, key=lambda row: row[:2]):
        track.append(mido.Message.from_bytes(message, time=tick - now))
        now = tick
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS_A_BEAT, tracks=[track])
    with replacing(path) as part:
        file.save(part)


def check_suffix(path: Path) -> None:
    """Raise RetimbreError unless a file of this name can be taken for MIDI."""
    if path.suffix.lower() not in (".mid", ".midi"):
        raise RetimbreError(f"{path}: MIDI files end in .mid; name it {path.with_suffix('.mid').name}")


def _tick(time_s: float) -> int:
    return round(time_s * TICKS_A_SECOND)


def _curve(note: Note, controls: Controls) -> np.ndarray:
    """Semitones from the key, every `_STEP` frames of the note."""
    part = slice(round(note.start_s * FRAME_RATE), round(note.end_s * FRAME_RATE), _STEP)
    f0_hz = np.where(controls.voiced, controls.f0_hz, 0)[part].astype(np.float64)
    known = f0_hz > 0
    if not known.any():
        return np.zeros(0)
    f0_hz = np.interp(np.arange(len(f0_hz)), np.flatnonzero(known), f0_hz[known])
    return 69 + 12 * np.log2(f0_hz / 440) - note.key


def _range(curves: Sequence[np.ndarray]) -> int:
    """Semitones that hold nearly all of the bends; the rest, where a pitch was misread, is cut."""
    found = np.abs(np.concatenate([np.zeros(1), *curves]))
    return int(np.clip(math.ceil(float(np.percentile(found, 99.5))), *_RANGE))


def _bends(curve: np.ndarray, first: int, last: int, semitones: int) -> list[tuple[int, list[int]]]:
    messages, told = [], math.inf
    for place, bend in enumerate(np.clip(curve, -semitones, semitones).tolist()):
        tick = first + round(place * _STEP * TICKS_A_SECOND / FRAME_RATE)
        if abs(bend - told) < _FINEST or tick >= last:
            continue
        told = bend
        value = 8192 + round(bend / semitones * (8191 if bend > 0 else 8192))
        messages.append((tick, [0xE0, value & 127, value >> 7]))
    return messages
