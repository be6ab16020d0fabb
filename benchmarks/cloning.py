"""What is an instrument worth that was cloned from 20 seconds? Against training on those alone, and on everything.

Each instrument in turn is left out of the base that it is cloned from.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import soundfile
import torch

from benchmarks.report import ROOT, Options, Section, Table, at_least, at_most, needs
from retimbre.base import MIDDLE_DB, Base, load_base
from retimbre.dsp import multi_scale_spectral_loss
from retimbre.engine import Floats
from retimbre.instrument import Instrument, load
from retimbre.training import train as training
from retimbre.training.clone import clone
from retimbre.training.config import Config
from retimbre.training.corpus import load_corpus, split
from retimbre.training.loop import Console
from retimbre.training.pool import train_base
from retimbre.training.recipe import Recipe, read_recipe
from retimbre.training.recording import HOP, SAMPLE_RATE, Recording
from retimbre.training.train import describe, train

METHOD = (
    "The clip is a scale of 20 s, cut from the recordings that the shipped instrument was trained on: up softly and "
    "down loudly over the whole range, beginnings of notes of 0.3 s or more. As it comes: the first second of 20 notes "
    "drawn at random. Cloned: by `retimbre clone` from a base that was trained without the instrument. From scratch: "
    "`retimbre train` on the same clip for a minute. Loss: the multi-scale spectral loss, at one level, on recordings "
    "that the shipped instrument's training held out; none of the three ever heard them. Of most of them everything "
    "holds another take, and the clip at best the beginning of one. In the second table every fourth pitch is held "
    "out with all its takes, and everything is all the rest, trained for {whole_steps} steps."
)
INSTRUMENTS = ("alto_saxophone", "cello", "flute", "trombone")
CLIP_S = 20.0
NOTE_S, GAP_S = 0.3, 0.03
BASE_STEPS = 3000
WHOLE_STEPS = 2000
SCRATCH_MINUTES = 1.0
JUDGED = 25
"""Recordings of pitches that were never heard, at most."""
SILENT = Console(say=lambda line: None, files=lambda paths: paths, progress=lambda *numbers: None)


@dataclass(frozen=True)
class Result:
    """Losses of the three, of the two that know a clip as it comes, and the seconds that cloning took."""

    name: str
    whole: float
    cloned: float
    scratch: float
    chance_cloned: float
    chance_scratch: float
    seconds: float


@dataclass(frozen=True)
class Unheard:
    """Losses on pitches of which nobody heard a take."""

    name: str
    whole: float
    cloned: float
    scratch: float


class Bench:
    """What all instruments share: the recipes, what is kept, and where files may be put."""

    def __init__(self, options: Options, temporary: Path) -> None:
        """Read the base's recipe."""
        folder = needs(options.audio / "train", "cloning")
        self.whole = read_recipe(ROOT / "recipes" / "base.toml", folder)
        self.temporary, self.quick = temporary, options.quick
        self.kept = options.reuse or temporary
        self.kept.mkdir(parents=True, exist_ok=True)

    def result(self, voice: Recipe, recordings: list[Recording]) -> Result:
        """Judged on what the shipped instrument's training held out."""
        name = voice.about["name"]
        instrument = load(name)
        settings = instrument.card["training"]["config"]
        known, unheard = split(recordings, settings["held_out"], settings["seed"])
        path, gain_db = self.write(f"{name}_scale", scale(known))
        began = time.perf_counter()
        copy = self.copy(name, path)
        seconds = time.perf_counter() - began
        whole = loss(instrument, unheard, 0.0, gain_db)
        cloned, scratch = loss(copy, unheard, gain_db, 0.0), loss(self.alone(path), unheard, 0.0, gain_db)
        other, other_gain_db = self.write(f"{name}_chance", by_chance(known))
        # Each clip sets a level of its own, and the loss depends a little on it: compared with everything at its own.
        level = whole / loss(instrument, unheard, 0.0, other_gain_db)
        chance_cloned = level * loss(self.copy(name, other), unheard, other_gain_db, 0.0)
        chance_scratch = level * loss(self.alone(other), unheard, 0.0, other_gain_db)
        return Result(name, whole, cloned, scratch, chance_cloned, chance_scratch, seconds)

    def unheard(self, voice: Recipe, recordings: list[Recording]) -> Unheard:
        """Judged on pitches of which nobody heard a take."""
        name = f"{voice.about['name']}_fair"
        takes = by_pitch(recordings)
        held = {index for pitch in sorted(takes)[2::4] for _, index in takes[pitch]}
        known = [one for index, one in enumerate(recordings) if index not in held]
        judged = [recordings[index] for index in sorted(held)]
        judged = judged[:: -(-len(judged) // JUDGED)]
        path, gain_db = self.write(name, scale(known))
        copy = self.copy(voice.about["name"], path)
        kept = self.kept / f"{name}{'_quick' if self.quick else ''}.safetensors"
        if not kept.exists():
            given: dict[str, Any] = {"load_corpus": lambda *_, **__: known, "split": lambda *_: (known, known[:1])}
            config = Config(**voice.training | {"steps": 20 if self.quick else WHOLE_STEPS})
            with mock.patch.multiple(training, **given):
                train(Recipe(kept.with_suffix("")), kept, config, SILENT)
        cloned, scratch = loss(copy, judged, gain_db, 0.0), loss(self.alone(path), judged, 0.0, gain_db)
        return Unheard(voice.about["name"], loss(load(kept), judged, 0.0, gain_db), cloned, scratch)

    def copy(self, name: str, path: Path) -> Instrument:
        """A clone of a clip, from a base that never heard the instrument; it plays at the base's level."""
        return clone(path, None, SILENT, base=_base(self.whole, name, self.kept, self.quick), cache=self.temporary)

    def alone(self, path: Path) -> Instrument:
        """An instrument trained on a clip alone; it plays at the clip's level."""
        config = Config(minutes=0.05 if self.quick else SCRATCH_MINUTES)
        return train(Recipe(path), self.temporary / f"{path.stem}_alone.safetensors", config, SILENT)

    def write(self, name: str, sound: Floats) -> tuple[Path, float]:
        """The file of a clip, and how much louder than it its clone plays: at the base's level."""
        path = self.temporary / f"{name}.wav"
        soundfile.write(path, sound, SAMPLE_RATE, subtype="FLOAT")
        (heard,) = load_corpus(Recipe(path), self.temporary, progress=SILENT.files, warn=SILENT.say)
        return path, MIDDLE_DB - describe([heard])["loudness_db"][25]


def run(options: Options) -> Section:
    """Train what `options.reuse` does not hold already: bases without an instrument, instruments without pitches."""
    results: list[Result] = []
    unheard: list[Unheard] = []
    with ExitStack() as stack:
        bench = Bench(options, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        voices = [voice for voice in bench.whole.voices if voice.about["name"] in INSTRUMENTS]
        for voice in voices[: 1 if options.quick else None]:
            cache = bench.temporary / voice.about["name"]
            recordings = load_corpus(voice, cache, progress=SILENT.files, warn=SILENT.say)
            results.append(bench.result(voice, recordings))
            print(f"  {results[-1]}", flush=True)
            unheard.append(bench.unheard(voice, recordings))
            print(f"  {unheard[-1]}", flush=True)
    above = [r.cloned / r.whole - 1 for r in results]
    fair = [r.cloned / r.whole - 1 for r in unheard]
    scratch = [r.scratch / r.cloned - 1 for r in results]
    chance = [r.chance_scratch / r.chance_cloned - 1 for r in results]
    fair_scratch = [r.scratch / r.cloned - 1 for r in unheard]
    columns = {"instrument": "", "everything": ".3f"}
    columns |= dict.fromkeys(("cloned", "from scratch", "as it comes: cloned", "as it comes: from scratch"), "+.1%")
    others = {"instrument": "", "everything": ".3f"} | dict.fromkeys(("cloned", "from scratch"), "+.1%")
    goals = [
        at_most("median of cloned above everything", float(np.median(above)), 0.10, ".1%"),
        at_most("worst of cloned above everything", max(above), 0.10, ".1%"),
        at_most("the same on pitches that neither heard, median", float(np.median(fair)), 0.10, ".1%"),
        at_most("the same on pitches that neither heard, worst", max(fair), 0.10, ".1%"),
        at_least("from scratch above cloned, least", min(scratch), 0.0, ".1%"),
        at_least("the same on pitches that neither heard, least", min(fair_scratch), 0.0, ".1%"),
        at_least("the same, clip as it comes, least", min(chance), 0.0, ".1%"),
        at_most("seconds that cloning takes", max(r.seconds for r in results), 90, ".0f"),
    ]
    tables = [
        Table(
            f"Loss, and how much higher that of the others is, {torch.get_num_threads()} threads",
            columns | {"seconds": ".0f"},
            [
                [
                    *(r.name, r.whole),
                    *(one / r.whole - 1 for one in (r.cloned, r.scratch, r.chance_cloned, r.chance_scratch)),
                    r.seconds,
                ]
                for r in results
            ],
        ),
        Table(
            "The same on pitches that neither heard",
            others,
            [[r.name, r.whole, r.cloned / r.whole - 1, r.scratch / r.whole - 1] for r in unheard],
        ),
    ]
    return Section("Cloning", METHOD.format(whole_steps=WHOLE_STEPS), tables, goals)


def _base(whole: Recipe, without: str, kept: Path, quick: bool) -> Base:
    """A base that never heard an instrument: trained before, or now."""
    path = kept / f"no_{without}{'_quick' if quick else ''}.safetensors"
    if not path.exists():
        others = [voice for voice in whole.voices if voice.about["name"] != without]
        train_base(others, whole.about, path, Config(**whole.training | {"steps": 20 if quick else BASE_STEPS}), SILENT)
    return load_base(path)


def by_pitch(recordings: Sequence[Recording]) -> dict[int, list[tuple[float, int]]]:
    """Notes by MIDI number: median loudness and place in `recordings` of each, softest first."""
    takes: dict[int, list[tuple[float, int]]] = {}
    for index, one in enumerate(recordings):
        if one.pitched_s > NOTE_S / 3:
            known = describe([one])
            takes.setdefault(round(known["midi"][25]), []).append((known["loudness_db"][25], index))
    return {pitch: sorted(some) for pitch, some in takes.items()}


def scale(recordings: Sequence[Recording], seed: int = 0) -> Floats:
    """A scale of `CLIP_S` seconds, up softly and down loudly over the whole range, [samples].

    As many pitches as there is time for; of the recordings of each, one of the softer half on the way up and one of
    the louder half on the way down.
    """
    rng = np.random.default_rng(seed)
    takes = by_pitch(recordings)
    most = min(len(takes), int(CLIP_S / (NOTE_S + GAP_S)) // 2)
    pitches = [sorted(takes)[place] for place in np.linspace(0, len(takes) - 1, most).astype(int)]
    # The middle one of an odd number is neither soft nor loud.
    softer = [takes[pitch][: max(1, len(takes[pitch]) // 2)] for pitch in pitches]
    louder = [takes[pitch][-max(1, len(takes[pitch]) // 2) :] for pitch in reversed(pitches)]
    chosen = [recordings[half[rng.integers(len(half))][1]] for half in softer + louder]
    return one_after_another(chosen, CLIP_S / (2 * most) - GAP_S)


def by_chance(recordings: Sequence[Recording], seed: int = 0) -> Floats:
    """`CLIP_S` seconds of notes drawn at random, a second each, [samples]."""
    notes = [one for one in recordings if one.pitched_s > NOTE_S / 3]
    drawn = np.random.default_rng(seed).permutation(len(notes))[: int(CLIP_S)]
    return one_after_another([notes[index] for index in drawn], 1 - GAP_S)


def one_after_another(recordings: Sequence[Recording], length_s: float) -> Floats:
    """The beginnings of recordings, faded out, with gaps between them."""
    length, parts = int(length_s * SAMPLE_RATE), list[Floats]()
    for recording in recordings:
        first, last = np.flatnonzero(recording.sounding)[[0, -1]] * HOP
        note = recording.audio[first : min(last, first + length)].copy()
        fade = min(len(note) // 2, SAMPLE_RATE // 50)
        note[len(note) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
        parts += [note, np.zeros(int(GAP_S * SAMPLE_RATE), np.float32)]
    return np.concatenate(parts)


def loss(instrument: Instrument, recordings: Sequence[Recording], before_db: float, after_db: float) -> float:
    """Mean over time of the loss, with the recordings made louder before they are played, and everything after."""
    total, length = 0.0, 0
    for recording in recordings:
        known = recording.louder(before_db)
        pair = np.stack([instrument.play(known.controls, SAMPLE_RATE), known.audio]) * np.float32(10 ** (after_db / 20))
        played, recorded = torch.from_numpy(pair)
        total += float(multi_scale_spectral_loss(played, recorded)) * len(recorded)
        length += len(recorded)
    return total / length
