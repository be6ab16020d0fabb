"""Sounds with exactly known pitch: melodies with vibrato, glides and gaps, steady tones, noise.

The recipe of the melodies is that of the survey of pitch trackers on which the engine's tracker was chosen: notes of
0.22 to 0.6 s on random semitones, half of them tied to the next, under a formant-like spectrum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retimbre.engine import FRAME_RATE
from retimbre.instrument import SynthParams, synthesize

Array = npt.NDArray[np.floating]

RATE = 16_000
GRID = 64
"""Samples from one known pitch to the next (4 ms)."""

AUDIBLE = 0.02
"""Envelope above which there is a note."""


@dataclass(frozen=True, eq=False)
class Clip:
    """A sound at 16 kHz with the truth about it: pitch and whether it sounds, every 4 ms."""

    sound: Array
    time_s: Array
    f0_hz: Array
    sounding: npt.NDArray[np.bool_]


def curves(low_hz: float, high_hz: float, seconds: float, rate: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Pitch in Hz, held where nothing sounds, and envelope of a melody, [seconds rate] each."""
    time_s = np.arange(round(seconds * rate)) / rate
    lowest, highest = (69 + 12 * math.log2(edge / 440) for edge in (low_hz, high_hz))
    semitones = np.arange(math.ceil(lowest), math.floor(highest) + 1)
    midi, envelope = np.full(len(time_s), float(semitones[0])), np.zeros(len(time_s))
    start, tied, level = 0.15, False, 0.0
    while start + 0.1 < seconds:
        length = min(rng.uniform(0.22, 0.6), seconds - start)
        part = (time_s >= start) & (time_s < start + length)
        t = time_s[part] - start
        pitch = rng.choice(semitones) + rng.uniform(-0.3, 0.3)
        before = midi[part][0] if tied else pitch
        vibrato = rng.uniform(0.15, 0.45) * np.clip(t / 0.15, 0, 1) * np.sin(2 * np.pi * rng.uniform(4.5, 7) * t)
        midi[time_s >= start] = pitch
        midi[part] = np.interp(t, [0, 0.03], [before, pitch]) + vibrato
        level, previous = rng.uniform(0.3, 1), level
        envelope[part] = np.interp(t, [0, 0.03 if tied else 0.02], [previous if tied else 0, level])
        tied = bool(rng.random() < 0.5) and start + length + 0.1 < seconds
        if not tied:
            envelope[part] *= np.clip((length - t) / 0.03, 0, 1)
        midi[time_s >= start + length] = midi[part][-1]
        start += length + (0 if tied else 0.12)
    return 440 * 2 ** ((midi - 69) / 12), envelope


def partials(f0_hz: Array, rng: np.random.Generator, count: int = 60) -> Array:
    """Amplitudes of harmonics that fall off and have one formant, none from 8 kHz on, [len(f0_hz), count]."""
    order = np.arange(1, count + 1)
    roll, formant = rng.uniform(0.9, 1.8), rng.uniform(600, 2200)
    hz = f0_hz[:, None] * order
    swell = 1 + 2.5 * np.exp(-0.5 * ((hz - formant) / (0.35 * formant)) ** 2)
    return order**-roll * swell * np.clip((8000 - hz) / 400, 0, 1)


def clip(f0_hz: Array, envelope: Array, rng: np.random.Generator, snr_db: float = math.inf) -> Clip:
    """The sound of a pitch and an envelope given for every sample, peak 0.5, in white noise."""
    cycles = np.cumsum(f0_hz) / RATE
    count = max(1, min(60, int((RATE / 2 - 200) / f0_hz.min())))
    amplitudes = partials(f0_hz, rng, count)
    sound = sum(amplitudes[:, k] * np.sin(2 * np.pi * ((k + 1) * cycles + rng.random())) for k in range(count))
    sound = envelope * sound
    sound *= 0.5 / np.abs(sound).max()
    spread = np.sqrt(np.mean(sound**2)) * 10 ** (-snr_db / 20)
    sound = sound + spread * rng.standard_normal(len(sound))
    return Clip(
        sound.astype(np.float32), np.arange(len(sound))[::GRID] / RATE, f0_hz[::GRID], envelope[::GRID] > AUDIBLE
    )


def melody(low_hz: float, high_hz: float, seed: int, snr_db: float = math.inf, seconds: float = 4) -> Clip:
    """A melody between two pitches; the same one for a seed, whatever the noise."""
    rng = np.random.default_rng([seed, round(low_hz)])
    return clip(*curves(low_hz, high_hz, seconds, RATE, rng), rng, snr_db)


def tone(f0_hz: float, snr_db: float = math.inf, seconds: float = 1) -> Clip:
    """A steady tone; the first 0.1 s and the last 0.05 s, where windows overlap the ends, do not count as sounding."""
    rng = np.random.default_rng(round(100 * f0_hz))
    time_s = np.arange(round(seconds * RATE)) / RATE
    made = clip(np.full(len(time_s), f0_hz), np.clip(time_s / 0.02, 0, 1), rng, snr_db)
    inside = (made.time_s > 0.1) & (made.time_s < seconds - 0.05)
    return Clip(made.sound, made.time_s[inside], made.f0_hz[inside], np.ones(inside.sum(), bool))


def singing(seconds: float, sample_rate: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """A voice-like line from 80 to 600 Hz with vibrato, ties, gaps and breath, at any rate: work for a speed test."""
    rng = np.random.default_rng(seed)
    f0_hz, envelope = curves(80, 600, seconds + 1 / FRAME_RATE, FRAME_RATE, rng)
    voice, breath = 0.1 * envelope[:, None] * partials(f0_hz, rng), 0.003 * envelope[:, None] * np.ones(2)
    f0_hz, voice, breath, band_hz = (np.asarray(x, np.float32) for x in (f0_hz, voice, breath, [0, 12_000]))
    return synthesize(SynthParams(f0_hz, voice, breath, band_hz), sample_rate)
