"""Does the analysis know when there is a pitch, and how soon? Singing, speech, gaps, onsets, and what has no pitch.

The truth about recordings is where two analysers that share nothing with the engine agree: SwiftF0 and pYIN (librosa,
windows of 64 ms). Where they do not, and 10 ms on both sides of every change, nothing is counted.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.pitch import BANDS_HZ, Mask, labelled
from benchmarks.report import Cell, Goal, Options, Section, Table, at_least, at_most, progress
from benchmarks.signals import RATE, Array, melody
from benchmarks.sources import listen
from retimbre import audio
from retimbre.analysis import analyze
from retimbre.controls import Controls
from retimbre.engine import FRAME_RATE, Floats, resample

SINGING = ("singing_vocadito_1", "singing_vocadito_10")
SPEECH = (
    "speech_female_sms",
    "speech_male_sms",
    "speech_librispeech_198",
    "speech_librispeech_3436",
    "speech_flatland",
)
ONSETS_HZ = (65, 82, 110, 147, 220, 330, 440, 880, 1760)
STEPS_HZ = ((82, 123), (110, 165), (220, 330), (440, 660), (660, 440), (220, 208), (330, 220), (110, 55), (880, 1320))
GUARD = 2
"""Frames on both sides of a change of the truth that do not count."""
INNER = 4
"""And so many more do not lie well within."""
END = 12
"""Frames of a voiced stretch that are its end."""
NEAR = 80 / 1200
"""Octaves."""

METHOD = (
    "Frames of 5 ms; voiced from periodicity 0.5. Recordings: a frame has a pitch where SwiftF0 and pYIN agree on one "
    "within 50 cents, and none where both hear none; 10 ms around each change are left out. *20 ms from edges*: the "
    "false alarms that lie 20 ms or more within such a stretch; the analysers hear 64 ms at once. *Jumps at ends*: "
    "frames within the last 60 ms of a voiced stretch of 120 ms or more (shorter ones begin there), louder than 40 dB "
    "below its loudest, that leap by more than 80 cents; *unheard*: those to a pitch that SwiftF0 does not hear within "
    "80 cents in the 30 ms before or after. Voices do leap at the ends of notes: only unheard ones are hiccups. "
    "*Onsets*: tones with partials that fall off start within 2 ms in noise 46 dB below them, anywhere in a hop; the "
    "first frame is the one whose 5 ms hold the onset. The gate was trained on none of this (`recipes/gate.py`)."
)

TRACKERS: dict[str, Callable[[Floats], Controls]] = {
    "live": lambda sound: analyze(sound, RATE, lookahead=False),
    "offline": lambda sound: analyze(sound, RATE),
}


def run(options: Options) -> Section:
    """Measure all of it."""
    parts = [gaps(options.quick), onsets(options.quick), steps(), nothing(options.quick)]
    notes: list[str] = []
    if (options.audio / "manifest.csv").exists():
        parts = [recordings(options), attacks(options), *parts]
    else:
        notes.append("Recordings were not measured: ../shared/audio is not here.")
    return Section(
        "Voicing", METHOD, [table for table, _ in parts], [goal for _, goals in parts for goal in goals], notes
    )


# --- recordings ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Truth:
    """Of each frame: whether it certainly has a pitch, certainly has none."""

    pitched: Mask
    none: Mask
    heard_hz: Array
    """What SwiftF0 hears, whatever it thinks of it."""


def agreed(sound: Floats) -> Truth:
    """What SwiftF0 and pYIN agree on, for a sound at 16 kHz."""
    import librosa

    frames = len(sound) // (RATE // FRAME_RATE) + 1
    time_s = np.arange(frames) / FRAME_RATE
    f0_hz, confidence = listen(sound, RATE)
    at = np.clip(np.round(time_s / 0.016 - 0.5).astype(int), 0, len(f0_hz) - 1)
    other_hz, other, _ = librosa.pyin(
        sound, sr=RATE, fmin=60, fmax=1400, frame_length=1024, hop_length=160, fill_na=None
    )
    there = np.clip(np.round(time_s / 0.01).astype(int), 0, len(other_hz) - 1)
    one, two = confidence[at] >= 0.5, other[there]
    same = np.abs(np.log2(np.maximum(f0_hz[at], 1) / np.maximum(other_hz[there], 1))) < 50 / 1200
    return Truth(guarded(one & two & same), guarded(~one & ~two), f0_hz[at])


def guarded(mask: Mask, guard: int = GUARD) -> Mask:
    """Without its first and last frames wherever it begins and ends."""
    padded = np.pad(mask, guard, mode="edge")
    return np.logical_and.reduce([padded[k : k + len(mask)] for k in range(2 * guard + 1)])


def jumps_at_ends(controls: Controls, heard_hz: Array) -> tuple[int, int]:
    """Frames that leap by more than 80 cents at the end of a voiced stretch of 120 ms or more.

    Returns:
        All of them; those that leap to what SwiftF0 does not hear within 30 ms.
    """
    voiced = controls.voiced.astype(int)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], voiced, [0]])))
    count, wrong = 0, 0
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start < 2 * END:
            continue
        octaves, level_db = np.log2(controls.f0_hz[start:stop]), controls.loudness_db[start:stop]
        leaps = (np.abs(np.diff(octaves)) > NEAR) & (level_db[1:] > level_db.max() - 40)
        for i in 1 + np.flatnonzero(leaps)[np.flatnonzero(leaps) >= len(leaps) - END]:
            count += 1
            wrong += bool((np.abs(octaves[i] - np.log2(heard_hz[max(0, start + i - 6) : start + i + 7])) > NEAR).all())
    return count, wrong


def recordings(options: Options) -> tuple[Table, list[Goal]]:
    """Singing and speech."""
    rows: list[list[Cell]] = []
    sums: dict[tuple[str, str], np.ndarray] = {}
    groups = {"singing": SINGING[-1:] if options.quick else SINGING, "speech": SPEECH[:1] if options.quick else SPEECH}
    for group, names in groups.items():
        for name in names:
            sound, rate = audio.read(options.audio / "sources" / f"{name}.flac")
            sound = resample(sound - sound.mean(), rate, RATE)
            truth = agreed(sound)
            for tracker, track in TRACKERS.items():
                controls = track(sound)
                voiced = controls.voiced[: len(truth.none)]
                masks = (truth.pitched, truth.none, guarded(truth.none, INNER))
                counts = [int(count) for mask in masks for count in (voiced[mask].sum(), mask.sum())]
                both = np.array([*counts, *jumps_at_ends(controls, truth.heard_hz)])
                sums[group, tracker] = sums.get((group, tracker), np.zeros(8)) + both
                rows.append([name, tracker, *_shares(both)])
    for (group, tracker), counts in sums.items():
        rows.append([f"all {group}", tracker, *_shares(counts)])
    columns = {
        "recording": "",
        "analysis": "",
        "recall": ".2%",
        "false alarms": ".2%",
        "20 ms from edges": ".2%",
        "jumps at ends": "d",
        "unheard": "d",
    }
    sung, spoken = sums["singing", "live"].tolist(), sums["speech", "live"].tolist()
    goals = [
        at_least("live singing: recall of voicing", sung[0] / sung[1], 0.98, ".2%"),
        at_most("live singing: false alarms", sung[2] / sung[3], 0.10, ".2%"),
        at_most("live singing: frames that jump at ends of notes to what SwiftF0 does not hear", sung[7], 2, ".0f"),
        at_most("live speech: unvoiced frames taken for voiced", spoken[2] / spoken[3], 0.02, ".2%"),
    ]
    return Table(
        "Singing and speech: share of frames voiced where there is a pitch and where there is none", columns, rows
    ), goals


def _shares(counts: np.ndarray) -> list[Cell]:
    """Pairs of counts as shares, then what is left as it is."""
    right, pitched, alarms, none, inner, within, *rest = counts.tolist()
    return [right / max(1, pitched), alarms / max(1, none), inner / max(1, within), *map(int, rest)]


def attacks(options: Options) -> tuple[Table, list[Goal]]:
    """Labelled notes that the gate was not trained on: frames from the first within 20 dB of the loudest to voicing."""
    notes = [
        note
        for note in labelled(options.audio)
        if zlib.crc32(note.path.relative_to(options.audio).as_posix().encode()) % 5 == 0
    ]
    waits: dict[str, list[float]] = {}
    for note in progress(notes[:4] if options.quick else notes, "attacks"):
        sound, rate = audio.read(note.path)
        sound = np.concatenate([np.zeros(rate // 5, np.float32), sound[: 2 * rate] - sound.mean()])
        noise = np.random.default_rng(0).standard_normal(len(sound)).astype(np.float32)
        controls = analyze(sound + np.float32(1e-3 * np.abs(sound).max()) * noise, rate, lookahead=False)
        begun = int(np.argmax(controls.loudness_db > controls.loudness_db.max() - 20))
        after = controls.periodicity[begun:] >= 0.5
        off = np.abs(np.log2(np.maximum(controls.f0_hz[begun:], 1) / note.f0_hz)) < 70 / 1200
        waits.setdefault("voiced", []).append(1 + int(np.argmax(after)) if after.any() else math.inf)
        waits.setdefault("right", []).append(5.0 * (1 + int(np.argmax(off))) if off.any() else math.inf)
    rows: list[list[Cell]] = [
        ["voiced in frame", *(float(np.quantile(waits["voiced"], q, method="higher")) for q in (0.5, 0.75, 0.9))],
        [
            "within 70 cents after ms",
            *(float(np.quantile(waits["right"], q, method="higher")) for q in (0.5, 0.75, 0.9)),
        ],
    ]
    columns = {"": "", "median": ".0f", "three of four": ".0f", "nine of ten": ".0f"}
    return Table(
        f"{len(waits['voiced'])} notes that training never heard, live, from their first frame", columns, rows
    ), []


# --- exact sounds ----------------------------------------------------------------------------------------------------


def gaps(quick: bool) -> tuple[Table, list[Goal]]:
    """Melodies: gaps taken for notes, in noise of the whole melody's level less so much."""
    rows: list[list[Cell]] = []
    goals: list[Goal] = []
    for tracker, track in TRACKERS.items():
        for snr_db in (math.inf, 30.0, 10.0):
            counts = np.zeros(4)
            for band in BANDS_HZ:
                for seed in range(1 if quick else 3):
                    clip = melody(*band, seed, snr_db)
                    voiced = track(clip.sound.astype(np.float32)).voiced
                    at = voiced[np.minimum(np.round(clip.time_s * FRAME_RATE).astype(int), len(voiced) - 1)]
                    here = clip.sounding
                    counts += [at[here].sum(), here.sum(), at[~here].sum(), (~here).sum()]
            rows.append(
                [
                    tracker,
                    f"{snr_db:.0f} dB" if snr_db < math.inf else "clean",
                    float(counts[0] / counts[1]),
                    float(counts[2] / counts[3]),
                ]
            )
            if tracker == "live" and snr_db == 30:
                goals.append(
                    at_most("live, gaps at 30 dB SNR: frames voiced", float(counts[2] / counts[3]), 0.02, ".2%")
                )
    columns = {"analysis": "", "noise": "", "recall": ".2%", "gap frames voiced": ".2%"}
    return Table("Synthetic melodies in eight bands", columns, rows), goals


