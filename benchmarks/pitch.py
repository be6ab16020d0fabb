"""Does the pitch tracker find the pitch? Labelled notes, exact melodies and tones, and sounds without any."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.report import Cell, Goal, Options, Section, Table, at_least, at_most, progress
from benchmarks.signals import Array, Clip, melody, tone
from benchmarks.sources import listen
from retimbre import audio
from retimbre.analysis import analyze
from retimbre.engine import Floats, resample

Mask = npt.NDArray[np.bool_]

SINGLE_NOTES = {"sus", "stac", "nor", "det", "note", "two"}
"""Articulations of the recordings that hold one note each."""

BANDS_HZ = ((33, 62), (62, 110), (110, 220), (220, 440), (440, 880), (880, 1760), (1760, 2090), (2100, 3500))
NOISE = {"clean": math.inf, "30 dB": 30.0, "10 dB": 10.0}
SOME = 60
"""Notes for pYIN, which is slower than real time."""

METHOD = (
    "Every tracker gives a pitch for every frame, and whether it believes in it; pitch is judged either way. An "
    "octave error is a frame within a semitone of one or two octaves above or below the truth. Of labelled notes the "
    "frames within 16 dB of the loudest count, from 0.1 s after the start to 0.05 s before the end. *Ours live* is the "
    "same tracker without look-ahead, its delay (half a window, 8 ms and more) not made up for. SwiftF0 reads "
    "47 to 2094 Hz by design, voiced from confidence 0.5; pYIN (librosa, 16 kHz, windows of 2048) was asked for 33 to "
    "4000 Hz."
)


@dataclass(frozen=True, eq=False)
class Track:
    """What a tracker says: times, pitch, and whether it believes in it."""

    time_s: Array
    f0_hz: Array
    voiced: Mask

    def at(self, time_s: Array) -> tuple[Array, Mask]:
        """Pitch, linear in octaves but never across a jump of 150 cents, and voicing, at other times."""
        place = np.interp(time_s, self.time_s, np.arange(len(self.time_s)))
        before = place.astype(int)
        after, nearest = np.minimum(before + 1, len(self.time_s) - 1), np.round(place).astype(int)
        octaves = np.log2(np.maximum(np.nan_to_num(self.f0_hz), 1e-3))
        smooth = octaves[before] + (place - before) * (octaves[after] - octaves[before])
        jump = np.abs(octaves[after] - octaves[before]) > 150 / 1200
        return np.exp2(np.where(jump, octaves[nearest], smooth)), self.voiced[nearest]


Tracker = Callable[[Floats, int], Track]


def ours(sound: Floats, sample_rate: int) -> Track:
    """The engine's tracker with look-ahead."""
    controls = analyze(sound, sample_rate)
    return Track(controls.time_s, controls.f0_hz, controls.voiced)


def ours_live(sound: Floats, sample_rate: int) -> Track:
    """The engine's tracker as it is in live use."""
    controls = analyze(sound, sample_rate, lookahead=False)
    return Track(controls.time_s, controls.f0_hz, controls.voiced)


def swift_f0(sound: Floats, sample_rate: int) -> Track:
    """SwiftF0, every 16 ms."""
    f0_hz, confidence = listen(sound, sample_rate)
    return Track((np.arange(len(f0_hz)) + 0.5) * 0.016, f0_hz, confidence >= 0.5)


def pyin(sound: Floats, sample_rate: int) -> Track:
    """Probabilistic YIN of librosa, every 16 ms."""
    import librosa

    y = resample(sound, sample_rate, 16_000)
    window: dict[str, Any] = {"sr": 16_000, "frame_length": 2048, "hop_length": 256}
    f0_hz, voiced, _ = librosa.pyin(y, fmin=32.7, fmax=4000, fill_na=None, **window)
    return Track(np.arange(len(f0_hz)) * 0.016, f0_hz, voiced)


OURS: dict[str, Tracker] = {"ours": ours, "ours live": ours_live}
FAST: dict[str, Tracker] = {**OURS, "SwiftF0": swift_f0}
ALL: dict[str, Tracker] = {**FAST, "pYIN": pyin}


@dataclass(frozen=True)
class Score:
    """Frames counted, of those where there is a pitch and of those where there is none; scores add up."""

    pitched: int = 0
    right: int = 0
    octave: int = 0
    recalled: int = 0
    silent: int = 0
    alarms: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def shares(self) -> list[Cell]:
        """Right pitch, octave errors and voiced, of the frames with a pitch."""
        return [share(count, self.pitched) for count in (self.right, self.octave, self.recalled)]


