"""Figures of an impulse response in half octaves: what the room estimator learns to tell, and what it is held against.

In each band the decay curve is the backward integral of its energy (Schroeder 1965) from the direct sound on; T20 and
EDT are lines through it (ISO 3382-1). Bands are cos² over log frequency, half an octave apart, without phase.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from retimbre.engine import Floats
from retimbre.rooms.figures import HALF_OCTAVES_HZ
from retimbre.rooms.listen import LISTEN_RATE
from retimbre.rooms.measure import DIRECT_S, decay_end, find_direct
from retimbre.rooms.room import Array

BANDS = len(HALF_OCTAVES_HZ)
TARGETS = 3 * BANDS + 5
"""Numbers of a `Targets.vector`."""

MIDDLE = slice(4, 7)
"""Half octaves of the middle, 500 to 1000 Hz, whose mean stands for a room (ISO 3382-1, annex A)."""

C50_LIMITS_DB = (-15.0, 45.0)
DRR_LIMITS_DB = (-20.0, 30.0)

_BLOCK = 8  # samples of which the energy is added up: half a millisecond
_RING = 2048  # samples that the filters ring


@dataclass(frozen=True, eq=False)
class Targets:
    """Figures of a room; NaN where the response does not tell.

    Attributes:
        t60_s: decay time of each half octave from -5 to -25 dB (T20), [BANDS].
        edt_s: early decay time of each, from 0 to -10 dB, [BANDS].
        c50_db: clarity of each, [BANDS].
        broad: of all bands together: T20 in s, EDT in s, C50, C80 and direct-to-reverberant ratio in dB, [5].
    """

    t60_s: Array
    edt_s: Array
    c50_db: Array
    broad: Array

    @property
    def middle(self) -> tuple[float, float, float]:
        """T20 and EDT in s, C50 in dB, as means over the middle; of times the geometric one."""
        t60, edt = (float(np.exp(np.log(times[MIDDLE]).mean())) for times in (self.t60_s, self.edt_s))
        return t60, edt, float(self.c50_db[MIDDLE].mean())

    def vector(self) -> Array:
        """All of them in a row, times as natural logarithms, [3 BANDS + 5]."""
        times = np.log(self.broad[:2])
        return np.concatenate([np.log(self.t60_s), np.log(self.edt_s), self.c50_db, times, self.broad[2:]])

    @classmethod
    def from_vector(cls, vector: npt.NDArray[np.floating]) -> Targets:
        """What `vector` wrote."""
        t60, edt, c50, broad = np.split(np.asarray(vector, np.float64), [BANDS, 2 * BANDS, 3 * BANDS])
        return cls(np.exp(t60), np.exp(edt), c50, np.concatenate([np.exp(broad[:2]), broad[2:]]))


def measure_targets(response: Floats, *, noisy: bool = True) -> Targets:
    """Figures of an impulse response at `LISTEN_RATE`.

    Args:
        response: [samples], with whatever silence before the direct sound.
        noisy: whether its noise is to be looked for and taken off; a simulated response has none.

    Raises:
        RetimbreError: the response is silent.
    """
    direct = find_direct(response, LISTEN_RATE)
    start, end = direct.peak, direct.peak + round(DIRECT_S * LISTEN_RATE)
    spectrum = np.fft.rfft(np.asarray(response, np.float32), fft_length(len(response) + 2 * _RING))
    masks = half_octaves(2 * (len(spectrum) - 1))
    rows = [_row(spectrum * mask, start, len(response), noisy) for mask in (*masks, masks.sum(axis=0))]
    t60, edt, c50, c80 = np.array(rows).T
    whole = np.fft.irfft(spectrum * masks.sum(axis=0))[: len(response)] ** 2
    # What was found to be late decides, so that noise does not count.
    late = float(whole[end:].sum())
    ratio = 10 * math.log10((float(whole[:end].sum()) + 1e-30) / (late + 1e-30))
    drr_db = float(np.clip(ratio, *DRR_LIMITS_DB))
    return Targets(t60[:-1], edt[:-1], c50[:-1], np.array([t60[-1], edt[-1], c50[-1], c80[-1], drr_db]))


def half_octaves(n_fft: int, *, whole: bool = False) -> Floats:
    """Gains of the bands at the bins of a spectrum at `LISTEN_RATE`, [BANDS, n_fft // 2 + 1].

    They sum to 1 from the first centre to the last; with `whole`, which gives those two all that lies beyond,
    everywhere.
    """
    masks = _half_octaves(n_fft)
    return masks[1] if whole else masks[0]


@lru_cache(maxsize=32)
def _half_octaves(n_fft: int) -> tuple[Floats, Floats]:
    hz = np.maximum(np.fft.rfftfreq(n_fft, 1 / LISTEN_RATE), 1)
    place = 2 * np.log2(hz / HALF_OCTAVES_HZ[0])

    def masks(place: Array) -> Floats:
        apart = np.clip(place - np.arange(BANDS)[:, None], -1, 1)
        return (0.5 + 0.5 * np.cos(np.pi * apart)).astype(np.float32)

    return masks(place), masks(np.clip(place, 0, BANDS - 1))


def fft_length(n: int) -> int:
    """At least `n`; few different lengths, so that the bands of each are remembered."""
    power = 1 << max(12, (n - 1).bit_length())
    return 3 * power // 4 if n <= 3 * power // 4 else power


def _row(spectrum: npt.NDArray[np.complexfloating], start: int, n: int, noisy: bool) -> tuple[float, ...]:
    """T20 and EDT in s, C50 and C80 in dB of one band."""
    power = np.square(np.fft.irfft(spectrum))
    # What the filter rings before the direct sound (wrapped to the end, too) belongs to it.
    before = float(power[:start].sum() + power[-_RING:].sum())
    heard = power[start:n]
    blocks = heard[: len(heard) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).sum(axis=1, dtype=np.float64)
    rate, tail = LISTEN_RATE / _BLOCK, 0.0
    if noisy:
        noise, knee, tail = decay_end(blocks, rate)
        blocks = blocks[:knee] - noise
    blocks[0] += before
    left = np.maximum(np.cumsum(blocks[::-1])[::-1], 0) + tail + 1e-30
    left = np.minimum.accumulate(left)
    level = 10 * np.log10(left / left[0])
    floor = 10 * math.log10(max(tail, 1e-30) / left[0])
    times = [_time(level, rate, top, bottom) if floor < bottom else math.nan for top, bottom in ((-5, -25), (0, -10))]
    clarity = []
    for seconds in (0.05, 0.08):
        at = min(round(seconds * rate), len(left) - 1)
        late = left[at] if at == round(seconds * rate) else tail + 1e-30
        clarity.append(float(np.clip(10 * math.log10(max(left[0] - late, 1e-30) / late), *C50_LIMITS_DB)))
    return *times, *clarity


def _time(level: Array, rate: float, top: float, bottom: float) -> float:
    """Of 60 dB by the line through a part of a decay curve."""
    begin, end = np.searchsorted(-level, [-top, -bottom])
    if end - begin < 9 or end >= len(level):
        return math.nan
    x = np.arange(end - begin) - (end - begin - 1) / 2
    slope = float(x @ level[begin:end]) / float(x @ x) * rate
    return -60 / slope if slope < 0 else math.nan
