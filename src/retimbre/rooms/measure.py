"""What ISO 3382-1 measures in a room impulse response: decay times, clarity, definition, centre time, direct sound.

Decay curves are backward integrals (Schroeder 1965) up to where the decay meets the noise (Lundeby et al. 1995), with
the power of the noise taken off (Chu 1978) and the rest of the decay, beyond that point, added as an exponential.
Early and late energy are separated before they are filtered, so that no filter smears one into the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from retimbre.errors import RetimbreError
from retimbre.rooms.bands import OCTAVE_BANDS_HZ, Array
from retimbre.rooms.doubts import doubt

START_DB = -20.0
"""The response starts where it first comes this near to its maximum (ISO 3382-1)."""

DIRECT_S = 0.0025
"""What comes within this time of the direct sound's peak belongs to it."""

LOWEST_DIRECT_HZ = 500.0
"""Octave from which on so short a window can tell the direct sound from the rest."""

MARGIN_DB = 10.0
"""What a decay must have left above the noise below the range it is read in (ISO 3382-1)."""

_LEAD_S = 0.001  # before the start that belongs to the direct sound
_UNSEEN = 0.92  # share of the response from which on a knee says that it ends before its noise is heard
_SILENT = 1e-16  # of the peak power: no noise at all
_FADE_DB = 6.0  # below the line through the third quarter: the end was faded out
_POINTS = 4000  # of a decay curve that a line is drawn through