def share(count: int, of: int) -> float | None:
    """A part of a whole, if there is one."""
    return count / of if of else None


def score(track: Track, time_s: Array, truth_hz: Array, sounding: Mask, tolerance_cents: float = 50) -> Score:
    """Compare a track with the truth, frame by frame."""
    f0_hz, voiced = track.at(time_s)
    off = 1200 * np.log2(f0_hz / truth_hz)
    octave = np.logical_or.reduce([np.abs(off - 1200 * n) < 100 for n in (-2, -1, 1, 2)])
    right = np.abs(off) <= tolerance_cents
    counts = (sounding, sounding & right, sounding & octave, sounding & voiced, ~sounding, ~sounding & voiced)
    return Score(*(int(mask.sum()) for mask in counts))


def total(scores: Iterable[Score]) -> Score:
    """All of them together, frame by frame."""
    return sum(scores, start=Score())


def run(options: Options) -> Section:
    """Measure all four kinds of sound."""
    goals: list[Goal] = []
    tables: list[Table] = []
    notes: list[str] = []
    if (options.audio / "manifest.csv").exists():
        tables, goals = notes_of_instruments(options)
    else:
        notes.append("Labelled notes were not measured: ../shared/audio is not here.")
    empty, more = nothing(ALL, options.quick)
    tables += [melodies(ALL, options.quick), tones(ALL, options.quick), empty]
    return Section("Pitch", METHOD, tables, goals + more, notes)


# --- labelled notes --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Note:
    """A recording of one note with the pitch on its label."""

    path: Path
    instrument: str
    f0_hz: float


