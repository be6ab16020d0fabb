"""What does each part of practising give? Loss on pitches, dynamics and playing that training never heard.

OMP_NUM_THREADS=1 python -m benchmarks practice --reuse FOLDER
"""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from benchmarks.report import ROOT, Cell, Options, Section, Table, at_least, needs
from benchmarks.training import SILENT
from retimbre import audio
from retimbre.dsp import multi_scale_spectral_loss
from retimbre.engine import FRAME_RATE
from retimbre.instrument import Instrument, load
from retimbre.training import train
from retimbre.training.config import Config
from retimbre.training.corpus import load_corpus, split
from retimbre.training.phrases import Practice, practise
from retimbre.training.recipe import Recipe, read_recipe
from retimbre.training.recording import HOP, SAMPLE_RATE, Recording, make_recording

SETTINGS: dict[str, Any] = {"steps": 1000, "batch": 2, "clip_frames": 100, "warm_share": 0.0}
SEEDS = (0, 1)
INSTRUMENTS = {"trombone": "v102", "cello": "mf", "alto_saxophone": ""}
"""Recipes, and the dynamic layer that is held out: one that lies between others."""

PERFORMANCE = "violin/minji-kim_bwv1003_mov4.flac"
STEADY = 0.7  # semitones that a note cut from playing spans at most
SHORTEST = int(0.15 * FRAME_RATE)

VARIANTS: dict[str, Practice | None] = {
    "no phrases": None,
    "all parts": Practice(),
    "without re-pitching": replace(Practice(), shift=0.0),
    "without joins": replace(Practice(), joins=0.0),
    "without glides": replace(Practice(), glide_s=0.0),
    "without vibrato": replace(Practice(), vibrato=0.0),
}
NOTES = [
    "Parts are left out with the first seed only, of violin and trombone: what changes less than from seed to seed "
    "says nothing. New phrases are made as those of the training are, so that they can show what a part is worth where "
    "it is played, but not whether it is played as by people."
]
DECISIVE = ("no phrases", "all parts")
TAKEN_APART = ("violin", "trombone")
"""The decisive variants are trained for every instrument and seed; the others for these, with the first seed."""

JUDGED = 20  # recordings of each part that is held out
UNHEARD = 99  # a seed that no training has

METHOD = (
    f"Multi-scale spectral loss of recordings played from their own controls, after {SETTINGS['steps']} steps of "
    f"{SETTINGS['batch']} clips of {SETTINGS['clip_frames'] / FRAME_RATE} s; "
    "phrases for half as long as the recordings, and each time without one part of them. Held out are every third "
    "sampled pitch with all its takes, and at the other pitches one dynamic layer between two others. New phrases: "
    "of all parts, made of the held-out pitches. Playing: the "
    "violin learns from single notes, cut where the pitch is steady out of the first two thirds of a performance, and "
    "is judged on the last third as it was played: the same violin, player and room, so that what was never heard is "
    "how notes follow one another."
)

Losses = dict[tuple[str, int, str, str], float]
"""By variant, seed, instrument, and what was held out."""


@dataclass(frozen=True)
class Trial:
    """What an instrument learns from, and what it is judged on, by name."""

    name: str
    training: list[Recording]
    held_out: dict[str, list[Recording]]


def run(options: Options) -> Section:
    """Train what `options.reuse` does not hold already."""
    folder = needs(options.audio / "train", "practice")
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kept = options.reuse or temporary
        trials = [_playing(folder / PERFORMANCE)]
        trials += [_pitches_and_layers(name, layer, folder, temporary) for name, layer in INSTRUMENTS.items()]
        losses: Losses = {}
        for trial in trials[1:2] if options.quick else trials:
            for seed, variant in product(SEEDS, VARIANTS):
                if variant in DECISIVE or (seed == SEEDS[0] and trial.name in TAKEN_APART):
                    losses |= _losses(trial, variant, seed, kept, options.quick)

    judged = list(dict.fromkeys((name, part) for _, _, name, part in losses))
    runs = dict.fromkeys((variant, seed) for variant, seed, _, _ in losses)
    rows: list[list[Cell]] = [
        [variant, str(seed), *(losses.get((variant, seed, *one)) for one in judged)] for variant, seed in runs
    ]
    columns = {"phrases": "", "seed": "", **{f"{name}, {part}": ".3f" for name, part in judged}}
    parts = list(dict.fromkeys(part for _, part in judged))
    changes: list[list[Cell]] = [
        [variant, *(against_all(losses, variant, part) for part in parts)] for variant in VARIANTS
    ]
    tables = [
        Table("Loss", columns, rows),
        Table(
            "Loss against all parts, mean over the instruments and seeds above",
            {"phrases": ""} | dict.fromkeys(parts, "+.1%"),
            changes,
        ),
    ]
    gain = against_all(losses, "no phrases", "pitches")
    goals = [at_least("loss on unheard pitches without phrases, above that with", gain, 0.0, ".1%")]
    return Section("Practice", METHOD, tables, goals, NOTES)


