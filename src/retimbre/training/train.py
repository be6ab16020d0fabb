"""Train an instrument: one loop that can be read from top to bottom.

The first twentieth of the time the network learns what the spectrum says directly (`measure`), without synthesis and at
a tenth of the cost; the rest it learns through the synthesiser, by the multi-scale spectral loss.
"""

from __future__ import annotations

import datetime
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from retimbre.dsp import N_FFTS, multi_scale_spectral_loss, random_resolutions, white_noise
from retimbre.engine import FRAME_RATE
from retimbre.errors import RetimbreError
from retimbre.files import refuse_overwrite
from retimbre.instrument import FORMAT_VERSION, SUFFIX, Instrument, Network, Range
from retimbre.training.checkpoint import Checkpoint
from retimbre.training.config import Config
from retimbre.training.corpus import Material, lay_out, load_corpus, split
from retimbre.training.decoder import Decoder
from retimbre.training.evaluate import evaluate
from retimbre.training.journal import Journal
from retimbre.training.measure import harmonics_and_noise
from retimbre.training.model import render
from retimbre.training.phrases import practise
from retimbre.training.recipe import Recipe
from retimbre.training.recording import SAMPLE_RATE, Recording

FLOOR = 1e-5
"""Amplitude (-100 dB) below which the warm start does not care."""


@dataclass(frozen=True)
class Console:
    """How a run talks to its user.

    Attributes:
        say: prints a line.
        files: wraps the list of files while they are analysed.
        progress: called after each step with the share done, the loss, the newest validation loss and seconds left.
    """

    say: Callable[[str], None]
    files: Callable[[list[Path]], Iterable[Path]]
    progress: Callable[[float, float, float, float], None]


@dataclass
class Run:
    """Everything that changes while training goes on, and that a checkpoint keeps."""

    decoder: Decoder
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    step: int = 0
    seconds: float = 0.0
    validation: float = float("nan")
    history: list[tuple[float, float]] | None = None  # (seconds, validation loss)


def train(recipe: Recipe, output: Path, config: Config, console: Console, *, device: str = "cpu") -> Instrument:
    """Train an instrument on its recordings, resuming where an earlier call with the same arguments stopped.

    Args:
        recipe: the recordings (of one instrument, one note at a time, in any audio format), and what the card says of
            them; `Recipe(folder)` takes a folder as it is.
        output: the instrument file to write. Features, checkpoints and the TensorBoard journal go to a folder beside
            it, of the same name with the suffix `.training`.
        config: the settings.
        console: how to report progress.
        device: where PyTorch computes.

    Returns:
        The instrument, which has been written to `output`.

    Raises:
        RetimbreError: the folder holds nothing to learn from, the output exists, or the numbers diverged.
    """
    if output.suffix != SUFFIX:
        raise RetimbreError(f"{output}: instrument files end in {SUFFIX}; name it {output.with_suffix(SUFFIX).name}")
    refuse_overwrite(output, overwrite=False)
    workshop = output.with_suffix(".training")
    began_before = workshop.exists()
    try:
        recordings = load_corpus(recipe, workshop / "features", progress=console.files, warn=console.say)
    except RetimbreError:
        if not began_before:
            shutil.rmtree(workshop, ignore_errors=True)  # a refused folder leaves nothing behind
        raise
    training, validation = split(recordings, config.held_out, config.seed)
    statistics = describe(training)
    network = _network(config, statistics)
    phrases = practise(training, config.phrases, config.seed)
    material, held_out = lay_out(training + phrases), lay_out(validation)
    pitched = sum(recording.pitched_s for recording in training)
    console.say(
        f"{len(training)} recordings with {pitched / 60:.1f} minutes of pitched sound; {len(validation)} more "
        f"({len(held_out) / FRAME_RATE:.0f} s) are held out for validation"
    )

    generator = torch.Generator().manual_seed(config.seed)
    decoder = Decoder(network, generator).to(device)
    # A shorter memory of the gradients' size than usual (0.999): 1 % less loss after two minutes.
    settings = {"lr": config.learning_rate, "betas": (0.9, 0.99), "fused": device == "cpu"}
    optimizer = torch.optim.AdamW(decoder.parameters(), **settings)
    run = Run(decoder, optimizer, generator, history=[])
    checkpoint = Checkpoint(workshop / "checkpoint.safetensors", {"config": asdict(config), "network": asdict(network)})
    if checkpoint.restore(run):
        console.say(f"resuming at step {run.step}, {run.seconds:.0f} s into training")
    journal = Journal(workshop, run.step)
    validate = Validation(held_out, config, device)
    try:
        _loop(run, material, config, console, checkpoint, journal, validate, device)
    except KeyboardInterrupt:
        checkpoint.save(run)
        console.say(f"stopped; the same command goes on from step {run.step}")
        raise
    finally:
        journal.close()

    validate(run, journal)
    checkpoint.save(run)  # the measuring may be stopped, too
    card = _card(output, network, statistics, config, run, recipe, training, validation)
    instrument = Instrument(card, decoder.export())
    card["evaluation"]["figures"] = _figures(instrument, validation, console)
    instrument.save(output)
    checkpoint.remove()
    return instrument


