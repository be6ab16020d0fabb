"""A room from figures of its response: decay times, clarity and direct sound, as a listener or a network gives them.

In closed form, nothing is searched but a gap. In each band one exponential of the decay time is as strong as the
clarity has what comes after 50 ms; a second, short one makes up the early energy that the direct-to-reverberant ratio
leaves open. Where that ratio leaves less than nothing, the answer begins later instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from retimbre.rooms.room import MAX_LENGTH_S, Array, Room

HALF_OCTAVES_HZ = tuple(125.0 * 2 ** (place / 2) for place in range(12))
"""Centres of the bands in which sound at 16 kHz tells figures."""

EARLY_S = 0.05
"""What comes within this time of the direct sound is early."""

_EXTRA_HZ = (8000.0, 11314.0, 16000.0)
_EARLY_DECAY_S = 0.15  # of early reflections: 99 % of their energy comes within 50 ms
_GAPS_S = (0.0025, 0.04)  # in which the answer may begin; what comes sooner counts as direct sound
_LOUDEST = 300.0  # energy of the answer over that of the direct sound
_SOUND_M_S = 343.0
_FALL = 6 * math.log(10)  # of the energy's logarithm in a decay time


def room_from_figures(
    band_hz: Sequence[float],
    t60_s: npt.ArrayLike,
    c50_db: npt.ArrayLike,
    drr_db: float,
    *,
    name: str = "",
    seed: int = 0,
) -> Room:
    """A room whose response has these figures.

    Args:
        band_hz: centres of the bands, rising, [bands]; above the last, air takes what it takes.
        t60_s: decay time of each band, [bands]; NaN where nothing is known.
        c50_db: energy of the first 50 ms over the rest in each band, [bands]; NaN where nothing is known.
        drr_db: energy of the direct sound over the rest, of all bands together, each as strong as it is wide.
        name: of the room.
        seed: of its noise.

    Returns:
        A room as loud as the dry sound is on average over the octaves from 125 Hz to 4 kHz.

    Raises:
        ValueError: there is no band of which anything is known.
    """
    bands = np.array(band_hz, np.float64)
    decay_s = np.clip(np.exp(_known(bands, np.log(np.asarray(t60_s, np.float64)))), 0.03, 20)
    late = 10 ** (-_known(bands, np.asarray(c50_db, np.float64)) / 10)
    late_share = late / (1 + late)
    wanted, width = 10 ** (-drr_db / 10), bands / bands.sum()

    def answer(gap_s: float, early: float) -> Array:
        """Energy of the first part, [bands]."""
        left = np.exp(-_FALL * (EARLY_S - gap_s) / decay_s)
        early_left = math.exp(-_FALL * (EARLY_S - gap_s) / _EARLY_DECAY_S)
        first = (late_share + early * (late_share - early_left)) / np.maximum(left - late_share, 1e-9)
        return np.clip(first, 1e-6, _LOUDEST)

    def total(gap_s: float, early: float) -> float:
        return float(width @ (answer(gap_s, early) + early))

    gap_s, early = _GAPS_S[0], 0.0
    if total(gap_s, 0) > wanted:
        gap_s = _bisect(lambda gap: wanted - total(gap, 0), *_GAPS_S)
    else:
        early = _bisect(lambda energy: total(gap_s, energy) - wanted, 0, wanted)
    level_db = 10 * np.log10(answer(gap_s, early))
    above = [hz for hz in _EXTRA_HZ if hz > 1.2 * bands[-1]]
    decay_s, level_db = _extended(bands, decay_s, level_db, above)
    second = early > 1e-3
    count = len(level_db)
    early_db = 10 * math.log10(max(early, 1e-6))
    room = Room(
        (*map(float, bands), *above),
        tuple(np.round(decay_s, 3).tolist()),
        tuple(np.round(level_db, 2).tolist()),
        round(min(MAX_LENGTH_S, max(0.1, gap_s + 1.05 * float(decay_s.max()))), 2),
        seed,
        name,
        round(gap_s, 4),
        (_EARLY_DECAY_S,) * count if second else (),
        (round(early_db, 2),) * count if second else (),
    )
    return as_loud_as_dry(room)


def as_loud_as_dry(room: Room) -> Room:
    """The room with the gain that keeps the power of a sound of equal power in the octaves from 125 Hz to 4 kHz."""
    hz = 125.0 * 2 ** (np.arange(11) / 2)
    power = sum(10 ** (room.part_at(place, hz)[1] / 10) for place in range(2))
    return replace(room, gain_db=round(-10 * math.log10(1 + float(np.mean(power))), 2))


def _known(bands: Array, values: Array) -> Array:
    """Values with those that are not known after their neighbours."""
    known = np.isfinite(values)
    if not known.any():
        raise ValueError("no band is known")
    return np.interp(np.log2(bands), np.log2(bands[known]), values[known])


def _extended(bands: Array, decay_s: Array, level_db: Array, above: Sequence[float]) -> tuple[Array, Array]:
    """Decay times and levels with those of bands above the last, where only air absorbs more."""
    rate = 1 / decay_s[-1] + (_air_db_m(np.array(above)) - _air_db_m(bands[-1:])) * _SOUND_M_S / 60
    more_s = 1 / rate
    more_db = level_db[-1] + 10 * np.log10(more_s / decay_s[-1])  # the power at the beginning stays
    return np.concatenate([decay_s, more_s]), np.concatenate([level_db, more_db])


def _air_db_m(hz: Array) -> Array:
    """What air of 20 degrees and 50 % humidity takes from 4 to 16 kHz, dB a metre (after ISO 9613-1, within 10 %)."""
    return 0.106 * (hz / 8000) ** 1.8


def _bisect(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses zero, or the end that is nearer to it."""
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if function(middle) > 0 else (middle, high)
    return (low + high) / 2
