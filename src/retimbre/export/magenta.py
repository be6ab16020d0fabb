"""An instrument for Magenta.js (`mm.DDSP` of @magenta/music 1.23): a folder of model.json, weights and settings.json.

Magenta.js fits the player's pitch and loudness to the instrument by what settings.json says of it, then runs the graph
(magenta_graph.py) on so many frames at a time.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from json import dumps
from pathlib import Path
from typing import Any

import numpy as np

from retimbre.controls import Controls
from retimbre.engine import FRAME_RATE, Floats
from retimbre.errors import RetimbreError
from retimbre.export.magenta_graph import AUDIO, HOP, SAMPLE_RATE, STEP, build
from retimbre.files import making_folder
from retimbre.instrument import Instrument

FRAMES = 1000
"""Of Magenta's that the graph takes at once, by default: 4 s."""

MIN_FRAMES, MAX_FRAMES = 500, 5000
"""Magenta.js joins pieces over a second, so they must be longer."""

WINDOW = 1024
"""Samples that Magenta's loudness is the power of."""

REFERENCE_DB, FLOOR_DB = 20.7, -120.0
"""Magenta's loudness of a square wave at full scale is -20.7 dB, that of silence -120 dB."""

_NOTES = (0.1, 0.3, 0.5, 0.7, 0.9)  # places in the ranges of pitch and loudness, of the notes that are compared
_LOUD = 0.96  # share of the training set that is softer than what is loud there, as in retimbre.transfer
_NOTE_FRAMES, _EDGE_FRAMES = FRAME_RATE, 60  # of ours a note; of Magenta's that are not yet steady


@dataclass(frozen=True)
class LoudnessScale:
    """How Magenta's loudness (unweighted) compares with ours (A-weighted) on the notes of an instrument.

    Attributes:
        offset_db: median of Magenta's minus ours, over notes from low to high and soft to loud.
        spread_db: half of the notes lie so near that median.
    """

    offset_db: float
    spread_db: float


def loudness_db(audio: Floats) -> Floats:
    """Loudness as Magenta.js measures it on audio at 16 kHz [n], 250 frames a second [ceil(n / 64)]."""
    frames = -(-len(audio) // HOP)
    padding = max(0, (frames - 1) * HOP + WINDOW - len(audio))
    energy = np.cumsum(np.pad(np.square(audio, dtype=np.float64), (padding // 2 + 1, padding - padding // 2)))
    first = HOP * np.arange(frames)
    power = np.maximum(energy[first + WINDOW] - energy[first], 0) / WINDOW
    return np.maximum(10 * np.log10(np.maximum(power, 1e-40)) - REFERENCE_DB, FLOOR_DB).astype(np.float32)


def measure_scale(instrument: Instrument) -> LoudnessScale:
    """Play notes over an instrument's range of pitch and loudness, and hear how loud Magenta finds them.

    Raises:
        RetimbreError: the instrument makes no sound, or none that is made of numbers.
    """
    pitch = instrument.network.pitch
    pitches = np.quantile([pitch.low, pitch.centre, pitch.high], _NOTES)
    levels = np.quantile(instrument.card["loudness"]["quantiles"], _NOTES)
    ones = np.ones(_NOTE_FRAMES, np.float32)
    found = []
    for midi in pitches:
        for level in levels:
            note = Controls(440 * 2 ** ((midi - 69) / 12) * ones, ones, level * ones, FRAME_RATE)
            heard = loudness_db(instrument.play(note, SAMPLE_RATE))
            found.append(float(np.median(heard[_EDGE_FRAMES:-_EDGE_FRAMES])) - level)
            if not heard.max() > FLOOR_DB:  # false for NaN
                raise RetimbreError(f"{instrument.name}: makes no sound; train it again")
    offset = float(np.median(found))
    return LoudnessScale(round(offset, 2), round(float(np.median(np.abs(np.array(found) - offset))), 2))


def frames_for(seconds: float) -> int:
    """The fewest frames that take a sound of this length at once, so that nothing is joined; `MAX_FRAMES` at most."""
    return int(np.clip(-(-seconds * SAMPLE_RATE // (HOP * STEP)) * STEP, MIN_FRAMES, MAX_FRAMES))


def settings(instrument: Instrument, frames: int, scale: LoudnessScale) -> dict[str, float]:
    """What Magenta.js fits a player to, under its names: settings.json."""
    theirs = np.array(instrument.card["loudness"]["quantiles"]) + scale.offset_db
    return {
        "averageMaxLoudness": round(float(np.quantile(theirs, _LOUD)), 2),
        "loudnessThreshold": round(instrument.network.loudness.low + scale.offset_db, 2),
        "meanLoudness": round(float(theirs.mean()), 2),
        "meanPitch": instrument.network.pitch.centre,
        "postGain": 1.0,
        "modelMaxFrameLength": frames,
    }


def export(instrument: Instrument, folder: Path, *, frames: int = FRAMES) -> dict[str, Any]:
    """Write an instrument as Magenta.js loads it: the whole folder, or nothing.

    Args:
        instrument: what is to play.
        folder: to be made.
        frames: that Magenta.js computes at once, 250 a second; longer sounds are made of several such pieces.

    Returns:
        What was written, ready for JSON.

    Raises:
        RetimbreError: the folder exists or cannot be made, the frames cannot be had, or the instrument makes no sound.
    """
    if not MIN_FRAMES <= frames <= MAX_FRAMES or frames % STEP:
        raise RetimbreError(
            f"--frames {frames}: give a multiple of {STEP} from {MIN_FRAMES} to {MAX_FRAMES}, 250 a second"
        )
    with making_folder(folder) as part:
        scale = measure_scale(instrument)
        told = settings(instrument, frames, scale)
        build(instrument, frames, scale.offset_db).save(part, AUDIO, (frames * HOP,))
        about = {"name": instrument.name, **{key: instrument.card.get(key) for key in ("license", "sources")}}
        (part / "settings.json").write_text(dumps(told, indent=1) + "\n", encoding="utf-8")
        (part / "about.json").write_text(dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        sizes = {path.name: path.stat().st_size for path in sorted(part.iterdir())}
    return {
        "format": "magenta",
        "output": str(folder),
        "instrument": instrument.name,
        "seconds_at_once": frames * HOP / SAMPLE_RATE,
        "loudness_scale": asdict(scale),
        "settings": told,
        "files": sizes,
        "bytes": sum(sizes.values()),
    }