def onset(f0_hz: float, seed: int) -> tuple[Floats, int]:
    """A tone that starts within 2 ms in noise, and its first sample."""
    rng = np.random.default_rng([seed, round(f0_hz)])
    first, n = RATE // 2 + int(rng.integers(RATE // FRAME_RATE)), RATE
    order = np.arange(1, int(7000 / f0_hz) + 1)[:, None]
    phase = order * f0_hz * np.arange(n) / RATE + rng.random(order.shape)
    sound = (order ** -rng.uniform(0.9, 1.8) * np.sin(2 * np.pi * phase)).sum(0)
    sound *= 0.2 / sound.std() * np.clip((np.arange(n) - first) / 32, 0, 1)
    return (sound + 1e-3 * rng.standard_normal(n)).astype(np.float32), first


def onsets(quick: bool) -> tuple[Table, list[Goal]]:
    """How soon a sudden tone is known to have a pitch, and which."""
    rows: list[list[Cell]] = []
    second: list[bool] = []
    latest: dict[int, float] = {}
    for hz in ONSETS_HZ:
        frames, right = [], []
        for seed in range(3 if quick else 20):
            sound, first = onset(hz, seed)
            controls = TRACKERS["live"](sound)
            begun = first // (RATE // FRAME_RATE) + 1
            frames.append(1 + int(np.argmax(controls.periodicity[begun:] >= 0.5)))
            right.append(1000 * (_settled(controls, hz, begun) / FRAME_RATE - first / RATE))
        second += [frame <= 2 for frame in frames]
        latest[hz] = float(np.median(right))
        rows.append([f"{hz}", float(np.median(frames)), max(frames), latest[hz], max(right)])
    columns = {
        "Hz": "",
        "voiced in frame, median": ".0f",
        "latest": ".0f",
        "within 50 cents, ms, median": ".1f",
        "slowest": ".1f",
    }
    goals = [at_least("live, sudden tones: voiced by the second frame", float(np.mean(second)), 0.95, ".1%")]
    return Table("Sudden tones, live", columns, rows), goals


