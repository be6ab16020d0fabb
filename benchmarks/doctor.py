"""Does the doctor find what is wrong with recordings, and only that? Good recordings, damaged on purpose, in memory.

The thresholds were chosen on cello, violin, alto saxophone, trombone and flute, and are judged on seven instruments
that took no part. Originals count as sound, except for what their documentation says of them.

    python -m benchmarks doctor
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile as sf

from benchmarks.report import Cell, Goal, Options, Section, Table, at_least, needs, progress
from retimbre import audio
from retimbre.engine import Floats, resample
from retimbre.training.doctor.collection import judge_set
from retimbre.training.doctor.faults import judge
from retimbre.training.doctor.measures import Measures, measure
from retimbre.training.recording import make_recording

CHOSEN_ON = ("cello", "violin", "sax_alto", "trombone", "flute")
JUDGED_ON = ("bassoon", "voice_male", "sax_tenor", "sax_soprano", "sax_baritone", "french_horn", "trumpet")
KNOWN = {"performance": ("reverberation", "band limit", "polyphony"), "take": ("band limit",)}
"""By articulation: the violin of Bach in a room, with double stops, from MP3; vowels that end at 16.6 kHz."""

SEVERAL_SOURCES = ("violin", "sax_alto", "flute")
NORMALISED = ("sax_alto", "sax_tenor", "sax_soprano", "sax_baritone")  # soft and loud notes are about equally loud
DYNAMIC = ("cello", "trombone")
LABEL_DB = {"p": -7.0, "mf": 0.0, "f": 7.0}

SECONDS = 12  # of each file
PER_INSTRUMENT = 30
PER_SET = 20
DRAWS = 3
MIN_GROUP = 5
CLIPPED = 10  # samples of the original
ROOM_S = 1.3
"""Rooms with a shorter reverberation time are not called a fault here."""

UNCLEAR_ROOMS = ("tunnel_purnodes_railway",)
"""Cut off in its noise: its T30 says 3.5 s, but its octaves from 1 kHz up, by their first 25 dB, 1.0 to 0.6 s."""

Damage = Callable[["Note", np.random.Generator], "Floats | None"]


@dataclass(frozen=True)
class Note:
    """A recording: samples [n], rate, labels, faults it is known to have, and what to damage it with."""

    path: Path
    sound: Floats
    rate: int
    midi: float | None
    dynamics: str
    known: frozenset[str]
    rooms: tuple[tuple[Floats, int], ...] = ()
    others: tuple[Note, ...] = ()


@dataclass
class Count:
    """Decisions about one fault."""

    hits: int = 0
    misses: int = 0
    alarms: int = 0

    def row(self, fault: str) -> list[Cell]:
        """The fault, numbers of cases, precision and recall."""
        return [fault, self.hits + self.misses, self.misses, self.alarms, self.precision, self.recall]

    @property
    def precision(self) -> float:
        """Share of the alarms that were right."""
        return self.hits / max(1, self.hits + self.alarms)

    @property
    def recall(self) -> float:
        """Share of the faults that were found."""
        return self.hits / max(1, self.hits + self.misses)

    def add(self, there: bool, found: bool) -> None:
        """One decision."""
        self.hits += there and found
        self.misses += there and not found
        self.alarms += found and not there


def clipping(note: Note, rng: np.random.Generator) -> Floats:
    """Cut off 0.2 to 2 % of the samples, perhaps turned down afterwards, stored in 16 bits."""
    top = np.quantile(np.abs(note.sound), rng.choice([0.98, 0.995, 0.998]))
    return _stored(np.clip(note.sound, -top, top) * min(float(rng.choice([1, 0.5, 0.1])), 1 / top))


def offset(note: Note, rng: np.random.Generator) -> Floats:
    """10 to 30 dB below the sound."""
    return note.sound + np.float32(_rms(note.sound) * 10 ** (-rng.uniform(10, 30) / 20))


def noise(note: Note, rng: np.random.Generator) -> Floats:
    """White or pink, 20 to 30 dB below the sound."""
    white = rng.standard_normal(len(note.sound))
    if rng.random() < 0.5:
        spectrum = np.fft.rfft(white)
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 20 * len(white) / note.rate))
        white = np.fft.irfft(spectrum, len(white))
    level = _rms(note.sound) * 10 ** (-float(rng.choice([20, 25, 30])) / 20)
    return (note.sound + white * level / white.std()).astype(np.float32)


def reverberation(note: Note, rng: np.random.Generator) -> Floats:
    """A real room of 1.3 s or more, with its tail."""
    response, rate = note.rooms[rng.integers(len(note.rooms))]
    response = resample(response, rate, note.rate)
    n = len(note.sound) + len(response) - 1
    wet = np.fft.irfft(np.fft.rfft(note.sound, n) * np.fft.rfft(response, n), n)
    return (wet * np.abs(note.sound).max() / np.abs(wet).max()).astype(np.float32)


def band_limit(note: Note, rng: np.random.Generator) -> Floats | None:
    """A lower sample rate or a small MP3; None where the instrument has nothing there to lose."""
    low = int(rng.choice([12_000, 16_000, 22_050]))
    spectrum = np.abs(np.fft.rfft(note.sound)) ** 2 / len(note.sound) ** 2
    hz = np.fft.rfftfreq(len(note.sound), 1 / note.rate)
    lost = spectrum[(hz > low / 2) & (hz < low / 2 + 1000)].sum()
    if lost < 10 * 2000 / note.rate * 2**-30 / 12:  # ten times the 16-bit rounding noise in that kilohertz
        return None
    if rng.random() < 0.5:
        return _stored(resample(resample(note.sound, note.rate, low), low, note.rate)[: len(note.sound)])
    return _mp3(note)


def polyphony(note: Note, rng: np.random.Generator) -> Floats | None:
    """Another note of the instrument, up to 6 dB softer; not in the harmonic series of one of the two."""
    fitting = [other for other in note.others if _disjoint(note.midi, other.midi)]
    if not fitting:
        return None
    other = fitting[rng.integers(len(fitting))]
    first, second = note.sound, resample(other.sound, other.rate, note.rate)
    n = min(len(first), len(second))
    first, second = first[:n], second[:n]
    mixed = first / _rms(first) + second / _rms(second) * 10 ** (-rng.uniform(0, 6) / 20)
    return (0.7 * mixed / np.abs(mixed).max()).astype(np.float32)


DAMAGES: dict[str, Damage] = {
    "clipping": clipping,
    "offset": offset,
    "noise": noise,
    "reverberation": reverberation,
    "band limit": band_limit,
    "polyphony": polyphony,
}


def run(options: Options) -> Section:
    """Precision and recall on instruments that took no part in the choice of the thresholds, and on those that did."""
    needs(options.audio / "train", "the doctor")
    few = 2 if options.quick else PER_INSTRUMENT
    tables, goals = [], []
    for what, instruments in (("held out", JUDGED_ON), ("thresholds chosen on these", CHOSEN_ON)):
        counts = judged(options.audio, instruments, few)
        rows = [count.row(fault) for fault, count in counts.items()]
        tables.append(Table(f"{what.capitalize()}: {', '.join(instruments)}", COLUMNS, rows))
        if instruments is JUDGED_ON:
            goals = [goal for fault, count in counts.items() for goal in _goals(fault, count)]
    return Section("The doctor", METHOD, tables, goals, NOTES)


METHOD = (
    f"Up to {PER_INSTRUMENT} notes of each instrument, as they are and with each damage; a fault counts as found if "
    "the doctor names it, and as a false alarm if it names it for any other of these sounds. Octave: the pitch found "
    f"is moved by an octave. Levels and rooms: sets of {PER_SET} notes."
)
NOTES = [
    f"Rooms of {ROOM_S} s and more. Mixed notes in a harmonic series (octave, twelfth ...) are left out: they are one "
    "periodic sound. Band limits count where the instrument sounds above them. Levels: the saxophones as they are, "
    "normalised anew to equal RMS or equal peak, and with 14 dB between soft and loud."
]
COLUMNS = {"fault": "", "cases": "d", "missed": "d", "false alarms": "d", "precision": ".1%", "recall": ".1%"}


def _goals(fault: str, count: Count) -> list[Goal]:
    return [
        at_least(f"{fault}: precision", count.precision, 0.95, ".1%"),
        at_least(f"{fault}: recall", count.recall, 0.95, ".1%"),
    ]


def judged(folder: Path, instruments: Sequence[str], few: int) -> dict[str, Count]:
    """Count decisions about every fault of files and sets."""
    counts = {fault: Count() for fault in (*DAMAGES, "octave", "levels", "rooms")}
    rng = np.random.default_rng(0)
    for instrument in progress(instruments, "instruments"):
        chosen = notes(folder, instrument, few, rng)
        for note in chosen:
            _count(counts, examined(note, note.sound), note.known)
        sound = [note for note in chosen if not note.known]
        files = {"as it is": [examined(note, note.sound) for note in sound]}
        for damage, harm in DAMAGES.items():
            harmed = [(note, harm(note, rng)) for note in sound]
            files[damage] = [examined(note, heard) for note, heard in harmed if heard is not None]
            for file in files[damage]:
                _count(counts, file, {damage})
        for note in sound:
            for factor in (0.5, 2.0):
                _count({"octave": counts["octave"]}, examined(note, note.sound, factor), {"octave"})
        for there, members in rooms(instrument, files, rng):
            counts["rooms"].add(there, "rooms" in _faults_of_set(members))
        for there, members in levels(instrument, sound, files["as it is"], rng):
            counts["levels"].add(there, "levels" in _faults_of_set(members))
    return counts


def _count(counts: dict[str, Count], file: Measures, there: Iterable[str]) -> None:
    found = {finding.fault for finding in judge(file)}
    for fault in counts.keys() - {"levels", "rooms"}:
        if not (fault == "octave" and "polyphony" in there):  # two notes have no one pitch
            counts[fault].add(fault in there, fault in found)


def _faults_of_set(files: Sequence[Measures]) -> set[str]:
    return {finding.fault for finding in judge_set(files)}


def rooms(
    instrument: str, files: dict[str, list[Measures]], rng: np.random.Generator
) -> Iterator[tuple[bool, list[Measures]]]:
    """Sets of one session, and sets of which half was damaged: whether there are several, and the files."""
    if instrument in SEVERAL_SOURCES:
        return
    for _ in range(DRAWS):
        for damage in ("as it is", "clipping", "offset"):
            yield False, _draw(files[damage], PER_SET, rng)
        for damage in ("reverberation", "noise", "band limit"):
            other = _draw(files[damage], PER_SET // 2, rng)
            if len(other) >= MIN_GROUP:
                yield True, _draw(files["as it is"], PER_SET - len(other), rng) + other


def levels(
    instrument: str, chosen: Sequence[Note], files: Sequence[Measures], rng: np.random.Generator
) -> Iterator[tuple[bool, list[Measures]]]:
    """Sets with and without dynamics: whether they seem normalised, and the files. A gain only moves the loudness."""
    normalised = instrument in NORMALISED
    if not normalised and instrument not in DYNAMIC:
        return
    gains = {
        "as it is": [0.0] * len(chosen),
        "RMS": [-20 * np.log10(_rms(note.sound)) for note in chosen],
        "peak": [-20 * np.log10(np.abs(note.sound).max()) for note in chosen],
    }
    if normalised:
        gains["by label"] = [LABEL_DB[note.dynamics] for note in chosen]
    for name, gain in gains.items():
        there = name in ("RMS", "peak") or (normalised and name == "as it is")
        moved = [
            replace(file, level_db=file.level_db + g, rms_db=file.rms_db + g, peak_db=file.peak_db + g)
            for file, g in zip(files, gain, strict=True)
            if file.level_db is not None
        ]
        for _ in range(DRAWS):
            yield there, _draw(moved, PER_SET, rng)


def notes(folder: Path, instrument: str, few: int, rng: np.random.Generator) -> list[Note]:
    """Up to `few` files of an instrument, at random, the first seconds of each."""
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    responses = [Path(row["file"]) for row in rows if row["set"] == "rir" and float(row["T30"] or 0) >= ROOM_S]
    heard = tuple(audio.read(folder / name) for name in responses if name.stem not in UNCLEAR_ROOMS)
    rows = [row for row in rows if row["set"] == "train" and row["inst"] == instrument]
    chosen = []
    for place in rng.permutation(len(rows))[:few]:
        row = rows[place]
        sound, rate = audio.read(folder / row["file"])
        midi = float(row["midi"]) if row["midi"] else None
        known = frozenset(KNOWN.get(row["art"], ())) | ({"clipping"} if int(row["clip_src"] or 0) > CLIPPED else set())
        end = row["art"] == "performance"  # the last note is heard to its end
        sound = sound[-SECONDS * rate :] if end else sound[: SECONDS * rate]
        chosen.append(Note(folder / row["file"], sound, rate, midi, row["dyn"], known, heard))
    return [replace(note, others=tuple(chosen)) for note in chosen]


def examined(note: Note, sound: Floats, pitch_factor: float = 1.0) -> Measures:
    """What the doctor measures of a sound; the pitch that was found can be moved."""
    recording = make_recording(note.path, sound, note.rate)
    if pitch_factor != 1:
        controls = recording.controls
        recording = replace(recording, controls=controls.replace(f0_hz=controls.f0_hz * pitch_factor))
    return measure(recording, sound, note.rate)


def _draw(files: Sequence[Measures], count: int, rng: np.random.Generator) -> list[Measures]:
    return [files[place] for place in rng.permutation(len(files))[:count]]


def _rms(sound: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def _stored(sound: Floats) -> Floats:
    return (np.round(sound * 32768) / 32768).astype(np.float32)


def _mp3(note: Note) -> Floats:
    file = io.BytesIO()
    sf.write(file, note.sound, note.rate, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.95)
    file.seek(0)
    return np.asarray(sf.read(file, dtype="float32")[0], np.float32)


def _disjoint(first: float | None, second: float | None) -> bool:
    """Whether two MIDI pitches share no harmonic series, within 20 cents."""
    if first is None or second is None:
        return False
    ratio = 2 ** (abs(first - second) / 12)
    return ratio > 1.01 and abs(1200 * np.log2(ratio / round(ratio))) > 20
