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
from retimbre.rooms.doubts import doubt
from retimbre.rooms.estimate import INTERVAL, Listener, middle
from retimbre.rooms.listen import LISTEN_RATE, mel_levels
from retimbre.rooms.shoebox import shoebox
from retimbre.rooms.simulate import draw_plan, render, set_drr
from retimbre.rooms.targets import BANDS, MIDDLE, measure_targets

METHOD = (
    "16 s of each sound, from silence on, in each room, with white noise 35 dB below. Simulated rooms: boxes (image "
    "sources and 10 000 rays; every second with a direct sound of -9 to 16 dB) and statistical ones (decay 0.15 to "
    "2.5 s, direct sound -9 to 16 dB; slow ones 2.5 to 8 s). Real rooms: 20 measured responses that nothing was "
    "trained or tuned on. An effect: what `retimbre room measure` doubts to be an impulse response, bursts of noise "
    "with digital silence between them, beside the rooms. Speech: recordings of four people, and espeak-ng with "
    "languages and voices that training never had; music: recorded singing, and notes of instruments that training "
    "never had, in made-up melodies, for simulated rooms FluidSynth with other programs too. Truth and estimate: T20 "
    "(-5 to -25 dB), clarity and direct sound as `retimbre.rooms.targets` measures them; T60 and C50 are means over "
    "500 to 1000 Hz (ISO 3382-1), those of all bands together are given beside them: they depend on the colour of the "
    "response, which cannot be told from that of the source. T60 errors are medians, those in dB means. Constant: the "
    "median of the training rooms; ridge: linear regression on decay statistics (`benchmarks/decay_statistics.py`)."
)
SECONDS = 16.0
NOISE_DB = -35.0
SPEECH = ("speech_librispeech_198", "speech_librispeech_3436", "speech_female_sms", "speech_male_sms")
SINGING = ("singing_vocadito_1", "singing_vocadito_10", "singing_male_carnatic_vignesh", "singing_female_sms")
VOWELS = ("femalevoice_*", "malevoice_*")
DRY_S = {"speech": 0.1, "singing": 0.2}
"""What a recording may take to fall by 20 dB, its quickest tenth; slower ones ring by themselves and are left out."""

