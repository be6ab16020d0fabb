"""How unlike two renderings of one dry sound are: the mean difference of their log-mel spectrograms in dB.

Both are brought to unit standard deviation; what lies more than 55 dB below the loudest cell of the true one counts as
so far below. 40 mel bands from 60 to 7600 Hz, windows of 32 ms every 10 ms, at 16 kHz.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.signal

from retimbre import audio
from retimbre.engine import Floats, resample
from retimbre.rooms.measure import find_direct

Array = npt.NDArray[np.float64]

RATE = 16_000
SPEECH = ("speech_librispeech_3436", "speech_librispeech_198", "speech_female_sms")
MUSIC = ("singing_vocadito_1", "flute_trill_2", "guitar_slide_e")
"""Recordings among the sources that are dry: their fastest falls are those of a room of at most 0.25 s."""

_LONGEST_S = 8.0
_LEAD = round(0.001 * RATE)  # of a response that is kept before the peak of its direct sound
_FLOOR_DB = 55.0
_WINDOW, _HOP, _MELS, _EDGES_HZ = 512, 160, 40, (60.0, 7600.0)


def dry_sound(folder: Path, name: str) -> Floats:
    """At most 8 s of a recording, at 16 kHz."""
    sound, rate = audio.read(folder / f"{name}.flac")
    return resample(sound, rate, RATE)[: round(_LONGEST_S * RATE)]


def aligned(response: Floats, sample_rate: int) -> Floats:
    """A response [samples] at 16 kHz, from 1 ms before the peak of its direct sound."""
    resampled = resample(np.ascontiguousarray(response, np.float32), sample_rate, RATE)
    peak = find_direct(resampled, RATE).peak
    return np.pad(resampled, (max(0, _LEAD - peak), 0))[max(0, peak - _LEAD) :]


def heard(dry: Floats, response: Floats) -> Array:
    """The sound in the room, as long as the dry one."""
    return scipy.signal.fftconvolve(dry, response)[: len(dry)]


def log_mel(sound: Array) -> Array:
    """Of a sound [samples] of unit standard deviation, in dB, [frames, bands]."""
    sound = sound / max(float(sound.std()), 1e-12)
    frames = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_HOP]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(_WINDOW))))
    return 10 * np.log10(power @ _mel_bands() + 1e-10)


def distance_db(true: Array, other: Array) -> float:
    """Mean difference of two log-mel spectrograms, see above."""
    floor = true.max() - _FLOOR_DB
    return float(np.abs(np.maximum(true, floor) - np.maximum(other, floor)).mean())


@lru_cache
def _mel_bands() -> Array:
    """Triangles over mel that sum to 1 each, [bins, bands]."""
    hz = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    low, high = (2595 * np.log10(1 + edge / 700) for edge in _EDGES_HZ)
    places = 700 * (10 ** (np.linspace(low, high, _MELS + 2) / 2595) - 1)
    bands = np.stack([np.interp(hz, places[at : at + 3], [0, 1, 0]) for at in range(_MELS)], axis=1)
    for at in np.flatnonzero(bands.sum(axis=0) == 0):
        bands[np.argmin(np.abs(hz - places[at + 1])), at] = 1
    return bands / bands.sum(axis=0)
