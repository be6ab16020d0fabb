"""Train an instrument: recordings in, an instrument file out. The steps are in `loop`, what they teach in `lessons`."""

from __future__ import annotations

import datetime
import json
import shutil
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from retimbre.engine import FRAME_RATE
from retimbre.errors import RetimbreError
from retimbre.files import refuse_overwrite
from retimbre.instrument import FORMAT_VERSION, SUFFIX, Instrument, Network, Range
from retimbre.training.articulation import measure_articulation
from retimbre.training.checkpoint import Checkpoint
from retimbre.training.config import Config
from retimbre.training.corpus import lay_out_by_room, load_corpus, split
from retimbre.training.evaluate import evaluate
from retimbre.training.journal import Journal
from retimbre.training.lessons import Turns, Validation
from retimbre.training.loop import Console, Records, Run, begin, practice
from retimbre.training.phrases import practise
from retimbre.training.recipe import Recipe
from retimbre.training.recording import Recording
from retimbre.training.rooms import RoomyDecoder


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
    refuse_overwrite(output, overwrite=None)
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
    phrases = practise([one for one in training if not one.room], config.phrases, config.seed)
    low, high = network.pitch.low, network.pitch.high
    material = [one.without_stray_pitch(low, high) for one in lay_out_by_room(training + phrases)]
    held_out = lay_out_by_room(validation)
    pitched = sum(recording.pitched_s for recording in training)
    console.say(
        f"{len(training)} recording{'s' * (len(training) > 1)} with {pitched / 60:.1f} minutes of pitched sound; "
        f"{len(validation)} more "
        f"({sum(map(len, held_out)) / FRAME_RATE:.0f} s) are held out for validation"
    )

    generator = torch.Generator().manual_seed(config.seed)
    estimates = {one.room.name: one.room for one in recordings if one.room}
    for room in estimates.values():
        console.say("room of {}: at 1 kHz it decays in {:.1f} s, {:.0f} dB".format(room.name, *room.at(1000)))
    decoder = RoomyDecoder(network, generator, list(estimates.values())).to(device)
    rooms = decoder.by_name()
    run = begin(decoder, config, generator)
    checkpoint = Checkpoint(workshop / "checkpoint.safetensors", {"config": asdict(config), "network": asdict(network)})
    if checkpoint.restore(run):
        console.say(f"resuming at step {run.step}, {run.seconds:.0f} s into training")
    journal, examine = Journal(workshop, run.step), Validation(held_out, config, device, rooms)
    practice(run, Turns(material, config, device, rooms), config, console, Records(checkpoint, journal, examine))
    card = _card(output, network, statistics, config, run, recipe, training, validation)
    if rooms:
        learned = {name: room.export().to_json() for name, room in rooms.items()}
        card["training"]["rooms"] = learned
        card["room"] = learned[_longest_session(training)]
    instrument = Instrument(card, run.decoder.export())
    card["evaluation"]["figures"] = _figures(instrument, validation, training, console)
    instrument.save(output)
    checkpoint.remove()
    return instrument


def _figures(
    instrument: Instrument, validation: list[Recording], training: list[Recording], console: Console
) -> dict[str, Any] | None:
    console.say("measuring what it learned")
    try:
        return asdict(evaluate(instrument, validation, training))
    except RetimbreError as error:
        console.say(f"not measured: {error}")
        return None


def _longest_session(recordings: list[Recording]) -> str:
    """The session that most of the sound comes from."""
    frames: Counter[str] = Counter()
    for recording in recordings:
        if recording.room:
            frames[recording.room.name] += len(recording.controls)
    return frames.most_common(1)[0][0]


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


def pitch_range(statistics: dict[str, Any]) -> Range:
    """Where an instrument is at home. The ends leave out stray frames, such as the octave errors of an attack."""
    midi = statistics["midi"]
    return Range(round(midi[25], 2), round(midi[1] - 2, 2), round(midi[49] + 2, 2))


def _network(config: Config, statistics: dict[str, Any]) -> Network:
    pitch, loudness = pitch_range(statistics), statistics["loudness_db"]
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
    shape = network.to_card()
    shape["pitch"]["quantiles"], shape["loudness"]["quantiles"] = statistics["midi"], statistics["loudness_db"]
    return {
        "format": "retimbre instrument",
        "format_version": FORMAT_VERSION,
        "name": output.stem,
        "description": "",
        "license": "",
        "sources": [],
        **recipe.about,
        **shape,
        "articulation": measure_articulation(training),
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
