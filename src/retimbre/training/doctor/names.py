"""What file names say of the pitch: "A4", "Bb3", "F#2" in many names agree with what is heard, up to a constant."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from retimbre.controls import note_name
from retimbre.training.doctor.faults import Finding
from retimbre.training.doctor.measures import Measures

_NOTE = re.compile(r"(?<![A-Za-z0-9])([A-Ga-g])(#|b|s)?(-?\d)(?![0-9])")
_SEMITONE = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_ENOUGH = 6  # files with a note in their name
_MOST = 0.8  # of them agree, so the names can be believed
_NEAR = 0.8  # semitones


def midi_of(name: str) -> int | None:
    """MIDI number of the first note in a name, with A4 = 69; None where there is none."""
    match = _NOTE.search(name)
    if not match:
        return None
    letter, sign, octave = match.groups()
    return _SEMITONE[letter.lower()] + {"#": 1, "s": 1, "b": -1, None: 0}[sign] + 12 * (int(octave) + 1)


def wrong_octaves(files: Sequence[Measures]) -> dict[str, Finding]:
    """Files, by path, that are heard an octave or more off their names, where most names of the set are right.

    Libraries count octaves differently (C3 or C4 for 262 Hz): the whole set may be off by the same octaves.
    """
    named = [(one, midi_of(Path(one.path).stem)) for one in files]
    off = {one.path: one.median_midi - midi for one, midi in named if midi is not None and one.median_midi is not None}
    if len(off) < _ENOUGH:
        return {}
    usual, agreeing = Counter(round(distance) for distance in off.values()).most_common(1)[0]
    agreeing = sum(abs(distance - usual) < _NEAR for distance in off.values())
    if agreeing < _MOST * len(off) or usual % 12:
        return {}
    findings = {}
    for path, distance in off.items():
        octaves = round((distance - usual) / 12)
        if octaves and abs(distance - usual - 12 * octaves) < _NEAR:
            one = next(one for one in files if one.path == path)
            far = "an octave" if abs(octaves) == 1 else f"{abs(octaves)} octaves"
            side = "above" if octaves > 0 else "below"
            text = f"is heard as {note_name(round(one.median_midi or 0))}, {far} {side} its name"
            findings[path] = Finding("octave", text, "if the name is right, leave the file out")
    return findings
