import math

import numpy as np
import pytest
import torch

from retimbre.dsp import N_FFTS, multi_scale_spectral_loss, random_resolutions, spectral_magnitudes


def noise(amplitude: float, seed: int = 0, n_samples: int = 9000) -> torch.Tensor:
    return amplitude * torch.randn(2, n_samples, generator=torch.Generator().manual_seed(seed))


def test_loss_is_the_sum_of_both_l1_terms():
    estimate, target = noise(0.1, 0, 3000).double(), noise(0.2, 1, 3000).double()
    expected = []  # the power in frames a quarter of a window apart is averaged over 1024 samples
    for n_fft in (512, 128):
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
        magnitudes = []
        for audio in (estimate.numpy(), target.numpy()):
            n_averaged = 4096 // n_fft
            n_frames = -(-(-(-(3000 - n_fft) // (n_fft // 4)) + 1) // n_averaged) * n_averaged
            padded = np.pad(audio, ((0, 0), (0, n_fft + 1024)))
            frames = np.stack([padded[:, i * n_fft // 4 :][:, :n_fft] for i in range(n_frames)], 1)
            power = np.abs(np.fft.rfft(frames * window) * 2 / window.sum()) ** 2
            magnitudes.append(np.sqrt(power.reshape(2, -1, n_averaged, n_fft // 2 + 1).mean(2)))
        e, t = magnitudes
        expected.append(30 * np.abs(e - t).mean() + 2 * np.abs(np.log(e + 1e-3) - np.log(t + 1e-3)).mean())
    loss = multi_scale_spectral_loss(estimate, target, (512, 128), linear_weight=30, log_weight=2, log_floor=1e-3)
    assert loss.item() == pytest.approx(np.mean(expected), rel=1e-9)


def test_a_sound_is_at_no_distance_from_itself_in_any_phase():
    n = torch.arange(24000, dtype=torch.float64)
    sine, cosine = torch.sin(0.3 * n), torch.cos(0.3 * n)
    assert multi_scale_spectral_loss(sine, sine).item() == 0
    same, other = (multi_scale_spectral_loss(sine, x).item() for x in (cosine, torch.sin(0.33 * n)))
    assert same < 0.1 * other


def low_note(phases: torch.Tensor, even_gain: float = 1.0) -> torch.Tensor:
    """80 Hz at 48 kHz: 60 harmonics falling as 1 / k."""
    order = torch.arange(1, 61, dtype=torch.float64)
    amplitudes = 0.1 / order * torch.where(order % 2 == 0, even_gain, 1.0)
    cycles = torch.arange(24_000, dtype=torch.float64)[:, None] * order * 80 / 48_000 + phases
    return torch.sin(2 * torch.pi * cycles) @ amplitudes


def test_phases_of_a_low_note_cost_less_than_an_amplitude():
    # A window shorter than a period tells phases apart: unless averaged, they cost three times what the amplitudes do.
    phases = torch.rand(60, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = low_note(phases)
    other_phases, other_timbre = low_note(torch.zeros(60)), low_note(phases, even_gain=0.5)
    in_phase, in_timbre = (multi_scale_spectral_loss(sound, target).item() for sound in (other_phases, other_timbre))
    assert in_phase < 0.5 * in_timbre


def test_what_is_below_the_floor_costs_nothing():
    # DDSP's unfloored logarithm charges 84 for noise of 1e-12 against silence and 40 for 1e-3.
    silence = torch.zeros(2, 9000)
    costs = [multi_scale_spectral_loss(noise(a), silence).item() for a in (1e-12, 1e-9, 1e-7, 1e-5, 1e-3, 1e-1)]
    assert costs == sorted(costs)
    assert costs[0] < 1e-4 and costs[2] < 2e-3 and costs[4] > 1
    assert multi_scale_spectral_loss(silence, noise(1e-9)).item() < 1e-4


@pytest.mark.parametrize("gain", (0.5, 2.0))
def test_gradient_points_to_the_louder_sound(gain):
    target = noise(0.1)
    level = torch.tensor(gain, requires_grad=True)
    multi_scale_spectral_loss(level * target, target, (1024,)).backward()
    assert level.grad.item() * (gain - 1) > 0


def test_gradient_is_that_of_finite_differences():
    estimate, target = noise(0.1, 0, 60).double().requires_grad_(), noise(0.1, 1, 60).double()
    assert torch.autograd.gradcheck(lambda x: multi_scale_spectral_loss(x, target, (32, 16)), (estimate,))


def test_magnitudes_made_beforehand_give_the_same_loss():
    estimate, target = noise(0.1), noise(0.1, 1)
    beforehand = multi_scale_spectral_loss(estimate, spectral_magnitudes(target))
    assert beforehand == multi_scale_spectral_loss(estimate, target)


def test_random_resolutions_are_distinct_repeatable_and_all_get_their_turn():
    generator = torch.Generator().manual_seed(0)
    drawn = [random_resolutions(2, generator=generator) for _ in range(60)]
    assert all(a != b for a, b in drawn)
    assert {n_fft for pair in drawn for n_fft in pair} == set(N_FFTS)
    assert drawn[0] == random_resolutions(2, generator=torch.Generator().manual_seed(0))


def test_above_the_bandwidth_nothing_counts():
    n = torch.arange(4800)
    low, high = torch.sin(2 * math.pi * 0.1 * n), torch.sin(2 * math.pi * 0.4 * n)  # of the sample rate
    whole, half = (
        multi_scale_spectral_loss(low + high, low, (1024,), log_weight=0, bandwidth=share).item() for share in (1, 0.5)
    )
    assert whole > 0.2 and half < 0.01 * whole
