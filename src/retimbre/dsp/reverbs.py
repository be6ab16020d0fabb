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

from retimbre.dsp.filters import stream_convolve


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
        envelope = torch.ones(n_taps - 1) if decay_s is None else _decay(_times(n_taps, sample_rate, self.wet), decay_s)
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

    The noise is an input, split into bands beforehand, and not saved with the weights: who has its seed has it again
    (`retimbre.rooms.band_noise`, and `Room.to_rir`, which gives this very response without PyTorch).

    Args:
        band_noise: noise of unit variance as the sum of its bands, [bands, n_taps - 1].
        sample_rate: in Hz.
        decay_s: time to fall by 60 dB to begin with, of every band or of each.
        wet_level_db: level of the room's answer to begin with, in every band or in each.

    Attributes:
        log_decay_s: natural logarithm of the decay time of each band, [bands].
        wet_level_db: energy of the answer in each band relative to the direct sound, in dB (minus the
            direct-to-reverberant ratio), [bands].
    """

    def __init__(
        self,
        band_noise: Tensor,
        sample_rate: int,
        decay_s: float | Sequence[float] = 0.5,
        wet_level_db: float | Sequence[float] = -12.0,
    ) -> None:
        super().__init__()
        bands = len(band_noise)
        self.sample_rate = sample_rate
        self.log_decay_s = nn.Parameter(torch.tensor(decay_s).log().expand(bands).clone())
        self.wet_level_db = nn.Parameter(torch.tensor(wet_level_db).expand(bands).clone())
        self.register_buffer("band_noise", band_noise.float(), persistent=False)
        self.band_noise: Tensor

    @property
    def decay_s(self) -> Tensor:
        """Time in which each band falls by 60 dB, [bands]."""
        return self.log_decay_s.exp()

    def impulse_response(self) -> Tensor:
        """The room's answer to a click, without the click itself: [n_taps], the first sample zero."""
        return decaying_noise(self.band_noise, self.decay_s, self.wet_level_db, self.sample_rate)

    def forward(self, audio: Tensor, tail: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Dry plus wet: audio [..., samples] to the same, and the tail [..., n_taps - 1] for the next block."""
        return _add_room(audio, self.impulse_response(), tail)


def decaying_noise(band_noise: Tensor, decay_s: Tensor, wet_level_db: Tensor, sample_rate: int) -> Tensor:
    """A room's answer to a click, without the click itself.

    Args:
        band_noise: noise of unit variance as the sum of its bands, [bands, n_taps - 1].
        decay_s: time in which each band falls by 60 dB, [bands].
        wet_level_db: energy of the answer in each band relative to the direct sound, [bands].
        sample_rate: in Hz.

    Returns:
        [n_taps], the first sample zero.
    """
    time_s = _times(band_noise.shape[1] + 1, sample_rate, band_noise)
    # An exponential that falls 60 dB in T seconds has the energy T sr / (6 ln 10).
    unit_energy = (6.0 * math.log(10.0) / (decay_s * sample_rate)).sqrt()
    gain = unit_energy * torch.pow(10.0, wet_level_db / 20.0)
    bands = gain[:, None] * _decay(time_s, decay_s[:, None]) * band_noise
    return nn.functional.pad(bands.sum(dim=0), (1, 0))


def _add_room(audio: Tensor, impulse_response: Tensor, tail: Tensor | None) -> tuple[Tensor, Tensor]:
    wet, tail = stream_convolve(audio, impulse_response, tail)
    return audio + wet, tail


def _times(n_taps: int, sample_rate: int, like: Tensor) -> Tensor:
    """Times in seconds of all taps but the first, [n_taps - 1]."""
    return torch.arange(1, n_taps, dtype=like.dtype, device=like.device) / sample_rate


def _decay(time_s: Tensor, decay_s: float | Tensor) -> Tensor:
    """Amplitude that falls by 60 dB (a factor of 1000) in ``decay_s``."""
    return torch.exp(-3.0 * math.log(10.0) * time_s / decay_s)
