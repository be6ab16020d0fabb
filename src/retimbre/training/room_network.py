"""The network that hears rooms: levels of mel bands in, figures of the room and their variances out.

Small patches of time and pitch tell how sounds end; dilated convolutions over time (van den Oord et al. 2016) put them
together over 3 s; attention picks the moments that tell something, for each channel its own (Okabe et al. 2018), so
a recording may be of any length. It is trained on simulated rooms (`recipes/room_estimator.py`) and used as ONNX
(`retimbre.rooms.estimate`).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from retimbre.rooms.listen import DEEPEST_DB, MELS, SCALE_DB, normalise
from retimbre.rooms.targets import BANDS, MIDDLE, TARGETS

PATCH = 4
"""Frames and mel bands that are heard together at first; frames come in multiples of it."""

SPREADS = (-5.0, 2.0)
"""Limits of the logarithm of a standard deviation, over that of the targets."""


@dataclass(frozen=True)
class RoomConfig:
    """How the network is trained.

    Attributes:
        steps: batches.
        batch: examples a step.
        learning_rate: at the highest, after `warm_up` steps; it falls to 0 along a cosine.
        frames: lengths of excerpts; all of a batch are equally long, and few lengths are faster than many.
        equaliser_db: by how much random equalisers, which change no decay, bend the examples.
        beta: how far variances weigh the errors (beta-NLL, Seitzer et al. 2022).
        middle: how much the figures that stand for a room count besides; see `middle_error`.
        seed: of weights and batches.
    """

    steps: int = 4500
    batch: int = 32
    learning_rate: float = 2e-3
    warm_up: int = 100
    frames: tuple[int, ...] = (400, 600, 800, 1200, 1596)
    equaliser_db: float = 3.0
    beta: float = 0.5
    middle: float = 0.0
    seed: int = 0


class RoomNetwork(nn.Module):
    """Figures of a room from levels of mel bands; about 125 000 parameters."""

    def __init__(self, centre: Tensor | None = None, scale: Tensor | None = None) -> None:
        """Start anew; `centre` and `scale` are the mean and the standard deviation of the targets, [TARGETS]."""
        super().__init__()
        self.patch = nn.Linear(PATCH**2, 24, bias=False)
        self.plane = nn.Sequential(
            nn.BatchNorm2d(24), nn.SiLU(), nn.Conv2d(24, 40, 3, (1, 2), 1, bias=False), nn.BatchNorm2d(40), nn.SiLU()
        )
        self.join = nn.Sequential(nn.Conv1d(40 * 8, 96, 1, bias=False), nn.BatchNorm1d(96), nn.SiLU())
        self.blocks = nn.ModuleList(_Block(96, dilation) for dilation in (1, 3, 9))
        self.attention = nn.Conv1d(96, 96, 1)
        self.head = nn.Sequential(nn.Linear(288, 160), nn.SiLU(), nn.Dropout(0.1), nn.Linear(160, 2 * TARGETS))
        self.centre: Tensor
        self.scale: Tensor
        self.register_buffer("centre", torch.zeros(TARGETS) if centre is None else centre)
        self.temper: Tensor
        self.register_buffer("scale", torch.ones(TARGETS) if scale is None else scale)
        self.register_buffer("temper", torch.ones(TARGETS))  # see `calibrate`

    def forward(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        """Levels as `listen.normalise` makes them, [batch, frames, MELS], to `Targets.vector` and spreads.

        Returns:
            Means and standard deviations, [batch, TARGETS] each.
        """
        across = MELS // PATCH
        patches = levels.reshape(-1, PATCH, across, PATCH).transpose(1, 2).reshape(-1, PATCH**2)
        planes = self.patch(patches).reshape(levels.shape[0], -1, across, 24).permute(0, 3, 1, 2)
        heard = self.join(self.plane(planes).transpose(2, 3).flatten(1, 2))  # [batch, 96, frames / PATCH]
        for block in self.blocks:
            heard = block(heard)
        weight = torch.softmax(self.attention(heard), dim=2)
        mean = (weight * heard).sum(dim=2)
        spread = ((weight * heard**2).sum(dim=2) - mean**2).clamp(min=1e-4).sqrt()
        told, unsure = self.head(torch.cat([mean, spread, heard.mean(dim=2)], dim=1)).chunk(2, dim=1)
        return self.centre + self.scale * told, self.scale * self.temper * unsure.clamp(*SPREADS).exp()


class _Block(nn.Module):
    """A dilated convolution of each channel and a mixing of all, added to what came in."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv1d(channels, channels, 7, padding=3 * dilation, dilation=dilation, groups=channels, bias=False),
            nn.BatchNorm1d(channels),
            nn.SiLU(),
            nn.Conv1d(channels, channels, 1),
        )

    def forward(self, heard: Tensor) -> Tensor:
        return heard + self.change(heard)


def loss(told: Tensor, spread: Tensor, truth: Tensor, scale: Tensor, beta: float = 0.5) -> Tensor:
    """Negative log-likelihood of normal distributions, each weighed by its variance to the power of `beta`.

    Args:
        told: means, [batch, TARGETS].
        spread: standard deviations, [batch, TARGETS].
        truth: [batch, TARGETS], NaN where nothing is known.
        scale: standard deviation of each target, [TARGETS].
        beta: 0 for the likelihood itself.
    """
    known = torch.isfinite(truth)
    error, sigma = torch.where(known, (truth - told) / scale, torch.zeros_like(told)), spread / scale
    each = (0.5 * (error / sigma) ** 2 + sigma.log()) * sigma.detach() ** (2 * beta)
    return (each * known).sum() / known.sum()


