"""Units of pitch and level, and the grid of control frames on which everything with a time axis lies.

The grid (docs/definitions.md, "Time"): a control frame every 5 ms at every sample rate. Interval ``i`` runs from frame
``i`` to frame ``i + 1`` and owns the samples ``ceil(i sr / 200) <= n < ceil((i + 1) sr / 200)``. At 44.1 kHz a frame
does not fall on a sample (220.5 samples an interval), so intervals are 220 or 221 samples long and the grid must be
counted from the first frame of the stream; all of it is integer arithmetic, so it never drifts.

Code that works on whole intervals uses a rectangular layout ``[..., intervals, slots]`` with as many slots as the
longest interval: `IntervalGrid` says where each slot lies, `split_intervals` and `join_intervals` go there and back.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

FRAME_RATE = 200
"""Control frames per second."""

LOWEST_HZ = 440.0 * 2.0 ** (-69 / 12)
"""MIDI note 0, 8.18 Hz: where `hz_to_midi` stops, so that "no pitch" (0 Hz) stays finite."""

WITHOUT_FLOAT64 = "mps"
"""The type of device that has no float64: Apple's GPU."""


def double(x: Tensor) -> Tensor:
    """In float64, on the CPU where the device has none; ``.to(x)`` leads back, and gradients pass both ways."""
    # In two steps: the device cannot convert.
    return (x.cpu() if x.device.type == WITHOUT_FLOAT64 else x).double()


# --- pitch and level -------------------------------------------------------------------------------------------------


def hz_to_midi(f0_hz: Tensor) -> Tensor:
    """MIDI note number (69 = A4 = 440 Hz, 12 an octave); everything below 8.18 Hz reads 0."""
    return 69.0 + 12.0 * torch.log2(f0_hz.clamp_min(LOWEST_HZ) / 440.0)


def midi_to_hz(midi: Tensor) -> Tensor:
    """Frequency in Hz of a MIDI note number."""
    return 440.0 * torch.exp2((midi - 69.0) / 12.0)


def amplitude_to_db(amplitude: Tensor, floor_db: float = -100.0) -> Tensor:
    """Level in dB of a linear amplitude, not below ``floor_db``; the gradient below the floor is zero."""
    return 20.0 * torch.log10(amplitude.abs().clamp_min(10.0 ** (floor_db / 20.0)))


def db_to_amplitude(level_db: Tensor) -> Tensor:
    """Linear amplitude of a level in dB."""
    return torch.pow(10.0, level_db / 20.0)


def power_to_db(power: Tensor, floor_db: float = -100.0) -> Tensor:
    """Level in dB of a power (mean square), not below ``floor_db``; the gradient below the floor is zero."""
    return 10.0 * torch.log10(power.clamp_min(10.0 ** (floor_db / 10.0)))


def db_to_power(level_db: Tensor) -> Tensor:
    """Power (mean square) of a level in dB."""
    return torch.pow(10.0, level_db / 10.0)


def exp_sigmoid(x: Tensor) -> Tensor:
    """Network output to positive amplitude, ``2 sigmoid(x)^ln(10) + 1e-7`` (Engel et al. 2020, eq. 5).

    Exponential (10x for every step of 1) for negative x, saturating at 2; about 0.4 at x = 0.
    """
    # By way of the logarithm: sigmoid(x) underflows to zero, and its power's gradient with it, long before this does.
    return 2.0 * torch.exp(math.log(10.0) * torch.nn.functional.logsigmoid(x)) + 1e-7


# --- the time grid ---------------------------------------------------------------------------------------------------


def frames_for_samples(n_samples: int, sample_rate: int) -> int:
    """Frames needed to describe ``n_samples``: ``ceil(200 n / sr) + 1``."""
    return -(-FRAME_RATE * n_samples // sample_rate) + 1


def samples_for_frames(n_frames: int, sample_rate: int) -> int:
    """Samples that the first ``n_frames`` frames of a stream make: ``ceil((F - 1) sr / 200)``; none for one frame."""
    return interval_start(max(n_frames - 1, 0), sample_rate)


def interval_start(interval: int, sample_rate: int) -> int:
    """First sample of an interval, ``ceil(interval sr / 200)``; negative intervals lie before the stream."""
    return -(-interval * sample_rate // FRAME_RATE)


def longest_interval(sample_rate: int) -> int:
    """Samples in the longest interval, ``ceil(sr / 200)``."""
    return -(-sample_rate // FRAME_RATE)


def interval_starts(first: int, count: int, sample_rate: int, device: torch.device | None = None) -> Tensor:
    """First samples of intervals ``first .. first + count``: int64 [count + 1], the last one being the end."""
    interval = torch.arange(first, first + count + 1, device=device)
    return -torch.div(-interval * sample_rate, FRAME_RATE, rounding_mode="floor")


def place_in_grid(first_sample: int, count: int, sample_rate: int) -> tuple[Tensor, Tensor]:
    """Where samples lie between frames.

    Returns:
        The interval that owns each sample, int64 [count], and the sample's place ``w`` in it, 0 at the frame before and
        (nearly) 1 at the frame after, float64 [count].
    """
    position = FRAME_RATE * torch.arange(first_sample, first_sample + count)
    interval = torch.div(position, sample_rate, rounding_mode="floor")
    return interval, (position - interval * sample_rate).double() / sample_rate


class IntervalGrid(NamedTuple):
    """Consecutive intervals as a rectangle of intervals x slots, one slot a sample.

    Attributes:
        start: first sample of each interval, counted from the first of them, and the end: int64 [intervals + 1].
        weight: place ``w`` of each slot between its two frames, float64 (see `double`) [intervals, slots].
        sample: sample of each slot, counted like ``start``, int64 [intervals, slots].
        slot: the slots (of the flattened rectangle) that hold a sample, in order: int64 [samples]. An interval of 220
            samples among intervals of 221 leaves its last slot empty.
    """

    start: Tensor
    weight: Tensor
    sample: Tensor
    slot: Tensor

    @property
    def n_samples(self) -> int:
        """Samples in all the intervals together."""
        return self.slot.numel()


def interval_grid(first: int, count: int, sample_rate: int, device: torch.device | None = None) -> IntervalGrid:
    """The rectangle of intervals ``first .. first + count - 1``, counted from the first frame of the stream."""
    start = interval_starts(first, count, sample_rate, device)
    interval = torch.arange(first, first + count, device=device)[:, None]
    sample = start[:-1, None] + torch.arange(longest_interval(sample_rate), device=device)
    weight = double(FRAME_RATE * sample - interval * sample_rate) / sample_rate
    inside = sample < start[1:, None]
    return IntervalGrid(start - start[0], weight, sample - start[0], inside.flatten().nonzero()[:, 0])


def join_intervals(slots: Tensor, grid: IntervalGrid) -> Tensor:
    """Rectangle [..., intervals, slots] to samples [..., samples]; empty slots are dropped."""
    flat = slots.flatten(-2)
    return flat if flat.shape[-1] == grid.n_samples else flat.index_select(-1, grid.slot)


def split_intervals(samples: Tensor, grid: IntervalGrid) -> Tensor:
    """Samples [..., samples] to the rectangle [..., intervals, slots]; empty slots are zero."""
    if grid.weight.numel() != grid.n_samples:
        empty = samples.new_zeros(*samples.shape[:-1], grid.weight.numel())
        samples = empty.index_copy(-1, grid.slot, samples)
    return samples.unflatten(-1, grid.weight.shape)
