import numpy as np
import pytest
import torch

from retimbre.dsp import stft_magnitude


@pytest.mark.parametrize("n_fft", (128, 512, 2048))
def test_a_sine_reads_its_amplitude_at_every_window_length(n_fft):
    n = torch.arange(8192, dtype=torch.float64)
    magnitude = stft_magnitude(0.1 * torch.sin(2 * torch.pi * 5 / 64 * n + 1.0), n_fft)
    assert magnitude[:, 5 * n_fft // 64].numpy() == pytest.approx(0.1, rel=1e-9)
    assert magnitude[:, 5 * n_fft // 64 + 4 :].max() < 1e-9


@pytest.mark.parametrize(
    ("n_samples", "n_fft", "hop", "n_frames"),
    ((1000, 128, 32, 29), (50, 128, 32, 1), (1024, 256, 128, 7), (129, 128, 128, 2)),
)
def test_frames_are_windowed_dfts_of_the_padded_sound(n_samples, n_fft, hop, n_frames):
    audio = np.random.default_rng(0).normal(size=(2, n_samples))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    magnitude = stft_magnitude(torch.from_numpy(audio), n_fft, hop).numpy()
    padded = np.pad(audio, ((0, 0), (0, n_fft)))
    assert magnitude.shape[1] == n_frames
    for frame in range(n_frames):
        piece = padded[:, frame * hop : frame * hop + n_fft] * window
        np.testing.assert_allclose(magnitude[:, frame], np.abs(np.fft.rfft(piece)) * 2 / window.sum(), atol=1e-12)


def test_averaged_frames_are_root_mean_squares():
    audio = torch.randn(2, 5000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    single, averaged = stft_magnitude(audio, 128), stft_magnitude(audio, 128, n_averaged=8)
    full = single.shape[-2] // 8
    expected = single[:, : 8 * full].square().unflatten(1, (full, 8)).mean(2).sqrt()
    assert averaged.shape[-2] == full + 1  # the last is filled up with silence
    torch.testing.assert_close(averaged[:, :full], expected)


@pytest.mark.parametrize("n_averaged", (1, 3))
@pytest.mark.parametrize(("n_samples", "hop"), ((50, 4), (32, 8), (11, 16)))
def test_gradient_is_that_of_finite_differences(n_samples, hop, n_averaged):
    audio = torch.randn(2, n_samples, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(lambda x: stft_magnitude(x, 16, hop, n_averaged), audio.requires_grad_())


def test_silence_has_no_gradient():
    audio = torch.zeros(600, requires_grad=True)
    stft_magnitude(audio, 128).sum().backward()
    assert torch.equal(audio.grad, torch.zeros_like(audio))


def test_hops_that_do_not_divide_the_window_are_refused():
    with pytest.raises(ValueError, match="multiple"):
        stft_magnitude(torch.zeros(600), 128, 30)
