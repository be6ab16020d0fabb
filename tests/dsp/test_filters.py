import numpy as np
import pytest
import scipy.signal
import torch

from retimbre.dsp import (
    fft_convolve,
    interpolation_matrix,
    linear_phase_fir,
    samples_for_frames,
    stream_convolve,
    time_varying_fir,
)
from retimbre.dsp.filters import fft_length

rng = np.random.default_rng(2)


@pytest.mark.parametrize(("n_samples", "n_taps"), ((1, 1), (100, 7), (7, 100), (1000, 333)))
def test_fft_convolution_is_convolution(n_samples, n_taps):
    audio, response = rng.normal(size=n_samples), rng.normal(size=n_taps)
    expected = np.convolve(audio, response)
    whole = fft_convolve(torch.from_numpy(audio), torch.from_numpy(response))
    np.testing.assert_allclose(whole.numpy(), expected, atol=1e-10)
    block, tail = stream_convolve(torch.from_numpy(audio), torch.from_numpy(response))
    np.testing.assert_allclose(torch.cat([block, tail]).numpy(), expected, atol=1e-10)


def test_fft_length_is_enough_and_not_much_more():
    for n in range(1, 5000):
        length = fft_length(n)
        assert n <= length <= 1.25 * n
        while length % 2 == 0:
            length //= 2
        assert length in (1, 3, 5, 9, 15)


def test_interpolation_matrix_is_linear_interpolation():
    points, values = np.array([1.0, 2.0, 5.0, 5.5]), rng.normal(size=(3, 4))
    queries = np.linspace(-1, 8, 50)
    matrix = interpolation_matrix(torch.from_numpy(points), torch.from_numpy(queries))
    expected = [np.interp(queries, points, row) for row in values]
    np.testing.assert_allclose((torch.from_numpy(values) @ matrix).numpy(), expected, atol=1e-12)


def test_linear_phase_fir_is_symmetric_and_has_the_gain_asked_for():
    frequency = np.linspace(0, 1, 257)
    magnitudes = 1 + 0.5 * np.cos(2 * np.pi * frequency)
    fir = linear_phase_fir(torch.from_numpy(magnitudes), 255).numpy()
    np.testing.assert_allclose(fir, fir[::-1], atol=1e-15)
    _, response = scipy.signal.freqz(fir, worN=np.pi * frequency)
    np.testing.assert_allclose(response * np.exp(1j * np.pi * frequency * 127), magnitudes, atol=1e-3)
    with pytest.raises(ValueError, match="odd"):
        linear_phase_fir(torch.ones(9), 4)


@pytest.mark.parametrize("sample_rate", (1600, 1500))
def test_every_sample_is_answered_by_the_response_of_its_instant(sample_rate):
    n_frames, n_taps = 6, 21
    n_samples = samples_for_frames(n_frames, sample_rate)
    audio, responses = rng.normal(size=n_samples), rng.normal(size=(n_frames, n_taps))
    expected = np.zeros(n_samples + n_taps - 1)
    for m in range(n_samples):
        i = 200 * m // sample_rate
        w = 200 * m / sample_rate - i
        expected[m : m + n_taps] += audio[m] * ((1 - w) * responses[i] + w * responses[i + 1])
    out, state = time_varying_fir(torch.from_numpy(audio)[None], torch.from_numpy(responses)[None], sample_rate)
    np.testing.assert_allclose(torch.cat([out, state.tail], dim=1)[0].numpy(), expected, atol=1e-12)


def test_passband_passes_and_stopband_stops():
    # Cropping the tails of the frames, as is often done, passes -3.4 dB here and stops only -15 dB.
    sample_rate, n_taps = 16000, 255
    frequency_hz = torch.linspace(0, 8000, 257)
    fir = linear_phase_fir((frequency_hz <= 2500).float(), n_taps)
    n_samples = samples_for_frames(401, sample_rate)
    audio = torch.from_numpy(rng.normal(size=n_samples)).float()[None]
    out, _ = time_varying_fir(audio, fir.expand(1, 401, -1), sample_rate)
    hz, before = scipy.signal.welch(audio[0, :-n_taps].numpy(), sample_rate, "blackmanharris", 1024)
    _, after = scipy.signal.welch(out[0, n_taps:].numpy(), sample_rate, "blackmanharris", 1024)
    gain_db = 10 * np.log10(after / before)
    passed, stopped = (hz > 500) & (hz < 2000), (hz > 4000) & (hz < 7500)
    assert np.abs(gain_db[passed].mean()) < 0.1
    assert gain_db[stopped].max() < -75


def test_audio_that_does_not_fit_the_frames_is_refused():
    with pytest.raises(ValueError, match="480"):
        time_varying_fir(torch.zeros(1, 481), torch.zeros(1, 3, 5), 48000)
