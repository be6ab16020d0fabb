import pytest
import torch
from pretend import device_without_float64

from retimbre.dsp import (
    a_weighted_loudness,
    filtered_noise,
    harmonic_oscillator,
    sine_bank,
    stft_magnitude,
    time_varying_fir,
    white_noise,
)

RATE = 44_100  # intervals of two lengths
BATCH, FRAMES, BANDS = 2, 12, 9


def tone(f0_hz, amplitudes, noise, state):
    return harmonic_oscillator(f0_hz, amplitudes, RATE, state)


def breath(f0_hz, amplitudes, noise, state):
    return filtered_noise(amplitudes, torch.linspace(0, 20_000, BANDS), noise, RATE, state)


def loudness(f0_hz, amplitudes, noise, state):
    oscillator, fir = state or (None, None)
    sound, oscillator = sine_bank(f0_hz, amplitudes, RATE, oscillator)
    filtered, fir = time_varying_fir(sound, amplitudes, RATE, fir)
    return a_weighted_loudness(filtered, RATE), (oscillator, fir)


def spectrum(f0_hz, amplitudes, noise, state):
    return stft_magnitude(noise.flatten(1), 256), None


def result(process, device):
    """Two blocks, and the gradients of their inputs."""
    generator = torch.Generator().manual_seed(0)
    inputs = [
        300 + 500 * torch.rand(BATCH, FRAMES, generator=generator),
        torch.rand(BATCH, FRAMES, BANDS, generator=generator),
        white_noise(BATCH, FRAMES, RATE, generator),
    ]
    inputs = [part.to(device).requires_grad_() for part in inputs]
    first, state = process(*(part[:, :5] for part in inputs), None)
    second, _ = process(*(part[:, 5:] for part in inputs), state)
    both = torch.cat([first, second], dim=1)
    assert both.device.type == device
    gradients = torch.autograd.grad(both.square().sum(), inputs, allow_unused=True)
    return [both.detach().cpu(), *(part.cpu() for part in gradients if part is not None)]


@pytest.mark.parametrize("process", (tone, breath, loudness, spectrum))
def test_sound_and_gradients_need_no_float64_on_the_device(process):
    expected = result(process, "cpu")
    with device_without_float64() as device:
        actual = result(process, device)
    torch.testing.assert_close(actual, expected, rtol=1e-6, atol=1e-6)


def test_the_pretended_device_refuses_what_the_real_one_refuses():
    with device_without_float64() as device:
        there = torch.ones(2, device=device)
        for forbidden in (there.double, lambda: torch.zeros(2, dtype=torch.float64, device=device)):
            with pytest.raises(TypeError, match="float64"):
                forbidden()
        with pytest.raises(RuntimeError, match="on the CPU"):
            there + torch.ones(2)
