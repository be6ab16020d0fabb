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

import numpy as np
import soundfile
import torch

from benchmarks.report import ROOT, Cell, Options, Section, Table, at_least, at_most, needs
from retimbre.base import MIDDLE_DB, Base, load_base
from retimbre.dsp import multi_scale_spectral_loss
from retimbre.engine import Floats
from retimbre.instrument import Instrument, load
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
    "down loudly over the whole range, beginnings of notes of 0.3 s or more. Cloned: by `retimbre clone` from a base "
    "that was trained without the instrument. From scratch: `retimbre train` on the clip for a minute. Loss: the "
    "multi-scale spectral loss, at one level, on the recordings that the shipped instrument's training held out; none "
    "of the three ever heard them. Of most of them everything holds another take, and the clip at best the beginning "
    "of one."
)
INSTRUMENTS = ("alto_saxophone", "cello", "flute", "trombone")
CLIP_S = 20.0
NOTE_S, GAP_S = 0.3, 0.03
BASE_STEPS = 3000
SILENT = Console(say=lambda line: None, files=lambda paths: paths, progress=lambda *numbers: None)


@dataclass(frozen=True)
class Result:
    """Losses of the three, and the seconds that cloning took."""

    name: str
    whole: float
    cloned: float
    scratch: float
    seconds: float


def run(options: Options) -> Section:
    """Train what `options.reuse` does not hold already: a base without each instrument."""
    folder = needs(options.audio / "train", "cloning")
    whole = read_recipe(ROOT / "recipes" / "base.toml", folder)
    voices = [voice for voice in whole.voices if voice.about["name"] in INSTRUMENTS]
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kept = options.reuse or temporary
        kept.mkdir(parents=True, exist_ok=True)
        results = [
            _result(voice, whole, kept, temporary, options.quick) for voice in voices[: 1 if options.quick else None]
        ]
    rows: list[list[Cell]] = [
        [r.name, r.whole, r.cloned, r.scratch, r.cloned / r.whole - 1, r.scratch / r.whole - 1, r.seconds]
        for r in results
    ]
    above = [r.cloned / r.whole - 1 for r in results]
    columns = {"instrument": "", "everything": ".3f", "cloned": ".3f", "from scratch": ".3f"}
    columns |= {"cloned above everything": "+.1%", "scratch above everything": "+.1%", "seconds": ".0f"}
    goals = [
        at_most("median of cloned above everything", float(np.median(above)), 0.10, ".1%"),
        at_most("worst of cloned above everything", max(above), 0.10, ".1%"),
        at_least("from scratch above cloned, least", min(r.scratch / r.cloned - 1 for r in results), 0.0, ".1%"),
        at_most("seconds that cloning takes", max(r.seconds for r in results), 90, ".0f"),
    ]
    return Section("Cloning", METHOD, [Table(f"Loss, {torch.get_num_threads()} threads", columns, rows)], goals)


def _result(voice: Recipe, whole: Recipe, kept: Path, temporary: Path, quick: bool) -> Result:
    name = voice.about["name"]
    base = _base(whole, name, kept, quick)
    recordings = load_corpus(voice, temporary / name, progress=SILENT.files, warn=SILENT.say)
    instrument = load(name)
    settings = instrument.card["training"]["config"]
    known, unheard = split(recordings, settings["held_out"], settings["seed"])
    path = temporary / f"{name}.wav"
    soundfile.write(path, clip(known), SAMPLE_RATE, subtype="FLOAT")
    (heard,) = load_corpus(Recipe(path), temporary / name, progress=SILENT.files, warn=SILENT.say)
    # Clones play at the base's level: all are compared at that one.
    gain_db = MIDDLE_DB - describe([heard])["loudness_db"][25]
    began = time.perf_counter()
    copy = clone(path, None, SILENT, base=base, cache=temporary / f"{name}_clip")
    seconds = time.perf_counter() - began
    config = Config(minutes=0.05 if quick else 1.0)
    alone = train(Recipe(path), temporary / f"{name}_alone.safetensors", config, SILENT)
    result = Result(
        name,
        loss(instrument, unheard, 0.0, gain_db),
        loss(copy, unheard, gain_db, 0.0),
        loss(alone, unheard, 0.0, gain_db),
        seconds,
    )
    print(f"  {result}", flush=True)
    return result


def _base(whole: Recipe, without: str, kept: Path, quick: bool) -> Base:
    """A base that never heard an instrument: trained before, or now."""
    path = kept / f"no_{without}{'_quick' if quick else ''}.safetensors"
    if not path.exists():
        others = [voice for voice in whole.voices if voice.about["name"] != without]
        train_base(others, whole.about, path, Config(**whole.training | {"steps": 20 if quick else BASE_STEPS}), SILENT)
    return load_base(path)


def clip(recordings: Sequence[Recording], seed: int = 0) -> Floats:
    """A scale of `CLIP_S` seconds, up softly and down loudly over the whole range, [samples].

    As many pitches as there is time for; of the recordings of each, one of the softer half on the way up and one of
    the louder half on the way down.
    """
    rng = np.random.default_rng(seed)
    takes: dict[int, list[tuple[float, int]]] = {}
    for index, one in enumerate(recordings):
        if one.pitched_s > NOTE_S / 3:
            known = describe([one])
            takes.setdefault(round(known["midi"][25]), []).append((known["loudness_db"][25], index))
    most = min(len(takes), int(CLIP_S / (NOTE_S + GAP_S)) // 2)
    scale = [sorted(takes)[place] for place in np.linspace(0, len(takes) - 1, most).astype(int)]
    softer = [sorted(takes[pitch])[: (len(takes[pitch]) + 1) // 2] for pitch in scale]
    louder = [sorted(takes[pitch])[len(takes[pitch]) // 2 :] for pitch in reversed(scale)]
    length = int((CLIP_S / (2 * most) - GAP_S) * SAMPLE_RATE)
    parts: list[Floats] = []
    for half in softer + louder:
        recording = recordings[half[rng.integers(len(half))][1]]
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
