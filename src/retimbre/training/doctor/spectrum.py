"""What the spectra of a file say: where its band ends, how loud its background is, how its notes die away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retimbre.engine import Floats

Array = NDArray[np.float64]

_BANDS_HZ = ((2000, 4000), (4000, 6000), (6000, 9000), (9000, 13_000), (13_000, 18_000))
"""Where noise is looked for: the breath of an instrument is missing in one of them, that of a microphone in none."""

_BREATH_HZ = 13_000
"""How far a band must reach to tell breath from a microphone's noise."""

_TAIL_HZ = 1000
"""Ends of notes are looked for above: strings ring on below, but not long above; rooms do."""

_TAIL_BANDS_HZ = ((250, 500), (500, 1000), (1000, 2000), (2000, 4000))
"""Octaves in which a tail is followed: a string or a body rings on in some of them, a room in all. Above 4 kHz the air
swallows the tail."""

_BEAT_FRAMES = 10  # partials beat in a room: a gap shorter than 50 ms is no end of a note
_TAIL_DB = 30
"""How far a band must fall to be followed from -5 to -25 dB: a tail that is cut off bends down before its end."""

_FAINT_DB = 45  # bands fainter than that below the sound hold noise and rumble

_LOWEST_LIMIT_HZ = 3600
"""Of interest: speech at 8 kHz ends above; dark instruments can end steeply below."""

_FRAME_S = 0.005
_CHUNK = 2000  # frames transformed at once: memory stays small in hours of sound


