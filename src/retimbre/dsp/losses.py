"""How far apart two sounds are to the ear, roughly: the multi-scale spectral loss.

Magnitudes only (phase is not heard and cannot be matched), compared at several window lengths because no single one
resolves both harmonics and attacks (Wang, Takaki and Yamagishi 2019; Engel et al. 2020, section 4.2).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from retimbre.dsp.spectra import stft_magnitude

N_FFTS = (4096, 2048, 1024, 512, 256, 128)
"""Window lengths in samples; at 48 kHz from 85 ms to 2.7 ms."""

SPAN = 1024
"""Samples over which the power in shorter windows is averaged, 21 ms at 48 kHz. A window shorter than a period sees how
its energy lies in time, which follows from the phases of the harmonics; as the oscillator has its own, a network would
bend the amplitudes to imitate it (low notes lost 10 dB of their even harmonics)."""


def multi_scale_spectral_loss(
    estimate: Tensor,
    target: Tensor | Mapping[int, Tensor],
    n_ffts: Sequence[int] = N_FFTS,
    *,
    linear_weight: float = 100.0,
    log_weight: float = 1.0,
    log_floor: float = 1e-5,
    bandwidth: float = 1.0,
) -> Tensor:
    """Mean over resolutions of the L1 distances of magnitudes and of log magnitudes.

    ``linear_weight mean |E - T| + log_weight mean |ln(E + floor) - ln(T + floor)|``, with ``E`` and ``T`` in units of
    amplitude (`stft_magnitude`). The floor is what keeps silence cheap: differences far below it cost nothing, where
    a bare logarithm would charge more for -200 dB against silence than for an audible error.

    Args:
        estimate: audio [..., samples].
        target: audio of the same shape, or its magnitudes by n_fft, as from `spectral_magnitudes` (the target of a
            training clip never changes). No gradient flows into it.
        n_ffts: window lengths to compare; a training step may take a few (`random_resolutions`): the mean over them
            estimates the mean over all.
        linear_weight: of the linear term. DDSP's, on magnitudes that are not normalised, is n_fft / 4 in these
            units: 32 to 1024. At 100, the linear term is a sixth of the logarithmic one for a tone at -20 dB with its
            harmonics 3 dB too soft and its noise 6 dB too loud.
        log_weight: of the logarithmic term, in nepers.
        log_floor: amplitude below which differences stop to count; 1e-5 is -100 dB re full scale in one bin.
        bandwidth: share of the spectrum, from 0 Hz up, that is compared.

    Returns:
        A scalar.
    """
    total = estimate.new_zeros(())
    for n_fft in n_ffts:
        reference = target[n_fft] if isinstance(target, Mapping) else _magnitude(target, n_fft)
        magnitude = _magnitude(estimate, n_fft)
        if bandwidth < 1:
            bins = max(1, int(bandwidth * (n_fft // 2)))
            magnitude, reference = magnitude[..., :bins], reference[..., :bins]
        total = total + _SpectralDistance.apply(magnitude, reference, linear_weight, log_weight, log_floor)
    return total / len(n_ffts)


def spectral_magnitudes(audio: Tensor, n_ffts: Sequence[int] = N_FFTS) -> dict[int, Tensor]:
    """The magnitudes that `multi_scale_spectral_loss` takes as its target, by n_fft."""
    return {n_fft: _magnitude(audio, n_fft) for n_fft in n_ffts}


def _magnitude(audio: Tensor, n_fft: int) -> Tensor:
    return stft_magnitude(audio, n_fft, n_averaged=max(1, 4 * SPAN // n_fft))


def random_resolutions(
    count: int, n_ffts: Sequence[int] = N_FFTS, generator: torch.Generator | None = None
) -> tuple[int, ...]:
    """A few of the window lengths, no two alike."""
    return tuple(n_ffts[i] for i in torch.randperm(len(n_ffts), generator=generator)[:count].tolist())


class _SpectralDistance(torch.autograd.Function):
    """Both L1 terms and their gradient in one pass over the spectrogram.

    The logarithm rises with its argument, so both terms pull an estimate the same way: the gradient is
    ``sign(E - T) (linear_weight + log_weight / (E + floor)) / n``. It is made in the forward pass, where E is at hand.
    """

    @staticmethod
    def forward(
        ctx: Any, estimate: Tensor, target: Tensor, linear_weight: float, log_weight: float, log_floor: float
    ) -> Tensor:
        difference = estimate - target
        floored = estimate + log_floor
        ratio = floored / (target + log_floor)
        distance = linear_weight * difference.abs().mean() + log_weight * ratio.log_().abs_().mean()
        if ctx.needs_input_grad[0]:
            slope = floored.reciprocal_().mul_(log_weight / estimate.numel()).add_(linear_weight / estimate.numel())
            ctx.save_for_backward(difference.sign_().mul_(slope))
        return distance

    @staticmethod
    @once_differentiable  # PyTorch declares `backward` for any number of gradients
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor, None, None, None, None]:
        (slope,) = ctx.saved_tensors
        return grad * slope, None, None, None, None
