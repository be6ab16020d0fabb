"""Convolution: with one impulse response, block by block, and with a response that changes every frame.

Nothing here is cropped in silence: a convolution is ``n + m - 1`` samples long, and what a block cannot return yet is
in its state, as the tail. (Cropping each frame's convolution to the frame, as is common, turned a stopband of -111 dB
into -15 dB where we measured it.)
"""

from typing import NamedTuple

import torch
from torch import Tensor

from retimbre.dsp.units import interval_grid, longest_interval, split_intervals


def fft_length(n: int) -> int:
    """The smallest length >= n of the form 1, 3, 5, 9 or 15 times a power of two: fast to transform."""
    return min(odd << (-(-n // odd) - 1).bit_length() for odd in (1, 3, 5, 9, 15))


def fft_convolve(audio: Tensor, impulse_response: Tensor) -> Tensor:
    """The whole linear convolution, by one FFT.

    Args:
        audio: [..., samples].
        impulse_response: [..., taps]; the leading dimensions broadcast with those of the audio.

    Returns:
        [..., samples + taps - 1].
    """
    n = audio.shape[-1] + impulse_response.shape[-1] - 1
    n_fft = fft_length(n)
    product = torch.fft.rfft(audio, n=n_fft) * torch.fft.rfft(impulse_response, n=n_fft)
    return torch.fft.irfft(product, n=n_fft)[..., :n]


def stream_convolve(audio: Tensor, impulse_response: Tensor, tail: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Convolution block by block (overlap-add), with no delay.

    Args:
        audio: the next block, [..., samples], at least one sample.
        impulse_response: [..., taps].
        tail: what the previous block returned; None starts a stream.

    Returns:
        Audio [..., samples], and the tail [..., taps - 1] that is still to sound: add it to the next block by passing
        it on, or append it to the last one.
    """
    full = fft_convolve(audio, impulse_response)
    if tail is not None:
        full = torch.cat([full[..., : tail.shape[-1]] + tail, full[..., tail.shape[-1] :]], dim=-1)
    n_samples = audio.shape[-1]
    return full[..., :n_samples], full[..., n_samples:]


def linear_phase_fir(magnitudes: Tensor, n_taps: int) -> Tensor:
    """Impulse response with the given magnitudes, delayed by exactly ``(n_taps - 1) / 2`` samples.

    Frequency sampling and a symmetric Hann window: ripple and slope get finer with more taps.

    Args:
        magnitudes: linear, at frequencies spaced evenly from 0 to Nyquist inclusive, [..., bands].
        n_taps: odd, at most ``2 bands - 3``.

    Returns:
        [..., n_taps], symmetric about its middle.

    Raises:
        ValueError: if n_taps is even or too large for the number of bands.
    """
    n_bands = magnitudes.shape[-1]
    if n_taps % 2 == 0 or not 1 <= n_taps <= 2 * n_bands - 3:
        raise ValueError(f"n_taps must be odd and at most 2 * bands - 3 = {2 * n_bands - 3}, got {n_taps}")
    centred = torch.fft.irfft(magnitudes, n=2 * (n_bands - 1))
    half = n_taps // 2
    # Two more points than taps, less the two that are zero: every tap counts.
    window = torch.hann_window(n_taps + 2, periodic=False, dtype=magnitudes.dtype, device=magnitudes.device)[1:-1]
    return torch.cat([centred[..., centred.shape[-1] - half :], centred[..., : half + 1]], dim=-1) * window


def interpolation_matrix(points: Tensor, queries: Tensor) -> Tensor:
    """Linear interpolation as a matrix: ``values_at_points @ matrix`` are the values at the queries.

    Args:
        points: where values are known, rising, [points].
        queries: where they are wanted, [queries]; beyond the first and the last point the value there is held.

    Returns:
        [points, queries]; every column sums to one.
    """
    last = points.numel() - 1
    right = torch.searchsorted(points, queries).clamp(min(1, last), last)
    left = (right - 1).clamp_min(0)
    span = (points[right] - points[left]).clamp_min(torch.finfo(points.dtype).tiny)
    place = ((queries - points[left]) / span).clamp(0.0, 1.0)
    point = torch.arange(last + 1, device=points.device)[:, None]
    return (point == left) * (1.0 - place) + (point == right) * place


class FirState(NamedTuple):
    """Everything `time_varying_fir` carries from one block of frames to the next.

    Attributes:
        frame: index in the stream of the last frame heard of.
        impulse_response: of that frame, [batch, taps].
        tail: what is still to sound, [batch, taps - 1]; append it to the last block to hear the filter ring out.
    """

    frame: int
    impulse_response: Tensor
    tail: Tensor


def time_varying_fir(
    audio: Tensor, impulse_responses: Tensor, sample_rate: int, state: FirState | None = None
) -> tuple[Tensor, FirState]:
    """A filter whose impulse response glides from frame to frame.

    Every input sample is answered by the response of its own instant, linear between the two frames around it:
    ``y(n) = sum_m x(m) ((1 - w_m) h_i + w_m h_{i+1})(n - m)``, with ``m`` in interval ``i``. Nothing is cut off,
    nothing steps at a frame, and no delay is added to that of the responses.

    Args:
        audio: [batch, samples], as many samples as the frames make (`samples_for_frames`; after the first block, the
            samples of as many intervals as there are frames).
        impulse_responses: causal, one per frame, [batch, frames, taps].
        sample_rate: of the audio, in Hz.
        state: what the previous block returned; None starts a stream.

    Returns:
        Audio [batch, samples], and the state for the next block.

    Raises:
        ValueError: if audio and frames do not belong together.
    """
    if state is None:
        frame, tail = 0, audio.new_zeros(audio.shape[0], impulse_responses.shape[-1] - 1)
    else:
        frame, tail = state.frame, state.tail
        impulse_responses = torch.cat([state.impulse_response[:, None], impulse_responses], dim=1)
    n_intervals, n_taps = impulse_responses.shape[1] - 1, impulse_responses.shape[2]
    grid = interval_grid(frame, n_intervals, sample_rate, audio.device)
    if audio.shape != (impulse_responses.shape[0], grid.n_samples):
        raise ValueError(
            f"these frames need audio {[impulse_responses.shape[0], grid.n_samples]}, got {list(audio.shape)}"
        )
    if n_intervals == 0:  # the first frame of a stream; there is no FFT of nothing
        return audio, FirState(frame, impulse_responses[:, -1], tail)

    pieces = split_intervals(audio, grid)
    rising = pieces * grid.weight.to(audio)
    n_answer = longest_interval(sample_rate) + n_taps - 1
    n_fft = fft_length(n_answer)
    response = torch.fft.rfft(impulse_responses, n=n_fft)
    spectrum = torch.fft.rfft(pieces - rising, n=n_fft) * response[:, :-1]
    spectrum = spectrum + torch.fft.rfft(rising, n=n_fft) * response[:, 1:]
    answers = torch.fft.irfft(spectrum, n=n_fft)[..., :n_answer]

    place = grid.start[:-1, None] + torch.arange(n_answer, device=audio.device)
    # One slot to spare: an empty last slot reaches (with zeros) one sample past the end.
    full = audio.new_zeros(audio.shape[0], grid.n_samples + n_taps).index_add(1, place.flatten(), answers.flatten(1))
    full = full[:, :-1] + torch.nn.functional.pad(tail, (0, grid.n_samples))
    return full[:, : grid.n_samples], FirState(frame + n_intervals, impulse_responses[:, -1], full[:, grid.n_samples :])
