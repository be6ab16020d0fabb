"""Resampling against the closed form: a sine at the old rate is the same sine at the new one."""

import numpy as np
import pytest

from retimbre.engine import resample
from tests.engine.signals import error_db

RATES = ((44100, 48000), (48000, 16000), (8000, 48000), (96000, 44100), (47999, 48000), (48000, 47999), (192000, 11025))
rates = pytest.mark.parametrize("rate_in, rate_out", RATES)


def sine(hz: float, sample_rate: int, samples: int):
    return np.sin(2 * np.pi * (hz * np.arange(samples) / sample_rate % 1.0) + 0.3)


@rates
def test_pass_band(rate_in, rate_out):
    for part in (0.01, 0.2, 0.5, 0.7, 0.9):
        hz = part * min(rate_in, rate_out) / 2
        out = resample(sine(hz, rate_in, rate_in // 4).astype(np.float32), rate_in, rate_out)
        inner = slice(len(out) // 4, 3 * len(out) // 4)  # away from the ends, where the signal begins
        assert error_db(out[inner], sine(hz, rate_out, len(out))[inner]) < -70, f"{hz:.0f} Hz"


@pytest.mark.parametrize("rate_in, rate_out", [pair for pair in RATES if pair[0] > pair[1] * 1.1])
def test_nothing_folds_back(rate_in, rate_out):
    for hz in np.linspace(1.0, 0.98 * rate_in / rate_out, 9) * rate_out / 2:
        out = resample(sine(hz, rate_in, rate_in // 4).astype(np.float32), rate_in, rate_out)
        inner = out[len(out) // 4 : 3 * len(out) // 4]
        assert 10 * np.log10(np.mean(inner**2) / 0.5 + 1e-30) < -75, f"{hz:.0f} Hz"


@pytest.mark.parametrize("rate_in, rate_out", ((8000, 48000), (44100, 48000), (16000, 192000)))
def test_no_images_above_the_old_nyquist(rate_in, rate_out):
    out = resample(sine(0.8 * rate_in / 2, rate_in, rate_in // 2).astype(np.float32), rate_in, rate_out)
    inner = out[len(out) // 4 : 3 * len(out) // 4]
    power = np.abs(np.fft.rfft(inner * np.blackman(len(inner)))) ** 2
    hz = np.fft.rfftfreq(len(inner), 1 / rate_out)
    assert 10 * np.log10(power[hz > rate_in / 2].max() / power.max()) < -75


@rates
def test_length_is_the_ceiling(rate_in, rate_out):
    for samples in (1, 2, 3, 159, 160, 161, 1000, 20011):
        whole, rest = divmod(samples * rate_out, rate_in)
        assert len(resample(np.ones(samples, np.float32), rate_in, rate_out)) == whole + (rest > 0)


@rates
def test_no_delay(rate_in, rate_out):
    """The centre of gravity of an impulse's power stays where it was."""
    impulse = np.zeros(rate_in // 10, np.float32)
    at = len(impulse) // 2
    impulse[at] = 1
    power = resample(impulse, rate_in, rate_out).astype(np.float64) ** 2
    centre_s = np.sum(np.arange(len(power)) * power) / power.sum() / rate_out
    assert abs(centre_s - at / rate_in) < 0.02 / rate_out


def test_first_and_last_samples_are_there():
    """Silence surrounds the signal; nothing of it is dropped at either end."""
    audio = np.zeros(4410, np.float32)
    audio[[0, -1]] = 1
    out = resample(audio, 44100, 48000)
    assert np.argmax(np.abs(out[:100])) == 0 and abs(out[0] - 0.96) < 0.02
    assert np.argmax(np.abs(out[-100:])) >= 98


@rates
def test_direct_current_passes_unchanged(rate_in, rate_out):
    out = resample(np.full(rate_in // 10, 0.5, np.float32), rate_in, rate_out)
    np.testing.assert_allclose(out[len(out) // 3 : len(out) // 2], 0.5, atol=1e-4)
