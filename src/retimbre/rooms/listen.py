"""What the room estimator hears: levels of mel bands, a hundred times a second, at 16 kHz.

The level of the recording is taken out, so that only ratios of levels remain.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from retimbre.engine import Floats
from retimbre.rooms.room import Array

LISTEN_RATE = 16_000
"""Sample rate in Hz of everything that is heard."""

HOP = 160
"""Samples from one frame to the next."""

N_FFT = 512
MELS = 64
LOWEST_HZ, HIGHEST_HZ = 60.0, 7600.0
DEEPEST_DB = 75.0
"""How far below the loudest level anything is heard."""

SCALE_DB = 15.0
"""Of levels, to the network."""
_BLOCK = 256  # frames at a time


def mel_levels(audio: Floats) -> Floats:
    """Levels in dB of a sound at `LISTEN_RATE`.

    Args:
        audio: [samples].

    Returns:
        [frames, MELS]: of every whole Hann window of 32 ms.
    """
    if len(audio) < N_FFT:
        return np.empty((0, MELS), np.float32)
    views = np.lib.stride_tricks.sliding_window_view(np.asarray(audio, np.float32), N_FFT)[::HOP]
    window, filters = _window(), mel_filters()
    levels = np.empty((len(views), MELS), np.float32)
    for at in range(0, len(views), _BLOCK):
        spectra = np.fft.rfft(views[at : at + _BLOCK] * window)
        power = np.square(spectra.real) + np.square(spectra.imag)
        levels[at : at + _BLOCK] = 10 * np.log10(power.astype(np.float32) @ filters + 1e-10)
    return levels


def normalise(levels: Floats) -> Floats:
    """Levels [..., frames, MELS] as the network takes them: about their mean, a span of 15 dB being 1."""
    levels = np.maximum(levels, levels.max(axis=(-2, -1), keepdims=True) - DEEPEST_DB)
    return (levels - levels.mean(axis=(-2, -1), keepdims=True)) / np.float32(SCALE_DB)


@lru_cache(maxsize=1)
def mel_filters() -> Floats:
    """Triangles over mel frequency, each of sum 1, [bins, MELS]; one that holds no bin takes the nearest."""
    hz, edges = np.fft.rfftfreq(N_FFT, 1 / LISTEN_RATE), _edges_hz()
    filters = np.stack([np.interp(hz, edges[mel : mel + 3], [0, 1, 0]) for mel in range(MELS)], axis=1)
    for mel in np.flatnonzero(filters.sum(axis=0) == 0):
        filters[np.argmin(np.abs(hz - edges[mel + 1])), mel] = 1
    return (filters / filters.sum(axis=0)).astype(np.float32)


def mel_centres_hz() -> Array:
    """Of the bands, [MELS]."""
    return _edges_hz()[1:-1]


def _edges_hz() -> Array:
    low, high = 2595 * np.log10(1 + np.array([LOWEST_HZ, HIGHEST_HZ]) / 700)
    return 700 * (10 ** (np.linspace(low, high, MELS + 2) / 2595) - 1)


@lru_cache(maxsize=1)
def _window() -> Floats:
    return np.hanning(N_FFT).astype(np.float32)
