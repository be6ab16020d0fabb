"""Does a sound put into a room that was heard in another recording sound as it would have there? And how fast?"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.signal

from benchmarks.report import Cell, Goal, Options, Section, Table, at_least, at_most, needs, progress
from benchmarks.room_constant import constant_room
from benchmarks.room_distance import MUSIC, RATE, SPEECH, aligned, distance_db, dry_sound, heard, log_mel
from benchmarks.room_dry import or_none, whole_sound
from benchmarks.room_fit import CONSTANT, from_figures
from benchmarks.signals import singing
from benchmarks.speed import one_core
from retimbre import audio
from retimbre.engine import Convolver, Floats
from retimbre.rooms.dereverb import suppress_late
from retimbre.rooms.estimate import estimate
from retimbre.rooms.library import about, find
from retimbre.rooms.match import match_file, plan
from retimbre.rooms.measured import MeasuredRoom
from retimbre.rooms.room import Room

SPEECH_REFERENCE = ("speech_librispeech_198", "speech_male_sms", "speech_flatland")
MUSIC_REFERENCE = ("singing_vocadito_10", "singing_female_sms", "guitar_Dstring", "oboe_A4")
"""Concatenated; other voices and instruments than are rendered."""

RENDERED = {"speech": SPEECH[:1], "music": MUSIC[::2]}
CONSTANTS = ("constant (median of training rooms)", f"always `{CONSTANT}`")
WAYS = ("dry", *CONSTANTS, "its figures", "fitted", "speech reference", "music reference")
REFERENCE_S, REFERENCE_SNR_DB = 20, 40
METHOD = (
    "Measured rooms that nothing was tuned on. A reference of 20 s (speech of three speakers, or singing, guitar and "
    "oboe; 40 dB of noise) is heard in each, other dry sounds are put into the room that is estimated from it, and "
    "compared with their convolution with the room itself: log-mel difference as in `room_fit`. Where the estimator "
    "refuses a reference, the dry sound counts. Two rooms know nothing: the one with the median figures of the rooms "
    "that the estimator learned from, and the shipped room of a medium decay. *Wet to wet*: speech recorded in one "
    "room is put into the next."
)


def run(options: Options) -> Section:
    """Measure rendering, wet sources, exactness and speed."""
    sources = needs(options.audio / "sources", "room_match")
    paths = sorted((options.audio / "rir_evaluation").glob("*.flac"))[: 2 if options.quick else None]
    references = {
        "speech": _joined(sources, SPEECH_REFERENCE),
        "music": _joined(sources, MUSIC_REFERENCE),
    }
    dry = {kind: [dry_sound(sources, name) for name in names] for kind, names in RENDERED.items()}
    median = constant_room(options.audio / "rir", *((20, 2) if options.quick else (300, 20)))
    known, told, refused, unfitted = [], [], {"speech": 0, "music": 0}, []
    errors: dict[str, list[list[float]]] = {kind: [] for kind in dry}
    for path in progress(paths, "rooms"):
        response, rate = audio.read(path)
        true = aligned(response, rate)
        blind = {kind: _hear(sound, true) for kind, sound in references.items()}
        for kind, room in blind.items():
            refused[kind] += room is None
        fitted = or_none(lambda response=response, rate=rate: Room.from_rir(response, rate))
        unfitted += [path.stem] * (fitted is None)
        shipped, exact = find(CONSTANT), from_figures(response, rate)
        rooms = [None, median, shipped, exact, fitted, blind["speech"], blind["music"]]
        for kind, sounds in dry.items():
            errors[kind].append(np.mean([_errors(sound, true, rooms) for sound in sounds], axis=0).tolist())
        known.append(true)
        told.append(blind["speech"])
    table, goals = _tables(errors)
    wet = _wet_to_wet(dry["speech"][0], known, told)
    exact, fast = _exactness(options.quick), _speed(options.quick)
    goals += [
        at_most("partitioned convolution against direct convolution, relative", exact, 1e-5, ".1e"),
        at_least("match, file to file, 48 kHz, one core", fast, 20, ".0f", "x real time"),
    ]
    notes = [f"Refused: {refused['speech']} references of speech, {refused['music']} of music, of {len(paths)} each."]
    if unfitted:
        notes.append(f"No room is fitted to {', '.join(unfitted)}: there the dry sound counts.")
    return Section("Matching rooms", METHOD, [table, wet], goals, notes)


def _errors(sound: Floats, true: Floats, rooms: Sequence[Room | MeasuredRoom | None]) -> list[float]:
    wanted = log_mel(heard(sound, true))
    renders = [heard(sound, _at(room)) if room else sound.astype(np.float64) for room in rooms]
    return [distance_db(wanted, log_mel(render)) for render in renders]


def _tables(errors: dict[str, list[list[float]]]) -> tuple[Table, list[Goal]]:
    rows: list[list[Cell]] = []
    goals: list[Goal] = []
    for kind, values in errors.items():
        found = np.array(values)
        means = found.mean(axis=0)
        rows.append([f"{kind}, mean, dB", len(found), *map(float, means)])
        rows.append([f"{kind}, share of the dry error", len(found), *map(float, means / means[0])])
        better = [(found < found[:, at : at + 1]).mean(axis=0) for at in map(WAYS.index, CONSTANTS)]
        for name, share in zip(CONSTANTS, better, strict=True):
            rows.append([f"{kind}, better than {name}", len(found), *map(float, share)])
        if kind == "speech":
            heard_at = WAYS.index("speech reference")
            share_of_dry = float(means[heard_at] / means[0])
            goals.append(at_most("match, speech to speech: share of the dry error", share_of_dry, 0.5, ".0%"))
            for name, share in zip(CONSTANTS, better, strict=True):
                what = f"match, speech to speech: better than {name}"
                goals.append(at_least(what, float(share[heard_at]), 0.9, ".0%"))
    columns = {"rendered": "", "rooms": "d", **dict.fromkeys(WAYS, ".2f")}
    return Table("Dry sounds in a room that was heard", columns, rows), goals


def _wet_to_wet(dry: Floats, known: list[Floats], told: list[Room | None]) -> Table:
    """What is gained by taking the sound's own room out, and by adding only what is missing."""
    rows: list[list[float]] = []
    for place, room in enumerate(told):
        own, wanted = known[place - 1], log_mel(heard(dry, known[place]))
        wet = heard(dry, own).astype(np.float32)
        source = or_none(lambda wet=wet: estimate(wet, RATE).room)
        if room is None:
            continue
        todo = plan(room, source)
        drier = suppress_late(wet, RATE, source) if todo.dry and source else wet
        renders = (wet.astype(np.float64), heard(wet, _at(room)), heard(drier, _at(todo.missing)))
        rows.append([distance_db(wanted, log_mel(render)) for render in renders] + [float(todo.dry)])
    means = [float(value) for value in np.mean(rows, axis=0)]
    columns = {"rooms": "d", "left as it was": ".2f", "room added": ".2f", "matched": ".2f", "dereverberated": ".0%"}
    return Table("Wet to wet, log-mel difference in dB", columns, [[len(rows), *means]])


