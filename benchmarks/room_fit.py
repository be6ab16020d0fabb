"""Does a fitted room sound like the measured one? Dry sounds in a `Room`, and convolved with the response itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.report import Cell, Options, Section, Table, at_most, needs, progress
from benchmarks.room_distance import MUSIC, RATE, SPEECH, aligned, distance_db, dry_sound, heard, log_mel
from retimbre import audio
from retimbre.engine import Floats
from retimbre.errors import RetimbreError
from retimbre.rooms.figures import HALF_OCTAVES_HZ, room_from_figures
from retimbre.rooms.library import find
from retimbre.rooms.measure import measure
from retimbre.rooms.room import Room

CONSTANT = "church"
"""The shipped room of a medium decay, the same for all."""

WAYS = ("dry", f"always `{CONSTANT}`", "from its figures", "fitted", "fitted, another seed")
LIMIT_DB = 3.0
METHOD = (
    "Dry sounds (speech: three speakers; music: singing, a flute, a guitar) at 16 kHz in a measured response and in a "
    "room that stands for it; mean absolute difference of the log-mel spectrograms in dB (`room_distance.py`), direct "
    "sounds aligned. *Held out* are responses on which nothing was tuned. `from its figures` knows T20 and C50 in "
    "half octaves and the broadband DRR; `fitted` is `Room.from_rir`; the last column is how unlike two such fits "
    "are that differ in their seed, which is about what the draw of the noise alone makes."
)


def run(options: Options) -> Section:
    """Measure all responses, held out and not."""
    sources = needs(options.audio / "sources", "room_fit")
    dry = {kind: [dry_sound(sources, name) for name in names] for kind, names in (("speech", SPEECH), ("music", MUSIC))}
    if options.quick:
        dry = {kind: sounds[:1] for kind, sounds in dry.items()}
    tables, goals, notes = [], [], []
    for title, folder in (("held out", "rir_evaluation"), ("development", "rir")):
        paths = sorted((options.audio / folder).glob("*.flac"))[: 2 if options.quick else None]
        found: dict[str, dict[str, list[float]]] = {}
        for path in progress(paths, title):
            try:
                found[path.stem] = compare(path, dry)
            except RetimbreError as error:
                notes.append(f"Left out: `{path.stem}` ({error}).")
        for kind in dry:
            errors = {name: both[kind] for name, both in found.items()}
            tables.append(_table(f"Log-mel difference in dB, {title}, {kind}", errors))
            if title == "held out":
                mean = float(np.mean([row[WAYS.index("fitted")] for row in errors.values()]))
                goals.append(
                    at_most(f"difference of a fitted room from the measured one, {kind}", mean, LIMIT_DB, ".2f", "dB")
                )
    return Section("Fitted rooms", METHOD, tables, goals, notes)


def compare(path: Path, dry: Mapping[str, Sequence[Floats]]) -> dict[str, list[float]]:
    """Mean difference in dB of each of the `WAYS` for each kind of sound."""
    response, rate = audio.read(path)
    true = aligned(response, rate)
    room = Room.from_rir(response, rate)
    other = replace(room, seed=room.seed + 1)
    rooms = (find(CONSTANT), from_figures(response, rate), room, other)
    direct = np.eye(1, 32, dtype=np.float32)[0]
    responses = [aligned(one, RATE) for one in (direct, *(room.to_rir(RATE) for room in rooms))]
    found = {}
    for kind, sounds in dry.items():
        rows = []
        for sound in sounds:
            wanted = log_mel(heard(sound, true))
            mels = [log_mel(heard(sound, one)) for one in responses]
            rows.append([*(distance_db(wanted, mel) for mel in mels[:4]), distance_db(mels[3], mels[4])])
        found[kind] = np.mean(rows, axis=0).tolist()
    return found


def from_figures(response: Floats, sample_rate: int) -> Room:
    """The room that an estimate without error would give."""
    report = measure(response, sample_rate, HALF_OCTAVES_HZ)
    bands = [row.band_hz or 0 for row in report.octaves]
    times = [row.t20_s or row.edt_s or np.nan for row in report.octaves]
    clarity, drr_db = [row.c50_db for row in report.octaves], report.broadband.drr_db or 0
    return room_from_figures(bands, times, clarity, drr_db)


def _table(caption: str, errors: Mapping[str, Sequence[float]]) -> Table:
    """Means by kind of space, which is the first word of a response's name."""
    spaces: dict[str, list[Sequence[float]]] = {}
    for name, row in errors.items():
        spaces.setdefault(name.split("_")[0], []).append(row)
    rows: list[list[Cell]] = [
        [space, len(some), *map(float, np.mean(some, axis=0)), float(np.max(some, axis=0)[3])]
        for space, some in {**spaces, "all": list(errors.values())}.items()
    ]
    columns = {"space": "", "responses": "d", **dict.fromkeys(WAYS, ".2f"), "worst fitted": ".2f"}
    return Table(caption, columns, rows)
