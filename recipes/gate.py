"""Train the gate: the small network in `engine/gate.c` that says how sure it is that a frame has a pitch.

`python recipes/gate.py [--recordings ../shared/audio]` writes `engine/gate_weights.h`; the same input and packages give
the same file. It learns from scenes of three seconds made up here:

- notes: sums of partials and voice-like pulses under formants, plucked and sustained, tied and apart, with attacks of
  0.3 to 80 ms; syllables that begin and end with breath; and single notes of the recordings' training set (CC0, CC BY,
  MIT; four of five files, the fifth is left for tests);
- between and under them what has no pitch: breaths, sibilants, bursts, clicks, thumps, and noise of all colours, 5 to
  70 dB below the notes; dry or in made-up rooms.

Truth is known, not measured, wherever a sound is made here: a frame has a pitch where a note's last 5 ms are within
30 dB of that note's loudest and not under the noise. What is in between (dying tails, breathy attacks, the first frame
of an onset) does not count. For recordings the tracker with look-ahead says it, on the clean recording.
"""

from __future__ import annotations

import argparse
import csv
import ctypes
import subprocess
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.signal as sig
import torch
from numpy.random import Generator
from speech import utterances

from retimbre import audio
from retimbre.analysis import analyze
from retimbre.engine import resample

ENGINE = Path(__file__).parents[1] / "engine"
TARGET = ENGINE / "gate_weights.h"
RATE, HOP, SECONDS = 16_000, 80, 3
FRAMES = SECONDS * 200
UNITS, INPUTS = 32, 24
SCALE = 1 / 24  # of the weights, stored as bytes
SCENES, STEPS, BATCH = 3000, 1600, 128
TALK = 0.45  # of the scenes are speech
SENTENCES = 400
PART, RUN_IN = 200, 20  # frames of a scene in a step, and those of them that only warm the network up
UNKNOWN = -1
NONE_COUNTS = 2  # a false alarm weighs so many frames missed


@dataclass(frozen=True, eq=False)
class Note:
    """A sound with a pitch [samples], and of each of its hops whether it has one: 1, 0 or UNKNOWN."""

    sound: np.ndarray
    truth: np.ndarray


# --- what has a pitch ------------------------------------------------------------------------------------------------


