"""Filtered noise: white noise shaped by one magnitude response per frame.

Each frame's noise is made in the frequency domain, where shaping is a multiplication: one inverse FFT a frame both
filters and makes it (docs/definitions.md, "Filtered noise"). The frame is periodic, so no filter tail is ever cut off,
and frames meet in a cross-fade that keeps the power (cos^2 + sin^2 = 1; neighbours are independent), so that a
constant spectrum sounds constant: no modulation at the frame rate.

The white numbers are an input. Whoever holds them can render the same sound twice, live, offline, or in another
language.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from retimbre.dsp.filters import interpolation_matrix
from retimbre.dsp.units import double, interval_grid, interval_starts, join_intervals, longest_interval


class NoiseState(NamedTuple):
    """Everything filtered noise carries from one block of frames to the next.

    Attributes:
        frame: index in the stream of the last frame heard of.
        tail: that frame's shaped noise, whose second half is still to sound, [batch, noise_length].
    """

    frame: int
    tail: Tensor


def noise_length(sample_rate: int) -> int:
    """White numbers needed per frame: the power of two >= ``2 ceil(sr / 200) + 1``."""
    return 1 << (2 * longest_interval(sample_rate)).bit_length()


def white_noise(
    batch: int,
    n_frames: int,
    sample_rate: int,
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | None = None,
) -> Tensor:
    """White numbers for `filtered_noise`: uniform, mean 0, variance 1, [batch, frames, noise_length]."""
    shape = (batch, n_frames, noise_length(sample_rate))
    edge = math.sqrt(3.0)
    return torch.empty(shape, dtype=dtype, device=device).uniform_(-edge, edge, generator=generator)


def filtered_noise(
    noise_magnitudes: Tensor, noise_band_hz: Tensor, noise: Tensor, sample_rate: int, state: NoiseState | None = None
) -> tuple[Tensor, NoiseState]:
    """White noise shaped by the magnitudes of each frame.

    The first frame of a stream makes no sound; every later frame makes the interval that it closes.

    Args:
        noise_magnitudes: linear, [batch, frames, bands]: the RMS that white noise through a flat filter of that
            magnitude would have. Linear in Hz between bands, held beyond the first and the last.
        noise_band_hz: the frequencies of the bands, rising, on any device, [bands].
        noise: numbers of unit variance, [batch, frames, noise_length(sample_rate)], as from `white_noise`.
        sample_rate: of the sound, in Hz.
        state: what the previous block returned; None starts a stream.

    Returns:
        Audio [batch, samples], and the state for the next block.

    Raises:
        ValueError: if the shapes do not agree.
    """
    expected = (*noise_magnitudes.shape[:2], noise_length(sample_rate))
    if noise_magnitudes.ndim != 3 or noise.shape != expected or noise_band_hz.shape != noise_magnitudes.shape[2:]:
        raise ValueError(
            f"expected noise_magnitudes [batch, frames, bands], noise_band_hz [bands] and noise {list(expected)}, "
            f"got {list(noise_magnitudes.shape)}, {list(noise_band_hz.shape)} and {list(noise.shape)}"
        )
    shaped = _shape(noise_magnitudes, noise_band_hz, noise, sample_rate)
    frame = 0
    if state is not None:
        frame, shaped = state.frame, torch.cat([state.tail[:, None], shaped], dim=1)

    n_intervals = shaped.shape[1] - 1
    grid = interval_grid(frame, n_intervals, sample_rate, shaped.device)
    # Frame i began one interval ago, so it is heard from where that interval ended.
    age = interval_starts(frame - 1, n_intervals, sample_rate, shaped.device).diff()
    slot = torch.arange(grid.weight.shape[1], device=shaped.device)
    fading = shaped[:, :-1].gather(2, (age[:, None] + slot).expand(shaped.shape[0], -1, -1))
    rising = shaped[:, 1:, : slot.numel()]
    angle = 0.5 * math.pi * grid.weight
    audio = fading * angle.cos().to(shaped) + rising * angle.sin().to(shaped)
    return join_intervals(audio, grid), NoiseState(frame + n_intervals, shaped[:, -1])


def _shape(noise_magnitudes: Tensor, noise_band_hz: Tensor, noise: Tensor, sample_rate: int) -> Tensor:
    """One period of shaped noise per frame, [batch, frames, noise_length]."""
    n_fft = noise.shape[-1]
    band_hz = double(noise_band_hz)
    bin_hz = torch.arange(n_fft // 2 + 1, dtype=band_hz.dtype, device=band_hz.device) * (sample_rate / n_fft)
    magnitude = noise_magnitudes @ interpolation_matrix(band_hz, bin_hz).to(noise_magnitudes)
    pairs = noise.unflatten(-1, (n_fft // 2, 2)) * math.sqrt(n_fft / 2.0)
    # The bins 0 and n_fft / 2 are real: each takes one number of the first pair, at full size.
    ends = noise[..., :2] * math.sqrt(n_fft)
    spectrum = torch.zeros(*noise.shape[:-1], n_fft // 2 + 1, 2, dtype=noise.dtype, device=noise.device)
    spectrum[..., 1:-1, :] = pairs[..., 1:, :]
    spectrum[..., 0, 0] = ends[..., 0]
    spectrum[..., -1, 0] = ends[..., 1]
    return torch.fft.irfft(torch.view_as_complex(spectrum) * magnitude, n=n_fft)
