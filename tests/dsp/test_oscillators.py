import numpy as np
import pytest
import torch

from retimbre.dsp import harmonic_oscillator, samples_for_frames, sine_bank

both = pytest.mark.parametrize("oscillator", (harmonic_oscillator, sine_bank))
rates = pytest.mark.parametrize("sample_rate", (48000, 44100))


def falling(n_harmonics: int, n_frames: int) -> torch.Tensor:
    return (1.0 / torch.arange(1, n_harmonics + 1)).expand(1, n_frames, -1)


def relative_rms(actual: torch.Tensor, expected: torch.Tensor) -> float:
    return ((actual - expected).square().mean() / expected.square().mean()).sqrt().item()


@rates
def test_phase_of_a_glide_is_right_after_60_seconds(sample_rate):
    # 200 Hz + 5 Hz/s is linear between frames: its phase is 200 t + 2.5 t^2 exactly. Heard at the 10th harmonic.
    n_frames = 60 * 200 + 1
    f0_hz = 200 + 5 * torch.arange(n_frames, dtype=torch.float64)[None] / 200
    amplitudes = torch.zeros(1, n_frames, 10)
    amplitudes[..., 9] = 1
    audio, state = harmonic_oscillator(f0_hz, amplitudes, sample_rate)
    t = np.arange(60 * sample_rate) / sample_rate
    expected = np.sin(2 * np.pi * (10 * (200 * t + 2.5 * t**2) % 1))
    last = slice(-sample_rate, None)
    error = audio[0, last].double().numpy() - expected[last]
    assert np.abs(error).max() < 1e-5  # the image of the table: (10 / 246)^4 = 3e-6
    end = 200 * 60 + 2.5 * 60**2
    assert abs((state.phase.item() - end + 0.5) % 1 - 0.5) < 1e-9


@both
@rates
def test_amplitudes_are_linear_between_frames(oscillator, sample_rate):
    f0_hz = torch.full((1, 3), 100.0)
    amplitudes = torch.tensor([0.0, 0.5, 0.25], dtype=torch.float64)[None, :, None]
    audio, _ = oscillator(f0_hz, amplitudes, sample_rate)
    t = np.arange(samples_for_frames(3, sample_rate)) / sample_rate
    expected = np.interp(t, [0, 0.005, 0.01], [0, 0.5, 0.25]) * np.sin(2 * np.pi * 100 * t)
    np.testing.assert_allclose(audio[0].numpy(), expected, atol=1e-6)


@both
@pytest.mark.parametrize(("f0_hz", "gain"), ((8000.0, 0.0), (9000.0, 0.0), (7600.0, 0.5), (7200.0, 1.0)))
def test_harmonics_fade_out_below_nyquist(oscillator, f0_hz, gain):
    # the third harmonic at 24000, 27000, 22800 and 21600 Hz; the fade is 21600 .. 24000 Hz
    amplitudes = torch.zeros(1, 41, 3, dtype=torch.float64)
    amplitudes[..., 2] = 1
    audio, _ = oscillator(torch.full((1, 41), f0_hz), amplitudes, 48000)
    n = np.arange(9600)
    expected = gain * np.sin(2 * np.pi * (3 * f0_hz * n / 48000 % 1))
    np.testing.assert_allclose(audio[0].numpy(), expected, atol=1e-4)
    assert gain > 0 or not audio.any()


def test_tables_are_close_to_the_bank():
    f0_hz = torch.linspace(150.0, 215.0, 41)[None]
    fast, _ = harmonic_oscillator(f0_hz, falling(100, 41), 48000)
    exact, _ = sine_bank(f0_hz, falling(100, 41), 48000)
    assert relative_rms(fast, exact) < 1.5e-4
    fast, _ = harmonic_oscillator(f0_hz, torch.ones(1, 41, 100), 48000)
    exact, _ = sine_bank(f0_hz, torch.ones(1, 41, 100), 48000)
    assert relative_rms(fast, exact) < 1.5e-3


@both
@pytest.mark.parametrize("sample_rate", (1600, 1500))  # 8 samples an interval, and 7 or 8
def test_gradients_are_those_of_finite_differences(oscillator, sample_rate):
    generator = torch.Generator().manual_seed(3)
    # up to 330 Hz: the third harmonic crosses the fade and Nyquist
    f0_hz = 80 + 250 * torch.rand(2, 4, generator=generator, dtype=torch.float64)
    amplitudes = torch.rand(2, 4, 3, generator=generator, dtype=torch.float64)
    inputs = (f0_hz.requires_grad_(), amplitudes.requires_grad_())
    assert torch.autograd.gradcheck(lambda f, a: oscillator(f, a, sample_rate)[0], inputs, eps=1e-7, atol=1e-5)


def test_gradients_of_tables_are_those_of_the_bank():
    gradients = []
    for oscillator in (harmonic_oscillator, sine_bank):
        f0_hz = torch.linspace(190.0, 210.0, 41)[None].requires_grad_()
        amplitudes = falling(60, 41).clone().requires_grad_()
        audio, _ = oscillator(f0_hz, amplitudes, 44100)
        direction = torch.randn(audio.shape, generator=torch.Generator().manual_seed(0))
        (audio * direction).sum().backward()
        gradients.append((f0_hz.grad, amplitudes.grad))
    (fast_f0, fast_amplitudes), (exact_f0, exact_amplitudes) = gradients
    assert relative_rms(fast_amplitudes, exact_amplitudes) < 1e-3
    # the slope of the spline, 60th harmonic and all, against the slope of the sine
    assert relative_rms(fast_f0, exact_f0) < 0.01


def test_shapes_that_do_not_agree_are_refused():
    with pytest.raises(ValueError, match="harmonic_amplitudes"):
        harmonic_oscillator(torch.zeros(1, 5), torch.zeros(1, 4, 3), 48000)


def test_what_is_kept_from_inference_serves_training():
    f0_hz, amplitudes = torch.full((1, 5), 200.0), torch.full((1, 5, 33), 0.01)  # no other test has 33 harmonics
    with torch.inference_mode():
        expected, _ = harmonic_oscillator(f0_hz, amplitudes, 48_000)
    actual, _ = harmonic_oscillator(f0_hz, amplitudes.requires_grad_(), 48_000)
    actual.sum().backward()
    assert torch.equal(actual.detach(), expected) and amplitudes.grad is not None