def hop_power(sound: np.ndarray) -> np.ndarray:
    """Mean square of each hop."""
    return np.square(sound[: len(sound) // HOP * HOP].reshape(-1, HOP)).mean(1)


def closed(mask: np.ndarray, reach: int = 5) -> np.ndarray:
    """Gaps of less than `reach` filled: between the pulses of a low note it sounds on."""
    before = np.logical_or.reduce([np.pad(mask, (k, 0))[: len(mask)] for k in range(reach + 1)])
    after = np.logical_or.reduce([np.pad(mask, (0, k))[k:] for k in range(reach + 1)])
    return before & after


def known(sound: np.ndarray) -> np.ndarray:
    """Truth about a sound made here: pitched down to 30 dB below its loudest, not below 45."""
    power = hop_power(sound)
    loudest = power.max() + 1e-12
    return np.where(closed(power > 1e-3 * loudest), 1, np.where(power > 10**-4.5 * loudest, UNKNOWN, 0))


def envelope(n: int, rng: Generator) -> np.ndarray:
    """A rise within 0.3 to 80 ms, a plucked or sustained middle, an end."""
    t = np.arange(n) / RATE
    rise = np.clip(t / np.exp(rng.uniform(np.log(3e-4), np.log(0.08))), 0, 1) ** rng.uniform(0.7, 2)
    if rng.random() < 0.4:  # plucked
        return rise * np.exp(-t / np.exp(rng.uniform(np.log(0.04), np.log(1.0))))
    swell = 1 + rng.uniform(0, 0.4) * np.sin(2 * np.pi * rng.uniform(2, 7) * t + 6 * rng.random())
    return rise * swell * np.clip((n / RATE - t) / np.exp(rng.uniform(np.log(4e-3), np.log(0.2))), 0, 1)


def melody(n: int, rng: Generator) -> np.ndarray:
    """Pitch in Hz [n]: one note, or some tied ones, with vibrato or a glide."""
    middle = np.exp(rng.normal(np.log(230), 0.8))
    octaves = np.full(n, np.log2(np.clip(middle, 40, 2800)))
    t = np.arange(n) / RATE
    while rng.random() < 0.35:  # tied to the next
        at, width = rng.uniform(0, n / RATE), rng.choice([0.002, 0.02, 0.06])
        octaves += rng.normal(0, 0.4) * np.clip((t - at) / width, 0, 1)
    octaves += rng.uniform(0, 0.04) * np.sin(2 * np.pi * rng.uniform(4, 7) * t) + rng.normal(0, 0.15) * t
    return np.clip(2**octaves, 38, 3200)


def partials(n: int, rng: Generator) -> np.ndarray:
    """A sum of partials that fall off, some missing."""
    f0_hz = melody(n, rng)
    cycles = np.cumsum(f0_hz) / RATE
    count = int(np.clip(7400 / f0_hz.max(), 1, 40))
    order = np.arange(1, count + 1)
    weights = order ** -rng.choice([rng.uniform(0.6, 2), rng.uniform(2, 5)]) * np.exp(rng.normal(0, 0.6, count))
    if rng.random() < 0.3:
        weights[0] *= rng.uniform(0, 0.3)
    sound = sum(w * np.sin(2 * np.pi * (k * cycles + rng.random())) for k, w in zip(order, weights, strict=True))
    return np.asarray(sound)


def formants(rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """A vowel: the denominators of three resonances and their gains."""
    hz = np.array([rng.uniform(250, 850), rng.uniform(800, 2300), rng.uniform(2300, 3200)])
    radius = np.exp(-np.pi * rng.uniform(60, 160, 3) / RATE)
    return np.stack([np.ones(3), -2 * radius * np.cos(2 * np.pi * hz / RATE), radius**2], 1), 1 - radius


def through(mouth: tuple[np.ndarray, np.ndarray], sound: np.ndarray) -> np.ndarray:
    """A source, spoken."""
    for denominator, gain in zip(*mouth, strict=True):
        sound = sig.lfilter([gain], denominator, sound)
    return sig.lfilter([1, -1], [1, -0.98], sound)


def voice(n: int, rng: Generator, mouth: tuple[np.ndarray, np.ndarray] | None = None) -> np.ndarray:
    """Pulses of a moving, jittering pitch through formants."""
    octaves = np.log2(np.exp(rng.normal(np.log(170), 0.4))) + np.cumsum(rng.normal(0, 1e-3, n))
    octaves += 0.3 * np.interp(np.arange(n), np.linspace(0, n, 6), rng.normal(0, 1, 6))
    cycles = np.cumsum(np.clip(2**octaves, 60, 700)) / RATE
    pulses = np.diff(np.floor(cycles + rng.normal(0, 0.004, n)), prepend=0).clip(0, 1)
    pulses = sig.lfilter([1, 0.4], [1, -rng.uniform(0.85, 0.97)], pulses)
    sound = through(mouth or formants(rng), pulses)
    return sound + rng.uniform(0, 0.05) * sound.std() * rng.standard_normal(n)


def syllable(rng: Generator) -> Note:
    """Breath through the mouth that will voice it, a vowel, and perhaps breath again."""
    mouth, n = formants(rng), round(RATE * np.exp(rng.uniform(np.log(0.05), np.log(0.5))))
    vowel = voice(n, rng, mouth)
    rise, fall = (np.exp(rng.uniform(np.log(2e-3), np.log(0.05))) for _ in range(2))
    t = np.arange(n) / RATE
    vowel *= np.clip(t / rise, 0, 1) * np.clip((n / RATE - t) / fall, 0, 1) / (np.abs(vowel).max() + 1e-9)
    parts, truth = [vowel], [known(vowel)]
    for place in (0, 1):
        if rng.random() < 0.6:
            length = HOP * round(rng.integers(2, 30))
            whisper = through(mouth, rng.standard_normal(length)) if rng.random() < 0.6 else colour(length, rng)
            shape = np.exp(-np.arange(length) / length * rng.uniform(0, 5)) * np.clip(np.arange(length) / 40, 0, 1)
            shape *= np.clip((length - np.arange(length)) / 80, 0, 1)
            whisper *= rng.uniform(0.02, 0.4) * (shape if place == 0 or rng.random() < 0.5 else shape[::-1])
            parts.insert(len(parts) * place, whisper / (np.abs(whisper).max() + 1e-9) * rng.uniform(0.02, 0.6))
            truth.insert(len(truth) * place, np.zeros(length // HOP, int))
    sound = np.concatenate(parts)
    return Note(sound[: len(sound) // HOP * HOP], np.concatenate(truth)[: len(sound) // HOP])


def made_note(rng: Generator) -> Note:
    """A syllable, a note, or some tied ones."""
    if rng.random() < 0.35:
        return syllable(rng)
    n = round(RATE * np.exp(rng.uniform(np.log(0.06), np.log(3.0))))
    sound = (voice if rng.random() < 0.2 else partials)(n, rng)
    sound = sound / (np.abs(sound).max() + 1e-9) * envelope(n, rng)
    truth = known(sound)
    if rng.random() < 0.3:  # the pick, the key, the consonant
        length = min(n, rng.integers(30, 400))
        sound[:length] += rng.uniform(0.05, 0.5) * burst(length, rng)
    return Note(sound, truth)


def recorded_notes(folder: Path) -> list[Note]:
    """Single notes of the training recordings, four of five of the files."""
    notes = []
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == "train" and row["midi"]]
    for row in rows:
        if zlib.crc32(row["file"].encode()) % 5 == 0:
            continue
        sound, rate = audio.read(folder / row["file"])
        sound = resample(sound[: 3 * rate] - sound.mean(), rate, RATE)
        sound = sound / (np.abs(sound).max() + 1e-9)
        frames = len(sound) // HOP
        controls, power = analyze(sound, RATE), hop_power(sound)
        voiced = controls.voiced[1 : frames + 1]
        loud, soft = closed(power > 1e-3 * power.max()), power < 1e-5 * power.max()
        truth = np.where(voiced & loud, 1, np.where(~voiced & soft, 0, UNKNOWN))
        notes.append(Note(sound[: frames * HOP].astype(float), truth))
    return notes


def cut(note: Note, rng: Generator) -> Note:
    """From the beginning of a note, or from within, some of it."""
    frames = len(note.truth)
    start = 0 if rng.random() < 0.7 else rng.integers(0, max(1, frames - 20))
    stop = min(frames, start + rng.integers(15, 260))
    sound = note.sound[start * HOP : stop * HOP].copy()
    fade = min(len(sound), rng.integers(20, 800))
    sound[len(sound) - fade :] *= np.linspace(1, 0, fade)
    truth = note.truth[start:stop].copy()
    truth[max(0, len(truth) - 1 - fade // HOP) :] = UNKNOWN
    return Note(sound, truth)


# --- what has none ---------------------------------------------------------------------------------------------------


def colour(n: int, rng: Generator) -> np.ndarray:
    """Noise of a random slope and some broad bumps."""
    hz = np.fft.rfftfreq(n, 1 / RATE)
    shape = np.maximum(hz, 30) ** -rng.uniform(-0.3, 1.2)
    for _ in range(rng.integers(0, 4)):
        centre = np.exp(rng.uniform(np.log(80), np.log(6000)))
        shape *= 1 + rng.uniform(0, 6) * np.exp(-0.5 * (np.log2(np.maximum(hz, 1) / centre) / rng.uniform(0.3, 1)) ** 2)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * shape, n)
    return noise / (noise.std() + 1e-12)


def burst(n: int, rng: Generator) -> np.ndarray:
    """Noise that dies away."""
    return 0.4 * colour(n, rng) * np.exp(-np.arange(n) / (n * rng.uniform(0.08, 0.5)))


def event(rng: Generator) -> np.ndarray:
    """Something without a pitch: a sibilant, a breath, a burst, a click, a thump."""
    kind = rng.choice(5)
    if kind == 0:  # s, sh, f, and whispers
        n = rng.integers(480, 4800)
        low = rng.uniform(1500, 5000)
        band = sig.butter(2, [low, min(7900, low * rng.uniform(1.3, 3))], "band", fs=RATE, output="sos")
        noise = sig.sosfilt(band, rng.standard_normal(n))
        return 0.3 * noise / noise.std() * np.sin(np.pi * np.linspace(0, 1, n)) ** rng.uniform(0.2, 1)
    if kind == 1:  # breath
        n = rng.integers(2000, 12000)
        return 0.2 * colour(n, rng) * np.sin(np.pi * np.linspace(0, 1, n)) ** rng.uniform(0.5, 2)
    if kind == 2:
        return burst(rng.integers(200, 3000), rng)
    n = rng.integers(200, 2400)
    t = np.arange(n) / RATE
    sound = rng.uniform(0, 0.5) * burst(n, rng)
    low, high, decay = (800, 6000, 0.003) if kind == 3 else (50, 400, 0.012)
    for _ in range(rng.integers(1, 4)):  # clicks and thumps ring, and are over before a pitch is heard
        hz = np.exp(rng.uniform(np.log(low), np.log(high)))
        sound += np.sin(2 * np.pi * hz * t + rng.random()) * np.exp(-t / (decay * rng.uniform(0.2, 1)))
    return sound


def background(rng: Generator) -> np.ndarray:
    """The noise of a place: steady, or swelling as traffic does."""
    n = SECONDS * RATE
    noise = colour(n, rng)
    if rng.random() < 0.3:
        noise *= np.exp(np.interp(np.arange(n), np.linspace(0, n, 12), rng.normal(0, 0.7, 12)))
    return noise


def hum(rng: Generator) -> np.ndarray:
    """What leaks from the mains: 50 or 60 Hz and multiples."""
    t = np.arange(SECONDS * RATE) / RATE
    hz = rng.choice([50, 60])
    return np.asarray(
        sum(rng.random() / k * np.sin(2 * np.pi * (hz * k * t + rng.random())) for k in (1, 2, 3, 4, 5, 6))
    )


# --- scenes ----------------------------------------------------------------------------------------------------------


def reverberant(sounds: list[np.ndarray], rng: Generator) -> list[np.ndarray]:
    """Both in one room."""
    decay_s = np.exp(rng.uniform(np.log(0.15), np.log(2.5)))
    t = np.arange(round(min(decay_s, 1.5) * RATE)) / RATE
    tail = rng.standard_normal(len(t)) * 10 ** (-3 * t / decay_s)
    tail *= 10 ** (-rng.uniform(0, 18) / 20) / np.linalg.norm(tail)
    tail[: rng.integers(1, 400)] = 0
    tail[0] = 1
    return [sig.fftconvolve(sound, tail)[: len(sound)] for sound in sounds]


def scene(recorded: list[Note], spoken: list[Note], rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sound [SECONDS RATE] and truth [FRAMES + 1]: 1, 0 or UNKNOWN of every frame."""
    n = SECONDS * RATE
    notes, other, truth = np.zeros(n), np.zeros(n), np.zeros(FRAMES, int)
    at = 0 if rng.random() < 0.3 else round(rng.uniform(0, 0.5) * 200)
    pitched = rng.choice([0, 0.4, 0.7, 1.0], p=[0.1, 0.35, 0.4, 0.15])
    talk = rng.random() < TALK
    while at < FRAMES:
        level = 10 ** (-rng.uniform(0, 20) / 20)
        if rng.random() < pitched:
            if talk:
                note = cut(spoken[rng.integers(len(spoken))], rng)
            else:
                note = cut(recorded[rng.integers(len(recorded))], rng) if rng.random() < 0.5 else made_note(rng)
            late = rng.integers(HOP)  # onsets fall anywhere in a hop
            sound = np.pad(level * note.sound, (late, 0))[: n - at * HOP]
            notes[at * HOP : at * HOP + len(sound)] += sound
            found = np.pad(note.truth, (0, 1), constant_values=UNKNOWN if late else 0)[: FRAMES - at]
            part = truth[at : at + len(found)]
            part[:] = np.where((found == 1) | (part == 1), 1, np.where(found == UNKNOWN, UNKNOWN, part))
            if late and len(found):  # the first hop holds little of it
                part[0] = UNKNOWN if late > 30 else part[0]
            length = len(note.truth)
        else:
            sound = level * event(rng)[: n - at * HOP]
            other[at * HOP : at * HOP + len(sound)] += sound
            length = len(sound) // HOP
        at += max(1, round(length * rng.uniform(0.6, 1))) if rng.random() < 0.3 else length + 1
        if rng.random() < 0.6:
            at += round(200 * np.exp(rng.uniform(np.log(0.01), np.log(0.6))))
    if rng.random() < 0.35:
        dry = hop_power(notes)
        notes, other = reverberant([notes, other], rng)
        wet = hop_power(notes)
        recent = np.array([dry[max(0, i - 60) : i + 1].max() for i in range(FRAMES)])
        rings = (truth != 1) & (wet > 1e-5 * recent) & (wet > 0)
        truth[rings] = UNKNOWN
    loudness = np.sqrt(np.mean(notes[notes != 0] ** 2)) if notes.any() else 0.1
    if rng.random() < 0.85:
        other += background(rng) * loudness * 10 ** (-rng.uniform(5, 70) / 20)
    signal, noise = hop_power(notes), hop_power(other)
    if rng.random() < 0.2:  # has a pitch, but nobody wants to hear it
        mains = hum(rng) * loudness * 10 ** (-rng.uniform(38, 60) / 20)
        other += mains
    noise = np.convolve(noise, np.ones(4) / 4, "same")
    near = np.array([signal[max(0, i - 4) : i + 1].max() for i in range(FRAMES)])
    truth = np.where((truth == 1) & (near < 0.4 * noise), UNKNOWN, truth)
    truth = np.where((truth != 0) & (near < 10**-2.5 * noise), 0, truth)
    sound = (notes + other) * 10 ** (-rng.uniform(0, 45) / 20)
    return sound.astype(np.float32), np.concatenate([[0], truth])


# --- training --------------------------------------------------------------------------------------------------------


def library(folder: Path) -> ctypes.CDLL:
    """The engine's analysis, compiled for this machine."""
    path = folder / "gate.so"
    sources = [*sorted(ENGINE.glob("*.c")), Path(__file__).with_name("gate_inputs.c")]
    flags = ["-O2", "-ffp-contract=off", "-fno-strict-aliasing", "-w", "-shared", "-fPIC", f"-I{ENGINE}"]
    subprocess.run([sys.executable, "-m", "ziglang", "cc", *flags, *map(str, sources), "-o", str(path)], check=True)
    return ctypes.CDLL(str(path))


def inputs(engine: ctypes.CDLL, sound: np.ndarray) -> np.ndarray:
    """What the gate sees of a sound at 16 kHz, [frames, INPUTS + 2]: with pitch and clarity of the best candidate."""
    sound = np.ascontiguousarray(sound, np.float32)
    rows = np.zeros((len(sound) // HOP + 1, INPUTS + 2), np.float32)
    pointer = ctypes.POINTER(ctypes.c_float)
    engine.gate_rows(sound.ctypes.data_as(pointer), len(sound) // HOP, rows.ctypes.data_as(pointer))
    return rows


class Gate(torch.nn.Module):
    """The network of `engine/gate.c`."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.out = torch.nn.GRU(INPUTS, UNITS, batch_first=True), torch.nn.Linear(UNITS, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Inputs [batch, frames, INPUTS] to what the last sigmoid takes, [batch, frames]."""
        return self.out(self.gru(x)[0])[..., 0]


def weights_of(truth: np.ndarray) -> np.ndarray:
    """How much each frame counts: those just after an onset or an end more, the unknown not at all."""
    weight = (truth != UNKNOWN) * np.where(truth == 0, NONE_COUNTS, 1).astype(np.float32)
    onset = (truth[:, 1:] == 1) & (truth[:, :-1] != 1)
    for k in range(4):
        weight[:, 1 + k :] *= np.where(onset[:, : onset.shape[1] - k], 5, 1)
    return weight


def train(x: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor, steps: int) -> Gate:
    """Fit; the last tenth of the scenes only watch."""
    gate, count = Gate(), len(x) * 9 // 10
    optimizer = torch.optim.AdamW(gate.parameters(), lr=0.01, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, steps)
    order = torch.Generator().manual_seed(0)
    for step in range(steps):
        pick = torch.randint(count, (BATCH, 1), generator=order)
        first = torch.randint(-RUN_IN, FRAMES + 1 - PART, (BATCH, 1), generator=order).clamp(min=0)
        part = (pick, first + torch.arange(PART))
        part_weight = weight[part].clone()
        part_weight[(first > 0)[:, 0], :RUN_IN] = 0
        if step > steps * 3 // 4:
            with torch.no_grad():  # as bytes can hold them
                for parameter in gate.parameters():
                    parameter.clamp_(-127 * SCALE, 127 * SCALE)
        y = gate(x[part])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(y, truth[part], part_weight, reduction="sum")
        loss = loss / part_weight.sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(gate.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == steps - 1:
            with torch.no_grad():
                p = gate(x[count:]) >= 0
            there, none = (truth[count:] == 1) & (weight[count:] > 0), (truth[count:] == 0) & (weight[count:] > 0)
            recall, alarms = p[there].float().mean(), p[none].float().mean()
            print(f"step {step}: loss {loss:.4f}, held out: recall {recall:.4f}, false alarms {alarms:.4f}", flush=True)
    return gate


def as_bytes(name: str, values: torch.Tensor) -> str:
    """A C array."""
    whole = torch.round(values.detach().flatten() / SCALE).clamp(-127, 127).int().tolist()
    lines = [", ".join(map(str, whole[at : at + 24])) for at in range(0, len(whole), 24)]
    return f"static const signed char {name}[{len(whole)}] = {{\n  " + ",\n  ".join(lines) + "};\n"


def header(gate: Gate) -> str:
    """gate_weights.h."""
    return "".join(
        [
            "/* Written by recipes/gate.py: the network of gate.c. */\n",
            f"#define GATE_UNITS {UNITS}\n#define GATE_SCALE {SCALE:.9g}f\n",
            as_bytes("GATE_IN", gate.gru.weight_ih_l0.T),
            as_bytes("GATE_BACK", gate.gru.weight_hh_l0.T),
            as_bytes("GATE_BIAS", torch.cat([gate.gru.bias_ih_l0, gate.gru.bias_hh_l0])),
            as_bytes("GATE_OUT", torch.cat([gate.out.weight[0], gate.out.bias])),
        ]
    )


def main() -> None:
    """Make the scenes, train, write the header."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=Path, default=Path("../shared/audio"))
    parser.add_argument("--keep", type=Path, help="file of the scenes, to try other settings on")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--scenes", type=int, default=SCENES)
    parser.add_argument("-o", "--out", type=Path, default=TARGET)
    options = parser.parse_args()
    torch.manual_seed(0)
    if options.keep and options.keep.exists():
        made = np.load(options.keep)
        x, truth = made["x"], made["truth"]
    else:
        recorded = recorded_notes(options.recordings)
        spoken = [Note(sound / np.abs(sound).max(), truth) for sound, truth in utterances(SENTENCES)]
        print(f"{len(recorded)} recorded notes, {len(spoken)} sentences", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            engine = library(Path(folder))
            scenes = [scene(recorded, spoken, np.random.default_rng(seed)) for seed in range(options.scenes)]
            x = np.stack([inputs(engine, sound)[:, :INPUTS] for sound, _ in scenes])
        truth = np.stack([truth for _, truth in scenes])
        if options.keep:
            np.savez(options.keep, x=x, truth=truth)
    weight = weights_of(truth)
    print(f"{(truth == 1).mean():.3f} of the frames pitched, {(truth == UNKNOWN).mean():.3f} unknown", flush=True)
    gate = train(torch.tensor(x), torch.tensor(truth == 1).float(), torch.tensor(weight), options.steps)
    options.out.write_text(header(gate), encoding="utf-8")


if __name__ == "__main__":
    main()