def against_all(losses: Losses, variant: str, part: str) -> float:
    """Mean relative change from the loss with all parts of practising, on one kind of what was held out."""
    pairs = [
        (loss, losses["all parts", seed, name, part])
        for (this, seed, name, what), loss in losses.items()
        if (this, what) == (variant, part)
    ]
    return float(np.mean([loss / usual - 1 for loss, usual in pairs]))


def _pitches_and_layers(name: str, layer: str, folder: Path, cache: Path) -> Trial:
    """A recipe without every third pitch, and without a layer."""
    recipe = read_recipe(ROOT / "recipes" / f"{name}.toml", folder)
    recordings = load_corpus(recipe, cache, progress=SILENT.files, warn=SILENT.say)
    labels = [recording.path.name.split("_")[1:3] for recording in recordings]  # SET_PITCH_LAYER_...
    midi = {pitch: [] for pitch, _ in labels}
    for recording, (pitch, _) in zip(recordings, labels, strict=True):
        midi[pitch].append(np.median(recording.controls.f0_hz))
    held = sorted(midi, key=lambda pitch: float(np.median(midi[pitch])))[1::3]
    parts: dict[str, list[Recording]] = {"training": [], "pitches": [], "layer": []}
    for recording, (pitch, its_layer) in zip(recordings, labels, strict=True):
        parts["pitches" if pitch in held else "layer" if its_layer == layer else "training"].append(recording)
    training, phrases = parts.pop("training"), practise(parts["pitches"], 0.5, UNHEARD)
    held_out = {what: part[:: -(-len(part) // JUDGED)] for what, part in parts.items() if part}
    return Trial(name, training, {**held_out, "new phrases": phrases[:JUDGED]})


def _playing(path: Path) -> Trial:
    """Single notes of a performance's beginning, and its end as it is."""
    beginning, end = split([make_recording(path, *audio.read(path))], 1 / 3, seed=0)
    return Trial("violin", cut_notes(*beginning), {"playing": end})


def cut_notes(recording: Recording) -> list[Recording]:
    """The stretches of a steady pitch, as a set of single notes would have them."""
    controls, notes, start = recording.controls, [], 0
    pitched = controls.voiced & recording.sounding
    midi = np.where(pitched, 69 + 12 * np.log2(np.maximum(controls.f0_hz, 1) / 440), np.nan)
    for frame in range(1, len(midi) + 1):
        if frame == len(midi) or not np.ptp(midi[start : frame + 1]) <= STEADY:  # one that is not pitched ends it, too
            if frame - start >= SHORTEST:
                sound = recording.audio[start * HOP : frame * HOP]
                notes.append(make_recording(Path(f"note {len(notes) + 1}"), sound, SAMPLE_RATE))
            start = frame
    return notes


def _losses(trial: Trial, variant: str, seed: int, kept: Path, quick: bool) -> Losses:
    """What an instrument that practised so loses on each of the parts held out."""
    began = time.perf_counter()
    instrument = _instrument(trial, variant, seed, kept, quick)
    found = {what: loss(instrument, part) for what, part in trial.held_out.items()}
    told = ", ".join(f"{what} {value:.4f}" for what, value in found.items())
    print(f"  {trial.name}, {variant}, seed {seed}: {told} ({time.perf_counter() - began:.0f} s)", flush=True)
    return {(variant, seed, trial.name, what): value for what, value in found.items()}


def _instrument(trial: Trial, variant: str, seed: int, kept: Path, quick: bool) -> Instrument:
    """Trained before, or now: the loop of `retimbre train`, with other recordings and other phrases."""
    path = kept / f"{trial.name}, {variant}, {seed}{', quick' if quick else ''}.safetensors"
    if not path.exists():
        config = Config(**SETTINGS | {"steps": 5 if quick else SETTINGS["steps"], "seed": seed})
        practice = VARIANTS[variant]
        phrases = practise(trial.training, config.phrases, seed, practice) if practice else []
        given: dict[str, Any] = {
            "load_corpus": lambda *_, **__: trial.training,
            "split": lambda *_: (trial.training, trial.training[:1]),  # it is judged here instead
            "practise": lambda *_: phrases,
        }
        kept.mkdir(parents=True, exist_ok=True)
        with mock.patch.multiple(train, **given):
            train.train(Recipe(path.with_suffix("")), path, config, SILENT)
        shutil.rmtree(path.with_suffix(".training"))
    return load(path)


def loss(instrument: Instrument, recordings: list[Recording]) -> float:
    """Multi-scale spectral loss of recordings played from their own controls, mean over their time."""
    losses, lengths = [], []
    for recording in recordings:
        played = instrument.play(recording.controls, SAMPLE_RATE)
        losses.append(float(multi_scale_spectral_loss(torch.from_numpy(played), torch.from_numpy(recording.audio))))
        lengths.append(len(played))
    return float(np.average(losses, weights=lengths))