def middle_error(told: Tensor, truth: Tensor, scale: Tensor) -> Tensor:
    """Mean absolute errors of decay time and, counting twice, clarity as means over 500 to 1000 Hz, in deviations.

    Args:
        told: means, [batch, TARGETS].
        truth: [batch, TARGETS]; where one of the bands is not known, the mean is none.
        scale: standard deviation of each target, [TARGETS].
    """
    total = told.new_zeros(())
    for part, weight in ((0, 1.0), (2, 2.0)):
        here = slice(part * BANDS + MIDDLE.start, part * BANDS + MIDDLE.stop)
        known = torch.isfinite(truth[:, here]).all(dim=1)
        apart = (told[:, here] - truth[:, here]).mean(dim=1)[known] / scale[here].mean()
        total = total + weight * apart.abs().sum() / known.sum().clamp(min=1)
    return total


def train(
    shards: Sequence[tuple[np.ndarray, np.ndarray]],
    config: RoomConfig,
    say: Callable[[str], None] = print,
    start: RoomNetwork | None = None,
) -> RoomNetwork:
    """Train a network.

    Args:
        shards: levels in dB [examples, frames, MELS] and targets [examples, TARGETS] each.
        config: how.
        say: called with the running loss now and then.
        start: a trained network to go on from; it is changed.

    Returns:
        The network whose weights are the mean over the last steps (exponential, over about 500).
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    truths = np.concatenate([targets for _, targets in shards])
    centre, scale = np.nanmean(truths, axis=0), np.nanstd(truths, axis=0)
    network = start or RoomNetwork(torch.from_numpy(centre).float(), torch.from_numpy(scale).float())
    averaged = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=1e-2)

    def rate(step: int) -> float:
        return min(1, (step + 1) / config.warm_up) * 0.5 * (1 + math.cos(math.pi * step / config.steps))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    running = 0.0
    for step, (levels, truth) in zip(range(config.steps), batches(shards, config, rng), strict=False):
        told, spread = network.train()(levels)
        value = loss(told, spread, truth, network.scale, config.beta)
        if config.middle:
            value = value + config.middle * middle_error(told, truth, network.scale)
        optimiser.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        running += (float(value.detach()) - running) / min(step + 1, 100)
        _average(averaged, network, min(0.998, step / (step + 10)))
        if step % 100 == 99:
            say(f"step {step + 1} of {config.steps}: loss {running:.3f}")
    return averaged.eval()


def batches(
    shards: Sequence[tuple[np.ndarray, np.ndarray]], config: RoomConfig, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Excerpts of random examples through random equalisers, normalised, and their targets, without end."""
    places = [(shard, place) for shard, (levels, _) in enumerate(shards) for place in range(len(levels))]
    order: list[int] = []
    while True:
        while len(order) < config.batch:
            order += rng.permutation(len(places)).tolist()
        chosen = [places[order.pop()] for _ in range(config.batch)]
        length = int(rng.choice(config.frames))
        rows = []
        for shard, place in chosen:
            levels = shards[shard][0][place]
            begin = int(rng.integers(0, len(levels) - length + 1))
            rows.append(levels[begin : begin + length])
        heard = torch.from_numpy(np.stack(rows)).float()
        knots = torch.from_numpy(rng.normal(0, config.equaliser_db, (config.batch, 1, 6))).float()
        heard = heard + nn.functional.interpolate(knots, MELS, mode="linear", align_corners=True)
        heard = torch.maximum(heard, heard.amax(dim=(1, 2), keepdim=True) - DEEPEST_DB)
        truth = np.stack([shards[shard][1][place] for shard, place in chosen])
        yield (heard - heard.mean(dim=(1, 2), keepdim=True)) / SCALE_DB, torch.from_numpy(truth).float()


@torch.no_grad()
def _average(averaged: nn.Module, network: nn.Module, share: float) -> None:
    for mean, new in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.mul_(share).add_(new, alpha=1 - share)
        else:
            mean.copy_(new)


@torch.no_grad()
def calibrate(network: RoomNetwork, levels: np.ndarray, targets: np.ndarray, share: float = 0.8) -> None:
    """Widen spreads until they hold their share of other rooms than the network was trained on.

    They are never narrowed: measured rooms are less like those of training than other simulated ones are.

    Args:
        network: a trained network; its `temper` is set.
        levels: in dB, [examples, frames, MELS].
        targets: [examples, TARGETS].
        share: of the truths that should lie within as many spreads as a normal distribution says.
    """
    network.eval().temper.fill_(1.0)
    apart = []
    for heard, truth in zip(levels, targets, strict=True):
        frames = torch.from_numpy(normalise(heard[: len(heard) // PATCH * PATCH].astype(np.float32)))
        told, spread = network(frames[None])
        apart.append((np.abs(truth - told[0].numpy()) / spread[0].numpy()).astype(np.float64))
    limit = math.sqrt(2) * torch.erfinv(torch.tensor(share)).item()
    needed = torch.from_numpy(np.nanquantile(np.stack(apart), share, axis=0) / limit)
    network.temper.copy_(needed.clamp(min=1))
