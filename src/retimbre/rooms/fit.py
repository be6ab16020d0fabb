"""The numbers of a room from its measured impulse response.

In each octave the decay curve of what follows the direct sound is matched with one exponential, or with two where that
is closer. The room is then rendered, measured as the response was, and corrected once by the difference, because its
bands are wider than octaves and its noise is one draw of many.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from retimbre.errors import RetimbreError
from retimbre.rooms.bands import OCTAVE_BANDS_HZ, ROOM_RATE, Array
from retimbre.rooms.measure import LOWEST_DIRECT_HZ, Arrival, Decay, band_pass, decay, find_direct
from retimbre.rooms.room import MAX_LENGTH_S, Room

_USABLE_DB = 15.0  # of decay that an octave must show; others follow their neighbours
_DEEPEST_DB = 40.0  # of the curve that is matched
_GAIN_DB = 0.25  # of error in the curve that a second exponential must save
_GAP_DB = 0.05  # of the answer's energy that may come before it is said to begin


def fit(rir: npt.NDArray[np.floating], sample_rate: int, name: str = "", seed: int = 0) -> Room:
    """Fit a room to a measured impulse response.

    Below 500 Hz the direct sound cannot be told from what follows; the room's answer there is as strong as a diffuse
    field has it, in proportion to the decay time.

    Args:
        rir: [samples].
        sample_rate: in Hz.
        name: of the room.
        seed: of its noise.

    Returns:
        A room as loud as the dry sound is on average over the octaves from 125 Hz to 4 kHz.

    Raises:
        RetimbreError: the response is silent, or no octave shows 15 dB of decay.
    """
    response = np.asarray(rir, np.float64)
    direct = find_direct(response, sample_rate)
    bands = tuple(hz for hz in OCTAVE_BANDS_HZ if hz * math.sqrt(2) <= sample_rate / 2)
    begin = _answer_begins(response, sample_rate, direct, bands)
    curves = [decay(response[begin:], sample_rate, 0, hz, hz) for hz in bands]
    usable = np.array([curve.range_db >= _USABLE_DB for curve in curves])
    if not usable.any():
        raise RetimbreError("the impulse response shows no decay of 15 dB in any octave; it is too noisy or too short")
    shapes = [match(curve, sample_rate) if ok else None for curve, ok in zip(curves, usable, strict=True)]
    first_s, second_s, share = _filled(bands, [shape for shape in shapes if shape], usable)
    level_db = _levels(response, sample_rate, direct, bands, curves, usable, share * second_s + (1 - share) * first_s)
    predelay_s = (begin - direct.peak) / sample_rate
    room = Room(
        bands,
        tuple(first_s.tolist()),
        tuple((level_db + 10 * np.log10(1 - share)).tolist()),
        MAX_LENGTH_S,
        seed,
        name,
        predelay_s,
        tuple(second_s.tolist()),
        tuple((level_db + 10 * np.log10(np.maximum(share, 1e-6))).tolist()),
    )
    longest_s = predelay_s + float(np.maximum(first_s, np.where(share > 1e-3, second_s, 0)).max())
    room = replace(room, length_s=min(MAX_LENGTH_S, max(0.1, 1.05 * longest_s)))
    targets = [_time_s(curve, sample_rate) if ok else None for curve, ok in zip(curves, usable, strict=True)]
    return _rounded(_corrected(room, targets, level_db))


def match(curve: Decay, sample_rate: int) -> tuple[float, float, float]:
    """Match a decay curve with one or two exponentials.

    Returns:
        Decay time of the part that is the stronger 15 dB down, that of the other, and the other's share of the energy,
        0 if there is one part only.
    """
    deepest = min(_DEEPEST_DB, curve.range_db - 3)
    wanted = np.arange(0, -deepest, -1.0)
    time_s = np.searchsorted(-curve.level_db, -wanted) / sample_rate
    span_s = 60 / deepest * float(time_s[-1])
    decays = np.geomspace(0.05 * span_s, 2 * span_s, 24)
    shares = 1 / (1 + np.exp(-np.linspace(-7, 7, 21)))
    single = _best(time_s, wanted, decays, decays[:1], np.zeros(1))
    double = _best(time_s, wanted, decays, decays, shares)
    for width in (0.15, 0.05, 0.015):
        around = np.exp(np.linspace(-width, width, 7))
        odds = np.log(double[3] / (1 - double[3])) + 4 * np.log(around)
        single = _best(time_s, wanted, single[1] * around, single[2:3], np.zeros(1))
        double = _best(time_s, wanted, double[1] * around, double[2] * around, 1 / (1 + np.exp(-odds)))
    if single[0] - double[0] < _GAIN_DB:
        return float(single[1]), float(single[1]), 0.0
    _, first, second, share = double
    left_db = [10 * math.log10(max(part, 1e-12)) for part in (1 - share, share)]
    # Which is the stronger where the whole has fallen by 15 dB?
    down_s = float(time_s[np.argmin(np.abs(wanted + 15))])
    if left_db[1] - 60 * down_s / second > left_db[0] - 60 * down_s / first:
        first, second, share = second, first, 1 - share
    return float(first), float(second), float(share)


def _best(time_s: Array, wanted_db: Array, first_s: Array, second_s: Array, share: Array) -> Array:
    """Error in dB and parameters of the best of all combinations."""
    one, two = (10 ** (-6 * time_s / decays[:, None]) for decays in (first_s, second_s))  # [decays, times]
    mixed = share[:, None, None, None] * two[None, None] + (1 - share)[:, None, None, None] * one[None, :, None]
    error = np.sqrt(np.square(10 * np.log10(mixed) - wanted_db).mean(axis=-1))  # [shares, first, second]
    place = np.unravel_index(np.argmin(error), error.shape)
    return np.array([error[place], first_s[place[1]], second_s[place[2]], share[place[0]]])


def _filled(
    bands: tuple[float, ...], shapes: list[tuple[float, float, float]], usable: npt.NDArray[np.bool_]
) -> tuple[Array, Array, Array]:
    """Shapes of all bands, those that are not usable after their neighbours."""
    octave = np.log2(bands)
    first, second, share = np.array(shapes).T
    first_s, second_s = (np.exp(np.interp(octave, octave[usable], np.log(part))) for part in (first, second))
    return np.clip(first_s, 0.02, 20), np.clip(second_s, 0.02, 20), np.interp(octave, octave[usable], share)


def _answer_begins(response: Array, sample_rate: int, direct: Arrival, bands: tuple[float, ...]) -> int:
    """Sample at which the room's answer begins to be heard."""
    curve = decay(response[direct.end :], sample_rate, 0, LOWEST_DIRECT_HZ, bands[-1])
    late = min(int(np.argmax(curve.level_db < -_GAP_DB)), round(0.5 * sample_rate))
    return min(direct.end + late, direct.peak + round(0.9 * sample_rate))


