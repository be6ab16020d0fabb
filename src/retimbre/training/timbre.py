"""Timbre as statistics: the spectral envelope that a sound has at a pitch and a loudness.

An envelope is the level of bands in dB re their sum. The bands count in multiples of f0: harmonics 1 to 10 one by one,
then thirds of octaves; each holds all that sounds in it, noise included. Envelopes are averaged in cells of four
semitones and a third of the sound's frames by loudness, so that sounds are compared like with like.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retimbre.controls import Controls
from retimbre.engine import Floats

HIGHEST_HZ = 16_000.0
FLOOR_DB = -60.0
"""Of a band re the sum of all: below it differences do not count."""

BAND_EDGES = np.concatenate([np.arange(0.5, 10), np.round(10 * 2 ** (np.arange(14) / 3)) + 0.5])
"""In multiples of f0, half way between harmonics, [bands + 1]."""

CELL_SEMITONES = 4
LOUDNESS_CLASSES = 3
MIN_FRAMES = 5
"""In a cell, for it to count: a tenth of a second."""

FRAME_STEP = 4
"""Control frames from one envelope to the next: 20 ms."""

_N_FFT = 4096
_BAND_LIMIT = 1e-9  # share of the power above which nothing lies: -90 dB


@dataclass(frozen=True, eq=False)
class Envelopes:
    """Envelopes of the pitched frames of a sound, one every 20 ms, and what they are filed under.

    Attributes:
        midi: pitch as a MIDI number, [frames].
        loudness_db: [frames].
        level_db: of the bands re their sum, not below `FLOOR_DB`, [frames, bands]; NaN beyond the sound's band limit.
        centroid: of the power spectrum above f0 / 2, in multiples of f0, [frames].
    """

    midi: np.ndarray
    loudness_db: np.ndarray
    level_db: np.ndarray
    centroid: np.ndarray

    def __len__(self) -> int:
        return len(self.midi)

    def __getitem__(self, part: slice | np.ndarray) -> Envelopes:
        return Envelopes(self.midi[part], self.loudness_db[part], self.level_db[part], self.centroid[part])


def join(parts: list[Envelopes]) -> Envelopes:
    """Envelopes of several sounds as those of one."""
    names = ("midi", "loudness_db", "level_db", "centroid")
    return Envelopes(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def envelopes(
    audio: Floats, sample_rate: int, controls: Controls, chosen: np.ndarray, filed: Controls | None = None
) -> Envelopes:
    """Measure a sound.

    Args:
        audio: [samples], at 44.1 kHz or more.
        sample_rate: in Hz.
        controls: of the audio, [frames].
        chosen: frames that count, [frames] of bool; they have a pitch.
        filed: pitch and loudness to file the envelopes under, [frames]; `controls` if None.
    """
    filed = filed or controls
    frames = np.arange(0, len(controls), FRAME_STEP)
    frames = frames[chosen[frames]]
    f0_hz = controls.f0_hz[frames].astype(np.float64)
    power, centroid, mean = _spectra(audio, sample_rate, frames / controls.frame_rate, f0_hz)
    above = np.cumsum(mean[::-1])[::-1]
    limit_hz = np.max(np.flatnonzero(above >= _BAND_LIMIT * above[0])) * sample_rate / _N_FFT
    power[BAND_EDGES[1:] * f0_hz[:, None] > min(limit_hz, HIGHEST_HZ)] = np.nan
    share = power / np.maximum(np.nansum(power, axis=1, keepdims=True), 1e-30)
    level_db = 10 * np.log10(np.maximum(share, 10 ** (FLOOR_DB / 10)))
    midi = 69 + 12 * np.log2(np.maximum(filed.f0_hz[frames], 1.0) / 440)
    return Envelopes(midi, filed.loudness_db[frames], level_db, centroid)


def _spectra(
    audio: Floats, sample_rate: int, time_s: np.ndarray, f0_hz: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Power in the bands [frames, bands], centroid in multiples of f0 [frames], mean power spectrum [bins]."""
    padded = np.pad(np.asarray(audio, np.float64), _N_FFT // 2)
    window = np.hanning(_N_FFT)
    starts = np.minimum(np.round(time_s * sample_rate).astype(int), len(audio))
    bin_hz, bins = sample_rate / _N_FFT, np.arange(_N_FFT // 2 + 1)
    bands, centroids, mean = [np.empty((0, len(BAND_EDGES) - 1))], [np.empty(0)], np.zeros(len(bins))
    for at in range(0, len(starts), 256):  # a few at a time: those of a long recording would fill the memory
        f0 = f0_hz[at : at + 256, None] / bin_hz  # in bins
        power = np.abs(np.fft.rfft(padded[starts[at : at + 256, None] + np.arange(_N_FFT)] * window)) ** 2
        mean += power.sum(0) / max(1, len(starts))
        # Bin k spans k - 1/2 to k + 1/2; the running sum is read between bins.
        running = np.concatenate([np.zeros((len(power), 1)), np.cumsum(power, axis=1)], axis=1)
        place = np.clip(BAND_EDGES * f0 + 0.5, 0, len(bins))
        sums = np.stack([np.interp(x, np.arange(len(bins) + 1), y) for x, y in zip(place, running, strict=True)])
        bands.append(np.diff(sums, axis=1))
        heard = power * ((bins >= 0.5 * f0) & (bins <= HIGHEST_HZ / bin_hz))
        centroids.append((heard @ bins) / np.maximum(heard.sum(1), 1e-30) / f0[:, 0])
    return np.concatenate(bands), np.concatenate(centroids), mean


@dataclass(frozen=True, eq=False)
class Timbre:
    """Mean envelopes in cells.

    Attributes:
        cells: pitch in units of `CELL_SEMITONES`, and class of loudness, [cells, 2].
        level_db: [cells, bands]; NaN where the sound has nothing.
        frames: how many each is the mean of, [cells].
        loudness_edges: between the classes, in dB.
    """

    cells: np.ndarray
    level_db: np.ndarray
    frames: np.ndarray
    loudness_edges: np.ndarray


def timbre(sound: Envelopes, loudness_edges: np.ndarray | None = None) -> Timbre:
    """File envelopes into cells, by default with as many frames in each class of loudness."""
    if loudness_edges is None:
        shares = np.arange(1, LOUDNESS_CLASSES) / LOUDNESS_CLASSES
        loudness_edges = np.quantile(sound.loudness_db, shares)
    place = [np.round(sound.midi / CELL_SEMITONES), np.searchsorted(loudness_edges, sound.loudness_db)]
    cells, member, frames = np.unique(np.stack(place, axis=1), axis=0, return_inverse=True, return_counts=True)
    member = member.reshape(-1)
    enough = frames >= min(MIN_FRAMES, frames.max(initial=0))
    known = np.isfinite(sound.level_db)
    total, count = (np.zeros((len(cells), sound.level_db.shape[1])) for _ in range(2))
    np.add.at(total, member, np.where(known, sound.level_db, 0.0))
    np.add.at(count, member, known)
    level_db = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return Timbre(cells[enough], level_db[enough], frames[enough], loudness_edges)


def distance_db(sound: Timbre, reference: Timbre) -> float:
    """How far a timbre lies from another: the mean absolute difference of levels in dB.

    Each cell of `sound` is compared with the same cell of `reference`, or the nearest, over the bands that both have;
    cells count by their frames.
    """
    apart = np.abs(sound.cells[:, None] - reference.cells[None]).sum(-1)
    nearest = reference.level_db[apart.argmin(1)]
    gap = np.abs(sound.level_db - nearest)
    known = np.isfinite(gap)
    mean = np.where(known, gap, 0).sum(1) / np.maximum(known.sum(1), 1)
    return float(np.average(mean, weights=sound.frames))


def deviations(sound: Envelopes) -> tuple[np.ndarray, np.ndarray]:
    """Loudness in dB and centroid / f0 in octaves, less their means over the frames of the same semitone, [frames].

    What high notes have in common, or low ones, does not count.
    """
    semitone = np.unique(np.round(sound.midi), return_inverse=True)[1].reshape(-1)
    frames = np.bincount(semitone)

    def deviation(values: np.ndarray) -> np.ndarray:
        return values - (np.bincount(semitone, values) / frames)[semitone]

    return deviation(sound.loudness_db.astype(np.float64)), deviation(np.log2(sound.centroid))


def centroid_slope(sound: Envelopes) -> float:
    """How loudness drives the centroid at a given pitch: octaves of centroid / f0 for 10 dB, by least squares.

    NaN where loudness deviates by less than 1 dB.
    """
    loudness, octaves = deviations(sound)
    spread = float(loudness @ loudness)
    return 10 * float(loudness @ octaves) / spread if spread > len(sound) else float("nan")
