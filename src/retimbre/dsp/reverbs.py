"""Rooms that can be trained: the dry sound, plus its convolution with a learned response.

- `ImpulseResponseReverb` learns every sample of the response. It can imitate anything, and given a few minutes of music
  it does: it stores whatever lowers the loss, not a room. An exponential envelope keeps it to what a room can do.
- `DecayReverb` learns a decay time and a level per frequency band of a fixed noise: a dozen numbers that mean
  something, and the one to use when the room is what you want to know.

Both leave the direct path alone (the response's first sample is zero, the dry sound is added at gain 1), so that the
instrument and its room stay apart: what is learned is the room's answer only. Both are ``forward(audio, tail) ->
(audio, tail)`` with no delay.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from retimbre.dsp.filters import interpolation_matrix, stream_convolve

OCTAVE_BANDS_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
"""The octaves in which room acoustics counts (ISO 3382)."""


class ImpulseResponseReverb(nn.Module):
    """A room as a free impulse response.

    Args:
        n_taps: length of the response in samples, counting the (silent) first one.
        sample_rate: in Hz.
        decay_s: if given, the learned samples are multiplied by an exponential that falls 60 dB in this time: a prior
            that makes late reflections dear. None leaves the response free.

    Attributes:
        wet: the learned samples, [n_taps - 1], zero to begin with: no room.
    """

    def __init__(self, n_taps: int, sample_rate: int, decay_s: float | None = None) -> None:
        super().__init__()
        self.wet = nn.Parameter(torch.zeros(n_taps - 1))
        envelope = torch.ones(n_taps - 1) if decay_s is None else _decay(_times(n_taps, sample_rate), decay_s).float()
        self.register_buffer("envelope", envelope, persistent=False)
        self.envelope: Tensor

    def impulse_response(self) -> Tensor:
        """The room's answer to a click, without the click itself: [n_taps], the first sample zero."""
        return nn.functional.pad(self.wet * self.envelope, (1, 0))

    def forward(self, audio: Tensor, tail: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Dry plus wet: audio [..., samples] to the same, and the tail [..., n_taps - 1] for the next block."""
        return _add_room(audio, self.impulse_response(), tail)


class DecayReverb(nn.Module):
    """A room as exponentially decaying noise, with a decay time and a level per band.

    The noise is drawn once from the seed and split into bands that sum to it (triangles over log frequency, the lowest
    and the highest band held to 0 Hz and Nyquist). It is not saved with the weights: the seed makes it again.

    Args:
        sample_rate: in Hz.
        length_s: length of the response; what decays more slowly is cut off there.
        band_hz: centres of the bands, rising.
        decay_s: time to fall by 60 dB to begin with, in every band.
        wet_level_db: level of the room's answer to begin with, in every band.
        seed: of the noise.

    Attributes:
        log_decay_s: natural logarithm of the decay time of each band, [bands].
        wet_level_db: energy of the answer in each band relative to the direct sound, in dB (minus the
            direct-to-reverberant ratio), [bands].
    """

    def __init__(
        self,
        sample_rate: int,
        length_s: float = 1.0,
        band_hz: Sequence[float] = OCTAVE_BANDS_HZ,
        decay_s: float = 0.5,
        wet_level_db: float = -12.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        n_taps = round(length_s * sample_rate)
        self.sample_rate = sample_rate
        self.log_decay_s = nn.Parameter(torch.full((len(band_hz),), math.log(decay_s)))
        self.wet_level_db = nn.Parameter(torch.full((len(band_hz),), wet_level_db))
        self.register_buffer("band_noise", _band_noise(n_taps - 1, sample_rate, band_hz, seed), persistent=False)
        self.register_buffer("time_s", _times(n_taps, sample_rate).float(), persistent=False)
        self.band_noise: Tensor
        self.time_s: Tensor

    @property
    def decay_s(self) -> Tensor:
        """Time in which each band falls by 60 dB, [bands]."""
        return self.log_decay_s.exp()

    def impulse_response(self) -> Tensor:
        """The room's answer to a click, without the click itself: [n_taps], the first sample zero."""
        decay_s = self.decay_s[:, None]
        # An exponential that falls 60 dB in T seconds has the energy T sr / (6 ln 10).
        unit_energy = (6.0 * math.log(10.0) / (decay_s * self.sample_rate)).sqrt()
        gain = torch.pow(10.0, self.wet_level_db[:, None] / 20.0)
        bands = gain * unit_energy * _decay(self.time_s, decay_s) * self.band_noise
        return nn.functional.pad(bands.sum(dim=0), (1, 0))

    def forward(self, audio: Tensor, tail: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Dry plus wet: audio [..., samples] to the same, and the tail [..., n_taps - 1] for the next block."""
        return _add_room(audio, self.impulse_response(), tail)


def _add_room(audio: Tensor, impulse_response: Tensor, tail: Tensor | None) -> tuple[Tensor, Tensor]:
    wet, tail = stream_convolve(audio, impulse_response, tail)
    return audio + wet, tail


def _times(n_taps: int, sample_rate: int) -> Tensor:
    """Times in seconds of all taps but the first, float64 [n_taps - 1]."""
    return torch.arange(1, n_taps, dtype=torch.float64) / sample_rate


def _decay(time_s: Tensor, decay_s: float | Tensor) -> Tensor:
    """Amplitude that falls by 60 dB (a factor of 1000) in ``decay_s``."""
    return torch.exp(-3.0 * math.log(10.0) * time_s / decay_s)


def _band_noise(n: int, sample_rate: int, band_hz: Sequence[float], seed: int) -> Tensor:
    """White noise of unit variance, split into bands: [bands, n]."""
    noise = torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    bin_hz = torch.fft.rfftfreq(n, 1.0 / sample_rate, dtype=torch.float64)
    # Below half the lowest centre nothing changes any more; 0 Hz has no logarithm.
    bin_octave = bin_hz.clamp_min(0.5 * band_hz[0]).log2()
    weights = interpolation_matrix(torch.tensor(band_hz, dtype=torch.float64).log2(), bin_octave)
    return torch.fft.irfft(weights * torch.fft.rfft(noise), n=n).float()
