import numpy as np
import pytest
import scipy.signal
import torch

from retimbre.dsp import a_weighted_loudness, a_weighting_db, frames_for_samples

rates = pytest.mark.parametrize("sample_rate", (48000, 44100))


def analogue_a_db(frequency_hz: np.ndarray) -> np.ndarray:
    """The A filter as an analogue circuit: four zeros at 0 Hz, six real poles, unit gain at 1 kHz."""
    poles = -2 * np.pi * np.array([20.598997, 20.598997, 107.65265, 737.86223, 12194.217, 12194.217])
    _, response = scipy.signal.freqs_zpk([0, 0, 0, 0], poles, 1, 2 * np.pi * np.append(frequency_hz, 1000.0))
    return 20 * np.log10(np.abs(response[:-1] / response[-1]))


def test_curve_is_that_of_the_analogue_filter():
    frequency_hz = np.geomspace(10, 20000, 100)
    curve = a_weighting_db(torch.from_numpy(frequency_hz)).numpy()
    np.testing.assert_allclose(curve, analogue_a_db(frequency_hz), atol=1e-3)
    # and of the standard's own table (IEC 61672-1, table 3), to its one decimal
    table = {19.9526: -50.5, 100.0: -19.1, 1000.0: 0.0, 2511.886: 1.3, 10000.0: -2.5}
    for hz, gain_db in table.items():
        assert a_weighting_db(torch.tensor(hz)).item() == pytest.approx(gain_db, abs=0.06)


@rates
@pytest.mark.parametrize("frequency_hz", (60, 125, 440, 1000, 3000, 7000))
def test_sines_read_their_weighted_power(sample_rate, frequency_hz):
    t = torch.arange(sample_rate, dtype=torch.float64) / sample_rate
    loudness_db = a_weighted_loudness(torch.sin(2 * torch.pi * frequency_hz * t)[None].float(), sample_rate)
    steady_db = loudness_db[0, 20:-20].numpy()
    expected_db = 10 * np.log10(0.5) + analogue_a_db(np.array([float(frequency_hz)]))[0]
    assert steady_db.mean() == pytest.approx(expected_db, abs=0.2 if frequency_hz < 100 else 0.05)
    # 30 ms hold no whole number of half periods: what ripples is sinc(2 f 30 ms), 0.4 dB at 60 Hz
    assert np.ptp(steady_db) < (0.8 if frequency_hz < 100 else 0.4)


@rates
def test_frames_are_the_power_of_the_30_ms_around_them(sample_rate):
    n_samples = sample_rate // 4 + 77
    audio = np.random.default_rng(0).normal(size=n_samples) * np.linspace(0, 1, n_samples) ** 2
    padded = np.pad(audio, sample_rate)
    hz = np.fft.rfftfreq(len(padded), 1 / sample_rate)
    hz[0] = 1e-3
    weighted = np.fft.irfft(np.fft.rfft(padded) * 10 ** (analogue_a_db(hz) / 20), len(padded))
    weighted = weighted[sample_rate : sample_rate + n_samples]
    n = np.arange(n_samples)
    expected = []
    for i in range(frames_for_samples(n_samples, sample_rate)):
        around = (200 * n >= (i - 3) * sample_rate) & (200 * n < (i + 3) * sample_rate)
        expected.append(10 * np.log10(max(np.sum(weighted[around] ** 2) / (0.03 * sample_rate), 1e-10)))
    loudness_db = a_weighted_loudness(torch.from_numpy(audio)[None], sample_rate)
    np.testing.assert_allclose(loudness_db[0].numpy(), expected, atol=0.01)


def test_silence_reads_the_floor_and_has_no_gradient():
    audio = torch.zeros(2, 2400, requires_grad=True)
    loudness_db = a_weighted_loudness(audio, 48000)
    loudness_db.sum().backward()
    assert torch.equal(loudness_db, torch.full((2, 11), -100.0))
    assert torch.equal(audio.grad, torch.zeros_like(audio))
