"""Clone an instrument from half a minute of it: find it in the space of the base, then let all weights learn on.

First only the condition is learned, which of all instruments the base can be this is; that takes seconds and cannot go
far wrong. Then the folded network learns on: what the base has never heard, and only that, needs the clip.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from retimbre.base import Base, load_base
from retimbre.controls import note_name
from retimbre.engine import FRAME_RATE
from retimbre.errors import RetimbreError
from retimbre.files import refuse_overwrite
from retimbre.instrument import SUFFIX, Instrument, Network
from retimbre.training.articulation import measure_articulation
from retimbre.training.conditioned import Conditioned, Ensemble
from retimbre.training.config import Config
from retimbre.training.corpus import Material, lay_out, load_corpus
from retimbre.training.decoder import Decoder
from retimbre.training.doctor.collection import GAP_SEMITONES, LEVEL_SPREAD_DB
from retimbre.training.lessons import Lessons, Validation
from retimbre.training.loop import Console, begin, practice
from retimbre.training.pool import to_middle
from retimbre.training.recipe import Recipe
from retimbre.training.recording import Recording
from retimbre.training.train import describe, pitch_range

FINDING = Config(minutes=0.15, learning_rate=0.05, warm_share=0.0)
LEARNING = Config(minutes=0.6, learning_rate=5e-3, warm_share=0.0)
NOTE_S = 0.1  # of a semitone, in all: what is heard for less was passed on the way
REACH = 7.0
"""Semitones beyond the notes of the clip to which the range is extended: there the base knows how instruments go on."""


class Newcomer(Conditioned):
    """The base with a condition that is to be found; nothing else of it changes."""

    def __init__(self, base: Base, start: np.ndarray) -> None:
        """Begin at a condition [size]."""
        super().__init__(base.network, base.size)
        with torch.no_grad():
            for name in base.weights.keys() - {"embedding"}:
                self.weight(name).copy_(torch.from_numpy(base.weights[name]))
        self.weights.requires_grad_(False)
        self.vector = nn.Parameter(torch.from_numpy(start.copy()))

    def condition(self, others: Tensor) -> Tensor:
        """The same for every frame, [1, 1, size]."""
        return self.vector[None, None]


def clone(
    source: Path,
    output: Path | None,
    console: Console,
    *,
    base: Base | None = None,
    finding: Config = FINDING,
    learning: Config = LEARNING,
    cache: Path,
) -> Instrument:
    """Make an instrument from a clip.

    Args:
        source: a recording of 15 seconds or more of one instrument, one note at a time, or a folder of some.
        output: the instrument file to write; None writes none.
        console: how to report progress.
        base: to start from, by default the shipped one.
        finding: settings of the first part, in which only the condition is learned.
        learning: settings of the second part, in which all weights are.
        cache: a folder for the controls.

    Raises:
        RetimbreError: the clip holds too little to learn from, the output exists, or the numbers diverged.
    """
    if output is not None:
        if output.suffix != SUFFIX:
            raise RetimbreError(
                f"{output}: instrument files end in {SUFFIX}; name it {output.with_suffix(SUFFIX).name}"
            )
        refuse_overwrite(output, overwrite=None)
    base = base or load_base()
    recordings = to_middle(load_corpus(Recipe(source), cache, progress=console.files, warn=console.say))
    material, statistics = lay_out(recordings), describe(recordings)
    for remark in remarks(recordings, statistics):
        console.say(remark)
    nearest, start = _nearest(base, material, finding)
    console.say(f"of the base's instruments, {base.voices[nearest]} is nearest")
    generator = torch.Generator().manual_seed(finding.seed)
    newcomer = Newcomer(base, start)
    practice(begin(newcomer, finding, generator), Lessons([material], finding, "cpu"), finding, console)

    name = output.stem if output else source.stem
    card = _card(base, name, statistics, recordings, finding, learning)
    network = Network.from_card(card)
    decoder = Decoder(network)
    decoder.load(base.fold(newcomer.vector.detach().numpy(), network))
    practice(begin(decoder, learning, generator), Lessons([material], learning, "cpu"), learning, console)
    instrument = Instrument(card, decoder.export())
    if output is not None:
        instrument.save(output)
    return instrument


def remarks(recordings: list[Recording], statistics: dict[str, Any]) -> list[str]:
    """What a clip does not tell, in words, with the remedy; `statistics` as `describe` gives them.

    The base knows little of how a newcomer sounds at notes and dynamics that were not played.
    """
    found = []
    played = np.concatenate([one.controls.f0_hz[one.controls.voiced & one.sounding] for one in recordings])
    notes, frames = np.unique(np.round(69 + 12 * np.log2(played / 440)).astype(int), return_counts=True)
    notes = notes[frames >= NOTE_S * FRAME_RATE]
    gaps = [(low, high) for low, high in pairwise(notes.tolist()) if high - low > GAP_SEMITONES]
    if len(notes) and notes[-1] - notes[0] < 12:
        ends = f"{note_name(notes[0])} to {note_name(notes[-1])}"
        found.append(f"the clip goes from {ends} only; a scale over the whole range tells more")
    elif gaps:
        between = ", ".join(f"{note_name(low)} and {note_name(high)}" for low, high in gaps)
        found.append(f"the clip has no notes between {between}; a scale over the whole range tells more")
    softest, loudest = (statistics["loudness_db"][decile] for decile in (5, 45))
    if loudest - softest < LEVEL_SPREAD_DB:
        found.append(
            f"the clip is about equally loud throughout ({loudest - softest:.0f} dB); play the scale up softly and "
            "down loudly"
        )
    return found


def _nearest(base: Base, material: Material, config: Config) -> tuple[int, np.ndarray]:
    """The voice of the base that plays the clip best, and its vector."""
    ensemble = Ensemble.of(base)
    heard = (material.with_columns(torch.tensor([[float(place)]])) for place in range(len(base.voices)))
    losses = [Validation([part], config, "cpu").loss(ensemble) for part in heard]
    nearest = int(np.argmin(losses))
    return nearest, base.weights["embedding"][nearest]


def _card(
    base: Base,
    name: str,
    statistics: dict[str, Any],
    recordings: list[Recording],
    finding: Config,
    learning: Config,
) -> dict[str, Any]:
    home = pitch_range(statistics)
    pitch = asdict(replace(home, low=home.low - REACH, high=home.high + REACH)) | {"quantiles": statistics["midi"]}
    card = base.card_of(name, pitch, np.array(statistics["loudness_db"]))
    card["description"] = "Cloned from a clip"
    card["articulation"] = measure_articulation(recordings)
    card["training"] = {
        "recordings": len(recordings),
        "minutes_of_sound": round(sum(recording.pitched_s for recording in recordings) / 60, 2),
        "base": base.card["training"],
        "finding": asdict(finding),
        "learning": asdict(learning),
    }
    card["evaluation"] = {}
    return card
