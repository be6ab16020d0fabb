"""How well is a room heard blindly? Rooms and sounds that training never met, simulated and measured."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.signal

from benchmarks.decay_statistics import Ridge, statistics
from benchmarks.report import Cell, Goal, Options, Section, Table, Unavailable, at_least, at_most, needs, progress
from recipes import room_data, room_sources
from retimbre import audio
from retimbre.engine import Floats, resample
from retimbre.errors import RetimbreError
from retimbre.rooms.estimate import INTERVAL, Listener
from retimbre.rooms.listen import LISTEN_RATE, mel_levels
from retimbre.rooms.shoebox import shoebox
from retimbre.rooms.simulate import draw_plan, render, set_drr
from retimbre.rooms.targets import BANDS, measure_targets

METHOD = (
    "16 s of each sound, from silence on, in each room, with white noise 35 dB below. Simulated rooms: boxes "
    "(image sources and 10 000 rays; every second with a direct sound of -9 to 16 dB) and statistical ones (decay 0.15 "
    "to 2.5 s, direct sound -9 to 16 dB; slow ones 2.5 to 8 s). Real rooms: 21 measured responses that nothing was "
    "trained or tuned on. Speech: recordings of four people, and espeak-ng with languages and voices that training "
    "never had; music: recorded singing, and notes of instruments that training never had, in made-up melodies, for "
    "simulated rooms FluidSynth with other programs too. Truth and estimate: T20 (-5 to -25 dB), clarity and direct "
    "sound as `retimbre.rooms.targets` measures them. T60 errors are medians, those in dB means. Constant: the median "
    "of the training rooms; ridge: linear regression on decay statistics (`benchmarks/decay_statistics.py`)."
)
SECONDS = 16.0
NOISE_DB = -35.0
SPEECH = ("speech_librispeech_198", "speech_librispeech_3436", "speech_female_sms", "speech_male_sms")
SINGING = ("singing_vocadito_1", "singing_vocadito_10", "singing_male_carnatic_vignesh")
VOWELS = {"female vowels": "femalevoice_*", "male vowels": "malevoice_*"}
MIDDLE, LONG = 1.3, 2.5
T60, C50, DRR = 3 * BANDS, 3 * BANDS + 2, 3 * BANDS + 4


@dataclass(frozen=True, eq=False)
class Case:
    """One sound in one room.

    Attributes:
        rooms: the set of rooms.
        kind: "speech" or "music".
        truth: `Targets.vector` of the room.
        told: by method, what it says of the room.
        spread: of the network.
        seconds: of processor time that the estimate took; 0 where nothing was told.
    """

    rooms: str
    kind: str
    truth: npt.NDArray[np.float64]
    told: dict[str, npt.NDArray[np.float64]]
    spread: npt.NDArray[np.float64]
    seconds: float


def run(options: Options) -> Section:
    """Measure the shipped estimator."""
    folder = needs(options.audio, "room_estimate")
    for program, package in (("espeak-ng", "espeak-ng"), ("fluidsynth", "fluidsynth and fluid-soundfont-gm")):
        if not shutil.which(program):
            raise Unavailable(f"{program} makes test sounds; install {package}")
    rng = np.random.default_rng(20)
    sources, real = _sources(folder, rng, options.quick)
    constant, ridge = _yardsticks(folder, 60 if options.quick else 800)
    jobs = list(_simulated(rng, sources, 4 if options.quick else 60)) + list(_real(folder, real, options.quick))
    cases, refused = [], 0
    for rooms, kind, response, sound in progress(jobs, "rooms"):
        case = _case(rooms, kind, response, sound, rng, constant, ridge)
        cases += [case] if case else []
        refused += case is None
    classes = {"real, < 1.3 s": (0, MIDDLE), "real, 1.3-2.5 s": (MIDDLE, LONG), "real, > 2.5 s": (LONG, 99)}
    groups = {name: [case for case in cases if case.rooms == name] for name in dict.fromkeys(c.rooms for c in cases)}
    groups |= {
        name: [case for case in groups["real"] if low <= np.exp(case.truth[T60]) < high]
        for name, (low, high) in classes.items()
    }
    notes = [f"{refused} of {len(jobs)} recordings were refused: they were said to tell no room."]
    return Section("Rooms heard blindly", METHOD, [_errors(groups), _inside(groups)], _goals(groups, cases), notes)


def _sources(folder: Path, rng: np.random.Generator, quick: bool) -> tuple[dict[str, list[Floats]], ...]:
    """Sounds for simulated rooms and for real ones, by kind."""
    recorded = {"speech": [_looped(folder / f"sources/{name}.flac") for name in SPEECH], "music": []}
    recorded["music"] += [_looped(folder / f"sources/{name}.flac") for name in SINGING]
    for pattern in VOWELS.values():
        notes = [(60, _read(path)) for path in sorted((folder / "sources").glob(f"{pattern}.flac"))]
        recorded["music"].append(room_sources.recorded_phrase(rng, notes))
    made = room_sources.make_test_sources(folder, 21, 6 if quick else 30)
    held_out = room_sources.recorded_notes(folder, room_sources.TEST_RECORDED)
    recorded["music"] += [room_sources.recorded_phrase(rng, notes) for notes in held_out.values()]
    recorded["speech"] += made["speech"][:3]
    return {kind: made[kind] + recorded[kind] for kind in made}, recorded


def _read(path: Path) -> Floats:
    sound, rate = audio.read(path)
    return resample(sound - sound.mean(), rate, LISTEN_RATE)


def _looped(path: Path) -> Floats:
    """A recording, again and again after pauses of 0.7 s where it is too short."""
    sound = _read(path)
    pause = np.zeros(round(0.7 * LISTEN_RATE), np.float32)
    return np.tile(np.concatenate([sound, pause]), 1 + round(SECONDS * LISTEN_RATE / len(sound)))


def _yardsticks(folder: Path, count: int) -> tuple[npt.NDArray[np.float64], Ridge]:
    """The median room of training, and the regression, from examples such as the network learned from."""
    rng = np.random.default_rng(22)
    spoken = [room_sources.speech(rng, language) for language in room_sources.LANGUAGES]
    played = room_sources.gm_music(rng, room_sources.PROGRAMS)
    sources = {
        kind: (32767 * np.stack(sounds)).astype(np.int16) for kind, sounds in (("speech", spoken), ("music", played))
    }
    measured = room_data.load_measured(folder / "rir")
    examples = room_data.make_examples(rng, sources, [], measured, count, lambda line: None)
    rows = np.stack([statistics(levels) for levels in examples.levels])
    return np.nanmedian(examples.targets, axis=0).astype(np.float64), Ridge.fit(rows, examples.targets)


def _simulated(
    rng: np.random.Generator, sources: dict[str, list[Floats]], count: int
) -> Iterator[tuple[str, str, Floats, Floats]]:
    for place in range(count):
        box = shoebox(rng, rays=10_000)
        rooms = {"boxes": set_drr(box, rng.uniform(-9, 16)) if place % 2 else box}
        for name, low, high in (("statistical", 0.15, LONG), ("statistical, slow", LONG, 8.0)):
            while name not in rooms:
                response = render(draw_plan(rng), rng)
                truth = measure_targets(response, noisy=False).vector()
                if np.log(low) <= truth[T60] < np.log(high) and -9 <= truth[DRR] <= 16:
                    rooms[name] = response
        for name, response in rooms.items():
            for kind, sounds in sources.items():
                yield name, kind, response, sounds[int(rng.integers(len(sounds)))]


def _real(folder: Path, sources: dict[str, list[Floats]], quick: bool) -> Iterator[tuple[str, str, Floats, Floats]]:
    responses = room_data.load_measured(folder / "rir_evaluation")
    for response in responses[::7] if quick else responses:
        for kind, sounds in sources.items():
            for sound in sounds:
                yield "real", kind, response, sound


def _case(
    rooms: str,
    kind: str,
    response: Floats,
    sound: Floats,
    rng: np.random.Generator,
    constant: npt.NDArray[np.float64],
    ridge: Ridge,
) -> Case | None:
    truth = measure_targets(response, noisy=rooms == "real").vector()
    wet = scipy.signal.fftconvolve(sound[: round(SECONDS * LISTEN_RATE)], response)[: round(SECONDS * LISTEN_RATE)]
    wet *= 0.1 / wet.std()
    wet += 0.1 * 10 ** (NOISE_DB / 20) * rng.standard_normal(len(wet))
    wet = wet.astype(np.float32)
    began = time.process_time()
    try:
        listener = Listener(LISTEN_RATE)
        listener.process(wet)
        told, spread = listener.figures()
    except RetimbreError:
        return None
    seconds = time.process_time() - began
    methods = {"constant": constant, "ridge": ridge(statistics(mel_levels(wet))), "network": told}
    return Case(rooms, kind, truth, methods, spread, seconds)


def _errors(groups: dict[str, list[Case]]) -> Table:
    columns = {"rooms": "", "sound": "", "n": "d", "by": "", "T60, %": ".1f", "T60, s": ".3f", "rho": ".2f"}
    columns |= {"T60 of bands, %": ".1f", "C50, dB": ".2f", "C50 of bands, dB": ".2f", "DRR, dB": ".2f"}
    rows: list[list[Cell]] = []
    for name, every in groups.items():
        for kind in ("speech", "music"):
            cases = [case for case in every if case.kind == kind]
            for method in ("constant", "ridge", "network") if cases else ():
                rows.append([name, kind, len(cases), method, *_figures(cases, method)])
    return Table("Errors", columns, rows)


def _figures(cases: Sequence[Case], method: str) -> list[Cell]:
    truth, told = np.stack([case.truth for case in cases]), np.stack([case.told[method] for case in cases])
    percent, known = 100 * np.abs(np.exp(told - truth) - 1), np.isfinite(truth[:, T60])
    seconds = np.abs(np.exp(told[:, T60]) - np.exp(truth[:, T60]))[known]
    apart = np.abs(told - truth)
    rho = float(np.corrcoef(told[known, T60], truth[known, T60])[0, 1]) if method != "constant" else None
    bands = slice(2 * BANDS, 3 * BANDS)
    values = [np.median(percent[known, T60]), seconds.mean(), rho, np.nanmedian(percent[:, :BANDS])]
    values += [np.nanmean(part) for part in (apart[:, C50], apart[:, bands], apart[:, DRR])]
    return [None if value is None else float(value) for value in values]


def _inside(groups: dict[str, list[Case]]) -> Table:
    columns = {"rooms": "", "sound": "", "T60": ".0%", "T60 of bands": ".0%", "C50": ".0%", "DRR": ".0%"}
    columns |= {"half width of T60, %": ".0f", "of C50, dB": ".1f"}
    rows: list[list[Cell]] = []
    for name, every in groups.items():
        for kind in ("speech", "music"):
            cases = [case for case in every if case.kind == kind]
            if not cases:
                continue
            truth, told = np.stack([case.truth for case in cases]), np.stack([case.told["network"] for case in cases])
            spread = np.stack([case.spread for case in cases])
            apart = np.abs(told - truth) / spread
            shares = [
                float(np.mean(part[np.isfinite(part)] < INTERVAL))
                for part in (apart[:, T60], apart[:, :BANDS], apart[:, C50], apart[:, DRR])
            ]
            width = 100 * (np.exp(INTERVAL * np.median(spread[:, T60])) - 1)
            rows.append([name, kind, *shares, float(width), float(INTERVAL * np.median(spread[:, C50]))])
    return Table("Truths within the ranges that should hold 80 %", columns, rows)


def _goals(groups: dict[str, list[Case]], cases: Sequence[Case]) -> list[Goal]:
    def figures(names: Sequence[str], kind: str) -> tuple[float, float]:
        chosen = [case for name in names for case in groups[name] if case.kind == kind]
        if not chosen:
            return float("nan"), float("nan")
        row = _figures(chosen, "network")
        return float(row[0] or 0) / 100, float(row[4] or 0)

    simulated, short, slow = ("boxes", "statistical"), ("real, < 1.3 s", "real, 1.3-2.5 s"), ("real, > 2.5 s",)
    goals = [
        at_most("T60 from speech, simulated rooms: median error", figures(simulated, "speech")[0], 0.10, ".1%"),
        at_most("T60 from speech, real rooms up to 2.5 s: median error", figures(short, "speech")[0], 0.12, ".1%"),
        at_most("T60 from speech, real rooms above 2.5 s: median error", figures(slow, "speech")[0], 0.20, ".1%"),
        at_most("T60 from music, simulated rooms: median error", figures(simulated, "music")[0], 0.20, ".1%"),
        at_most("T60 from music, real rooms: median error", figures(("real",), "music")[0], 0.20, ".1%"),
    ]
    for kind, limit in (("speech", 1.3), ("music", 2.5)):
        for what, names in (("simulated", simulated), ("real", ("real",))):
            value = figures(names, kind)[1]
            goals.append(at_most(f"C50 from {kind}, {what} rooms: mean error", value, limit, ".2f", "dB"))
    speed = SECONDS / float(np.median([case.seconds for case in cases]))
    return [*goals, at_least("room estimate, one core", speed, 500, ".0f", "x real time")]
