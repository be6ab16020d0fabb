"""What the spectrum of a note says: is the pitch an octave off, is another note there, how bright is it?"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Look:
    """The spectrum around one instant, measured against a pitch.

    Attributes:
        octave: 1 where the pitch seems an octave too high, -1 too low, else 0.
        brightness: centroid of the partials' amplitudes in multiples of the fundamental.
        stray_db: the strongest line that is no partial, re the strongest line; -100 where there is none.
    """

    octave: int
    brightness: float
    stray_db: float


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
    octave = _octave(level_db[:_HALVES], outstanding_db[:_HALVES])
    return Look(octave, brightness, _stray_db(power, spacing, sample_rate / n))


def _around(power: NDArray, step: float, offset: float, reach: int, count: int) -> NDArray:
    """Windows of `2 reach + 1` bins around `(k + offset) step`, k = 1 .. `count` or as far as the spectrum goes."""
    centres = np.round((np.arange(1, count + 1) + offset) * step).astype(int)
    centres = centres[centres + reach < len(power)]
    return power[np.maximum(0, centres[:, None] + np.arange(-reach, reach + 1))]


def _octave(level_db: NDArray, outstanding_db: NDArray) -> int:
    """As `Look.octave`, from the lines at multiples of half the fundamental [12], first of them the half itself."""
    heard = (outstanding_db > _LINE_DB) & (level_db[: len(outstanding_db)] > _WEAK_DB)
    between, odd, even = heard[0::2], heard[1::4], heard[3::4]
    if not len(even):
        return 0
    if (between[0] and level_db[0] > -20) or between.mean() >= 0.5:
        return 1  # the pitch is the second partial of these
    return -1 if even[:2].any() and not odd.any() and not between.any() else 0


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
    lines = part[candidates[part[candidates] > 30 * np.median(part[near], axis=1)]]
    return max(-100.0, 10 * float(np.log10(lines.max(initial=1e-30) / part.max())))
