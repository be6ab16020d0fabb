"""What z adds: reconstruction of several instruments by one network that is told nothing, the instrument, or z."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.report import ROOT, Cell, Options, Section, Table, at_most, needs
from retimbre.instrument import Network
from retimbre.training.autoencoder import Autoencoder
from retimbre.training.conditioned import Ensemble
from retimbre.training.config import Config
from retimbre.training.decoder import Decoder
from retimbre.training.lessons import Lessons, Validation
from retimbre.training.loop import Console, begin, practice
from retimbre.training.pool import hear, network_of
from retimbre.training.recipe import read_recipe

METHOD = (
    "One network over several instruments (recipes/base.toml), trained for the same number of steps; multi-scale "
    "spectral loss on recordings that training never heard. It is told pitch and loudness alone; also which instrument "
    "plays (8 numbers each); or z, 16 numbers a frame that an encoder finds in the sound (`latent = 16`)."
)
STEPS, QUICK_STEPS = 2500, 10
INSTRUMENTS = ("alto_saxophone", "cello", "flute", "trombone")
CONFIG = Config(steps=STEPS, latent=16)
SILENT = Console(say=lambda line: None, files=lambda paths: paths, progress=lambda *numbers: None)

NETWORKS: dict[str, Callable[[Network, torch.Generator], Decoder]] = {
    "pitch and loudness": lambda network, generator: Decoder(network, generator),
    "and the instrument": lambda network, generator: Ensemble(network, CONFIG.condition, len(INSTRUMENTS), generator),
    "and z": lambda network, generator: Autoencoder(network, CONFIG.latent, generator),
}


def run(options: Options) -> Section:
    """Train the three."""
    folder = needs(options.audio / "train", "z")
    config = Config(steps=QUICK_STEPS, latent=CONFIG.latent) if options.quick else CONFIG
    recipes = [read_recipe(ROOT / "recipes" / f"{name}.toml", folder) for name in INSTRUMENTS]
    with tempfile.TemporaryDirectory() as cache:
        voices = [hear(recipe, place, Path(cache), config, SILENT) for place, recipe in enumerate(recipes)]
    network = network_of(config, voices)
    rows: list[list[Cell]] = []
    for title, make in NETWORKS.items():
        generator = torch.Generator().manual_seed(config.seed)
        trained = begin(make(network, generator), config, generator)
        practice(trained, Lessons([voice.training for voice in voices], config, "cpu"), config, SILENT)
        losses = [Validation([voice.validation], config, "cpu").loss(trained.decoder) for voice in voices]
        rows.append([title, *losses, sum(losses) / len(losses)])
        print(f"  {title}: {losses}", flush=True)
    columns = {"the network is told": "", **{name: ".3f" for name in INSTRUMENTS}, "mean": ".3f"}
    nothing, _, z = (float(row[-1] or 0) for row in rows)
    goals = [at_most("loss with z over loss without", z / nothing, 1.0, ".2f")]
    return Section("Latent z", METHOD, [Table(f"Validation loss after {config.steps} steps", columns, rows)], goals)
