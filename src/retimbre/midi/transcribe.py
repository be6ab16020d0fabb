"""Controls to notes: where the pitch rests, and where the same pitch is played again.

Each voiced stretch is read as a path over keys that pays for distance from the key and for changing it (Viterbi), so
that neither vibrato nor glides make notes. Neighbours nearer than `SAME_SEMITONES` are one note, unless the loudness
shows a new attack.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from retimbre.controls import FRAME_RATE, Controls
from retimbre.midi.notes import Note

SAME_SEMITONES = 0.6
"""Between the pitches of two notes that follow each other without an attack."""

SHORTEST_S = 0.045
GLIDE_S, LEFT_SEMITONES = 0.05, 0.3
"""A slurred note begins where the pitch is so far from the last one, at most so long before it is half-way."""

ATTACK_DB, ATTACK_S = 6.0, 0.06
"""A new attack: the loudness rises by so much within this time, after a dip. Tremolo is slower or shallower."""

RELEASE_DB, RELEASE_S = 10.0, 0.3
"""The end of a note that falls faster than this is its release; what falls slower, such as a string, still sounds."""

SILENCE_DB, BELOW_LOUD_DB = -85.0, 40.0
"""What is softer than either, the second below the loud frames (95th percentile), belongs to no note."""

LOUD_VELOCITY, DB_A_VELOCITY = 100, 26 / 126
"""The loudest tenth of the notes is written at that velocity, the others by their distance from it."""

_CHANGE = 8.0  # what a change of key costs, in semitones times frames
_FAR = 2.0  # semitones beyond which distance from a key costs no more


@dataclass(frozen=True)
class Stretch:
    """Frames `first` to `last - 1` of one note, and its pitch in semitones (69: 440 Hz)."""

    first: int
    last: int
    pitch: float


def transcribe(controls: Controls) -> list[Note]:
    """The notes of a monophonic sound, in order, none overlapping another.

    Args:
        controls: of the sound, at 200 frames a second.
    """
    controls = controls.resample(FRAME_RATE)
    stretches = segment(controls)
    levels = np.array([level_db(controls, one) for one in stretches])
    loud = float(np.percentile(levels, 90)) if len(levels) else 0.0
    velocities = np.clip(np.round(LOUD_VELOCITY + (levels - loud) / DB_A_VELOCITY), 1, 127)
    return [
        Note(one.first / FRAME_RATE, one.last / FRAME_RATE, math.floor(one.pitch + 0.5), int(velocity))
        for one, velocity in zip(stretches, velocities, strict=True)
    ]


def level_db(controls: Controls, stretch: Stretch) -> float:
    """Loudness of a note: what it exceeds for a fifth of its time."""
    return float(np.percentile(controls.loudness_db[stretch.first : stretch.last], 80))


def segment(controls: Controls) -> list[Stretch]:
    """Where the notes are, in frames of 5 ms."""
    controls = controls.resample(FRAME_RATE)
    loudness, voiced = controls.loudness_db, controls.voiced
    loud = float(np.percentile(loudness[voiced], 95)) if voiced.any() else 0.0
    sounding = voiced & (loudness > max(SILENCE_DB, loud - BELOW_LOUD_DB))
    midi = np.clip(69 + 12 * np.log2(np.where(voiced, controls.f0_hz, 440).astype(np.float64) / 440), 0, 127)
    found: list[Stretch] = []
    for first, last in _runs(sounding, bridge=3):
        dips = _attacks(loudness, first, last)
        edges = sorted({first, last, *dips})
        for start, stop in pairwise(edges):
            found += _merged(midi, _path(midi[start:stop]), start)
            found[-1] = replace(found[-1], last=_release(loudness, found[-1]))
    return [one for one in found if one.last - one.first >= SHORTEST_S * FRAME_RATE]


def _release(loudness: np.ndarray, one: Stretch) -> int:
    """The end of a note that fades into silence: where it is left, not where it is gone."""
    first = max(one.first, one.last - round(RELEASE_S * FRAME_RATE))
    end = loudness[first : one.last]
    return first + int(np.flatnonzero(end >= end.max() - RELEASE_DB)[-1]) + 1


def _runs(mask: np.ndarray, bridge: int) -> Iterator[tuple[int, int]]:
    """First and last (excluded) frames where the mask holds, across gaps of up to `bridge` frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    starts, stops = edges[::2].tolist(), edges[1::2].tolist()
    while starts:
        first, last = starts.pop(0), stops.pop(0)
        while starts and starts[0] - last <= bridge:
            starts.pop(0)
            last = stops.pop(0)
        yield first, last


