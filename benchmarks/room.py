"""Is the room out of the instrument? How notes die away as recorded, in the instrument's own room, and dry."""

from __future__ import annotations

import runpy
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.report import ROOT, Cell, Goal, Options, Section, Table, at_least, needs
from retimbre.controls import FRAME_RATE, Controls
from retimbre.engine import Convolver, Floats
from retimbre.instrument import Instrument, load
from retimbre.rooms.bands import OCTAVE_BANDS_HZ
from retimbre.rooms.decays import HOP_S, find_notes
from retimbre.rooms.room import Room
from retimbre.training.config import Config
from retimbre.training.corpus import load_corpus
from retimbre.training.evaluate import evaluate, held_out
from retimbre.training.loop import Console
from retimbre.training.recipe import Recipe, read_recipe
from retimbre.training.recording import SAMPLE_RATE, Recording
from retimbre.training.sessions import learned_room
from retimbre.training.train import train

METHOD = (
    "The violin was learned from performances in two halls. Its held-out recordings, and a tune of the project's own "
    "whose notes stop at once, are played from their controls with --room own and --room none. Decay times are those "
    "of the ends of notes that are followed by at least 0.4 s without another: backward integration (Schroeder 1965), "
    "from -5 to -35 dB (T30, ISO 3382); medians over the ends."
)
REST_S = 0.4
TUNE = "the project's tune, each note stopped at once"
SILENT = Console(say=lambda line: None, files=lambda paths: paths, progress=lambda *numbers: None)


def run(options: Options) -> Section:
    """Measure the shipped violin."""
    folder = needs(options.audio / "train", "room")
    violin = load("violin")
    if violin.room is None:
        raise ValueError("the violin has no room")
    recipe = read_recipe(ROOT / "recipes/violin.toml", folder)
    with tempfile.TemporaryDirectory() as temporary:
        recordings = load_corpus(recipe, Path(temporary), progress=SILENT.files, warn=SILENT.say)
        phrases = [one for one in held_out(violin, recordings)[0] if one.room]
        ends = _ends(violin, phrases)
        comparison = _without_room(options, violin, recipe, recordings, Path(temporary))
    columns = {"sound": "", "ends": "d", "as recorded, s": ".2f", "room own, s": ".2f", "room none, s": ".2f"}
    rows: list[list[Cell]] = [[name, len(times), *_medians(times)] for name, times in ends.items()]
    goals = [
        _fall("a tune whose notes stop at once", ends.pop(TUNE)),
        _fall("held-out playing", [end for times in ends.values() for end in times]),
    ]
    tables = [Table("Decay time after the ends of notes", columns, rows), _rooms(violin, recordings), comparison]
    notes = [
        "Most notes of the performances are followed by others; of the few that are not, some are let go by a bow that "
        "slows down over half a second, which is playing and stays in the dry sound."
    ]
    return Section("Room", METHOD, tables, goals, notes)


def _ends(violin: Instrument, phrases: Sequence[Recording]) -> dict[str, list[list[float]]]:
    """Decay times as recorded, in the own room and dry, of each end of a note in each sound."""
    found = {
        f"{phrase.path.stem}, held-out end": _decays(
            violin, phrase.controls, learned_room(violin, phrase), phrase.audio
        )
        for phrase in phrases
    }
    return found | {TUNE: _decays(violin, tune(), violin.room, None)}


def _fall(what: str, times: list[list[float]]) -> Goal:
    _, own, dry = _medians(times)
    return at_least(f"fall of the decay time with --room none, {what}", 1 - dry / own, 2 / 3, ".0%")


def _decays(violin: Instrument, controls: Controls, room: Room | None, recorded: Floats | None) -> list[list[float]]:
    dry = violin.play(controls, SAMPLE_RATE)
    wet = Convolver(room.to_rir(SAMPLE_RATE)).process(dry) if room else dry
    sounds = [wet if recorded is None else recorded, wet, dry]
    return [[decay_s(sound[start:stop]) for sound in sounds] for start, stop in rests(controls)]


