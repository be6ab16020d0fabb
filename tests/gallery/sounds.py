"""Sounds and wishes for the tests of galleries."""

from pathlib import Path

import numpy as np
import soundfile

from retimbre.gallery.example import Wish

RATE = 48_000


def tone(path: Path, key: float = 57.0, seconds: float = 0.8, level: float = 0.2) -> Path:
    """A steady tone of a few harmonics, with silence after it."""
    time_s = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * 440 * 2 ** ((key - 69) / 12) * time_s
    fade = np.clip(np.minimum(time_s, seconds - time_s) / 0.02, 0, 1)
    sound = np.concatenate([level * fade * sum(np.sin(k * phase) / k for k in range(1, 6)), np.zeros(RATE // 10)])
    soundfile.write(path, sound, RATE)
    return path


def wish(folder: Path, **changes) -> Wish:
    """The cello plays an A."""
    return Wish(**{"title": "An A", "sentence": "", "source": tone(folder / "a.wav"), "instrument": "cello"} | changes)
