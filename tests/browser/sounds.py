"""Sounds to play into the page, and what an independent tracker hears in what comes out."""

import io
from pathlib import Path

import numpy as np
import soundfile

from retimbre.training.independent import pitch

TUNE = (57, 60, 64, 62)
"""MIDI numbers."""

NOTE_S = 0.7


def hummed(rate: int, keys: tuple[int, ...] = TUNE) -> np.ndarray:
    """Notes with a few harmonics, and a pause after each, [samples]."""
    time_s = np.arange(round(NOTE_S * rate)) / rate
    fade = np.clip(np.minimum(time_s, 0.6 - time_s) / 0.03, 0, 1)
    parts = []
    for key in keys:
        phase = 2 * np.pi * 440 * 2 ** ((key - 69) / 12) * time_s
        parts.append(0.25 * fade * sum(np.sin(k * phase) / k**1.5 for k in range(1, 7)))
    return np.concatenate(parts).astype(np.float32)


def spoken(rate: int, seconds: float = 2.0) -> np.ndarray:
    """Something like speech: a pulse train whose pitch and formants wander, hisses between, [samples]."""
    rng = np.random.default_rng(4)
    time_s = np.arange(round(seconds * rate)) / rate
    phase = np.cumsum(120 * (1 + 0.25 * np.sin(2 * np.pi * 0.9 * time_s))) / rate
    formant = 600 + 400 * np.sin(2 * np.pi * 2.3 * time_s)
    voice = sum(np.exp(-(((k * 120 - formant) / 300) ** 2)) * np.sin(2 * np.pi * k * phase) for k in range(1, 20))
    voiced = np.sin(2 * np.pi * 3 * time_s) > -0.3
    return (0.2 * np.where(voiced, voice, 0.4 * rng.standard_normal(len(time_s)))).astype(np.float32)


def chord(rate: int, seconds: float = 2.0) -> np.ndarray:
    """A major triad at full level, [samples]."""
    time_s = np.arange(round(seconds * rate)) / rate
    tones = [np.sin(2 * np.pi * k * hz * time_s) / k for hz in (220, 277.18, 329.63) for k in range(1, 6)]
    return (sum(tones) / np.abs(sum(tones)).max()).astype(np.float32)


def wav(path: Path, sound: np.ndarray, rate: int) -> Path:
    """Write a WAV file."""
    soundfile.write(path, sound, rate, "PCM_16")
    return path


def read(data: bytes) -> tuple[np.ndarray, int]:
    """Samples and rate of a WAV file."""
    sound, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    return sound, rate


def keys_heard(sound: np.ndarray, rate: int) -> np.ndarray:
    """MIDI numbers, not rounded, of the voiced moments of a sound."""
    heard = pitch(sound, rate)
    return 69 + 12 * np.log2(heard.f0_hz[heard.voiced] / 440)


def level_db(sound: np.ndarray) -> float:
    """RMS re full scale."""
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))
