"""Train a base: one network over many instruments, told apart by a vector each (`retimbre.base`).

It is what cloning starts from: whoever has heard seven instruments learns an eighth from a few notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from retimbre.base import MIDDLE_DB, Base
from retimbre.files import refuse_overwrite
from retimbre.instrument import FORMAT_VERSION, Network, Range, load
from retimbre.training.autoencoder import Autoencoder, with_cepstra
from retimbre.training.checkpoint import Checkpoint
from retimbre.training.conditioned import Ensemble
from retimbre.training.config import Config
from retimbre.training.corpus import Material, lay_out, load_corpus, split
from retimbre.training.journal import Journal
from retimbre.training.lessons import Lessons, Validation
from retimbre.training.loop import Console, Records, begin, practice
from retimbre.training.phrases import practise
from retimbre.training.recipe import Recipe
from retimbre.training.recording import SAMPLE_RATE, Recording
from retimbre.training.train import describe, pitch_range


@dataclass(frozen=True)
class Voice:
    """One instrument of the pool: what it trains on, what is held out, and its statistics (`train.describe`)."""

    recipe: Recipe
    training: Material
    validation: Material
    minutes: float
    statistics: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name in the base."""
        return self.recipe.about.get("name", self.recipe.recordings.name)


def train_base(
    recipes: Sequence[Recipe],
    about: dict[str, Any],
    output: Path,
    config: Config,
    console: Console,
    *,
    device: str = "cpu",
) -> Base:
    """Train a base on the recordings of several instruments, resuming as `train` does.

    Args:
        recipes: one for each instrument.
        about: name, description and license, for the card; the sources are those of the recipes.
        output: the file to write.
        config: the settings.
        console: how to report progress.
        device: where PyTorch computes.

    Raises:
        RetimbreError: a folder holds nothing to learn from, the output exists, or the numbers diverged.
    """
    refuse_overwrite(output, overwrite=None)
    workshop = output.with_suffix(".training")
    voices = [hear(recipe, place, workshop / "features", config, console) for place, recipe in enumerate(recipes)]
    network = network_of(config, voices)
    generator = torch.Generator().manual_seed(config.seed)
    if config.latent:
        decoder = Autoencoder(network, config.latent, generator).to(device)
    else:
        decoder = Ensemble(network, config.condition, len(voices), generator).to(device)
    run = begin(decoder, config, generator)
    checkpoint = Checkpoint(workshop / "checkpoint.safetensors", {"config": asdict(config), "network": asdict(network)})
    if checkpoint.restore(run):
        console.say(f"resuming at step {run.step}, {run.seconds:.0f} s into training")
    journal, examine = Journal(workshop, run.step), Validation([v.validation for v in voices], config, device)
    lessons = Lessons([voice.training for voice in voices], config, device)
    practice(run, lessons, config, console, Records(checkpoint, journal, examine))
    losses = [Validation([voice.validation], config, device).loss(decoder) for voice in voices]
    weights = decoder.export()
    if isinstance(decoder, Autoencoder):
        weights["embedding"] = decoder.embedding([voice.training for voice in voices])
    base = Base(_card(about, network, config, run.step, run.validation, voices, losses), weights)
    base.save(output)
    checkpoint.remove()
    return base


def hear(recipe: Recipe, place: int, cache: Path, config: Config, console: Console) -> Voice:
    """Load the recordings of one instrument and bring them to the base's level; `place` is its row in the embedding."""
    recordings = load_corpus(recipe, cache, progress=console.files, warn=console.say)
    recordings = to_middle([_dry(recording, recipe) for recording in recordings])
    training, validation = split(recordings, config.held_out, config.seed)
    phrases = practise(training, config.phrases, config.seed)
    which = torch.tensor([[float(place)]])
    taught, held = (lay_out(part).with_columns(which) for part in (training + phrases, validation))
    if config.latent:
        taught, held = with_cepstra(taught), with_cepstra(held)
    minutes = sum(recording.pitched_s for recording in training) / 60
    console.say(f"{recipe.about.get('name', recipe.recordings)}: {minutes:.1f} minutes")
    return Voice(recipe, taught, held, round(minutes, 2), describe(training))


def _dry(recording: Recording, recipe: Recipe) -> Recording:
    """A recording made in a room as the shipped instrument plays it, which was taught to do without that room."""
    if recording.room is None:
        return recording
    sound = load(recipe.about["name"]).play(recording.controls, SAMPLE_RATE)
    return Recording(recording.path, sound, recording.controls)


def to_middle(recordings: list[Recording]) -> list[Recording]:
    """The recordings of one instrument, with the median loudness of all together at `MIDDLE_DB`."""
    gain_db = round(MIDDLE_DB - describe(recordings)["loudness_db"][25], 2)
    return [recording.louder(gain_db) for recording in recordings]


def network_of(config: Config, voices: Sequence[Voice]) -> Network:
    """The shape of a network for all voices: its ranges are theirs together."""
    midi = np.array([voice.statistics["midi"] for voice in voices])
    loudness = np.array([voice.statistics["loudness_db"] for voice in voices])
    step = config.pitch_step
    low, high = (
        float(step * edge(value / step))
        for edge, value in ((np.floor, midi[:, 1].min() - 2), (np.ceil, midi[:, 49].max() + 2))
    )
    pitch = Range(round(float(np.median(midi)), 2), low, high)
    level = Range(*(round(float(value), 2) for value in (np.median(loudness), loudness[:, 1].min(), loudness.max())))
    pitches = round((high - low) / step) + 1
    return Network(config.channels, config.layers, config.harmonics, pitches, config.noise_band_hz, pitch, level)


def _card(
    about: dict[str, Any],
    network: Network,
    config: Config,
    steps: int,
    loss: float,
    voices: Sequence[Voice],
    losses: Sequence[float],
) -> dict[str, Any]:
    shape = network.to_card()
    shape["network"]["condition"] = config.latent or config.condition
    return {
        "format": "retimbre base",
        "format_version": FORMAT_VERSION,
        "name": "base",
        "description": "",
        "license": "",
        **about,
        "sources": [source for voice in voices for source in voice.recipe.about.get("sources", [])],
        **shape,
        "voices": [
            {
                "name": voice.name,
                "pitch": asdict(pitch_range(voice.statistics)) | {"quantiles": voice.statistics["midi"]},
                "loudness": {"quantiles": voice.statistics["loudness_db"]},
                "minutes_of_sound": voice.minutes,
                "spectral_loss": round(loss, 4),
            }
            for voice, loss in zip(voices, losses, strict=True)
        ],
        "training": {"config": asdict(config), "steps": steps},
        "evaluation": {"spectral_loss": round(loss, 4)},
    }
