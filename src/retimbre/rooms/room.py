"""A room as a dozen numbers: a decay time and a level per band, and a seed that makes the rest.

Late reverberation is noise that decays exponentially in each band (Moorer 1979; Polack 1988). The noise is the
engine's, so the numbers are the room: the same response comes out here, in training and in any language
(`docs/definitions.md`, Room).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from retimbre.engine import Floats, resample, white_noise

Array = npt.NDArray[np.float64]

OCTAVE_BANDS_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
"""The octaves in which room acoustics counts (ISO 3382)."""

ROOM_RATE = 48_000
"""Sample rate at which the noise of a room is drawn; other rates get the same response, resampled."""

MAX_LENGTH_S = 10.0


@dataclass(frozen=True)
class Room:
    """What a room adds to a dry sound.

    Attributes:
        band_hz: centres of the bands, rising, [bands]; the first and the last reach to 0 Hz and Nyquist.
        decay_s: time in which each band falls by 60 dB, [bands].
        level_db: energy of the room's answer in each band relative to the direct sound (minus the
            direct-to-reverberant ratio), [bands].
        length_s: of the response; what decays more slowly is cut off there.
        seed: of the noise.
        name: of the place, the session, or whatever tells it from others.

    Raises:
        ValueError: the numbers are no room's.
    """

    band_hz: tuple[float, ...]
    decay_s: tuple[float, ...]
    level_db: tuple[float, ...]
    length_s: float
    seed: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse what no room is and no computer should be asked to render."""
        bands, decays, levels = (np.array(values, np.float64) for values in (self.band_hz, self.decay_s, self.level_db))
        if not (1 <= len(bands) <= 64 and bands.shape == decays.shape == levels.shape):
            raise ValueError("a room needs 1 to 64 bands with a decay time and a level each")
        # Comparisons are false for NaN.
        if not ((bands > 0).all() and (bands <= 96_000).all() and (np.diff(bands) > 0).all()):
            raise ValueError("the bands of a room must rise from above 0 to 96000 Hz")
        if not ((decays >= 0.01).all() and (decays <= 30).all()):
            raise ValueError("the decay times of a room must lie between 0.01 and 30 s")
        if not ((levels >= -120).all() and (levels <= 30).all()):
            raise ValueError("the levels of a room must lie between -120 and 30 dB")
        if not 0.01 <= self.length_s <= MAX_LENGTH_S:
            raise ValueError(f"the response of a room must last 0.01 to {MAX_LENGTH_S:g} s")
        if not 0 <= self.seed < 2**31:
            raise ValueError("the seed of a room must be a whole number from 0 to 2147483647")

    @classmethod
    def from_json(cls, data: Any) -> Room:
        """Read what `to_json` wrote; KeyError, TypeError or ValueError say that it is not there or not sane."""
        bands, decays, levels = (tuple(map(float, data[key])) for key in ("band_hz", "decay_s", "level_db"))
        return cls(bands, decays, levels, float(data["length_s"]), int(data["seed"]), str(data["name"])[:64])

    def to_json(self) -> dict[str, Any]:
        """As a card holds it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    def at(self, hz: npt.ArrayLike) -> tuple[Array, Array]:
        """Decay times in seconds and levels in dB at some frequencies, [n] each, linear over log frequency."""
        octave, places = np.log2(np.maximum(hz, self.band_hz[0])), np.log2(self.band_hz)
        decay_s, level_db = (np.interp(octave, places, values) for values in (self.decay_s, self.level_db))
        return decay_s, level_db

    def answer(self, sample_rate: int) -> Floats:
        """The room's answer to a click without the click itself, [samples]; the first sample is zero."""
        n_taps = taps(self.length_s)
        time_s = np.arange(1, n_taps) / ROOM_RATE
        decay_s, level_db = (np.array(values)[:, None] for values in (self.decay_s, self.level_db))
        # An exponential that falls 60 dB in T seconds has the energy T sr / (6 ln 10).
        gain = 10 ** (level_db / 20) * np.sqrt(6 * math.log(10) / (decay_s * ROOM_RATE))
        envelope = gain * np.exp(-3 * math.log(10) * time_s / decay_s)
        bands = envelope * band_noise(n_taps - 1, self.band_hz, self.seed)
        answer = np.concatenate([[0.0], bands.sum(axis=0)]).astype(np.float32)
        # Fewer samples a second must add up to the same gain.
        return (
            answer
            if sample_rate == ROOM_RATE
            else resample(answer, ROOM_RATE, sample_rate) * np.float32(ROOM_RATE / sample_rate)
        )

    def to_rir(self, sample_rate: int = ROOM_RATE) -> Floats:
        """The room impulse response, [samples]: the direct sound, 1 at sample 0, and the room's answer."""
        response = self.answer(sample_rate)
        response[0] += 1
        return response


def taps(length_s: float) -> int:
    """Samples of a response at `ROOM_RATE`."""
    return round(length_s * ROOM_RATE)


def band_noise(n: int, band_hz: Sequence[float], seed: int, sample_rate: int = ROOM_RATE) -> Array:
    """White noise of unit variance in bands that sum to it, [bands, n].

    The bands are triangles over log frequency, the lowest and the highest held to 0 Hz and Nyquist.
    """
    spectrum = np.fft.rfft(white_noise(seed, 0, 1, n)[0].astype(np.float64))
    octave = np.log2(np.maximum(np.fft.rfftfreq(n, 1 / sample_rate), 0.5 * band_hz[0]))  # 0 Hz has no logarithm
    weights = [np.interp(octave, np.log2(band_hz), unit) for unit in np.eye(len(band_hz))]
    return np.fft.irfft(weights * spectrum, n)
