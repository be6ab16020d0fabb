"""The harmonic oscillator: a sum of sines at whole multiples of one gliding fundamental.

Two functions with one signature and one definition (docs/definitions.md, "Harmonic oscillator"):

- `sine_bank` adds up the sines one by one. It is the reference: exact, and as slow as it sounds.
- `harmonic_oscillator` reads cross-faded tables. Amplitudes that are linear between two frames make a linear
  cross-fade between two single-cycle waves read at the same phase, so a table per frame (one matrix product) and two
  reads per sample replace a hundred sines per sample. Reading them with a cubic B-spline is the only approximation:
  in a table of N points harmonic k gains an image weaker by ``(k / (N - k))^4``. Measured error, RMS relative to the
  sound, of 100 harmonics: 0.01 % (-80 dB) where they fall as 1/k, 0.1 % (-59 dB) where all are equal.

The phase is counted in cycles, exactly integrated, wrapped, and kept in float64: a running float32 phase would be
audibly wrong within seconds. Both carry gradients to the amplitudes and to ``f0_hz``. That of the tables to ``f0_hz``
is the slope of the spline, exact for the sound made.
"""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from retimbre.dsp.units import FRAME_RATE, double, interval_grid, join_intervals

NYQUIST_FADE = 0.05
"""Harmonics fade out over this part of the sample rate below Nyquist."""

JUMP = 1.03
"""From one frame to the next, a larger ratio of pitches (half a semitone) is another note, not a glide."""


class OscillatorState(NamedTuple):
    """Everything an oscillator carries from one block of frames to the next.

    Detach the tensors between training steps, or gradients flow back into earlier blocks.

    Attributes:
        frame: index in the stream of the last frame heard of (the grid of 44.1 kHz depends on it).
        phase: phase of the fundamental at that frame, in cycles, 0 <= phase < 1, float64 (see `double`) [batch].
        f0_hz: fundamental at that frame, [batch].
        harmonic_amplitudes: amplitudes at that frame, [batch, harmonics].
    """

    frame: int
    phase: Tensor
    f0_hz: Tensor
    harmonic_amplitudes: Tensor


def table_length(n_harmonics: int) -> int:
    """Points in one cycle of a table, N: the power of two >= five times the harmonics, at least 256."""
    return max(256, 1 << (5 * n_harmonics - 1).bit_length())


def harmonic_oscillator(
    f0_hz: Tensor, harmonic_amplitudes: Tensor, sample_rate: int, state: OscillatorState | None = None
) -> tuple[Tensor, OscillatorState]:
    """Sum of harmonics, by cross-faded tables.

    The first frame of a stream makes no sound; every later frame makes the interval that it closes.

    Args:
        f0_hz: fundamental in Hz, not negative, [batch, frames].
        harmonic_amplitudes: linear amplitudes of harmonics 1, 2, ..., [batch, frames, harmonics]. Harmonics fade out
            over the last 5 % of the sample rate below Nyquist and are silent above.
        sample_rate: of the sound, in Hz.
        state: what the previous block returned; None starts a stream.

    Returns:
        Audio [batch, samples] in the precision of the amplitudes, and the state for the next block.

    Raises:
        ValueError: if the shapes do not agree.
    """
    phase, weight, amplitudes, state, grid = _prepare(f0_hz, harmonic_amplitudes, sample_rate, state)
    return join_intervals(_CrossFadedTables.apply(phase, weight, amplitudes), grid), state


def sine_bank(
    f0_hz: Tensor, harmonic_amplitudes: Tensor, sample_rate: int, state: OscillatorState | None = None
) -> tuple[Tensor, OscillatorState]:
    """Sum of harmonics, sine by sine: the exact reference for `harmonic_oscillator`, which see for the arguments.

    Needs memory for batch x samples x harmonics float64 numbers.
    """
    phase, weight, amplitudes, state, grid = _prepare(f0_hz, harmonic_amplitudes, sample_rate, state)
    order = _orders(amplitudes)
    sines = torch.sin(2.0 * math.pi * _wrap(phase[..., None] * double(order))).to(amplitudes)
    before = (sines @ amplitudes[:, :-1, :, None])[..., 0]
    after = (sines @ amplitudes[:, 1:, :, None])[..., 0]
    return join_intervals((1.0 - weight) * before + weight * after, grid), state


