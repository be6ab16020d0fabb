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


@pytest.mark.parametrize(("n_samples", "hop"), ((50, 4), (32, 8), (11, 16)))
def test_gradient_is_that_of_finite_differences(n_samples, hop):
    audio = torch.randn(2, n_samples, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(lambda x: stft_magnitude(x, 16, hop), audio.requires_grad_())


def test_silence_has_no_gradient():
    audio = torch.zeros(600, requires_grad=True)
    stft_magnitude(audio, 128).sum().backward()
    assert torch.equal(audio.grad, torch.zeros_like(audio))


def test_hops_that_do_not_divide_the_window_are_refused():
    with pytest.raises(ValueError, match="multiple"):
        stft_magnitude(torch.zeros(600), 128, 30)