def rests(controls: Controls) -> Iterator[tuple[int, int]]:
    """From just before the end of a note to the next, where there is time enough between, in samples."""
    frames = int(len(controls) / FRAME_RATE / HOP_S)
    notes = find_notes(controls, frames + 1)
    nexts = [note.start for note in notes[1:]] + [frames]
    for note, following in zip(notes, nexts, strict=True):
        if (following - note.stop) * HOP_S >= REST_S:
            yield round((note.stop - 5) * HOP_S * SAMPLE_RATE), round((following - 2) * HOP_S * SAMPLE_RATE)


def decay_s(sound: Floats) -> float:
    """Time to fall by 60 dB, from where the energy that is left has fallen by 5 to where it has fallen by 35 dB."""
    left = np.cumsum(np.square(sound[::-1], dtype=np.float64))[::-1]
    left_db = 10 * np.log10(left / left[0] + 1e-20)
    fitted = np.flatnonzero((left_db <= -5) & (left_db >= -35))
    return float(-60 / np.polyfit(fitted / SAMPLE_RATE, left_db[fitted], 1)[0])


def tune() -> Controls:
    """The notes of the project's tune, two octaves lower, each stopping at once and followed by two seconds' rest."""
    script = runpy.run_path(str(ROOT / "examples/make_examples.py"))
    rows = []
    for note in script["TUNE"]:
        if note.name:
            f0_hz = 440 * 2 ** ((script["SEMITONES"][note.name] - 24 - 69) / 12)
            sounding, rest = round(note.beats * script["BEAT_S"] * FRAME_RATE), 2 * FRAME_RATE
            rows += [(f0_hz, 1.0, -20.0 + note.level_db)] * sounding + [(f0_hz, 0.0, -100.0)] * rest
    return Controls(*np.array(rows).T)


def _medians(rows: list[list[float]]) -> list[float]:
    return [float(value) for value in np.median(rows, axis=0)]


def _rooms(violin: Instrument, recordings: Sequence[Recording]) -> Table:
    """What was estimated and learned of each session's room."""
    sessions = {one.room.name: one for one in recordings if one.room}
    rows: list[list[Cell]] = []
    for name, recording in sessions.items():
        learned = learned_room(violin, recording)
        for what, room in (("estimated", recording.room), ("learned", learned)):
            assert room
            rows.append([name, f"decay, s, {what}", *room.decay_s])
            rows.append([name, f"level, dB, {what}", *room.level_db])
    bands = {f"{hz:g} Hz": ".2f" for hz in OCTAVE_BANDS_HZ}
    return Table("The rooms of the two sessions", {"session": "", "": "", **bands}, rows)


def _without_room(
    options: Options, violin: Instrument, recipe: Recipe, recordings: list[Recording], temporary: Path
) -> Table:
    """The violin against one that was trained without its rooms, on the same held-out recordings."""
    kept = options.reuse or temporary
    kept.mkdir(parents=True, exist_ok=True)
    path, wet = kept / "violin_without_room.safetensors", replace(recipe, rooms={})
    if not path.exists():
        steps = 20 if options.quick else violin.card["training"]["steps"]
        train(wet, path, Config(**{**recipe.training, "steps": steps}), SILENT)
    other = load(path)
    wet_recordings = load_corpus(wet, temporary, progress=SILENT.files, warn=SILENT.say)
    rows: list[list[Cell]] = []
    for title, instrument, material in (
        ("rooms learned", violin, recordings),
        ("no rooms", other, wet_recordings),
    ):
        figures = evaluate(instrument, *held_out(instrument, material))
        loss, loudness, timbre = figures.spectral_loss, figures.loudness_error_db, figures.timbre_distance_db
        rows.append([title, instrument.card["training"]["steps"], loss, loudness, timbre])
    columns = {"violin": "", "steps": "d", "spectral loss": ".3f", "loudness error, dB": ".2f", "timbre, dB": ".2f"}
    return Table("Held-out recordings, with their rooms and without", columns, rows)