def labelled(folder: Path) -> list[Note]:
    """The single notes of the training material."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == "train" and row["art"] in SINGLE_NOTES]
    return [
        Note(folder / row["file"], row["inst"], 440 * 2 ** ((float(row["midi"]) - 69) / 12))
        for row in rows
        if row["midi"]
    ]


def note_times(sound: Floats, sample_rate: int) -> Array:
    """Every 5 ms where a note sounds: within 16 dB of its loudest 30 ms, after 0.1 s, up to 0.05 s before the end."""
    energy = np.concatenate([[0], np.cumsum(np.square(sound - sound.mean(), dtype=np.float64))])
    time_s = np.arange(0.015, len(sound) / sample_rate - 0.05, 0.005)
    edges = np.stack([time_s - 0.015, time_s + 0.015]) * sample_rate
    start, stop = np.clip(edges.astype(int), 0, len(sound))
    level_db = 10 * np.log10((energy[stop] - energy[start]) / np.maximum(stop - start, 1) + 1e-20)
    return time_s[(level_db > level_db.max(initial=-200) - 16) & (time_s > 0.1)]


def notes_of_instruments(options: Options) -> tuple[list[Table], list[Goal]]:
    """Trackers on the labelled notes: all of them, some of them with pYIN, and by instrument."""
    notes = labelled(options.audio)
    order = np.random.default_rng(0).permutation(len(notes))
    notes = [notes[place] for place in (order[:4] if options.quick else order)]
    few = len(notes) if options.full else min(SOME, len(notes))
    scores: dict[str, list[Score]] = {name: [] for name in ALL}
    for place, note in enumerate(progress(notes, "notes")):
        sound, rate = audio.read(note.path)
        times = note_times(sound, rate)
        truth, sounding = np.full(len(times), note.f0_hz), np.ones(len(times), bool)
        for name, tracker in (ALL if place < few else FAST).items():
            scores[name].append(score(tracker(sound, rate), times, truth, sounding, 70))

    rows: list[list[Cell]] = [[name, f"all {len(notes)}", *total(scores[name]).shares()] for name in FAST]
    rows += [[name, f"{few} at random", *total(scores[name][:few]).shares()] for name in ALL]
    columns = {"tracker": "", "notes": "", "within 70 cents": ".2%", "octave errors": ".2%", "voiced": ".2%"}
    everything = Table("Labelled single notes of 13 instruments: share of their frames", columns, rows)

    by_instrument: list[list[Cell]] = []
    for instrument in sorted({note.instrument for note in notes}):
        places = [place for place, note in enumerate(notes) if note.instrument == instrument]
        sums = [total(scores[name][place] for place in places) for name in FAST]
        cells = [share(one.right, one.pitched) for one in sums] + [share(one.octave, one.pitched) for one in sums]
        by_instrument.append([instrument, len(places), *cells])
    columns = {"instrument": "", "notes": "d", **{f"{name}, within 70": ".1%" for name in FAST}}
    columns |= {f"{name}, octave": ".1%" for name in FAST}
    table = Table("The same by instrument: within 70 cents, and octave errors", columns, by_instrument)
    mine = total(scores["ours"])
    return [everything, table], [at_least("notes within 70 cents", mine.right / mine.pitched, 0.99, ".2%")]


# --- exact sounds ----------------------------------------------------------------------------------------------------


def _scored(trackers: dict[str, Tracker], clips: Sequence[Clip]) -> dict[str, list[Score]]:
    return {
        name: [score(tracker(c.sound, 16_000), c.time_s, c.f0_hz, c.sounding) for c in clips]
        for name, tracker in trackers.items()
    }


def melodies(trackers: dict[str, Tracker], quick: bool) -> Table:
    """Melodies with vibrato, ties and gaps in eight bands, clean and in white noise."""
    seeds = range(1 if quick else 3)
    rows: list[list[Cell]] = []
    for label, snr_db in NOISE.items():
        bands = [[melody(*band, seed, snr_db) for seed in seeds] for band in BANDS_HZ]
        scored = [_scored(trackers, clips) for clips in progress(bands, f"melodies, {label}, bands")]
        for name in trackers:
            by_band = [total(band[name]) for band in scored]
            everything = total(by_band)
            _, octave, recall = everything.shares()
            common = total(by_band[1:-1])
            rates = [octave, share(common.octave, common.pitched), recall, share(everything.alarms, everything.silent)]
            rows.append([name, label, *(share(one.right, one.pitched) for one in by_band), *rates])
    columns = {"tracker": "", "noise": "", **{f"{low}-{high} Hz": ".1%" for low, high in BANDS_HZ}}
    columns |= {
        "octave errors": ".2%",
        "octave errors, 62-2090 Hz": ".2%",
        "voicing recall": ".1%",
        "voicing false alarms": ".1%",
    }
    caption = f"Synthetic melodies, {len(seeds)} of 4 s a band: share of frames within 50 cents by band"
    return Table(caption, columns, rows)


def tones(trackers: dict[str, Tracker], quick: bool) -> Table:
    """Steady tones from 40 to 3500 Hz, clean and at 10 dB."""
    pitches = np.geomspace(40, 3500, 6 if quick else 60)
    rows: list[list[Cell]] = []
    for label, snr_db in (("clean", math.inf), ("10 dB", 10.0)):
        scored = _scored(trackers, [tone(float(hz), snr_db) for hz in pitches])
        for name, scores in scored.items():
            known = [one for one, hz in zip(scores, pitches, strict=True) if 47 <= hz <= 2090]
            rows.append([name, label, *total(scores).shares(), share(total(known).right, total(known).pitched)])
    columns = {"tracker": "", "noise": "", "within 50 cents": ".2%", "octave errors": ".2%", "voiced": ".2%"}
    columns |= {"within 50 cents, 47 to 2090 Hz": ".2%"}
    return Table(f"{len(pitches)} steady tones from 40 to 3500 Hz", columns, rows)


def nothing(trackers: dict[str, Tracker], quick: bool) -> tuple[Table, list[Goal]]:
    """White noise at three levels, and digital silence: nothing in them has a pitch."""
    count = 16_000 * (1 if quick else 10)
    white = np.random.default_rng(0).standard_normal(count).astype(np.float32)
    sounds = {f"white noise, {level} dBFS": white * np.float32(10 ** (level / 20)) for level in (-12, -30, -50)}
    sounds["digital silence"] = np.zeros(count, np.float32)
    rows: list[list[Cell]] = [
        [title, *(float(tracker(sound, 16_000).voiced.mean()) for tracker in trackers.values())]
        for title, sound in sounds.items()
    ]
    goals = [at_most(f"{row[0]}: frames voiced", float(row[1] or 0), 0.02, ".2%") for row in rows]
    return Table(
        "Share of frames voiced where there is no pitch", {"sound": "", **dict.fromkeys(trackers, ".2%")}, rows
    ), goals