def _settled(controls: Controls, hz: float, begin: int) -> int:
    """The first of five frames within 50 cents."""
    right = np.abs(np.log2(np.maximum(controls.f0_hz, 1) / hz)) < 50 / 1200
    return next(i for i in range(begin, len(right)) if right[i : i + 5].all())


def steps() -> tuple[Table, list[Goal]]:
    """How soon a new pitch of a tone that sounds on is followed."""
    rows: list[list[Cell]] = []
    slowest = {55: 0.0, 111: 0.0}
    rng = np.random.default_rng(0)
    for before, after in STEPS_HZ:
        cycles = np.cumsum(np.where(np.arange(RATE) < RATE // 2, before, after)) / RATE
        count = int(min(40, 7500 / max(before, after)))
        sound = sum(k**-1.2 * np.sin(2 * np.pi * k * cycles) for k in range(1, count + 1))
        sound = 0.4 * sound / np.abs(sound).max() + 8e-4 * rng.standard_normal(RATE)
        controls = TRACKERS["live"](sound.astype(np.float32))
        settled = 5.0 * (_settled(controls, after, 100) - 100)
        slowest = {low: max(ms, settled) if after >= low else ms for low, ms in slowest.items()}
        rows.append([f"{before} to {after} Hz", settled, float(controls.periodicity[95:130].min())])
    columns = {"step": "", "within 50 cents, ms": ".0f", "lowest periodicity": ".2f"}
    goals = [
        at_most("live, steps to above 110 Hz: slowest", slowest[111], 20, ".0f", "ms"),
        at_most("live, steps to above 55 Hz: slowest", slowest[55], 40, ".0f", "ms"),
    ]
    return Table("A tone that changes its pitch, live", columns, rows), goals


def pitchless(quick: bool) -> Iterator[tuple[str, Array]]:
    """Sounds without a pitch, 10 s each."""
    rng = np.random.default_rng(1)
    n = RATE * (2 if quick else 10)
    hz = np.fft.rfftfreq(n, 1 / RATE)

    def band(low: float, high: float) -> Array:
        """White noise of unit variance within a band."""
        noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * ((hz > low) & (hz < high)), n)
        return noise / noise.std()

    def events(every_s: float, make: Callable[[int], Array], seconds: tuple[float, float]) -> Array:
        sound = 1e-4 * rng.standard_normal(n)
        for at in range(RATE // 2, n - RATE, round(every_s * RATE)):
            length = int(RATE * rng.uniform(*seconds))
            sound[at : at + length] += make(length)
        return sound

    hiss, mouth, t = band(4000, 7500), band(600, 3500), np.arange(n) / RATE
    yield "white noise", 0.1 * rng.standard_normal(n)
    slope = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) / np.maximum(hz, 40), n)
    yield "traffic", 0.05 * slope / slope.std() * (1 + 0.5 * np.sin(np.pi * t))
    yield "room", 0.003 * band(30, 500)
    yield "sibilants", events(0.6, lambda k: 0.1 * hiss[:k] * np.hanning(k), (0.01, 0.1))
    yield "breaths", events(0.8, lambda k: 0.05 * mouth[:k] * np.hanning(k), (0.2, 0.55))
    yield (
        "clicks",
        events(0.3, lambda k: 0.3 * rng.standard_normal(k) * np.exp(-np.arange(k) / rng.uniform(10, 80)), (0.05, 0.05)),
    )

    def thump(length: int) -> Array:
        ringing = (
            0.3 * np.sin(2 * np.pi * rng.uniform(60, 180) * t[:length]) * np.exp(-t[:length] / rng.uniform(0.006, 0.02))
        )
        return ringing + 0.1 * rng.standard_normal(length) * np.exp(-t[:length] / 0.004)

    yield "thumps", events(0.5, thump, (0.1, 0.1))


def nothing(quick: bool) -> tuple[Table, list[Goal]]:
    """Share of frames voiced where there is no pitch."""
    rows: list[list[Cell]] = []
    goals: list[Goal] = []
    for title, sound in pitchless(quick):
        shares = [float(track(sound.astype(np.float32)).voiced.mean()) for track in TRACKERS.values()]
        rows.append([title, *shares])
        goals.append(at_most(f"live, {title}: frames voiced", shares[0], 0.02, ".2%"))
    return Table(
        "Share of frames voiced where there is no pitch", {"sound": "", **dict.fromkeys(TRACKERS, ".2%")}, rows
    ), goals