def _figures(instrument: Instrument, validation: list[Recording], console: Console) -> dict[str, Any] | None:
    console.say("measuring what it learned")
    try:
        return asdict(evaluate(instrument, validation))
    except RetimbreError as error:
        console.say(f"not measured: {error}")
        return None


def choose_device(wish: str) -> str:
    """The device to train on: `wish`, or for "auto" a GPU of NVIDIA or AMD where there is one, else the CPU.

    Apple's GPU ("mps") is taken when asked for: it lacks float64, so phases are computed on the CPU.

    Raises:
        RetimbreError: the wish cannot be had here.
    """
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wish == "auto":
        return "cuda" if here["cuda"] else "cpu"
    if not here.get(wish):
        raise RetimbreError(f"--device {wish}: not to be had here; use cpu")
    return wish


def _loop(
    run: Run,
    material: Material,
    config: Config,
    console: Console,
    checkpoint: Checkpoint,
    journal: Journal,
    validate: Validation,
    device: str,
) -> None:
    budget = 60 * config.minutes
    warm: Iterator[tuple[Tensor, Tensor, Tensor]] | None = None
    saved = validated = run.seconds
    while True:
        began = time.perf_counter()
        done = run.step / config.steps if config.steps else run.seconds / budget
        if done >= 1:
            break
        for group in run.optimizer.param_groups:
            group["lr"] = config.learning_rate * (1 - done)
        if done < config.warm_share:
            warm = warm or _measured_clips(run, material, config)
            loss = _warm_loss(run.decoder, *(part.to(device) for part in next(warm)))
        else:
            warm = None
            loss = _spectral_loss(run, material, config, device)
        run.optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(run.decoder.parameters(), 3.0)
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            raise RetimbreError(
                f"the numbers are no longer finite at step {run.step}: training diverged. Try again with "
                f"--learning-rate {config.learning_rate / 3:.1g}, after deleting {checkpoint.path.parent}"
            )
        run.optimizer.step()
        run.step += 1
        run.seconds += time.perf_counter() - began

        if config.steps:
            done = run.step / config.steps
        left = (1 - done) * (budget if not config.steps else run.seconds / done)
        value = loss.item()
        console.progress(min(1.0, done), value, run.validation, left)
        journal.scalars(run.step, {"loss/warm start" if warm else "loss/training": value})
        if run.seconds - validated >= 10:
            validate(run, journal)
            validated = run.seconds
        if run.seconds - saved >= 20:
            checkpoint.save(run)
            saved = run.seconds


def _context(config: Config) -> int:
    return 2 * (2**config.layers - 1)  # as far back as the network looks