def _attacks(loudness: np.ndarray, first: int, last: int) -> list[int]:
    """Frames in a sounding stretch from which the loudness rises as it does when a note is struck."""
    reach = round(ATTACK_S * FRAME_RATE)
    found, begin = [], first
    curve = loudness.astype(np.float64)
    for frame in range(first + 2, last - 2):
        near = curve[max(first, frame - reach) : min(last, frame + reach + 1)]
        if curve[frame] > near.min() or frame - begin < 4:
            continue
        before = curve[max(begin, frame - 3 * reach) : frame].max()
        after = curve[frame : min(last, frame + reach + 1)].max()
        if min(before, after) - curve[frame] >= ATTACK_DB:
            found.append(frame)
            begin = frame
    return found


def _path(midi: np.ndarray) -> np.ndarray:
    """The key at each frame, in semitones [frames]; there are keys between the keys, for who is not at 440 Hz."""
    keys = np.arange(2 * math.floor(midi.min()), 2 * math.ceil(midi.max()) + 1) / 2
    cost = np.minimum(np.abs(midi[:, None] - keys), _FAR)
    total, came = cost[0], np.zeros(cost.shape, np.uint8)
    stay = np.arange(len(keys), dtype=np.uint8)
    for frame in range(1, len(midi)):
        best = int(np.argmin(total))
        change = total[best] + _CHANGE < total
        came[frame] = np.where(change, best, stay)
        total = np.where(change, total[best] + _CHANGE, total) + cost[frame]
    place = int(np.argmin(total))
    places = np.empty(len(midi), np.int32)
    for frame in range(len(midi) - 1, -1, -1):
        places[frame] = place
        place = came[frame, place]
    return keys[places]


def _merged(midi: np.ndarray, path: np.ndarray, offset: int) -> list[Stretch]:
    """Stretches of one key; what is too short, or too near its neighbour, goes to the neighbour."""
    cuts = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    stretches = [
        Stretch(offset + a, offset + b, float(np.median(midi[offset + a : offset + b]))) for a, b in pairwise(cuts)
    ]
    shortest = SHORTEST_S * FRAME_RATE

    def join(one: Stretch, other: Stretch) -> Stretch:
        longer = one if one.last - one.first >= other.last - other.first else other
        return Stretch(one.first, other.last, longer.pitch)

    while len(stretches) > 1:
        pairs = list(pairwise(stretches))
        together = [
            abs(one.pitch - other.pitch) < SAME_SEMITONES
            or min(one.last - one.first, other.last - other.first) < shortest
            for one, other in pairs
        ]
        if not any(together):
            break
        # The shortest goes first, to the neighbour that is nearer.
        place = min(
            (i for i, near in enumerate(together) if near),
            key=lambda i: (
                min(pairs[i][0].last - pairs[i][0].first, pairs[i][1].last - pairs[i][1].first),
                abs(pairs[i][0].pitch - pairs[i][1].pitch),
            ),
        )
        stretches[place : place + 2] = [join(*pairs[place])]
    for place, (one, other) in enumerate(pairwise(stretches)):
        turn = _leaving(midi, one, other)
        stretches[place : place + 2] = [replace(one, last=turn), replace(other, first=turn)]
    return stretches


def _leaving(midi: np.ndarray, one: Stretch, other: Stretch) -> int:
    """Where the pitch leaves a note for the next, which begins there: the path changes half-way through the glide."""
    earliest = max(one.first + round(SHORTEST_S * FRAME_RATE), one.last - round(GLIDE_S * FRAME_RATE))
    near = np.flatnonzero(np.abs(midi[earliest : other.first] - one.pitch) < LEFT_SEMITONES)
    return min(earliest, other.first) if not len(near) else earliest + int(near[-1]) + 1
