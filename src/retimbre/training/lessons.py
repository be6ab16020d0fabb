"""What a network is taught and examined with: clips of the material, and their losses.

The first twentieth of the time it learns what the spectrum says directly (`measure`), without synthesis and at a tenth
of the cost; the rest it learns through the synthesiser, by the multi-scale spectral loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from retimbre.dsp import N_FFTS, multi_scale_spectral_loss, random_resolutions, white_noise
from retimbre.training.config import Config
from retimbre.training.corpus import Material
from retimbre.training.decoder import Decoder
from retimbre.training.journal import Journal
from retimbre.training.loop import Run
from retimbre.training.measure import harmonics_and_noise
from retimbre.training.model import render
from retimbre.training.recording import SAMPLE_RATE
from retimbre.training.rooms import LEAD_FRAMES, LearnedRoom, render_in_room

FLOOR = 1e-5
"""Amplitude (-100 dB) below which the warm start does not care."""


class Lessons:
    """The loss of each step, on random clips: of one instrument, or of several in turn, each as often as the others."""

    def __init__(
        self, materials: Sequence[Material], config: Config, device: str, room: LearnedRoom | None = None
    ) -> None:
        """Take the material of each instrument, and the room in which all of it was recorded."""
        self._materials, self._config, self._device, self._room = materials, config, device, room
        self._bandwidth = min(material.bandwidth for material in materials)
        self._past = context(config) + (LEAD_FRAMES if room else 0)
        self._warm: Iterator[tuple[Tensor, ...]] | None = None

    def __call__(self, run: Run, done: float) -> Tensor:
        """The loss of the next step of a run of which the share `done` lies behind."""
        if done < self._config.warm_share:
            self._warm = self._warm or self._measured_clips(run)
            return _warm_loss(run.decoder, *(part.to(self._device) for part in next(self._warm)))
        self._warm = None
        return self._spectral_loss(run)

    def _draw(self, generator: torch.Generator, past: int) -> tuple[Tensor, Tensor]:
        """Random clips with a past: audio and controls as `Material.clips` gives them."""
        config, clips = self._config, []
        order = torch.zeros(config.batch, dtype=torch.long)
        if len(self._materials) > 1:
            order = torch.randint(len(self._materials), (config.batch,), generator=generator)
        for which in order.unique().tolist():
            material, count = self._materials[which], int((order == which).sum())
            frames = min(config.clip_frames, len(material))
            places = material.places(frames)
            starts = places[torch.randint(len(places), (count,), generator=generator)]
            clips.append(material.clips(starts.tolist(), frames, past))
        audio, controls = zip(*clips, strict=True)
        return torch.cat(audio), torch.cat(controls)

    def _spectral_loss(self, run: Run) -> Tensor:
        past = context(self._config)
        target, controls = self._draw(run.generator, self._past)
        noise = white_noise(len(target), controls.shape[1] - past, SAMPLE_RATE, run.generator)
        target, controls, noise = (part.to(self._device) for part in (target, controls, noise))
        estimate = _heard(run.decoder, self._room, controls, noise, past)
        chosen = random_resolutions(self._config.resolutions, N_FFTS, run.generator)
        loss = multi_scale_spectral_loss(estimate, target, chosen, bandwidth=self._bandwidth)
        return loss + self._room.prior() if self._room else loss

    def _measured_clips(self, run: Run) -> Iterator[tuple[Tensor, ...]]:
        """Batches of controls with their measured harmonics and noise, from up to 200 clips measured once."""
        config = self._config
        count = max(config.batch, min(200, sum(map(len, self._materials)) // config.clip_frames))
        bands = torch.tensor(config.noise_band_hz)
        kept = []
        generator = torch.Generator().manual_seed(config.seed)  # its own: a resumed run measures the same clips
        for _ in range(0, count, config.batch):
            target, controls = self._draw(generator, context(config))
            f0_hz = controls[:, context(config) :, 0]
            kept.append((controls, *harmonics_and_noise(target, f0_hz, config.harmonics, bands, SAMPLE_RATE)))
        clips = [torch.cat(parts) for parts in zip(*kept, strict=True)]
        while True:
            index = torch.randint(len(clips[0]), (4 * config.batch,), generator=run.generator)
            yield tuple(part[index] for part in clips)


class Turns:
    """Lessons in several rooms: each step in one of them, as often as it has material."""

    def __init__(
        self, materials: Sequence[Material], config: Config, device: str, rooms: Mapping[str, LearnedRoom]
    ) -> None:
        """Take the materials, and the rooms by the names that those give."""
        self._lessons = [Lessons([one], config, device, rooms.get(one.room or "")) for one in materials]
        self._lengths = torch.tensor([float(len(material)) for material in materials])

    def __call__(self, run: Run, done: float) -> Tensor:
        """The loss of the next step."""
        some = len(self._lessons) > 1
        turn = int(torch.multinomial(self._lengths, 1, generator=run.generator)) if some else 0
        return self._lessons[turn](run, done)


def _heard(decoder: Decoder, room: LearnedRoom | None, controls: Tensor, noise: Tensor, past: int) -> Tensor:
    """What the network plays, in its room if there is one: see `render` and `render_in_room`."""
    if room is None:
        return render(decoder, controls, noise, SAMPLE_RATE, past)
    return render_in_room(decoder, room, controls, noise, past)


def context(config: Config) -> int:
    """Frames that the network looks back."""
    return 2 * (2**config.layers - 1)


def _warm_loss(decoder: Decoder, controls: Tensor, harmonics: Tensor, noise: Tensor) -> Tensor:
    """Mean distance in nepers from the measured amplitudes, where there is sound."""
    past = controls.shape[1] - harmonics.shape[1]
    estimated_harmonics, estimated_noise, _ = decoder(controls)
    sounding = controls[:, past:, 2:3] > decoder.network.loudness.low
    voiced = sounding & (controls[:, past:, 1:2] >= 0.5) & (harmonics > 0)

    def distance(estimate: Tensor, measured: Tensor, weight: Tensor) -> Tensor:
        gap = ((estimate[:, past:] + FLOOR) / (measured + FLOOR)).log().abs()
        return (gap * weight).sum() / weight.expand_as(gap).sum().clamp(min=1)

    return distance(estimated_harmonics, harmonics, voiced) + distance(estimated_noise, noise, sounding)


class Validation:
    """The loss on recordings that training never sees: all resolutions, the same noise every time."""

    def __init__(
        self,
        materials: Sequence[Material],
        config: Config,
        device: str,
        rooms: Mapping[str, LearnedRoom] | None = None,
    ) -> None:
        """Cut the materials into clips, at most 40 of them in all, spread evenly; in their rooms, if there are any."""
        self._context, self._device, self._batch = context(config), device, config.batch
        frames = min(config.clip_frames, *map(len, materials))
        most = max(1, 40 // len(materials))
        generator = torch.Generator().manual_seed(1)
        self._parts: list[tuple[Tensor, Tensor, Tensor, LearnedRoom | None, float]] = []
        for room, bandwidth in dict.fromkeys((one.room, one.bandwidth) for one in materials):
            clips, lead = [], LEAD_FRAMES if room else 0
            for material in (one for one in materials if (one.room, one.bandwidth) == (room, bandwidth)):
                starts = np.arange(0, len(material) - frames + 1, frames)
                if room:
                    starts = np.intersect1d(starts, material.places(frames).numpy())
                starts = starts[np.linspace(0, len(starts) - 1, min(most, len(starts))).round().astype(int)]
                clips.append(material.clips(starts.tolist(), frames, self._context + lead))
            target, controls = (torch.cat(part) for part in zip(*clips, strict=True))
            noise = white_noise(len(target), lead + frames + 1, SAMPLE_RATE, generator)
            self._parts.append((target, controls, noise, (rooms or {}).get(room or ""), bandwidth))
        self._target = torch.cat([part[0] for part in self._parts])

    def __call__(self, run: Run, journal: Journal) -> None:
        """Measure, remember, and show."""
        run.validation, estimates = self._hear(run.decoder)
        if run.history is not None:
            run.history.append((round(run.seconds, 2), round(run.validation, 5)))
        journal.scalars(run.step, {"loss/validation": run.validation})
        journal.sounds(run.step, self._target, estimates, SAMPLE_RATE)

    def loss(self, decoder: Decoder) -> float:
        """The mean loss of all clips."""
        return self._hear(decoder)[0]

    def _hear(self, decoder: Decoder) -> tuple[float, Tensor]:
        total, estimates = 0.0, []
        with torch.no_grad():
            for *clips, room, bandwidth in self._parts:
                for batch in zip(*(part.split(self._batch) for part in clips), strict=True):
                    target, controls, noise = (part.to(self._device) for part in batch)
                    estimate = _heard(decoder, room, controls, noise, self._context)
                    total += float(multi_scale_spectral_loss(estimate, target, bandwidth=bandwidth)) * len(target)
                    estimates.append(estimate.cpu())
        return total / len(self._target), torch.cat(estimates)
