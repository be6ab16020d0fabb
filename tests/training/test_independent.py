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
    # 600 cents a second: 1 ms of delay would be 0.6.
    assert np.median(np.abs(cents)) < 0.5 and np.percentile(np.abs(cents), 95) < 2


@pytest.mark.parametrize("f0_hz", [66.0, 110.0, 392.0, 988.0])
@pytest.mark.parametrize("reading_cents", [-30, 30])
def test_readings_are_made_exact(f0_hz: float, reading_cents: float) -> None:
    vibrato = f0_hz * 2 ** (0.2 / 12 * np.sin(2 * np.pi * 5.5 * np.arange(32_000) / 16_000))
    sound = tone(vibrato, np.array([0.3, 1, 0.2, 0.5, 0.1]), rate=16_000)
    truth = vibrato[::256]
    read = independent._exact(sound, truth * 2 ** (reading_cents / 1200), np.ones(len(truth), bool))
    cents = 1200 * np.log2(read / truth)[4:-8]
    assert np.abs(cents).max() < (4 if f0_hz < 100 else 2)


def test_what_is_far_from_the_reading_is_another_sound() -> None:
    sound = tone(np.full(16_000, 466.2), np.ones(1), rate=16_000)  # a semitone above the reading
    read = independent._exact(sound, np.full(50, 440.0), np.ones(50, bool))
    np.testing.assert_array_equal(read, 440.0)


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