def _at(room: Room | MeasuredRoom) -> Floats:
    return aligned(room.to_rir(RATE), RATE)


def _hear(reference: Floats, response: Floats) -> Room | None:
    wet = heard(reference, response)
    noise = np.random.default_rng(0).standard_normal(len(wet)) * wet.std() * 10 ** (-REFERENCE_SNR_DB / 20)
    return or_none(lambda: estimate((wet + noise).astype(np.float32), RATE).room)


def _joined(folder: Path, names: tuple[str, ...]) -> Floats:
    sounds = [whole_sound(folder / f"{name}.flac") for name in names]
    return np.concatenate([sound / max(float(sound.std()), 1e-9) * 0.05 for sound in sounds])[: REFERENCE_S * RATE]


def _exactness(quick: bool) -> float:
    """Largest difference from a direct convolution in double precision, over its maximum, for blocks of many sizes."""
    rng = np.random.default_rng(0)
    taps = 20_000 if quick else 96_000
    response = (rng.standard_normal(taps) * np.exp(-7 * np.arange(taps) / taps)).astype(np.float32)
    sound = rng.standard_normal(40_000).astype(np.float32)
    true = scipy.signal.fftconvolve(sound.astype(np.float64), response.astype(np.float64))[: len(sound)]
    worst = 0.0
    for size in (1, 63, 64, 127, 128, 480, 4096, 40_000):
        convolver, length = Convolver(response), min(len(sound), 2000 * size)
        found = np.concatenate([convolver.process(sound[at : at + size]) for at in range(0, length, size)])
        worst = max(worst, float(np.abs(found - true[: len(found)]).max() / np.abs(true).max()))
    return worst


def _speed(quick: bool) -> float:
    """Times real time of a match whose source is dereverberated first, in stereo, both rooms given."""
    rate, seconds, hall = 48_000, 5 if quick else 60, Room.from_json(about("hall"))
    dry = singing(seconds, rate)
    with tempfile.TemporaryDirectory() as folder, one_core():
        source, output = Path(folder, "in.wav"), Path(folder, "out.wav")
        audio.write(source, dry, rate)
        ways: dict[str, Callable[[], dict[str, Any]]] = {
            "rooms given": lambda: match_file(
                source, output, Room.from_json(about("studio")), source_room=hall, channels=2, overwrite=True
            ),
            "own room heard": lambda: match_file(source, output, hall, channels=2, overwrite=True),
        }
        assert ways["rooms given"]()["dereverberated"]
        spent = [np.median([_spent_s(way) for _ in range(1 if quick else 5)]) for way in ways.values()]
    return seconds / float(max(spent))


def _spent_s(step: Callable[[], Any]) -> float:
    """Time of the processor, of which other programs take none."""
    began = time.process_time()
    step()
    return time.process_time() - began