def band_limit_hz(audio: Floats, sample_rate: int) -> tuple[float, float]:
    """The steepest end of the spectrum: codecs and lower sample rates leave a cliff, instruments a slope.

    Args:
        audio: samples [n] at the file's own rate.
        sample_rate: in Hz.

    Returns:
        Its frequency in Hz, and by how many dB the spectrum falls there, within 0.5 kHz and for good.
    """
    n = 1 << round(np.log2(0.09 * sample_rate))
    power = np.sum([chunk.sum(axis=0) for chunk in _spectra(audio, n, n // 2)], axis=0)
    width = max(1, round(150 * n / sample_rate))  # bins
    level = 10 * np.log10(power[: len(power) // width * width].reshape(-1, width).mean(axis=1) + 1e-12)
    hz = (np.arange(len(level)) + 0.5) * width * sample_rate / n
    falls = np.zeros(len(hz))
    for place in np.flatnonzero((hz >= _LOWEST_LIMIT_HZ) & (hz <= 0.45 * sample_rate)):
        # Below, the median: partials of high notes stand alone, and the last one is no cliff.
        falls[place] = np.median(level[place - 7 : place]) - level[place + 2 :].max(initial=-120)
    edge = int(np.argmax(falls >= falls.max() - 3))  # the median is blind to the first cells beyond the edge
    return float(hz[edge] + 1.5 * (hz[1] - hz[0])), float(falls.max())


@dataclass(frozen=True, eq=False)
class Frames:
    """Power every 5 ms: of everything and above 1 kHz [frames], in octaves [frames, octaves], of noise [frames, bands].

    The noise is the lower quartile over the bins of a band, which partials do not reach, as if it were white.
    """

    power: Array
    high: Array
    octaves: Array
    noise: Array

    @classmethod
    def of(cls, audio: Floats, sample_rate: int) -> Frames:
        """Measure samples [n]."""
        n = 1 << round(np.log2(0.022 * sample_rate))
        hz = np.fft.rfftfreq(n, 1 / sample_rate)
        bands = [(hz >= low) & (hz < high) for low, high in _BANDS_HZ]
        octaves = [(hz >= low) & (hz < high) for low, high in _TAIL_BANDS_HZ]
        rows: tuple[list[Array], ...] = ([], [], [], [])
        for power in _spectra(audio, n, round(_FRAME_S * sample_rate)):
            rows[0].append(power.sum(axis=1))
            rows[1].append(power[:, hz > _TAIL_HZ].sum(axis=1))
            rows[2].append(np.stack([power[:, octave].sum(axis=1) for octave in octaves], axis=1))
            quartiles = [np.quantile(power[:, band], 0.25, axis=1) / np.log(4 / 3) for band in bands]
            rows[3].append(np.stack(quartiles, axis=1) * len(hz))
        return cls(*(np.concatenate(part) for part in rows))


def noise_db(frames: Frames, limit_hz: float) -> float | None:
    """Background noise in dB re the loud frames: that of the quietest frames, in the band that has least of it.

    Args:
        frames: of the file.
        limit_hz: where its band ends.

    Returns:
        The level of white noise that would be as strong in that band, or None where the bands end too low to tell the
        noise of a microphone from breath.
    """
    loud = float(np.quantile(frames.power, 0.9))
    alive = frames.power > 1e-10 * loud  # digital silence has been put there
    bands = [place for place, (_, high) in enumerate(_BANDS_HZ) if high <= limit_hz]
    if not bands or _BANDS_HZ[bands[-1]][1] < _BREATH_HZ:
        return None
    quiet = np.quantile(frames.noise[alive][:, bands], 0.05, axis=0) if alive.any() else np.zeros(1)
    return 10 * float(np.log10(max(1e-12, quiet.min() / max(loud, 1e-30))))


def decay_s(frames: Frames) -> float | None:
    """Reverberation time (to -60 dB) that the ends of the notes show: an upper bound of the room's.

    Every octave that can be followed is integrated backwards (Schroeder 1965), which smooths the beats of its partials,
    and a line is fitted from -5 to -25 dB. A room lets nothing be faster, so that the lower ones are taken: the lower
    median of the octaves, where an instrument rings on in few; after what may have been a diminuendo, if that is
    shorter; the lower quartile of all notes.

    Returns:
        Seconds, or None where no note is heard to its end.
    """
    decays: list[float] = []
    for begins, stop in _ends(_db(np.convolve(frames.high, np.full(_BEAT_FRAMES, 1 / _BEAT_FRAMES), "same"))):
        followed = [found for begin in begins if (found := _tails_s(frames, begin, stop))]
        if followed:
            decays.append(min(float(np.quantile(tails, 0.5, method="lower")) for tails in followed))
    return float(np.quantile(decays, 0.25)) if decays else None


def _ends(level: Array) -> Iterator[tuple[list[int], int]]:
    """Where notes fall by 28 dB, from a level in dB [frames]: from which frames to follow them, and where to stop."""
    loud = float(np.quantile(level, 0.95))
    at = 0
    while len(up := np.flatnonzero(level[at:] >= loud - 16)):
        at += int(up[0])
        down = np.flatnonzero(level[at:] < loud - 28)
        if not len(down):
            return
        bottom = at + int(down[0])
        again = np.flatnonzero(level[bottom:] > loud - 16)
        end = bottom + int(again[0]) if len(again) else len(level)
        floor = max(float(np.quantile(level[bottom:end], 0.1)) + 6, loud - 70)
        reached = np.flatnonzero(level[at:end] <= floor)
        heard = [np.flatnonzero(level[at:bottom] >= loud - top) for top in (8, 16)]
        yield [at + int(frames[-1]) for frames in heard if len(frames)], at + int(reached[0]) if len(reached) else end
        at = end


def _tails_s(frames: Frames, begin: int, stop: int) -> list[float]:
    """Reverberation times of the octaves that stand out of their noise between two frames."""
    loud = float(_db(frames.power[begin : begin + 4].max()))
    tails = []
    for power in frames.octaves[begin:stop].T:
        level = _db(power)
        if len(level) >= 8 and level[:4].max() > max(loud - _FAINT_DB, float(np.median(level[-6:])) + _TAIL_DB):
            tails.append(_schroeder_s(power))
    return tails


def _schroeder_s(power: Array) -> float:
    left_db = _db(np.cumsum(power[::-1])[::-1])
    left_db -= left_db[0]
    fitted = np.flatnonzero((left_db <= -5) & (left_db >= -25))
    if len(fitted) < 3:
        return 0.0
    return max(0.0, -60 * _FRAME_S / float(np.polyfit(fitted, left_db[fitted], 1)[0]))


def _db(power: Array) -> Array:
    return 10 * np.log10(power + 1e-14)


def _spectra(audio: Floats, n: int, hop: int) -> Iterator[Array]:
    """Power spectra [frames, n / 2 + 1] of Hann windows, in chunks; a signal shorter than one window is padded."""
    views = np.lib.stride_tricks.sliding_window_view(np.pad(audio, (0, max(0, n - len(audio)))), n)[::hop]
    window = np.hanning(n).astype(np.float32)
    for at in range(0, len(views), _CHUNK):
        yield np.abs(np.fft.rfft(views[at : at + _CHUNK] * window)) ** 2