def _levels(
    response: Array,
    sample_rate: int,
    direct: Arrival,
    bands: tuple[float, ...],
    curves: list[Decay],
    usable: npt.NDArray[np.bool_],
    decay_s: Array,
) -> Array:
    """Energy of the answer over that of the direct sound in each band, in dB."""
    heard = response[max(0, direct.start - round(0.001 * sample_rate)) : direct.end]
    told = usable & (np.array(bands) >= LOWEST_DIRECT_HZ)
    if not told.any():
        raise RetimbreError("the impulse response is too noisy from 500 Hz up to tell its direct sound; measure again")
    level = np.full(len(bands), np.nan)
    for place in np.flatnonzero(told):
        direct_energy = float(np.square(band_pass(heard, sample_rate, bands[place], bands[place])[0]).sum())
        level[place] = 10 * math.log10(curves[place].energy / max(direct_energy, 1e-12 * curves[place].energy))
    diffuse = 10 * np.log10(decay_s)
    octave = np.log2(bands)
    level = diffuse + np.interp(octave, octave[told], (level - diffuse)[told])
    return np.clip(level, -60, 28)


def _time_s(curve: Decay, sample_rate: int) -> float:
    """Time of the curve from -5 dB to 35 dB, or as far as it goes."""
    bottom_db = -min(35.0, curve.range_db - 3)
    five, bottom = np.searchsorted(-curve.level_db, [5, -bottom_db])
    return float(bottom - five) / sample_rate * 60 / (-5 - bottom_db)


def _corrected(room: Room, targets: list[float | None], level_db: Array) -> Room:
    """The room, nearer to the decay times and levels that are wanted of it."""
    begin = 1 + round(room.predelay_s * ROOM_RATE)
    answer = room.answer(ROOM_RATE)[begin:].astype(np.float64) / 10 ** (room.gain_db / 20)
    slower, louder = np.ones(len(room.band_hz)), np.zeros(len(room.band_hz))
    for place, (hz, target) in enumerate(zip(room.band_hz, targets, strict=True)):
        curve = decay(answer, ROOM_RATE, 0, hz, hz)
        unit = _octave_energy(hz)
        louder[place] = level_db[place] - 10 * math.log10(curve.energy / unit)
        if target is not None:
            slower[place] = target / _time_s(curve, ROOM_RATE)
    slower, louder = np.clip(slower, 0.7, 1.4), np.clip(louder, -6, 6)
    return replace(
        room,
        decay_s=tuple(np.clip(slower * room.decay_s, 0.02, 30).tolist()),
        level_db=tuple(np.clip(louder + room.level_db, -120, 30).tolist()),
        second_level_db=tuple(np.clip(louder + room.second_level_db, -120, 30).tolist()),
    )


def _octave_energy(hz: float) -> float:
    """Of a click of 1, in an octave."""
    click = np.zeros(ROOM_RATE // 2)
    click[ROOM_RATE // 4] = 1
    return float(np.square(band_pass(click, ROOM_RATE, hz, hz)[0]).sum())


def _rounded(room: Room) -> Room:
    """With as many digits as mean something, without a second part that is not heard, as loud as the dry sound."""
    second_s = tuple(round(value, 3) for value in room.second_decay_s)
    second_db = tuple(round(max(value, -60.0), 2) for value in room.second_level_db)
    level_db = tuple(round(max(value, -60.0), 2) for value in room.level_db)
    powers = [10 ** (np.array(levels) / 10) for levels in (level_db, second_db)]
    middle = [place for place, hz in enumerate(room.band_hz) if hz <= 4000]
    gain_db = -10 * math.log10(1 + float((powers[0] + powers[1])[middle].mean()))
    heard = bool((powers[1] > 1e-3 * powers[0]).any())
    return replace(
        room,
        decay_s=tuple(round(value, 3) for value in room.decay_s),
        level_db=level_db,
        length_s=round(room.length_s, 2),
        predelay_s=round(room.predelay_s, 4),
        second_decay_s=second_s if heard else (),
        second_level_db=second_db if heard else (),
        gain_db=round(gain_db, 2),
    )