def _prepare(
    f0_hz: Tensor, harmonic_amplitudes: Tensor, sample_rate: int, state: OscillatorState | None
) -> tuple[Tensor, Tensor, Tensor, OscillatorState, Any]:
    """What both oscillators share: phase of every sample, place between frames, faded amplitudes, next state."""
    if f0_hz.ndim != 2 or harmonic_amplitudes.ndim != 3 or harmonic_amplitudes.shape[:2] != f0_hz.shape:
        raise ValueError(
            "expected f0_hz [batch, frames] and harmonic_amplitudes [batch, frames, harmonics], "
            f"got {list(f0_hz.shape)} and {list(harmonic_amplitudes.shape)}"
        )
    if state is None:
        frame, phase_at_start = 0, double(torch.zeros_like(f0_hz[:, 0]))
    else:
        frame, phase_at_start = state.frame, state.phase
        f0_hz = torch.cat([state.f0_hz[:, None], f0_hz], dim=1)
        harmonic_amplitudes = torch.cat([state.harmonic_amplitudes[:, None], harmonic_amplitudes], dim=1)

    n_intervals = f0_hz.shape[1] - 1
    grid = interval_grid(frame, n_intervals, sample_rate, f0_hz.device)
    jumps = (f0_hz[:, 1:] > JUMP * f0_hz[:, :-1]) | (f0_hz[:, :-1] > JUMP * f0_hz[:, 1:])
    end = double(f0_hz[:, 1:])
    begin = double(torch.where(jumps, f0_hz[:, 1:], f0_hz[:, :-1]))
    steps = (begin + end) / (2 * FRAME_RATE)
    frame_phase = _wrap(torch.cat([phase_at_start[:, None], steps], dim=1).cumsum(dim=1))
    # phase_i + (f_i w + (f_{i+1} - f_i) w^2 / 2) / 200, the integral of a linear glide
    glide = torch.addcmul(begin[..., None], (end - begin)[..., None], grid.weight, value=0.5)
    phase = _wrap(torch.addcmul(frame_phase[:, :-1, None], glide, grid.weight, value=1.0 / FRAME_RATE))

    new_state = OscillatorState(frame + n_intervals, frame_phase[:, -1], f0_hz[:, -1], harmonic_amplitudes[:, -1])
    faded = harmonic_amplitudes * _nyquist_fade(f0_hz, harmonic_amplitudes, sample_rate)
    return phase, grid.weight.to(faded), faded, new_state, grid


def _nyquist_fade(f0_hz: Tensor, harmonic_amplitudes: Tensor, sample_rate: int) -> Tensor:
    """Gain of every harmonic: 1 well below Nyquist, 0 from there up."""
    frequency_hz = f0_hz[..., None].to(harmonic_amplitudes.dtype) * _orders(harmonic_amplitudes)
    return ((0.5 * sample_rate - frequency_hz) / (NYQUIST_FADE * sample_rate)).clamp(0.0, 1.0)


def _orders(harmonic_amplitudes: Tensor) -> Tensor:
    """Harmonic numbers 1 .. H in the precision of the amplitudes."""
    n_harmonics = harmonic_amplitudes.shape[-1]
    return torch.arange(1, n_harmonics + 1, dtype=harmonic_amplitudes.dtype, device=harmonic_amplitudes.device)


