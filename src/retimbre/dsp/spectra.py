"""Magnitude spectra over time, with a gradient as cheap as the spectrum itself."""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def stft_magnitude(audio: Tensor, n_fft: int, hop_length: int | None = None, n_averaged: int = 1) -> Tensor:
    """Magnitudes of the short-time Fourier transform, in units of amplitude.

    Hann window; the end is padded with zeros to fill the last frame. Divided by half the window's sum, so that a
    sine of amplitude 0.1 on a bin reads 0.1 at every ``n_fft`` (0 Hz and Nyquist read double; noise falls by 3 dB per
    doubling of n_fft, as its power spreads over more bins).

    The gradient where a magnitude is zero is zero.

    Args:
        audio: [..., samples].
        n_fft: length of the window in samples, even.
        hop_length: samples between frames, a divisor of n_fft; n_fft / 4 if None.
        n_averaged: so many frames in a row become one, their root mean square.

    Returns:
        [..., frames, n_fft / 2 + 1], ``ceil((samples - n_fft) / hop_length) + 1`` frames, at least one, over
        ``n_averaged`` and rounded up.

    Raises:
        ValueError: if n_fft is odd or not a multiple of hop_length.
    """
    hop_length = n_fft // 4 if hop_length is None else hop_length
    if n_fft % 2 or n_fft % hop_length:
        raise ValueError(f"n_fft must be even and a multiple of hop_length, got {n_fft} and {hop_length}")
    return _StftMagnitude.apply(audio, n_fft, hop_length, n_averaged)


@lru_cache(maxsize=16)
@torch.inference_mode(False)  # kept for later calls, which may need gradients
def _window(n_fft: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Periodic Hann window of sum 2: a sine's magnitude is its amplitude."""
    window = torch.hann_window(n_fft, dtype=torch.float64)
    return (2.0 * window / window.sum()).to(dtype).to(device)


class _StftMagnitude(torch.autograd.Function):
    """|STFT| in one piece.

    PyTorch's own backward pass takes a complex FFT of twice the length for the real transform and scatters overlapping
    frames sample by sample. The adjoint of a real FFT is an inverse real FFT with the two real bins counted double, and
    overlapping frames of whole hops add up as shifted blocks.
    """

    @staticmethod
    def forward(ctx: Any, audio: Tensor, n_fft: int, hop_length: int, n_averaged: int) -> Tensor:
        n_samples = audio.shape[-1]
        n_frames = max(-(-(n_samples - n_fft) // hop_length), 0) + 1
        n_frames = -(-n_frames // n_averaged) * n_averaged
        padded = torch.nn.functional.pad(audio, (0, (n_frames - 1) * hop_length + n_fft - n_samples))
        window = _window(n_fft, audio.dtype, audio.device)
        spectrum = torch.fft.rfft(padded.unfold(-1, n_fft, hop_length) * window)
        power = spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag)
        magnitude = (power.unflatten(-2, (-1, n_averaged)).mean(-2) if n_averaged > 1 else power).sqrt_()
        ctx.n_samples, ctx.hop_length, ctx.n_averaged = n_samples, hop_length, n_averaged
        ctx.save_for_backward(spectrum, magnitude, window)
        return magnitude

    @staticmethod
    @once_differentiable  # PyTorch declares `backward` for any number of gradients
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor, None, None, None]:
        spectrum, magnitude, window = ctx.saved_tensors
        slope = grad / magnitude.clamp_min(torch.finfo(magnitude.dtype).tiny)
        if ctx.n_averaged > 1:
            slope = (slope / ctx.n_averaged).repeat_interleave(ctx.n_averaged, dim=-2)
        spectrum = spectrum * slope
        spectrum[..., 0] *= 2.0
        spectrum[..., -1] *= 2.0
        n_fft, hop_length = window.shape[0], ctx.hop_length
        frames = torch.fft.irfft(spectrum, n=n_fft, norm="forward") * (0.5 * window)

        hops = frames.unflatten(-1, (n_fft // hop_length, hop_length))
        *leading, n_frames, n_hops, _ = hops.shape
        audio = frames.new_zeros(*leading, n_frames + n_hops - 1, hop_length)
        for hop in range(n_hops):
            audio[..., hop : hop + n_frames, :] += hops[..., hop, :]
        return audio.flatten(-2)[..., : ctx.n_samples], None, None, None
