"""The independent judge of pitch: right, in time, and not an octave off."""

import importlib.util

import numpy as np
import pytest

from retimbre.errors import RetimbreError
from retimbre.training import independent


def tone(f0_hz: np.ndarray, amplitudes: np.ndarray, rate: int = 48_000) -> np.ndarray:
    phase = 2 * np.pi * np.cumsum(f0_hz) / rate
    sound = sum(a * np.sin(k * phase + k) for k, a in enumerate(amplitudes, 1))
    hiss = 1e-4 * np.random.default_rng(0).standard_normal(len(f0_hz))
    return (0.2 * sound + hiss).astype(np.float32)


@pytest.mark.parametrize("judge", ["SwiftF0", "pYIN"])
def test_a_glide_is_read_right_and_in_time(judge: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec({"SwiftF0": "swift_f0", "pYIN": "librosa"}[judge]) is None:
        pytest.skip(f"{judge} is not installed")
    monkeypatch.setattr(independent, "judge", lambda: judge)
    t = np.arange(96_000) / 48_000
    reading = independent.pitch(tone(150 * 2 ** (t / 2), 1 / np.arange(1, 9)), 48_000)
    middle = slice(10, -10)
    time_s = np.arange(len(reading.f0_hz)) * independent.HOP_S
    cents = 1200 * np.log2(reading.f0_hz[middle] / (150 * 2 ** (time_s[middle] / 2)))
    assert reading.voiced[middle].all()
    # 600 cents a second: 16 ms of delay would be 10.
    assert abs(np.median(cents)) < 3 and np.percentile(np.abs(cents), 95) < 15


@pytest.mark.parametrize(("read_as", "factor"), [(1, 1), (2, 1 / 2), (3, 1 / 3), (4, 1 / 4), (0.5, 2)])
@pytest.mark.parametrize("f0_hz", [131.0, 262.0, 440.0])
def test_another_partial_is_put_right(read_as: float, factor: float, f0_hz: float) -> None:
    sound = tone(np.full(2048, f0_hz), np.array([0.2, 0.6, 1, 0.3, 0.2, 0.1, 0.1, 0.1]), rate=16_000)
    power = np.abs(np.fft.rfft(sound * np.hanning(2048), 4096)) ** 2
    assert independent._correction(power, read_as * f0_hz * 4096 / 16_000) == pytest.approx(factor)


def test_a_string_that_resounds_an_octave_below_is_not_the_pitch() -> None:
    sound = tone(np.full(2048, 262.0), 1 / np.arange(1, 9), rate=16_000)
    sound += 0.03 * tone(np.full(2048, 131.0), 1 / np.arange(1, 9), rate=16_000)
    power = np.abs(np.fft.rfft(sound * np.hanning(2048), 4096)) ** 2
    assert independent._correction(power, 262 * 4096 / 16_000) == 1


def test_without_any_judge_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RetimbreError, match="pip install"):
        independent.judge()
