"""Sounds for the gallery, computed: whistles, sirens, birds and toys of the project's own, [samples] at `RATE` each.

A melodic one is drawn in two steps: curves of pitch and level that a player would make of a tune (`Line`), and a
voice that sounds them. The same seed gives the same sound.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tunes import Note

Curve = NDArray[np.float64]

RATE = 48_000


class Line(NamedTuple):
    """What a player does: pitch in MIDI numbers and level from 0 to 1, [samples] each."""

    pitch: Curve
    level: Curve


def smooth(curve: Curve, seconds: float) -> Curve:
    """Without corners: a mean over a raised cosine so long."""
    window = np.hanning(int(seconds * RATE) | 1)
    half = len(window) // 2
    padded = np.pad(curve, half, mode="edge")
    n_fft = 1 << int(np.ceil(np.log2(len(padded) + len(window))))
    product = np.fft.rfft(padded, n_fft) * np.fft.rfft(window / window.sum(), n_fft)
    return np.fft.irfft(product, n_fft)[2 * half :][: len(curve)]


def wandering(seed: int, n: int, seconds: float) -> Curve:
    """Noise of unit variance that changes in about so long, [n]."""
    curve = smooth(np.random.default_rng(seed).standard_normal(n), seconds)
    return curve / curve.std()


def line(
    tune: list[Note],
    beat_s: float,
    *,
    glide_s: float = 0.05,
    vibrato: float = 0.3,
    gap_s: float = 0.05,
    lead_s: float = 0.2,
    swell: float = 0.3,
    drift: float = 0.04,
    seed: int = 1,
) -> Line:
    """A tune as somebody might play it.

    Args:
        tune: its notes.
        beat_s: seconds of a beat.
        glide_s: in which the pitch moves from note to note.
        vibrato: semitones to one side, once it has grown in; short notes have none.
        gap_s: silence before a note that is not slurred.
        lead_s: silence at first.
        swell: how much louder the middle of a note is than its ends.
        drift: semitones by which the pitch wanders.
        seed: of what nobody does twice the same.
    """
    rng = np.random.default_rng(seed)
    seconds = lead_s + beat_s * sum(note.beats for note in tune)
    time_s = np.arange(round(seconds * RATE)) / RATE
    pitch = np.full(len(time_s), float(next(note.key for note in tune if note.key is not None)))
    level, depth = np.zeros(len(time_s)), np.zeros(len(time_s))
    start_s = lead_s
    for note, after in zip(tune, [*tune[1:], Note(None, 1)], strict=True):
        stop_s = start_s + note.beats * beat_s
        if note.key is not None:
            since_s = time_s - start_s - (0 if note.slurred else float(rng.normal(0, 0.006)))
            length_s = stop_s - start_s - (0 if after.slurred else gap_s)
            sounding = (since_s >= 0) & (since_s < length_s)
            pitch[since_s >= -0.5 * gap_s] = note.key
            level[sounding] = (1 - swell * np.square(2 * since_s / length_s - 1) + float(rng.normal(0, 0.03)))[sounding]
            depth[sounding] = (vibrato * np.clip((since_s - 0.25) / 0.4, 0, 1))[sounding]
        start_s = stop_s
    turns = np.cumsum(5.4 + 0.3 * wandering(seed + 1, len(time_s), 0.8)) / RATE
    pitch = smooth(pitch, glide_s) + smooth(depth, 0.1) * np.sin(2 * np.pi * turns)
    return Line(pitch + drift * wandering(seed + 2, len(time_s), 0.3), smooth(level, 0.045))


def phase_of(pitch: Curve) -> Curve:
    """Radians of the fundamental."""
    return 2 * np.pi * np.cumsum(440 * 2 ** ((pitch - 69) / 12)) / RATE


def harmonics(pitch: Curve, amplitudes: list[float]) -> Curve:
    """Tones at multiples of the pitch, faded out below half the rate."""
    phase, hz = phase_of(pitch), 440 * 2 ** ((pitch - 69) / 12)
    sound = np.zeros(len(pitch))
    for k, amplitude in enumerate(amplitudes, 1):
        if amplitude:
            sound += amplitude * np.clip(6 - 6 * k * hz / 20_000, 0, 1) * np.sin(k * phase)
    return sound


def hiss(seed: int, n: int, centre_hz: float, octaves: float) -> Curve:
    """Noise of unit variance around a frequency."""
    hz = np.fft.rfftfreq(n, 1 / RATE)
    shape = np.exp(-0.5 * np.square(np.log2((hz + 1) / centre_hz) / octaves))
    noise = np.fft.irfft(np.fft.rfft(np.random.default_rng(seed).standard_normal(n)) * shape, n)
    return noise / noise.std()


def finished(sound: Curve, floor_db: float = -75.0) -> Curve:
    """With a peak of -3 dB, over the noise of a quiet room."""
    sound = sound * 10 ** (-3 / 20) / np.abs(sound).max()
    return sound + 10 ** (floor_db / 20) * hiss(99, len(sound), 200, 2)


def whistled(played: Line) -> Curve:
    """By lips: nearly a sine, and breath around it."""
    pitch, level = played
    n, phase = len(pitch), phase_of(pitch)
    around = wandering(3, n, 0.006) * np.cos(phase) + wandering(4, n, 0.006) * np.sin(phase)
    sound = level * harmonics(pitch, [1, 0.02, 0.008]) + 0.02 * level * around
    return finished(sound + 0.012 * level * hiss(5, n, 3500, 0.9))


def theremin(played: Line) -> Curve:
    """A soft sawtooth that never lets go of its pitch."""
    pitch, level = played
    return finished(level * harmonics(pitch, [1 / k**1.7 for k in range(1, 12)]))


def chip(played: Line) -> Curve:
    """A square wave, as out of a toy of 1985."""
    pitch, level = played
    steps = np.round(8 * level) / 8
    return finished(smooth(steps, 0.004) * harmonics(pitch, [1 / k if k % 2 else 0 for k in range(1, 30)]))


def kazoo(played: Line) -> Curve:
    """A hum through a membrane that rattles."""
    pitch, level = played
    hum = level * harmonics(pitch, [np.exp(-(((k - 6) / 5) ** 2)) + 0.5 / k for k in range(1, 25)])
    return finished(np.tanh(1.5 * hum) + 0.02 * level * hiss(6, len(pitch), 4000, 0.7))


def plucked(tune: list[Note], beat_s: float, lead_s: float = 0.15, tail_s: float = 1.0) -> Curve:
    """Bars of a toy piano: partials of a free bar, struck and left alone."""
    sound = np.zeros(round(RATE * (lead_s + tail_s + beat_s * sum(note.beats for note in tune))))
    start_s = lead_s
    for note in tune:
        if note.key is not None:
            hz = 440 * 2 ** ((note.key - 69) / 12)
            time_s = np.arange(round(RATE * note.beats * beat_s)) / RATE
            held = np.clip((time_s[-1] - time_s) / 0.04, 0, 1) * np.clip(time_s / 0.003, 0, 1)
            tone = sum(
                a * np.exp(-time_s / t) * np.sin(2 * np.pi * hz * r * time_s)
                for r, a, t in ((1, 1.0, 0.9), (2, 0.35, 0.5), (3, 0.12, 0.3), (5.4, 0.08, 0.05))
                if hz * r < 20_000
            )
            at = round(start_s * RATE)
            sound[at : at + len(time_s)] += (held * tone)[: len(sound) - at]
        start_s += note.beats * beat_s
    return finished(sound)


def siren(seconds: float = 10.0) -> Curve:
    """An ambulance: two tones a fourth apart; it comes near, passes at 5 s, and so its pitch falls by a tone."""
    time_s = np.arange(round(seconds * RATE)) / RATE
    high = (time_s % 1.6) < 0.8
    pitch = smooth(np.where(high, 74.0, 69.0), 0.03)
    place_m = 14.0 * (time_s - seconds / 2)
    distance_m = np.hypot(place_m, 12.0)
    away = 14.0 * place_m / distance_m  # m/s
    pitch = pitch + 12 * np.log2(343 / (343 + away))
    level = smooth(np.clip(np.minimum(time_s, seconds - 0.5 - time_s) / 0.4, 0, 1), 0.1) * 20 / (distance_m + 8)
    return finished(level * harmonics(pitch, [1, 0.6, 0.7, 0.3, 0.35, 0.15, 0.1]))


def slide_whistle() -> Curve:
    """Up, down, and a last climb that ends in a wobble."""
    marks = [
        (0.2, 74),
        (1.3, 93),
        (1.6, 93),
        (3.0, 72),
        (3.4, 72),
        (4.2, 86),
        (4.9, 77),
        (5.7, 91),
        (6.0, 91),
        (8.2, 69),
    ]
    marks += [(8.6, 69), (9.4, 98), (10.6, 98)]
    seconds = 11.0
    time_s = np.arange(round(seconds * RATE)) / RATE
    pitch = smooth(np.interp(time_s, *np.array(marks).T), 0.15)
    pitch += 0.7 * np.clip((time_s - 9.5) / 0.5, 0, 1) * np.sin(2 * np.pi * 6 * time_s)
    rests = [(0, 0.2), (1.62, 1.75), (3.1, 3.4), (6.02, 6.2), (8.3, 8.6), (10.6, 12)]
    level = np.prod([1.0 - ((time_s >= a) & (time_s < b)) for a, b in rests], axis=0)
    level = smooth(level, 0.06)
    return whistled(Line(pitch, level))


def blackbird(seed: int = 8) -> Curve:
    """Phrases of fluted notes with turns, from high to higher, and a pause to listen after each."""
    rng = np.random.default_rng(seed)
    marks: list[tuple[float, float, float]] = [(0.0, 91.0, 0.0)]
    at = 0.3
    for _ in range(5):
        for _ in range(int(rng.integers(4, 7))):
            length = float(rng.uniform(0.11, 0.34))
            key = float(rng.choice([86, 88, 90, 91, 93, 95, 98]))
            bend = float(rng.choice([-3, -1, 0, 2, 4]))
            marks += [
                (at, key, 0),
                (at + 0.02, key, 1),
                (at + length - 0.03, key + bend, 0.9),
                (at + length, key + bend, 0),
            ]
            at += length + float(rng.uniform(0.03, 0.08))
        at += float(rng.uniform(0.45, 0.8))
    times, keys, levels = np.array(marks).T
    time_s = np.arange(round((at + 0.2) * RATE)) / RATE
    pitch = smooth(np.interp(time_s, times, keys), 0.02)
    return whistled(Line(pitch, smooth(np.interp(time_s, times, levels), 0.012)))


def sweep() -> Curve:
    """A sine that climbs four octaves, and falls back in half the time."""
    marks = [(0.2, 36), (5.2, 84), (5.6, 84), (8.2, 36), (9.2, 36)]
    time_s = np.arange(round(9.7 * RATE)) / RATE
    pitch = smooth(np.interp(time_s, *np.array(marks).T), 0.1)
    level = smooth(((time_s > 0.2) & (time_s < 9.1)).astype(float), 0.1)
    return finished(level * harmonics(pitch, [1, 0.3, 0.15, 0.08]))


def mosquito(played: Line) -> Curve:
    """Wings: a thin sawtooth that trembles, comes near and goes."""
    pitch, level = played
    time_s = np.arange(len(pitch)) / RATE
    near = 0.6 + 0.4 * np.sin(2 * np.pi * 0.31 * time_s - 1)
    wings = harmonics(pitch + 0.15 * wandering(7, len(pitch), 0.02), [0.6, 1, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    return finished(near * level * wings)


_MORSE = {
    "H": "....", "E": ".", "L": ".-..", "O": "---", "W": ".--", "R": ".-.", "D": "-..", " ": " ",
}  # fmt: skip


def morse(text: str, key: float = 76.0, dot_s: float = 0.1) -> Curve:
    """A text as it was sent over wires."""
    steps = [0.0] * 3
    for letter in text:
        for sign in _MORSE[letter]:
            steps += [1.0] * {".": 1, "-": 3, " ": 0}[sign] + [0.0] * {".": 1, "-": 1, " ": 4}[sign]
        steps += [0.0] * 2
    level = smooth(np.repeat(np.array([*steps, 0.0, 0.0]), round(dot_s * RATE)), 0.012)
    return finished(level * harmonics(np.full(len(level), key), [1, 0, 0.2, 0, 0.05]))
