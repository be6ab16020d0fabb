"""Learning a room together with the instrument that was recorded in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from retimbre.dsp import decaying_noise
from retimbre.dsp.filters import fft_length
from retimbre.instrument import Network
from retimbre.rooms.bands import ROOM_RATE, band_noise
from retimbre.rooms.room import Room, taps
from retimbre.training.decoder import Decoder
from retimbre.training.model import render
from retimbre.training.recording import HOP, SAMPLE_RATE

DECAY_DEVIATION, LEVEL_DEVIATION_DB = 0.1, 1.5
"""Standard deviations of what is learned from what was estimated: of the logarithm of the decay time, and of the level.
Decay times show in the loss; levels hardly do, because a network can play a tail itself."""

PRIOR_WEIGHT = 5e-4
"""Of the prior in the loss: each number that lies one deviation off costs half of this."""

LEAD_FRAMES = 250
"""Of dry sound before a clip that the room still answers in it: what is left out lies 37 dB below, at 2 s of decay."""


class LearnedRoom(nn.Module):
    """A room whose decay times and levels are learned, from an estimate that is also their prior.

    Attributes:
        decay: learned logarithms of the decay times, in deviations from the estimate, [bands].
        level: learned levels, in deviations from the estimate, [bands].
    """

    def __init__(self, estimate: Room) -> None:
        """Begin at the estimate."""
        super().__init__()
        self.estimate = estimate
        bands = len(estimate.band_hz)
        self.decay, self.level = (nn.Parameter(torch.zeros(bands)) for _ in range(2))
        noise = torch.from_numpy(band_noise(taps(estimate.length_s) - 1, estimate.band_hz, estimate.seed)).float()
        self.register_buffer("band_noise", noise[:, : LEAD_FRAMES * HOP - 1], persistent=False)
        self.register_buffer("_decay_s", torch.tensor(estimate.decay_s), persistent=False)
        self.register_buffer("_level_db", torch.tensor(estimate.level_db), persistent=False)
        self.band_noise: Tensor
        self._decay_s: Tensor
        self._level_db: Tensor

    def _numbers(self) -> tuple[Tensor, Tensor]:
        decay_s = self._decay_s * (DECAY_DEVIATION * self.decay).exp()
        return decay_s, self._level_db + LEVEL_DEVIATION_DB * self.level

    def prior(self) -> Tensor:
        """What it costs to differ from the estimate."""
        return 0.5 * PRIOR_WEIGHT * (self.decay.square().sum() + self.level.square().sum())

    def forward(self, lead: Tensor, clip: Tensor) -> Tensor:
        """What is heard in the room.

        Args:
            lead: the dry sound before the clip, of `LEAD_FRAMES`, [batch, samples].
            clip: the dry sound, [batch, samples].

        Returns:
            The clip with the room, [batch, samples].
        """
        answer = decaying_noise(self.band_noise, *self._numbers(), ROOM_RATE)
        # The answer is no longer than the lead, so that nothing wraps round into the clip.
        n_fft = fft_length(lead.shape[1] + clip.shape[1])
        spectrum = torch.fft.rfft(torch.cat([lead, clip], dim=1), n=n_fft) * torch.fft.rfft(answer, n=n_fft)
        wet = torch.fft.irfft(spectrum, n=n_fft)
        return clip + wet[:, lead.shape[1] : lead.shape[1] + clip.shape[1]]

    def export(self) -> Room:
        """The room as it is now."""
        with torch.no_grad():
            decay_s, level_db = ([round(float(value), 4) for value in part] for part in self._numbers())
        return replace(self.estimate, decay_s=tuple(decay_s), level_db=tuple(level_db))


class RoomyDecoder(Decoder):
    """A decoder with the rooms that are learned beside it: one optimiser and one checkpoint hold them all.

    Attributes:
        rooms: by place in the list of estimates.
    """

    def __init__(self, network: Network, generator: torch.Generator, estimates: Sequence[Room]) -> None:
        """Draw the initial weights, and begin at the estimates."""
        super().__init__(network, generator)
        self.rooms = nn.ModuleList([LearnedRoom(room) for room in estimates])

    def by_name(self) -> dict[str, LearnedRoom]:
        """The learned rooms by the names of their sessions."""
        return {room.estimate.name: room for room in self.rooms if isinstance(room, LearnedRoom)}


def render_in_room(decoder: Decoder, room: LearnedRoom, controls: Tensor, noise: Tensor, context: int) -> Tensor:
    """Play controls in a room.

    The lead brings reverberation into the clip and teaches the room, but not the network: that costs little, and what
    the network plays is judged where it is heard directly.

    Args:
        decoder: the network.
        room: where.
        controls: f0_hz, periodicity, loudness_db, [batch, context + LEAD_FRAMES + frames + 1, 3].
        noise: white numbers, [batch, LEAD_FRAMES + frames + 1, noise_length].
        context: frames at the start that only give the network its past.

    Returns:
        The sound between the frames after context and lead, [batch, samples].
    """
    with torch.no_grad():
        lead = render(
            decoder, controls[:, : context + LEAD_FRAMES + 1], noise[:, : LEAD_FRAMES + 1], SAMPLE_RATE, context
        )
    return room(lead, render(decoder, controls[:, LEAD_FRAMES:], noise[:, LEAD_FRAMES:], SAMPLE_RATE, context))
