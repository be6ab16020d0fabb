"""Loudness as the instrument's control: A-weighted power over 30 ms, in dB re full scale.

A-weighting (IEC 61672-1, annex E) follows the ear's sensitivity at low levels: 0 dB at 1 kHz, -19 dB at 100 Hz. It is
applied to the sound as a filter, not to the bins of a short spectrum: over the main lobe of a 30 ms window the curve
changes by 10 dB at 60 Hz, and bins would read bass too loud.
"""

import math

import torch
from torch import Tensor

from retimbre.dsp.filters import fft_length
from retimbre.dsp.units import FRAME_RATE, frames_for_samples, interval_grid, power_to_db, split_intervals

LOUDNESS_FLOOR_DB = -100.0
"""What silence reads."""

_WINDOW_INTERVALS = 6  # 30 ms are exactly six intervals between frames, three on either side


def a_weighting_db(frequency_hz: Tensor) -> Tensor:
    """Gain of the A curve in dB at each frequency, in closed form; minus infinity at 0 Hz."""
    square = frequency_hz.square()
    corners = [corner_hz**2 for corner_hz in (20.598997, 107.65265, 737.86223, 12194.217)]
    denominator = (square + corners[0]) * (square + corners[3])
    denominator = denominator * ((square + corners[1]) * (square + corners[2])).sqrt()
    return 20.0 * torch.log10(corners[3] * square.square() / denominator) + 2.0


def a_weighted_loudness(audio: Tensor, sample_rate: int) -> Tensor:
    """Loudness in dB on the frame grid.

    Frame ``i`` is the power of the A-weighted sound in the 30 ms around ``t_i = i / 200`` s, without any delay (the
    filter is applied forwards and backwards in time: zero phase). Before and after the audio there is silence. A 1 kHz
    sine of amplitude 1 reads -3.01 dB; nothing reads below -100 dB.

    Args:
        audio: [batch, samples].
        sample_rate: in Hz.

    Returns:
        [batch, frames], ``frames_for_samples`` many.
    """
    n_samples = audio.shape[-1]
    n_intervals = frames_for_samples(n_samples, sample_rate) - 1
    # The curve's own response fades by 120 dB within 0.1 s, so that much silence keeps the ends apart.
    n_fft = fft_length(n_samples + math.ceil(0.2 * sample_rate))
    bin_hz = torch.arange(n_fft // 2 + 1, dtype=torch.float64) * (sample_rate / n_fft)
    gain = torch.pow(10.0, a_weighting_db(bin_hz) / 20.0).to(audio)
    weighted = torch.fft.irfft(torch.fft.rfft(audio, n=n_fft) * gain, n=n_fft)[..., :n_samples]

    grid = interval_grid(0, n_intervals, sample_rate, audio.device)
    energy = torch.nn.functional.pad(weighted.square(), (0, grid.n_samples - n_samples))
    energy = split_intervals(energy, grid).sum(dim=-1)
    margin = _WINDOW_INTERVALS // 2
    energy = torch.nn.functional.pad(energy, (margin, margin)).unfold(-1, _WINDOW_INTERVALS, 1).sum(dim=-1)
    return power_to_db(energy * (FRAME_RATE / _WINDOW_INTERVALS / sample_rate), LOUDNESS_FLOOR_DB)