@dataclass(frozen=True)
class Figures:
    """One row of a report; None where the response does not tell.

    Attributes:
        band_hz: centre of the octave; None for all octaves together.
        edt_s: early decay time, from 0 to -10 dB, as of 60 dB.
        t20_s: decay time from -5 to -25 dB, as of 60 dB.
        t30_s: decay time from -5 to -35 dB, as of 60 dB.
        c50_db: energy of the first 50 ms over the rest.
        c80_db: energy of the first 80 ms over the rest.
        d50: share of the energy in the first 50 ms.
        ts_s: centre of the energy in time.
        drr_db: energy of the direct sound over the rest.
        range_db: from the whole energy down to what is left where the noise, or the end of the file, begins.
        warnings: what to know before these figures are believed.
    """

    band_hz: float | None
    edt_s: float | None
    t20_s: float | None
    t30_s: float | None
    c50_db: float
    c80_db: float
    d50: float
    ts_s: float
    drr_db: float | None
    range_db: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What is measured in a room impulse response.

    Attributes:
        octaves: a row for each octave that the sample rate holds.
        broadband: all of these octaves as one band.
        start_s: where the direct sound begins.
    """

    octaves: tuple[Figures, ...]
    broadband: Figures
    start_s: float

    def to_json(self) -> dict[str, Any]:
        """As `retimbre room measure --json` prints it."""
        return asdict(self)

    @property
    def warnings(self) -> list[str]:
        """Those of all rows, each with its band."""
        rows = (*self.octaves, self.broadband)
        return [f"{band_name(row.band_hz)}: {text}" for row in rows for text in row.warnings]


def band_name(band_hz: float | None) -> str:
    """What a reader calls a band."""
    return "broadband" if band_hz is None else f"{band_hz:g} Hz"


@dataclass(frozen=True)
class Arrival:
    """Where the direct sound lies in a response, in samples: its first, its peak, and the first after it."""

    start: int
    peak: int
    end: int


def find_direct(response: npt.NDArray[np.floating], sample_rate: int) -> Arrival:
    """Find the direct sound in a response [samples].

    Raises:
        RetimbreError: the response is silent.
    """
    level = np.abs(response)
    if not level.size or not level.max() > 0:
        raise RetimbreError("the impulse response is silent; record or export it again")
    # Noise of which some would come as near to the maximum is no start.
    noise = float(level[-max(1, len(level) // 10) :].max())
    threshold = max(level.max() * 10 ** (START_DB / 20), min(1.25 * noise, 0.7 * level.max()))
    start = int(np.argmax(level >= threshold))
    width = max(1, round(DIRECT_S * sample_rate))
    peak = start + int(np.argmax(level[start : start + width]))
    return Arrival(start, peak, min(peak + width, len(response)))


@dataclass(frozen=True, eq=False)
class Decay:
    """The decay curve of one band.

    Attributes:
        level_db: energy that is still to come, re the whole, at each sample from the start to the knee.
        knee: sample, counted from the start, at which the decay meets the noise or the response ends.
        noise: mean power of the noise.
        tail: energy of the decay beyond the knee.
        slope: of the last part, in dB a second; negative.
        energy: of the whole decay without the noise.
    """

    level_db: Array
    knee: int
    noise: float
    tail: float
    slope: float
    energy: float

    @property
    def range_db(self) -> float:
        """How far the curve goes down."""
        return 10 * math.log10(self.energy / max(self.tail, 1e-30 * self.energy))


def measure(response: npt.NDArray[np.floating], sample_rate: int, band_hz: Sequence[float] = OCTAVE_BANDS_HZ) -> Report:
    """Measure a room impulse response.

    Args:
        response: [samples], with whatever silence before the direct sound.
        sample_rate: in Hz.
        band_hz: centres of the octaves; those above the Nyquist frequency are left out.

    Raises:
        RetimbreError: the response is silent, or too short to hold a decay.
    """
    response = np.asarray(response, np.float64)
    direct = find_direct(response, sample_rate)
    if len(response) - direct.start < 0.05 * sample_rate:
        raise RetimbreError("the impulse response ends within 50 ms; a decay needs more")
    octaves = tuple(hz for hz in band_hz if hz * math.sqrt(2) <= sample_rate / 2)
    if not octaves:
        raise RetimbreError(f"a sample rate of {sample_rate} Hz holds no octave to measure; export it at 44100 Hz")
    rows = [_figures(response, sample_rate, direct, hz, (hz, hz)) for hz in octaves]
    broadband = _figures(response, sample_rate, direct, None, (octaves[0], octaves[-1]))
    if why := doubt(response, sample_rate, direct.start):
        broadband = replace(broadband, warnings=(f"is this an impulse response? {why}", *broadband.warnings))
    return Report(tuple(rows), broadband, direct.start / sample_rate)


def band_pass(response: npt.NDArray[np.floating], sample_rate: int, low_hz: float, high_hz: float) -> tuple[Array, int]:
    """A response [samples] in the octaves from one centre to another, and the samples that it now begins earlier.

    Butterworth's magnitude of third order (IEC 61260), and no phase: it rings before as long as after.
    """
    early = round(12 / low_hz * sample_rate)
    n_fft = _fast_length(len(response) + 2 * early)
    gain = _gain(n_fft, sample_rate, low_hz, high_hz)
    filtered = np.fft.irfft(gain * np.fft.rfft(response, n_fft), n_fft)
    return np.roll(filtered, early)[: len(response) + 2 * early], early


def decay(response: Array, sample_rate: int, start: int, low_hz: float, high_hz: float) -> Decay:
    """The decay curve of a response [samples] in the octaves from one centre to another, from a sample on."""
    filtered, early = band_pass(response, sample_rate, low_hz, high_hz)
    power = filtered**2
    begin = early + start
    heard = power[begin : early + len(response)]
    noise, knee, slope = _knee(heard, sample_rate, 12 / low_hz)
    last_db = _line_db(heard, knee, slope, sample_rate) if noise == 0 else 10 * math.log10(noise)
    tail = 10 ** (last_db / 10) * sample_rate * 10 / (math.log(10) * -slope)
    left = np.cumsum((heard[:knee] - noise)[::-1])[::-1] + tail
    # What a filter without phase rings before the start belongs to the start.
    left[0] += power[:begin].sum()
    left = np.maximum(left, tail)
    return Decay(10 * np.log10(left / left[0]), knee, noise, tail, slope, float(left[0]))


def decay_end(power: Array, sample_rate: float) -> tuple[float, int, float]:
    """Where the decay of a band's power [samples] ends: power of the noise, first sample of it, energy beyond that."""
    noise, knee, slope = _knee(power, sample_rate, 0.02)
    last_db = _line_db(power, knee, slope, sample_rate) if noise == 0 else 10 * math.log10(noise)
    return noise, knee, 10 ** (last_db / 10) * sample_rate * 10 / (math.log(10) * -slope)


