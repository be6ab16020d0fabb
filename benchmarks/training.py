"""How long must an instrument train? Validation loss over time, with and without the warm start."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.report import Cell, Options, Section, Table, at_most, needs
from retimbre.instrument import Instrument, load
from retimbre.training.config import Config
from retimbre.training.corpus import load_corpus
from retimbre.training.loop import Console
from retimbre.training.recipe import Recipe
from retimbre.training.train import train

METHOD = (
    "The cello trained from its 358 recordings on all cores; multi-scale spectral loss on recordings held out whole, "
    "the same in all runs. Seconds are those of the training steps. The learning rate falls to 0 over each whole "
    "run, so a long run is behind a short one where that ends."
)
AT_S = (15, 30, 60, 120, 300, 600, 1200)
SILENT = Console(say=lambda line: None, files=lambda paths: paths, progress=lambda *numbers: None)


@dataclass(frozen=True)
class Case:
    """A training run, kept as `name`.safetensors."""

    name: str
    title: str
    minutes: float
    warm: bool


CASES = (
    Case("warm_2", "2 minutes", 2, True),
    Case("cold_2", "2 minutes without the warm start", 2, False),
    Case("warm_20", "20 minutes", 20, True),
)


def run(options: Options) -> Section:
    """Train what `options.reuse` does not hold already."""
    folder = needs(options.audio / "train/cello", "training")
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kept = options.reuse or temporary
        kept.mkdir(parents=True, exist_ok=True)
        features = temporary / "features"
        began = time.perf_counter()
        load_corpus(Recipe(folder), features, progress=SILENT.files, warn=SILENT.say)
        listening = time.perf_counter() - began
        print(f"  analysing the recordings: {listening:.1f} s", flush=True)
        instruments = [_instrument(case, folder, kept, features, options.quick) for case in CASES]

    histories = [instrument.card["evaluation"]["history"] for instrument in instruments]
    rows: list[list[Cell]] = []
    for case, instrument, history in zip(CASES, instruments, histories, strict=True):
        steps, end = instrument.card["training"]["steps"], instrument.card["training"]["seconds"]
        values = [loss_at(history, seconds) if seconds <= end + 1 else None for seconds in AT_S]
        rows.append([case.title, *values, history[-1][1], steps])
    short, _, long = (history[-1][1] for history in histories)
    columns = {"run": "", **{f"{seconds} s": ".3f" for seconds in AT_S}, "at the end": ".3f", "steps": "d"}
    tables = [Table(f"Validation loss after so many seconds, {torch.get_num_threads()} threads", columns, rows)]
    goals = [at_most("validation loss after 2 minutes above that after 20", short / long - 1, 0.05, ".1%")]
    notes = [f"Reading and analysing the 12.8 minutes of recordings, once before the first run: {listening:.1f} s."]
    return Section("Training", METHOD, tables, goals, notes)


def _instrument(case: Case, folder: Path, kept: Path, features: Path, quick: bool) -> Instrument:
    """The instrument of a case: trained before, or now."""
    path = kept / f"{case.name}{'_quick' if quick else ''}.safetensors"
    if path.exists():
        print(f"  {case.title}: trained before, {path}", flush=True)
        return load(path)
    minutes = case.minutes / 40 if quick else case.minutes
    config = Config(minutes=minutes, warm_share=Config().warm_share if case.warm else 0.0)
    workshop = path.with_suffix(".training")
    shutil.copytree(features, workshop / "features", dirs_exist_ok=True)
    began = time.perf_counter()
    instrument = train(Recipe(folder), path, config, SILENT)
    shutil.rmtree(workshop)
    loss = instrument.card["evaluation"]["spectral_loss"]
    print(f"  {case.title}: loss {loss:.3f}, {time.perf_counter() - began:.0f} s in all", flush=True)
    return instrument


def loss_at(history: Sequence[Sequence[Any]], seconds: float) -> float | None:
    """The newest validation loss at that time, give or take the second that the last step may run over."""
    known = [loss for at, loss in history if at <= seconds + 1]
    return known[-1] if known else None