MEDIUM_S, LONG_S = 1.3, 2.5
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
    """

    rooms: str
    kind: str
    truth: npt.NDArray[np.float64]
    told: dict[str, npt.NDArray[np.float64]]
    spread: npt.NDArray[np.float64]


def run(options: Options) -> Section:
    """Measure the shipped estimator."""
    folder = needs(options.audio, "room_estimate")
    for program, package in (("espeak-ng", "espeak-ng"), ("fluidsynth", "fluidsynth and fluid-soundfont-gm")):
        if not shutil.which(program):
            raise Unavailable(f"{program} makes test sounds; install {package}")
    rng = np.random.default_rng(20)
    dryness, dry = _dryness(folder / "sources")
    sources, real = _sources(folder, dry, rng, options.quick)
    constant, ridge = _yardsticks(folder, 60 if options.quick else 800)
    jobs = list(_simulated(rng, sources, 4 if options.quick else 150)) + list(_real(folder, real, options.quick))
    cases, refused = [], 0
    for rooms, kind, response, sound in progress(jobs, "rooms"):
        case = _case(rooms, kind, response, sound, rng, constant, ridge)
        cases += [case] if case else []
        refused += case is None
    groups = {name: [case for case in cases if case.rooms == name] for name in dict.fromkeys(c.rooms for c in cases)}
    classes = {"real, < 1.3 s": (0, MEDIUM_S), "real, 1.3-2.5 s": (MEDIUM_S, LONG_S), "real, > 2.5 s": (LONG_S, 99)}
    for name, (low, high) in classes.items():
        groups[name] = [case for case in groups["real"] if low <= np.exp(case.truth[T60]) < high]
    notes = [
        f"{refused} of {len(jobs)} recordings were refused: they were said to tell no room.",
        "Classes of real rooms go by the T20 of all bands together.",
        f"At 48 kHz, where the recording is resampled first, {_speed(48_000):.0f} x real time.",
    ]
    tables = [_errors(groups), _inside(groups), dryness]
    return Section("Rooms heard blindly", METHOD, tables, _goals(groups), notes)


def _dryness(folder: Path) -> tuple[Table, set[str]]:
    """How quickly recordings fall by themselves, and those that are dry."""
    rows: list[list[Cell]] = []
    dry = set()
    for kind, names in (("speech", SPEECH), ("singing", SINGING)):
        for name in names:
            fall_s = _fall_s(_read(folder / f"{name}.flac"))
            dry |= {name} if fall_s <= DRY_S[kind] else set()
            rows.append([name, kind, fall_s, "yes" if name in dry else "no"])
    columns = {"recording": "", "": "", "falls by 20 dB in, s": ".2f", "taken": ""}
    return Table("Are the recordings dry enough to be put into rooms?", columns, rows), dry


def _fall_s(sound: Floats) -> float:
    """Time in which the level falls by 20 dB after the loudest 12 dB, the quickest tenth of them."""
    level = 10 * np.log10(np.square(sound[: len(sound) // 160 * 160]).reshape(-1, 160).mean(axis=1) + 1e-12)
    falls = []
    for place in np.flatnonzero(level > np.quantile(level, 0.95) - 12):
        below = np.flatnonzero(level[place : place + 150] < level[place] - 20)
        falls += [0.01 * below[0]] if len(below) else []
    return float(np.quantile(falls, 0.1))


def _speed(rate: int) -> float:
    """Times real time on one core, the best of five."""
    rng = np.random.default_rng(23)
    sound = (rng.standard_normal(20 * rate) * np.repeat(rng.random(40) ** 3, rate // 2)).astype(np.float32)
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        listener = Listener(rate)
        listener.process(0.1 * sound)
        listener.figures()
        best = min(best, time.process_time() - began)
    return 20 / best


def _sources(folder: Path, dry: set[str], rng: np.random.Generator, quick: bool) -> tuple[dict[str, list[Floats]], ...]:
    """Sounds for simulated rooms and for real ones, by kind."""
    recorded = {
        kind: [_looped(folder / f"sources/{name}.flac") for name in names if name in dry]
        for kind, names in (("speech", SPEECH), ("music", SINGING))
    }
    for pattern in VOWELS:
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
        for name, low, high in (("statistical", 0.15, LONG_S), ("statistical, slow", LONG_S, 8.0)):
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
        rooms = "an effect" if doubt(response.astype(np.float64), LISTEN_RATE, 0) else "real"
        for kind, sounds in sources.items():
            for sound in sounds:
                yield rooms, kind, response, sound


def _case(
    rooms: str,
    kind: str,
    response: Floats,
    sound: Floats,
    rng: np.random.Generator,
    constant: npt.NDArray[np.float64],
    ridge: Ridge,
) -> Case | None:
    truth = measure_targets(response, noisy=rooms in ("real", "an effect")).vector()
    wet = scipy.signal.fftconvolve(sound[: round(SECONDS * LISTEN_RATE)], response)[: round(SECONDS * LISTEN_RATE)]
    wet *= 0.1 / wet.std()
    wet += 0.1 * 10 ** (NOISE_DB / 20) * rng.standard_normal(len(wet))
    wet = wet.astype(np.float32)
    try:
        listener = Listener(LISTEN_RATE)
        listener.process(wet)
        told, spread = listener.figures()
    except RetimbreError:
        return None
    methods = {"constant": constant, "ridge": ridge(statistics(mel_levels(wet))), "network": told}
    return Case(rooms, kind, truth, methods, spread)


def _errors(groups: dict[str, list[Case]]) -> Table:
    columns = {"rooms": "", "sound": "", "n": "d", "by": "", "T60, %": ".1f", "T60, s": ".3f", "rho": ".2f"}
    columns |= {"T60 of bands, %": ".1f", "of all together, %": ".1f", "C50, dB": ".2f", "C50 of bands, dB": ".2f"}
    columns |= {"C50 of all together, dB": ".2f", "DRR, dB": ".2f"}
    rows: list[list[Cell]] = []
    for name, kind, cases in _each(groups):
        for method in ("constant", "ridge", "network"):
            rows.append([name, kind, len(cases), method, *_figures(cases, method)])
    return Table("Errors", columns, rows)


def _each(groups: dict[str, list[Case]]) -> Iterator[tuple[str, str, list[Case]]]:
    for name, every in groups.items():
        for kind in ("speech", "music"):
            cases = [case for case in every if case.kind == kind]
            if cases:
                yield name, kind, cases


def _middle(values: npt.NDArray[np.float64], part: int) -> npt.NDArray[np.float64]:
    """Means over 500 to 1000 Hz, [cases]: log T20 (part 0) or C50 (part 2)."""
    return values[:, part * BANDS + MIDDLE.start : part * BANDS + MIDDLE.stop].mean(axis=1)


def _figures(cases: Sequence[Case], method: str) -> list[Cell]:
    truth, told = np.stack([case.truth for case in cases]), np.stack([case.told[method] for case in cases])
    apart, percent = np.abs(told - truth), 100 * np.abs(np.exp(told - truth) - 1)
    (true, heard), (true_db, heard_db) = ((_middle(truth, part), _middle(told, part)) for part in (0, 2))
    known = np.isfinite(true)
    times: list[Cell] = [None, None, None]
    if known.any():
        heard_s, true_s = np.exp(heard[known]), np.exp(true[known])
        times = [float(np.median(100 * np.abs(heard_s / true_s - 1))), float(np.mean(np.abs(heard_s - true_s))), None]
        if method != "constant":
            times[2] = float(np.corrcoef(heard[known], true[known])[0, 1])
    values = [
        np.nanmedian(percent[:, :BANDS]),
        np.nanmedian(percent[:, T60]),
        np.mean(np.abs(heard_db - true_db)),
        np.mean(apart[:, 2 * BANDS : 3 * BANDS]),
        np.mean(apart[:, C50]),
        np.mean(apart[:, DRR]),
    ]
    return [*times, *map(float, values)]


def _inside(groups: dict[str, list[Case]]) -> Table:
    columns = {"rooms": "", "sound": "", "T60": ".0%", "T60 of bands": ".0%", "C50": ".0%", "DRR": ".0%"}
    columns |= {"half width of T60, %": ".0f", "of C50, dB": ".1f"}
    rows: list[list[Cell]] = []
    for name, kind, cases in _each(groups):
        truth, told = np.stack([case.truth for case in cases]), np.stack([case.told["network"] for case in cases])
        spread = np.stack([case.spread for case in cases])
        apart = np.abs(told - truth) / spread
        widths = {
            part: np.array([middle(case.told["network"], case.spread, part)[1] for case in cases]) for part in (0, 2)
        }
        inside = {part: np.abs(_middle(told, part) - _middle(truth, part)) / widths[part] for part in widths}
        parts = (inside[0], apart[:, :BANDS], inside[2], apart[:, DRR])
        known = [part[np.isfinite(part)] for part in parts]
        shares = [float(np.mean(part < INTERVAL)) if len(part) else None for part in known]
        percent = 100 * (np.exp(INTERVAL * np.median(widths[0])) - 1)
        rows.append([name, kind, *shares, float(percent), float(INTERVAL * np.median(widths[2]))])
    return Table("Truths within the ranges that should hold 80 %", columns, rows)


def _goals(groups: dict[str, list[Case]]) -> list[Goal]:
    def cases(names: Sequence[str], kind: str) -> list[Case]:
        return [case for name in names for case in groups[name] if case.kind == kind]

    simulated, short, slow = ("boxes", "statistical"), ("real, < 1.3 s", "real, 1.3-2.5 s"), ("real, > 2.5 s",)
    goals = []
    for what, names, kind, limit in (
        ("speech, simulated rooms", simulated, "speech", 0.10),
        ("speech, real rooms up to 2.5 s", short, "speech", 0.12),
        ("speech, real rooms above 2.5 s", slow, "speech", 0.20),
        ("music, simulated rooms", simulated, "music", 0.20),
        ("music, real rooms", ("real",), "music", 0.20),
    ):
        if chosen := cases(names, kind):
            error = float(_figures(chosen, "network")[0] or 0) / 100
            goals.append(at_most(f"T60 from {what}: median error", error, limit, ".1%"))
    for kind, limit in (("speech", 1.3), ("music", 2.5)):
        for what, names in (("simulated", simulated), ("real", ("real",))):
            error = float(_figures(cases(names, kind), "network")[5] or 0)
            goals.append(at_most(f"C50 from {kind}, {what} rooms: mean error", error, limit, ".2f", "dB"))
    return [*goals, at_least("room estimate, one core, 16 kHz", _speed(LISTEN_RATE), 500, ".0f", "x real time")]