def _figures(
    response: Array, sample_rate: int, direct: Arrival, band_hz: float | None, edges: tuple[float, float]
) -> Figures:
    curve = decay(response, sample_rate, direct.start, *edges)
    stop = direct.start + curve.knee

    def energy(begin: int, end: int) -> float:
        """Of a part of the response, without its share of the noise."""
        part = response[max(begin, 0) : end]
        if not len(part):
            return 0.0
        return max(0.0, _energy(part, sample_rate, *edges) - curve.noise * len(part))

    whole = energy(0, stop) + curve.tail
    tiny = 1e-12 * whole

    def ratio_db(split: int, begin: int = 0) -> float:
        late = energy(split, stop) + curve.tail
        return 10 * math.log10(max(energy(begin, min(split, stop)), tiny) / max(late, tiny))

    c50_db, c80_db = (ratio_db(direct.start + round(seconds * sample_rate)) for seconds in (0.05, 0.08))
    times = {
        name: _decay_time(curve, sample_rate, top, bottom)
        for name, top, bottom in (("edt_s", 0, -10), ("t20_s", -5, -25), ("t30_s", -5, -35))
    }
    tells_direct = band_hz is None or band_hz >= LOWEST_DIRECT_HZ
    lead = direct.start - round(_LEAD_S * sample_rate)
    return Figures(
        band_hz=band_hz,
        c50_db=c50_db,
        c80_db=c80_db,
        d50=1 / (1 + 10 ** (-c50_db / 10)),
        ts_s=_centre_s(curve, sample_rate),
        drr_db=ratio_db(direct.end, lead) if tells_direct else None,
        range_db=curve.range_db,
        warnings=_warnings(curve, times, band_hz, stop == len(response)),
        **times,
    )


