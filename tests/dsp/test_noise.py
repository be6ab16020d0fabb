import numpy as np
import pytest
import scipy.signal
import torch

from retimbre.dsp import filtered_noise, noise_length, white_noise

rates = pytest.mark.parametrize("sample_rate", (48000, 44100))


def numbers(batch: int, n_frames: int, sample_rate: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return white_noise(batch, n_frames, sample_rate, torch.Generator().manual_seed(5), dtype)


def test_white_noise_is_white_uniform_and_of_unit_variance():
    noise = numbers(2, 500, 48000)
    assert noise.shape[-1] == noise_length(48000)
    assert abs(noise.mean()) < 0.005 and abs(noise.var() - 1) < 0.005
    assert noise.abs().max() <= np.sqrt(3) + 1e-6
    assert abs((noise[..., 1:] * noise[..., :-1]).mean()) < 0.005


@rates
def test_definition_sample_by_sample(sample_rate):
    n_frames, n_fft, hop = 6, noise_length(sample_rate), sample_rate / 200
    bands_hz = np.array([200.0, 3000.0, 9000.0])
    magnitudes = np.random.default_rng(0).uniform(0, 1, (n_frames, 3))
    e = numbers(1, n_frames, sample_rate, torch.float64)[0].numpy()

    frames = []
    for i in range(n_frames):
        spectrum = np.zeros(n_fft, complex)  # all bins, mirrored by hand
        spectrum[0], spectrum[n_fft // 2] = e[i, 0], e[i, 1]
        for k in range(1, n_fft // 2):
            spectrum[k] = (e[i, 2 * k] + 1j * e[i, 2 * k + 1]) / np.sqrt(2)
            spectrum[-k] = spectrum[k].conj()
        bin_hz = np.abs(np.fft.fftfreq(n_fft, 1 / sample_rate))
        spectrum *= np.sqrt(n_fft) * np.interp(bin_hz, bands_hz, magnitudes[i])
        frames.append(np.fft.ifft(spectrum).real)
    start = {i: int(np.ceil(i * hop)) for i in range(-1, n_frames)}
    expected = []
    for n in range(start[n_frames - 1]):
        i = 200 * n // sample_rate
        w = 200 * n / sample_rate - i
        expected.append(
            np.cos(np.pi * w / 2) * frames[i][n - start[i - 1]] + np.sin(np.pi * w / 2) * frames[i + 1][n - start[i]]
        )

    audio, _ = filtered_noise(
        torch.from_numpy(magnitudes)[None], torch.from_numpy(bands_hz), torch.from_numpy(e)[None], sample_rate
    )
    np.testing.assert_allclose(audio[0].numpy(), expected, atol=1e-12)


@rates
def test_level_of_each_band_in_db(sample_rate):
    band_hz = torch.tensor([0.0, 1000, 2000, 6000, 7000, 20000])
    magnitudes = torch.tensor([0.001, 0.001, 0.1, 0.1, 0.02, 0.02]).expand(4, 401, -1)
    audio, _ = filtered_noise(magnitudes, band_hz, numbers(4, 401, sample_rate), sample_rate)
    frequency_hz, density = scipy.signal.welch(audio.numpy(), sample_rate, nperseg=1024)
    # White noise of RMS m has the one-sided density m^2 / (sr / 2).
    level_db = 10 * np.log10(density.mean(axis=0) * sample_rate / 2)
    for low_hz, high_hz, expected_db, tolerance_db in (
        (200, 700, -60, 1.0),
        (2400, 5600, -20, 0.15),
        (7500, 19500, 20 * np.log10(0.02), 0.15),
    ):
        inside = (frequency_hz > low_hz) & (frequency_hz < high_hz)
        assert abs(level_db[inside].mean() - expected_db) < tolerance_db


def test_a_single_band_is_white():
    audio, _ = filtered_noise(torch.full((2, 201, 1), 0.1), torch.tensor([1000.0]), numbers(2, 201, 48000), 48000)
    assert audio.square().mean().sqrt().item() == pytest.approx(0.1, rel=0.02)


def test_power_does_not_pulse_at_the_frame_rate():
    magnitudes = torch.tensor([1.0, 0.1, 0.5]).expand(32, 201, -1)
    audio, _ = filtered_noise(magnitudes, torch.tensor([0.0, 3000, 24000]), numbers(32, 201, 48000), 48000)
    power = audio.square().unflatten(-1, (200, 240))
    spectrum = torch.fft.rfft(power.mean(dim=(0, 1)))
    # chance alone gives sqrt(2 / (32 * 200 * 240)) = 0.1 %; rectangular frames would give tens of percent
    assert (spectrum[1:4].abs() / spectrum[0].abs()).max() < 0.006
    over_time = power.mean(dim=(0, 2)).unflatten(0, (10, 20)).mean(dim=1)
    assert (over_time / over_time.mean() - 1).abs().max() < 0.03


def test_shapes_that_do_not_agree_are_refused():
    with pytest.raises(ValueError, match="512"):
        filtered_noise(torch.zeros(1, 3, 2), torch.tensor([0.0, 1.0]), torch.zeros(1, 3, 256), 48000)
