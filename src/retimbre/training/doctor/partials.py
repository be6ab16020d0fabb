"""What the spectrum of a note says: is the pitch an octave off, is another note there, how bright is it?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import gcd

import numpy as np
from numpy.typing import NDArray

from retimbre.engine import Floats

_PERIODS = 16  # seen at once, so that lines half a fundamental apart lie apart
_SHORTEST_S = 0.085
_HALVES = 12
"""Multiples of half the fundamental that tell the octave: those of the first six partials."""

_BRIGHT = 20  # partials whose centroid is the brightness
_STRAY_HZ = 5000  # other notes are looked for below

_LINE_DB = 12
"""How far a line stands out of the gaps beside it; the strongest of five bins of noise does by 8 dB."""

_WEAK_DB = -30
"""Re the strongest line: breath sounds weakly at half the fundamental too."""

_PARTIALS = 12  # that tell a chord from one note
_CHORDS = [pair for pair in combinations(range(2, 8), 2) if gcd(*pair) == 1]
"""Notes in such a ratio sound like partials of one fundamental, which neither of them has."""


@dataclass(frozen=True)
class Look:
    """The spectrum around one instant, measured against a pitch.

    Attributes:
        octave: 1 where the pitch seems an octave too high, -1 too low, else 0.
        brightness: centroid of the partials' amplitudes in multiples of the fundamental.
        stray_db: the second strongest line that is no partial, re the strongest line; -100 where there is none. A note
            has more than one partial; a string or a body that is struck may ring in one line.
        chord: whether the partials are those of two notes whose common fundamental was taken for the pitch.
    """

    octave: int
    brightness: float
    stray_db: float
    chord: bool


def look(audio: Floats, sample_rate: int, time_s: float, f0_hz: float) -> Look:
    """Measure samples [n] around an instant against the pitch found there."""
    n = 1 << int(np.ceil(np.log2(max(_SHORTEST_S, _PERIODS / f0_hz) * sample_rate)))
    start = max(0, round(time_s * sample_rate) - n // 2)
    part = audio[start : start + n]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)), n)) ** 2 + 1e-12
    spacing = f0_hz * n / sample_rate  # bins
    lines = _around(power, spacing / 2, 0, 2, 2 * _BRIGHT).max(axis=1)  # at the multiples of half the fundamental
    gaps = np.median(_around(power, spacing / 2, -0.5, max(1, round(spacing / 16)), len(lines) + 1), axis=1)
    amplitude = np.sqrt(lines[1::2])
    brightness = float(amplitude @ np.arange(1, len(amplitude) + 1) / max(amplitude.sum(), 1e-12))
    outstanding_db = 10 * np.log10(lines[: len(gaps) - 1] / np.maximum(gaps[:-1], gaps[1:])[: len(lines)])
    level_db = 10 * np.log10(lines / lines.max(initial=1e-12))
    heard = (outstanding_db > _LINE_DB) & (level_db[: len(outstanding_db)] > _WEAK_DB)
    octave = _octave(level_db, heard[:_HALVES])
    return Look(octave, brightness, _stray_db(power, spacing, sample_rate / n), _is_chord(heard[1 : 2 * _PARTIALS : 2]))


def _around(power: NDArray, step: float, offset: float, reach: int, count: int) -> NDArray:
    """Windows of `2 reach + 1` bins around `(k + offset) step`, k = 1 .. `count` or as far as the spectrum goes."""
    centres = np.round((np.arange(1, count + 1) + offset) * step).astype(int)
    centres = centres[centres + reach < len(power)]
    return power[np.maximum(0, centres[:, None] + np.arange(-reach, reach + 1))]


def _octave(level_db: NDArray, heard: NDArray) -> int:
    """As `Look.octave`, from the lines at multiples of half the fundamental [12], first of them the half itself."""
    between, odd, even = heard[0::2], heard[1::4], heard[3::4]
    if not len(even):
        return 0
    if (between[0] and level_db[0] > -20) or between.mean() >= 0.5:
        return 1  # the pitch is the second partial of these
    return -1 if even[:2].any() and not odd.any() and not between.any() else 0


def _is_chord(heard: NDArray) -> bool:
    """As `Look.chord`, from which partials are heard: multiples of two numbers, and of both."""
    numbers = np.flatnonzero(heard) + 1
    if len(numbers) < 3 or numbers[0] == 1:
        return False
    for pair in _CHORDS:
        first, second = (numbers % number == 0 for number in pair)
        if (first | second).all() and (first & ~second).any() and (second & ~first).any():
            return True
    return False


def _stray_db(power: NDArray, spacing: float, bin_hz: float) -> float:
    first, last = round(max(50 / bin_hz, 0.4 * spacing)), min(round(_STRAY_HZ / bin_hz), len(power) - 1)
    bins = np.arange(first, last)
    part = power[first:last]
    if len(part) < 3:
        return -100.0
    distance = np.abs(bins - spacing * np.round(bins / spacing))
    # Vibrato widens high partials.
    off = distance > np.maximum(3.5, np.minimum(0.2 * spacing, 0.03 * bins))
    peak = np.zeros(len(part), bool)
    peak[1:-1] = (part[1:-1] > part[:-2]) & (part[1:-1] >= part[2:])
    candidates = np.flatnonzero(off & peak & (part > 1e-6 * part.max()))
    near = np.clip(candidates[:, None] + np.arange(-12, 13), 0, len(part) - 1)
    lines = np.sort(part[candidates[part[candidates] > 30 * np.median(part[near], axis=1)]])
    return 10 * float(np.log10(lines[-2] / part.max())) if len(lines) > 1 else -100.0