def _decay_time(curve: Decay, sample_rate: int, top_db: float, bottom_db: float) -> float | None:
    """Time of 60 dB by the line through a part of the decay curve; None where the curve does not reach so far."""
    if curve.range_db < -bottom_db:
        return None
    inside = np.flatnonzero((curve.level_db <= top_db) & (curve.level_db >= bottom_db))
    if len(inside) < 3:
        return None
    inside = inside[:: max(1, len(inside) // _POINTS)]
    slope = _slope(inside / sample_rate, curve.level_db[inside])
    return -60 / slope if slope < 0 else None


def _centre_s(curve: Decay, sample_rate: int) -> float:
    """The mean of a time is the integral of what is left of its distribution."""
    left = 10 ** (curve.level_db[1:] / 10)
    beyond = curve.tail / curve.energy * 10 / (math.log(10) * -curve.slope)
    return float(left.sum()) / sample_rate + beyond


def _warnings(curve: Decay, times: dict[str, float | None], band_hz: float | None, cut: bool) -> tuple[str, ...]:
    warnings = []
    why = f"{'the end of the file' if cut else 'noise'} leaves {curve.range_db:.0f} dB of decay"
    for needed_db, lost in ((10, "decay times"), (25, "T20 and T30"), (35, "T30")):
        if curve.range_db < needed_db:
            warnings.append(f"{why}, too little for {lost}")
            break
    else:
        if curve.range_db < 35 + MARGIN_DB:
            warnings.append(f"{why}; T30 is sure from {35 + MARGIN_DB:.0f} dB")
    t20_s, t30_s = times["t20_s"], times["t30_s"]
    if t20_s and t30_s and abs(t30_s / t20_s - 1) > 0.1:
        warnings.append(f"the decay is bent: T30 is {100 * (t30_s / t20_s - 1):+.0f} % of T20")
    shortest = min((time for time in times.values() if time is not None), default=None)
    if band_hz is not None and shortest is not None and shortest * band_hz / math.sqrt(2) < 16:
        warnings.append("as short as the ringing of the octave filter")
    return tuple(warnings)


def _knee(power: Array, sample_rate: float, shortest_s: float) -> tuple[float, int, float]:
    """Lundeby's iteration: power of the noise, sample at which the decay meets it, slope of the decay in dB a second.

    The noise is 0 where the response ends before its noise, or where it has none.
    """
    n = _before_fade(power)
    noise = float(power[-max(1, n // 10) + n : n].mean())
    floor = _SILENT * float(power.max())
    block_s, knee, slope = max(0.02, shortest_s / 4), n, -60.0
    for attempt in range(6):
        size = max(1, min(round(block_s * sample_rate), n // 12))
        blocks = power[: n // size * size].reshape(-1, size).mean(axis=1)
        level = 10 * np.log10(np.maximum(blocks, floor + 1e-300))
        noise_db = 10 * math.log10(max(noise, floor, 1e-300))
        top = int(np.argmax(level))
        bottom_db = noise_db + (10 if attempt == 0 else 6)
        below = np.flatnonzero(level[top:] < bottom_db)
        end = top + (int(below[0]) if len(below) else len(level) - top)
        begin = top
        if attempt:  # the last 20 dB only: early decay may be steeper
            above = np.flatnonzero(level[top:end] > bottom_db + 20)
            begin = top + int(above[-1]) + 1 if len(above) else top
        if end - begin < 3:
            begin, end = top, max(end, min(top + 3, len(level)))
        time_s = (np.arange(begin, end) + 0.5) * size / sample_rate
        slope = min(_slope(time_s, level[begin:end]), -1.0) if end - begin > 1 else -60.0
        meets_db = float(level[begin:end].mean()) + slope * (-float(time_s.mean()))  # at the start
        if noise > floor:
            knee = round((noise_db - meets_db) / slope * sample_rate)
            if knee > _UNSEEN * n:
                return 0.0, n, slope
            knee = max(knee, size)
            after = min(knee + round(-10 / slope * sample_rate), n - max(1, n // 10))
            noise = float(power[after:n].mean())
        block_s = min(max(-10 / slope / 5, 0.002, shortest_s / 8), 0.2)
    if noise <= floor:
        return 0.0, n, slope
    falls = _fall(power[min(knee, n - 1) : n], sample_rate, shortest_s)
    return (0.0, n, falls) if falls else (noise, min(knee, n), slope)


def _before_fade(power: Array) -> int:
    """Where an editor began to fade the response out, if one did: no room's decay grows steeper towards its end."""
    size = len(power) // 64
    if not size:
        return len(power)
    level = 10 * np.log10(power[: 64 * size].reshape(64, size).mean(axis=1) + 1e-30 * float(power.max()))
    place = np.arange(64.0)
    middle = slice(32, 48)
    line = level[middle].mean() + _slope(place[middle], level[middle]) * (place - place[middle].mean())
    if level[-4:].mean() > line[-4:].mean() - _FADE_DB:
        return len(power)
    return (int(np.flatnonzero(level >= line - 2)[-1]) + 1) * size


def _fall(power: Array, sample_rate: float, shortest_s: float) -> float | None:
    """Slope in dB a second of what was taken for noise, if it falls more than noise of its bandwidth can."""
    blocks = power[: len(power) // 16 * 16].reshape(16, -1).mean(axis=1)
    if not blocks.size or not (blocks > 0).all():
        return None
    level, time_s = 10 * np.log10(blocks), np.arange(16) * (len(power) // 16) / sample_rate
    slope = _slope(time_s, level)
    # The level of noise of bandwidth B over t seconds scatters by 4.3 / sqrt(B t) dB; shortest_s is 12 / low_hz.
    scatter_db = 4.3 / math.sqrt(max(time_s[1] * 8 / shortest_s, 1))
    return slope if -slope * time_s[-1] > max(3.0, 4 * scatter_db) else None


def _line_db(power: Array, knee: int, slope: float, sample_rate: float) -> float:
    """Level of a decay at its end, by the mean of its last fiftieth."""
    size = max(1, knee // 50)
    level = 10 * math.log10(max(float(power[knee - size : knee].mean()), 1e-300))
    return level + slope * size / 2 / sample_rate


def _slope(x: npt.NDArray[np.floating], y: Array) -> float:
    """Of the line of least squares."""
    apart = x - x.mean()
    return float(apart @ y) / max(float(apart @ apart), 1e-30)


def _energy(part: Array, sample_rate: int, low_hz: float, high_hz: float) -> float:
    """Of a part of a response [samples], filtered with all that the filter rings before and after."""
    n_fft = _fast_length(len(part) + 2 * round(12 / low_hz * sample_rate))
    power = np.abs(_gain(n_fft, sample_rate, low_hz, high_hz) * np.fft.rfft(part, n_fft)) ** 2
    return float(2 * power.sum() - power[0] - power[-1]) / n_fft


def _gain(n_fft: int, sample_rate: int, low_hz: float, high_hz: float) -> Array:
    hz = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    hz[0] = 1e-3
    low, high = low_hz / math.sqrt(2), high_hz * math.sqrt(2)
    detune = (hz**2 - low * high) / (hz * (high - low))
    return 1 / np.sqrt(1 + detune**6)


def _fast_length(n: int) -> int:
    """An even length of at least n that a fast Fourier transform likes: 2, 3 or 5 times a power of two."""
    return min(base << max(1, math.ceil(math.log2(n / base))) for base in (2, 3, 5))