def _wrap(phase: Tensor) -> Tensor:
    """Phase in cycles, to [0, 1); the gradient passes."""
    return phase - phase.detach().floor()


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # kept for later calls, which may need gradients
def _half_sines(n_harmonics: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Points -1 to N / 2 + 1 of every harmonic's cycle, N = `table_length`, [harmonics, points].

    Reading with a B-spline weakens harmonic k by ``sinc(k / N)^4``; here it is made as much stronger.
    """
    length = table_length(n_harmonics)
    order = torch.arange(1, n_harmonics + 1, device=device)
    point = torch.arange(-1, length // 2 + 2, device=device)
    cycles = double(order[:, None] * point % length) / length  # exact: whole numbers over a power of two
    gain = torch.sinc(double(order) / length) ** -4
    return (gain[:, None] * torch.sin(2.0 * math.pi * cycles)).to(dtype).to(device)


class _CrossFadedTables(torch.autograd.Function):
    """Two tables per interval, read at the same phase and cross-faded.

    (phase [batch, intervals, slots], weight [intervals, slots], amplitudes [batch, intervals + 1, harmonics]) to sound
    [batch, intervals, slots].

    Written out by hand because the backward pass is then as cheap as the forward: the gradient of every sample is
    scattered into the tables it was read from, and one matrix product with the same sines takes it to the amplitudes.
    Nothing of size samples x harmonics is ever made.

    A sum of sines is odd, so half a cycle is stored and the other half is read backwards with its sign changed.
    """

    @staticmethod
    def forward(ctx: Any, phase: Tensor, weight: Tensor, amplitudes: Tensor) -> Tensor:
        sines = _half_sines(amplitudes.shape[-1], amplitudes.dtype, amplitudes.device)
        tables = amplitudes @ sines
        ctx.length = table_length(amplitudes.shape[-1])
        sign, index, fraction = (part.to(sines.device) for part in _table_position(phase, ctx.length, sines.dtype))
        ctx.needs_slope = ctx.needs_input_grad[0]
        ctx.save_for_backward(sign, index, fraction, weight, sines, *([tables] if ctx.needs_slope else []))
        return sign * _read(tables, index, weight, _spline(fraction))

    @staticmethod
    @once_differentiable  # PyTorch declares `backward` for any number of gradients
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor | None, None, Tensor | None]:
        sign, index, fraction, weight, sines, *tables = ctx.saved_tensors
        grad_phase = grad_amplitudes = None
        if ctx.needs_slope:
            # The sign of a backward read and the change of direction it means cancel in the slope.
            slope = _read(tables[0], index, weight, _spline_slope(fraction))
            grad_phase = double(grad * slope) * ctx.length
        if ctx.needs_input_grad[2]:
            grad = sign * grad
            batch, n_intervals, _ = grad.shape
            grad_tables = grad.new_zeros(batch, n_intervals + 1, sines.shape[-1])
            for point, share in enumerate(_spline(fraction)):
                share = share * grad
                after = share * weight
                grad_tables[:, :-1].scatter_add_(2, index + point, share - after)
                grad_tables[:, 1:].scatter_add_(2, index + point, after)
            grad_amplitudes = grad_tables @ sines.t()
        return grad_phase, None, grad_amplitudes


def _table_position(phase: Tensor, length: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Sign, first of the four table points, and place between the middle two, for a phase in [0, 1)."""
    backwards = phase > 0.5
    position = torch.where(backwards, 1.0 - phase, phase).mul_(length)
    index = position.long().clamp_max_(length // 2 - 1)
    fraction = position.sub_(index).to(dtype)
    return 1.0 - 2.0 * backwards.to(dtype), index, fraction


def _spline(f: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weights of the uniform cubic B-spline for four points, ``f`` of the way from the second to the third."""
    g = 1.0 - f
    first, last = g * g * g / 6.0, f * f * f / 6.0
    second = 2.0 / 3.0 - f * f * (1.0 - 0.5 * f)
    return first, second, 1.0 - first - second - last, last


def _spline_slope(f: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Derivatives of `_spline`."""
    g = 1.0 - f
    first, last = -0.5 * g * g, 0.5 * f * f
    second = 1.5 * f * f - 2.0 * f
    return first, second, -first - second - last, last


def _read(tables: Tensor, index: Tensor, weight: Tensor, spline: tuple[Tensor, ...]) -> Tensor:
    """Read every interval's two tables at the same four points, and fade from one to the other."""
    sound = torch.zeros_like(spline[0])
    for point, share in enumerate(spline):
        before, after = tables[:, :-1].gather(2, index + point), tables[:, 1:].gather(2, index + point)
        sound.addcmul_(share, before.lerp_(after, weight))
    return sound
