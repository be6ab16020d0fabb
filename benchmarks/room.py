"""Is the room out of the instrument? How notes die away as recorded, in the instrument's own room, and dry."""

from __future__ import annotations

import math
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
from retimbre.rooms.bands import OCTAVE_BANDS_HZ, Array
from retimbre.rooms.measure import MARGIN_DB, decay
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
    "whose notes stop at once, are played from their controls with --room own and --room none. An end is where the "
    "playing stops: its loudness, dereverberated, stays 30 dB below that of loud playing (the loudest tenth) for at "
    "least 0.4 s. It begins where the last half second of playing is last within 6 dB of its loudest, less "
    "50 ms, and lasts until the playing goes on. Pitch does not tell where: what is left of a tail has pitches of its "
    "own. Counted are ends of which the recording itself leaves 35 dB of decay above its noise and before its cut, 10 "
    "more than are read (ISO 3382-1): elsewhere nothing tells what the hall did. Decay times are those of the backward "
    "integral (Schroeder 1965) from -5 to -25 dB (T20), and to -35 dB (T30) where the recording leaves 45; medians "
    "over the ends. As recorded it is from 125 Hz to 8 kHz, cut at the noise and completed beyond it as in `retimbre "
    "room measure`; of what was played all counts. The fall is given for both."
)
QUIET_DB, LET_GO_DB = 30.0, 6.0
PLAYED_S = 0.5
BEFORE = 10  # frames of playing, so that an end that is at once is heard as a fall
OCTAVES_HZ = (125.0, 8000.0)
REST_S = 0.4
READ = {"T20": -25.0, "T30": -35.0}
Times = dict[str, list[float]]
"""Of an end: what is read of it, as recorded, in the own room and dry."""

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
    columns = {"sound": "", "": "", "ends": "d", "as recorded, s": ".2f", "room own, s": ".2f", "room none, s": ".2f"}
    rows: list[list[Cell]] = [
        [name, which, len(read), *np.median(read, axis=0).tolist()]
        for name, times in ends.items()
        for which in READ
        if (read := _read(times, which))
    ]
    tune_ends = ends.pop(TUNE)
    goals = [_fall("a tune whose notes stop at once", which, tune_ends) for which in READ]
    goals += [_fall("held-out playing", which, [end for times in ends.values() for end in times]) for which in READ]
    tables = [Table("Decay time after the ends of notes", columns, rows), _rooms(violin, recordings), comparison]
    notes = [
        "Most notes of the performances are followed by others within the 0.4 s, or by a bow that slows down, which is "
        "playing and stays in the dry sound: of the held-out playing the last note of each recording is left. Its tail "
        "is not all gone from the loudness that the violin is told: what is left of it, 40 dB and more below the "
        "playing, is played as faint notes."
    ]
    return Section("Room", METHOD, tables, goals, notes)


def _ends(violin: Instrument, phrases: Sequence[Recording]) -> dict[str, list[Times]]:
    """Decay times of each end of a note in each sound."""
    found = {
        f"{phrase.path.stem}, held-out end": _decays(
            violin, phrase.controls, learned_room(violin, phrase), phrase.audio
        )
        for phrase in phrases
    }
    return found | {TUNE: _decays(violin, tune(), violin.room, None)}


def _read(ends: Sequence[Times], which: str) -> list[list[float]]:
    return [end[which] for end in ends if which in end]


def _fall(what: str, which: str, ends: Sequence[Times]) -> Goal:
    _, own, dry = np.median(_read(ends, which), axis=0).tolist()
    return at_least(f"fall of {which} with --room none, {what}", 1 - dry / own, 2 / 3, ".0%")


def _decays(violin: Instrument, controls: Controls, room: Room | None, recorded: Floats | None) -> list[Times]:
    dry = violin.play(controls, SAMPLE_RATE)
    wet = Convolver(room.to_rir(SAMPLE_RATE)).process(dry) if room else dry
    found: list[Times] = []
    for start, stop in rests(controls):
        own, none = falling(wet[start:stop]), falling(dry[start:stop])
        heard, range_db = own, math.inf
        if recorded is not None:
            curve = decay(recorded[start:stop].astype(np.float64), SAMPLE_RATE, 0, *OCTAVES_HZ)
            heard, range_db = curve.level_db, curve.range_db - MARGIN_DB
        sure = {which: bottom_db for which, bottom_db in READ.items() if range_db >= -bottom_db}
        if sure:
            found.append({which: [decay_s(one, to) for one in (heard, own, none)] for which, to in sure.items()})
    return found


def rests(controls: Controls) -> Iterator[tuple[int, int]]:
    """From where the playing is let go to where it goes on, wherever it pauses, in samples."""
    loudness, hop = controls.loudness_db, SAMPLE_RATE // FRAME_RATE
    quiet = loudness < np.quantile(loudness[controls.voiced], 0.9) - QUIET_DB
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(int)))
    for start, stop in edges.reshape(-1, 2):
        if start and stop - start >= REST_S * FRAME_RATE:
            first = max(0, start - round(PLAYED_S * FRAME_RATE))
            played = loudness[first:start]
            let_go = first + int(np.flatnonzero(played >= played.max() - LET_GO_DB)[-1])
            yield max(0, let_go - BEFORE) * hop, int(stop) * hop


def falling(sound: Floats) -> Array:
    """The backward integral of a sound [samples] in dB: what was played holds no noise, so that all of it counts."""
    left = np.cumsum(np.square(sound[::-1], dtype=np.float64))[::-1]
    return 10 * np.log10(left / left[0] + 1e-20)


def decay_s(level_db: Array, bottom_db: float) -> float:
    """Time to fall by 60 dB, by the line through a decay curve from -5 dB to `bottom_db`."""
    fitted = np.flatnonzero((level_db <= -5) & (level_db >= bottom_db))
    return float(-60 / np.polyfit(fitted / SAMPLE_RATE, level_db[fitted], 1)[0])


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
