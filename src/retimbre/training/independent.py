"""A second opinion on pitch, from trackers that share nothing with the engine.

An instrument that is judged by the analysis it was trained with repeats that analysis's errors unseen. SwiftF0
(Nieradzik 2025; a neural network) judges where it is installed, else pYIN (Mauch and Dixon 2014; librosa). Both listen
at 16 kHz.

SwiftF0 reads some notes an octave or two high (C5 to Eb5 of many instruments, low notes with strong upper partials), so
readings are checked against the spectrum. Of 44,000 frames of 307 labelled notes of 13 instruments, 5.8 % were off by
more than 70 cents before the check and 0.8 % after it; it spoiled one.

Both also read in steps or with a bias of a few cents that depends on the timbre: SwiftF0 is 2.1 cents (median) off the
pitch of a violin synthesised at a known one. So the readings are made exact by the phases of the partials (Flanagan and
Golden 1966), which brings that to 0.3 cents.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from retimbre.engine import Floats, resample
from retimbre.errors import RetimbreError

HOP_S = 0.016
_RATE = 16_000
_HOP = 256
_WINDOW = 2048  # 128 ms: partials 65 Hz apart are told apart, the weak beside the strong
_LINE = 316.0
"""Power of the lines below a reading, over the valleys beside them (25 dB), for them to be partials. Those of notes
read an octave high reach 41 dB, the strings and rooms that resound below right readings 22 dB (98 %)."""

_OWN_SHARE = 0.1
"""Of the power up to twice a reading that must lie on those lines. Notes read too high: more than half; right: 4 %."""

_PARTIALS, _HIGHEST_HZ = 8, 4000.0  # that make a reading exact
_PERIODS = 4  # of the lowest in the window, for partials to be told apart
_STEP = 16  # samples, 1 ms, over which their phases advance: less than half a turn for any error up to `_NEAR`
_NEAR = 2 ** (50 / 1200)
"""How far the exact pitch may lie from the reading; what lies further off is another sound's."""

_ODD_SHARE = 0.01
"""Power on the odd partials of a reading, below which it is an octave low. Of right readings: 0.02 and more."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a tracker heard, every `HOP_S`, the first at 0 s: pitch in Hz and whether there is one, [frames]."""

    f0_hz: np.ndarray
    voiced: np.ndarray


def judge() -> str:
    """Name of the tracker that judges here.

    Raises:
        RetimbreError: none is installed.
    """
    for package, name in (("swift_f0", "SwiftF0"), ("librosa", "pYIN")):
        if importlib.util.find_spec(package):
            return name
    raise RetimbreError("judging pitch needs an independent tracker: pip install swift-f0, or retimbre's extra 'train'")


def pitch(audio: Floats, sample_rate: int) -> Reading:
    """Track the pitch of a sound [samples]."""
    audio = resample(audio - audio.mean(), sample_rate, _RATE)
    if judge() == "SwiftF0":
        result = swift_f0().detect(audio, _RATE)
        f0_hz, voiced = result.pitch_hz, result.confidence >= 0.5  # as its author calibrated it
    else:
        f0_hz, voiced = _pyin(audio)
    voiced = voiced & (f0_hz > 0)
    return Reading(_exact(audio, _checked(audio, f0_hz, voiced), voiced), voiced)


@lru_cache(maxsize=1)
def swift_f0() -> Any:
    """The network, loaded once."""
    from swift_f0 import SwiftF0  # pyright: ignore[reportMissingImports]

    return SwiftF0(threads=1)


def _pyin(audio: Floats) -> tuple[np.ndarray, np.ndarray]:
    import librosa  # pyright: ignore[reportMissingImports]

    f0_hz, voiced, _ = librosa.pyin(audio, fmin=47.0, fmax=2093.0, sr=_RATE, frame_length=_WINDOW, hop_length=_HOP)
    return np.nan_to_num(f0_hz), voiced


def _checked(audio: Floats, f0_hz: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """The readings, with those that are another partial put right."""
    padded = np.pad(audio, (_WINDOW // 2, _WINDOW + _HOP))
    window = np.hanning(_WINDOW)
    checked = f0_hz.copy()
    for frame in np.flatnonzero(voiced):
        part = padded[frame * _HOP : frame * _HOP + _WINDOW]
        power = np.abs(np.fft.rfft(part * window, 2 * _WINDOW)) ** 2
        checked[frame] *= _correction(power, f0_hz[frame] * 2 * _WINDOW / _RATE)
    return checked


def _exact(audio: Floats, f0_hz: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """The readings, moved to where the phases of the partials advance as they say."""
    padded, exact = np.pad(audio, (_WINDOW, _WINDOW + _HOP)), f0_hz.copy()
    for frame in np.flatnonzero(voiced):
        pitch_hz = float(f0_hz[frame])
        length = next((n for n in (512, 1024) if n * pitch_hz >= _PERIODS * _RATE), _WINDOW)
        start = _WINDOW + frame * _HOP - (length + _STEP) // 2
        for _ in range(2):
            pitch_hz = _advanced(padded[start : start + length + _STEP], pitch_hz)
        if 1 / _NEAR < pitch_hz / f0_hz[frame] < _NEAR:
            exact[frame] = pitch_hz
    return exact


def _advanced(part: Floats, f0_hz: float) -> float:
    """The pitch by which the phases of the partials near multiples of `f0_hz` advance, the clearest counting most.

    Their errors count in Hz, so that a partial that is as strong as the first tells the pitch that much better.
    """
    count = max(1, min(_PARTIALS, int(_HIGHEST_HZ / f0_hz)))
    hz = f0_hz * np.arange(1, count + 1)
    kernel = np.exp(-2j * np.pi / _RATE * np.outer(hz, np.arange(len(part) - _STEP))) * np.hanning(len(part) - _STEP)
    before, after = kernel @ part[:-_STEP], kernel @ part[_STEP:]
    turned = np.angle(after * before.conj() * np.exp(-2j * np.pi / _RATE * _STEP * hz))
    off_hz = turned * _RATE / (2 * np.pi * _STEP)
    weight = (np.abs(before) * np.arange(1, count + 1)) ** 2
    total = float(weight.sum())
    return f0_hz + float((weight * off_hz / np.arange(1, count + 1)).sum()) / total if total else f0_hz


def _correction(power: np.ndarray, place: float) -> float:
    """What to multiply a reading by, whose bin is `place` in a power spectrum [bins]."""

    def around(multiple: float) -> np.ndarray:
        reach = max(1, round(0.04 * multiple * place))
        return power[round(multiple * place) - reach : round(multiple * place) + reach + 1]

    for order in (4, 3, 2):
        partials = np.array([around(k / order).max() for k in range(1, 2 * order + 1)])
        between = np.arange(1, 2 * order + 1) % order > 0
        valley = max(around((k + 0.5) / order).mean() for k in range(order))
        if partials[: order - 1].min() > _LINE * valley and partials[between].sum() > _OWN_SHARE * partials.sum():
            return 1 / order
    partials = np.array([around(k).max() for k in range(1, 7) if k * place < 0.97 * len(power)])
    return 2.0 if partials[::2].sum() < _ODD_SHARE * partials.sum() else 1.0
