"""A room from figures of its response: decay times, clarity and direct sound, as a listener or a network gives them.

In each band the energy of the answer is what the clarity says where that tells it, and that of a diffuse field
elsewhere. It is two exponentials: a late one, as strong as the clarity has what comes after 50 ms, and an early one
that makes up the rest. Where the direct-to-reverberant ratio leaves less than nothing for the early part, the answer
begins later instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from retimbre.rooms.bands import ROOM_BANDS_HZ, Array
from retimbre.rooms.room import MAX_LENGTH_S, Room

HALF_OCTAVES_HZ = ROOM_BANDS_HZ[:12]
"""Centres of the bands in which sound at 16 kHz tells figures."""

EARLY_S = 0.05
"""What comes within this time of the direct sound is early."""

_EARLY_DECAY_S = 0.15  # of early reflections: 99 % of their energy comes within 50 ms
_GAPS_S = (0.0025, 0.04)  # in which the answer may begin; what comes sooner counts as direct sound
_SOUND_M_S = 343.0
_FALL = 6 * math.log(10)  # of the energy's logarithm in a decay time
_DIFFUSE_DB, _CLARITY_DB = 2.0, 1.5  # standard errors of a level from a diffuse field, and of a clarity
_TURNED_DB, _TURNED_HZ = 1.0, 500.0  # by which mouths and loudspeakers aim more of each higher octave at the listener
_EARLIER = 0.65  # how long the early part decays, over the late one, at the longest


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
    late_share, early_s = late / (1 + late), np.minimum(_EARLY_DECAY_S, _EARLIER * decay_s)

    def whole(gap_s: float) -> Array:
        return _answer(bands, decay_s, late_share, gap_s, drr_db)

    def too_much_late(gap_s: float) -> float:
        """What the parts bring after 50 ms beyond what is asked for, of all bands together."""
        answer = whole(gap_s)
        first = _late_part(answer, decay_s, early_s, late_share, gap_s)
        left = first * _left(decay_s, gap_s) + (answer - first) * _left(early_s, gap_s)
        return float(bands @ (left - 0.98 * late_share * (1 + answer)))

    gap_s = _bisect(too_much_late, *_GAPS_S)
    answer = whole(gap_s)
    first = _late_part(answer, decay_s, early_s, late_share, gap_s)
    second = answer - first
    decay_s, level_db = with_air(bands, decay_s, _decibels(first))
    second_s, second_db = with_air(bands, early_s, _decibels(second))
    heard = bool((second_db > level_db - 30).any())
    room = Room(
        (*map(float, bands), *bands_above(bands[-1])),
        tuple(np.round(decay_s, 3).tolist()),
        tuple(np.round(level_db, 2).tolist()),
        round(min(MAX_LENGTH_S, max(0.1, gap_s + 1.05 * float(decay_s.max()))), 2),
        seed,
        name,
        round(gap_s, 4),
        tuple(np.round(second_s, 3).tolist()) if heard else (),
        tuple(np.round(second_db, 2).tolist()) if heard else (),
    )
    return room.as_loud_as_dry()


def _answer(bands: Array, decay_s: Array, late_share: Array, gap_s: float, drr_db: float) -> Array:
    """Energy of the answer in each band, re the direct sound.

    Two things tell it. One exponential has the clarity at one level, which is sure where much of the energy is direct
    and not at all where hardly any is. A diffuse field is as strong as it decays slowly, and as the source sends sound
    elsewhere than to the listener. Each counts with the inverse of its variance; of all bands together the
    direct-to-reverberant ratio is that asked for.
    """
    share = np.clip(late_share / _left(decay_s, gap_s), 1e-4, 0.97)
    told_db = _decibels(share / (1 - share))
    diffuse_db = _decibels(decay_s) - _TURNED_DB * np.maximum(np.log2(bands / _TURNED_HZ), 0)
    sure = 1 / (1 + (_CLARITY_DB / (1 - share) / _DIFFUSE_DB) ** 2)
    width, wanted = bands / bands.sum(), 10 ** (-drr_db / 10)
    diffuse_db += 10 * np.log10(wanted / (width @ 10 ** (diffuse_db / 10)))
    energy = 10 ** ((sure * told_db + (1 - sure) * diffuse_db) / 10)
    return energy * wanted / (width @ energy)


def _late_part(answer: Array, decay_s: Array, early_s: Array, late_share: Array, gap_s: float) -> Array:
    """Energy of the part that decays more slowly, so that what comes after 50 ms has its share."""
    left, early_left = _left(decay_s, gap_s), _left(early_s, gap_s)
    apart = left - early_left
    first = (late_share * (1 + answer) - answer * early_left) / np.where(apart > 1e-6, apart, 1e-6)
    return np.clip(first, 1e-4 * answer, answer)


def _left(decay_s: Array, gap_s: float) -> Array:
    """Share of a part's energy that comes later than 50 ms after the direct sound."""
    return np.exp(-_FALL * (EARLY_S - gap_s) / decay_s)


def _decibels(energy: Array) -> Array:
    return np.clip(10 * np.log10(np.maximum(energy, 1e-6)), -60, 28)


def _known(bands: Array, values: Array) -> Array:
    """Values with those that are not known after their neighbours."""
    known = np.isfinite(values)
    if not known.any():
        raise ValueError("no band is known")
    return np.interp(np.log2(bands), np.log2(bands[known]), values[known])


def bands_above(hz: float) -> list[float]:
    """Those of a room above the last one that something is known of."""
    return [band for band in ROOM_BANDS_HZ if band > 1.2 * hz]


def with_air(bands: npt.ArrayLike, decay_s: Array, level_db: Array) -> tuple[Array, Array]:
    """Decay times and levels [bands] with those of the bands above, where air absorbs more and nothing else changes."""
    last_hz = float(np.asarray(bands)[-1])
    above = np.array(bands_above(last_hz))
    rate = 1 / decay_s[-1] + (_air_db_m(above) - _air_db_m(last_hz)) * _SOUND_M_S / 60
    more_db = level_db[-1] - 10 * np.log10(rate * decay_s[-1])  # the power at the beginning stays
    return np.concatenate([decay_s, 1 / rate]), np.concatenate([level_db, more_db])


def _air_db_m(hz: float | Array) -> float | Array:
    """What air of 20 degrees and 50 % humidity takes from 4 to 16 kHz, dB a metre (after ISO 9613-1, within 10 %)."""
    return 0.106 * (hz / 8000) ** 1.8


def _bisect(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses zero, or the end that is nearer to it."""
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if function(middle) > 0 else (middle, high)
    return (low + high) / 2