def _draw(material: Material, config: Config, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random clips of the material."""
    frames = config.clip_frames
    last = max(1, len(material) - frames)
    starts = torch.randint(last, (config.batch,), generator=generator).tolist()
    return material.clips(starts, min(frames, len(material)), _context(config))


def _spectral_loss(run: Run, material: Material, config: Config, device: str) -> Tensor:
    target, controls = _draw(material, config, run.generator)
    noise = white_noise(len(target), controls.shape[1] - _context(config), SAMPLE_RATE, run.generator)
    target, controls, noise = target.to(device), controls.to(device), noise.to(device)
    estimate = render(run.decoder, controls, noise, SAMPLE_RATE, _context(config))
    chosen = random_resolutions(config.resolutions, N_FFTS, run.generator)
    return multi_scale_spectral_loss(estimate, target, chosen)


def _measured_clips(run: Run, material: Material, config: Config) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Batches of controls with their measured harmonics and noise, from up to 200 clips measured once."""
    count = max(config.batch, min(200, len(material) // config.clip_frames))
    bands = torch.tensor(config.noise_band_hz)
    kept, generator = [], torch.Generator().manual_seed(config.seed)  # its own: a resumed run measures the same clips
    for _ in range(0, count, config.batch):
        target, controls = _draw(material, config, generator)
        f0_hz = controls[:, _context(config) :, 0]
        kept.append((controls, *harmonics_and_noise(target, f0_hz, config.harmonics, bands, SAMPLE_RATE)))
    clips = [torch.cat(parts) for parts in zip(*kept, strict=True)]
    while True:
        index = torch.randint(len(clips[0]), (4 * config.batch,), generator=run.generator)
        yield clips[0][index], clips[1][index], clips[2][index]


def _warm_loss(decoder: Decoder, controls: Tensor, harmonics: Tensor, noise: Tensor) -> Tensor:
    """Mean distance in nepers from the measured amplitudes, where there is sound."""
    context = controls.shape[1] - harmonics.shape[1]
    estimated_harmonics, estimated_noise, _ = decoder(controls)
    sounding = controls[:, context:, 2:] > decoder.network.loudness.low
    voiced = sounding & (controls[:, context:, 1:2] >= 0.5) & (harmonics > 0)

    def distance(estimate: Tensor, measured: Tensor, weight: Tensor) -> Tensor:
        gap = ((estimate[:, context:] + FLOOR) / (measured + FLOOR)).log().abs()
        return (gap * weight).sum() / weight.expand_as(gap).sum().clamp(min=1)

    return distance(estimated_harmonics, harmonics, voiced) + distance(estimated_noise, noise, sounding)


class Validation:
    """The loss on recordings that training never sees: all resolutions, the same noise every time."""

    def __init__(self, held_out: Material, config: Config, device: str) -> None:
        """Cut the material into clips, at most 40 of them, spread evenly."""
        frames = min(config.clip_frames, len(held_out))
        starts = np.arange(0, len(held_out) - frames + 1, frames)
        starts = starts[np.linspace(0, len(starts) - 1, min(40, len(starts))).round().astype(int)]
        self._context = _context(config)
        self._target, self._controls = held_out.clips(starts.tolist(), frames, self._context)
        noise = white_noise(len(starts), frames + 1, SAMPLE_RATE, torch.Generator().manual_seed(1))
        self._batches = [
            tuple(part[at : at + config.batch].to(device) for part in (self._target, self._controls, noise))
            for at in range(0, len(starts), config.batch)
        ]

    def __call__(self, run: Run, journal: Journal) -> None:
        """Measure, remember, and show."""
        total, estimates = 0.0, []
        with torch.no_grad():
            for target, controls, noise in self._batches:
                estimate = render(run.decoder, controls, noise, SAMPLE_RATE, self._context)
                total += float(multi_scale_spectral_loss(estimate, target)) * len(target)
                estimates.append(estimate.cpu())
        run.validation = total / len(self._target)
        if run.history is not None:
            run.history.append((round(run.seconds, 2), round(run.validation, 5)))
        journal.scalars(run.step, {"loss/validation": run.validation})
        journal.sounds(run.step, self._target, torch.cat(estimates), SAMPLE_RATE)


def describe(recordings: list[Recording]) -> dict[str, Any]:
    """Pitch and loudness of the pitched frames: 51 quantiles each, from the lowest to the highest value."""
    f0_hz, loudness = [], []
    for recording in recordings:
        mask = recording.controls.voiced & recording.sounding
        f0_hz.append(recording.controls.f0_hz[mask])
        loudness.append(recording.controls.loudness_db[mask])
    midi = 69 + 12 * np.log2(np.concatenate(f0_hz) / 440)
    shares = np.linspace(0, 1, 51)

    def quantiles(values: np.ndarray) -> list[float]:
        return [round(float(v), 3) for v in np.quantile(values, shares)]

    return {"midi": quantiles(midi), "loudness_db": quantiles(np.concatenate(loudness))}


def _network(config: Config, statistics: dict[str, Any]) -> Network:
    midi, loudness = statistics["midi"], statistics["loudness_db"]
    # The ends leave out stray frames, such as the octave errors of an attack.
    pitch = Range(round(midi[25], 2), round(midi[1] - 2, 2), round(midi[49] + 2, 2))
    level = Range(round(loudness[25], 2), round(loudness[1], 2), round(loudness[50], 2))
    pitches = max(2, round((pitch.high - pitch.low) / config.pitch_step) + 1)
    return Network(config.channels, config.layers, config.harmonics, pitches, config.noise_band_hz, pitch, level)


def _card(
    output: Path,
    network: Network,
    statistics: dict[str, Any],
    config: Config,
    run: Run,
    recipe: Recipe,
    training: list[Recording],
    validation: list[Recording],
) -> dict[str, Any]:
    return {
        "format": "retimbre instrument",
        "format_version": FORMAT_VERSION,
        "name": output.stem,
        "description": "",
        "license": "",
        "sources": [],
        **recipe.about,
        "synthesis": {
            "frame_rate": FRAME_RATE,
            "harmonics": network.harmonics,
            "noise_band_hz": list(network.noise_band_hz),
        },
        "network": {
            "kind": "causal convolution",
            "channels": network.channels,
            "layers": network.layers,
            "pitches": network.pitches,
        },
        "pitch": {**asdict(network.pitch), "unit": "MIDI number", "quantiles": statistics["midi"]},
        "loudness": {**asdict(network.loudness), "unit": "dB", "quantiles": statistics["loudness_db"]},
        "room": None,
        "training": {
            "folder": recipe.recordings.name,
            "recordings": len(training),
            "minutes_of_sound": round(sum(recording.pitched_s for recording in training) / 60, 2),
            "config": asdict(config),
            "steps": run.step,
            "seconds": round(run.seconds, 1) if not config.steps else None,
            "date": datetime.date.today().isoformat() if not config.steps else None,
        },
        "evaluation": {
            "held_out_recordings": len(validation),
            "spectral_loss": round(run.validation, 4),
            "history": json.loads(json.dumps(run.history)) if not config.steps else None,
        },
    }
