"""The bands of a room: what noise and a click are in them (`docs/definitions.md`, Room).

Triangles over log frequency that sum to one, the lowest and the highest held to 0 Hz and Nyquist.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from retimbre.engine import white_noise

Array = npt.NDArray[np.float64]

ROOM_RATE = 48_000
"""Sample rate at which the noise of a room is drawn; other rates get the same response, resampled."""

OCTAVE_BANDS_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
"""The octaves in which room acoustics counts (ISO 3382)."""

ROOM_BANDS_HZ = tuple(round(125 * 2 ** (place / 2), 1) for place in range(15))
"""Half octaves from 125 Hz to 16 kHz, in which responses are fitted."""

_CLICK_S = 0.2  # of the spectrum that a coloured click is made with


def band_weights(hz: npt.ArrayLike, band_hz: Sequence[float]) -> Array:
    """Gain of each band at some frequencies, [bands, n]."""
    octave = np.log2(np.maximum(hz, 0.5 * band_hz[0]))  # 0 Hz has no logarithm
    return np.stack([np.interp(octave, np.log2(band_hz), unit) for unit in np.eye(len(band_hz))])


def noise_bands(
    n: int, band_hz: Sequence[float], seed: int, sample_rate: int = ROOM_RATE, *, channel: int = 0
) -> Iterator[Array]:
    """White noise of unit variance, one band [n] after the other; they sum to it."""
    whole = 1 << (n - 1).bit_length()
    spectrum = np.fft.rfft(white_noise(seed, channel, 1, whole)[0].astype(np.float64))
    for weight in band_weights(np.fft.rfftfreq(whole, 1 / sample_rate), band_hz):
        yield np.fft.irfft(weight * spectrum, whole)[:n]


def band_noise(n: int, band_hz: Sequence[float], seed: int, sample_rate: int = ROOM_RATE, *, channel: int = 0) -> Array:
    """White noise of unit variance in bands that sum to it, [bands, n]."""
    return np.stack(list(noise_bands(n, band_hz, seed, sample_rate, channel=channel)))


def coloured_click(band_hz: Sequence[float], level_db: Sequence[float], sample_rate: int) -> Array:
    """A click with a level in each band, as soon after sample 0 as can be (minimum phase), [n]."""
    n = 1 << math.ceil(math.log2(_CLICK_S * sample_rate))
    gain = 10 ** (np.array(level_db) / 20) @ band_weights(np.fft.rfftfreq(n, 1 / sample_rate), band_hz)
    cepstrum = np.fft.irfft(np.log(gain), n)
    cepstrum[1 : n // 2] *= 2
    cepstrum[n // 2 + 1 :] = 0
    return np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), n)[: n // 2]
