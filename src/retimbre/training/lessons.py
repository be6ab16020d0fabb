"""What a network is taught and examined with: clips of the material, and their losses.

The first twentieth of the time it learns what the spectrum says directly (`measure`), without synthesis and at a tenth
of the cost; the rest it learns through the synthesiser, by the multi-scale spectral loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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

FLOOR = 1e-5
"""Amplitude (-100 dB) below which the warm start does not care."""


class Lessons:
    """The loss of each step, on random clips: of one instrument, or of several in turn, each as often as the others."""

    def __init__(self, materials: Sequence[Material], config: Config, device: str) -> None:
        """Take the material of each instrument."""
        self._materials, self._config, self._device = materials, config, device
        self._warm: Iterator[tuple[Tensor, ...]] | None = None

    def __call__(self, run: Run, done: float) -> Tensor:
        """The loss of the next step of a run of which the share `done` lies behind."""
        if done < self._config.warm_share:
            self._warm = self._warm or self._measured_clips(run)
            return _warm_loss(run.decoder, *(part.to(self._device) for part in next(self._warm)))
        self._warm = None
        return self._spectral_loss(run)

    def _draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Random clips: audio and controls as `Material.clips` gives them."""
        config, clips = self._config, []
        order = torch.zeros(config.batch, dtype=torch.long)
        if len(self._materials) > 1:
            order = torch.randint(len(self._materials), (config.batch,), generator=generator)
        for which in order.unique().tolist():
            material, count = self._materials[which], int((order == which).sum())
            frames = min(config.clip_frames, len(material))
            starts = torch.randint(max(1, len(material) - frames), (count,), generator=generator)
            clips.append(material.clips(starts.tolist(), frames, context(config)))
        audio, controls = zip(*clips, strict=True)
        return torch.cat(audio), torch.cat(controls)

    def _spectral_loss(self, run: Run) -> Tensor:
        config, past = self._config, context(self._config)
        target, controls = self._draw(run.generator)
        noise = white_noise(len(target), controls.shape[1] - past, SAMPLE_RATE, run.generator)
        target, controls, noise = (part.to(self._device) for part in (target, controls, noise))
        estimate = render(run.decoder, controls, noise, SAMPLE_RATE, past)
        chosen = random_resolutions(config.resolutions, N_FFTS, run.generator)
        return multi_scale_spectral_loss(estimate, target, chosen)

    def _measured_clips(self, run: Run) -> Iterator[tuple[Tensor, ...]]:
        """Batches of controls with their measured harmonics and noise, from up to 200 clips measured once."""
        config = self._config
        count = max(config.batch, min(200, sum(map(len, self._materials)) // config.clip_frames))
        bands = torch.tensor(config.noise_band_hz)
        kept = []
        generator = torch.Generator().manual_seed(config.seed)  # its own: a resumed run measures the same clips
        for _ in range(0, count, config.batch):
            target, controls = self._draw(generator)
            f0_hz = controls[:, context(config) :, 0]
            kept.append((controls, *harmonics_and_noise(target, f0_hz, config.harmonics, bands, SAMPLE_RATE)))
        clips = [torch.cat(parts) for parts in zip(*kept, strict=True)]
        while True:
            index = torch.randint(len(clips[0]), (4 * config.batch,), generator=run.generator)
            yield tuple(part[index] for part in clips)


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

    def __init__(self, materials: Sequence[Material], config: Config, device: str) -> None:
        """Cut what each instrument has into clips, at most 40 of them in all, spread evenly."""
        self._context, self._device, self._batch = context(config), device, config.batch
        frames = min(config.clip_frames, *map(len, materials))
        most = max(1, 40 // len(materials))
        clips = []
        for material in materials:
            starts = np.arange(0, len(material) - frames + 1, frames)
            starts = starts[np.linspace(0, len(starts) - 1, min(most, len(starts))).round().astype(int)]
            clips.append(material.clips(starts.tolist(), frames, self._context))
        self._target, self._controls = (torch.cat(part) for part in zip(*clips, strict=True))
        self._noise = white_noise(len(self._target), frames + 1, SAMPLE_RATE, torch.Generator().manual_seed(1))

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
            parts = (part.split(self._batch) for part in (self._target, self._controls, self._noise))
            for target, controls, noise in zip(*parts, strict=True):
                target, controls, noise = (part.to(self._device) for part in (target, controls, noise))
                estimate = render(decoder, controls, noise, SAMPLE_RATE, self._context)
                total += float(multi_scale_spectral_loss(estimate, target)) * len(target)
                estimates.append(estimate.cpu())
        return total / len(self._target), torch.cat(estimates)
