"""Sounds to try the app with, of the project's own making."""

from __future__ import annotations

import functools
import io
from importlib.resources import files
from pathlib import Path

import numpy as np
import soundfile

from retimbre.engine import Floats
from retimbre.gallery.folder import SHIPPED, read_gallery

RATE = 48_000

TUNE = (
    (55, 1.0, False), (60, 1.5, False), (62, 0.5, True), (64, 1.5, False), (62, 0.5, True), (60, 2.0, False),
    (0, 0.5, False), (64, 1.0, False), (67, 1.5, False), (65, 0.5, True), (64, 1.0, True), (62, 1.0, False),
    (57, 1.5, False), (59, 0.5, True), (60, 2.5, False), (0, 1.0, False),
)  # fmt: skip
"""MIDI number (0: a rest), beats, whether it is slurred: the tune of the live page."""

BEAT_S = 0.42

_FORMANTS = ((320, 110), (900, 160), (2500, 300))  # Hz, width in Hz


@functools.cache
def examples() -> dict[str, tuple[str, bytes]]:
    """File name and content of each example, by what it is called."""
    found = {"A hummed tune": ("hum.wav", _wav(hummed_tune()))}
    if whistle := _whistle():
        found["A whistled tune"] = ("whistle.flac", whistle)
    played = [one for one in read_gallery(SHIPPED) if one.instrument]
    return found | {one.title: (f"{one.title}.ogg", (SHIPPED / one.before).read_bytes()) for one in played}


def hummed_tune() -> Floats:
    """A voice with its mouth almost closed, [samples] at `RATE`: glides, vibrato, and a swell in each note."""
    pitch, level = np.concatenate([_note(*row) for row in _notes()], axis=1)
    pitch = _followed(pitch, 0.035)
    hz = 440 * 2 ** ((pitch - 69) / 12)
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    sound = np.zeros_like(hz)
    for k in range(1, 15):
        gain = 0.08 + sum(np.exp(-0.5 * ((k * hz - formant) / width) ** 2) for formant, width in _FORMANTS)
        sound += np.where(k * hz < 4000, gain / k, 0) * np.sin(k * phase)
    return (0.22 * _followed(level, 0.02) * sound).astype(np.float32)


def _notes() -> list[tuple[float, float, float, bool]]:
    """Key before, key, seconds, whether the next one is slurred."""
    rows, before = [], TUNE[0][0] - 0.6
    for place, (key, beats, slurred) in enumerate(TUNE):
        start = before if slurred or not key else key - 0.6  # scooped from below
        held = TUNE[(place + 1) % len(TUNE)][2]
        rows.append((start, key or before, beats * BEAT_S if key else -beats * BEAT_S, held))
        before = key or before
    return rows


def _note(start: float, key: float, seconds: float, held: bool) -> np.ndarray:
    """Wanted pitch and level, [2, samples]; negative seconds are a rest."""
    time_s = np.arange(round(abs(seconds) * RATE)) / RATE
    if seconds < 0:
        return np.stack([np.full_like(time_s, key), np.zeros_like(time_s)])
    glide = np.exp(-time_s / 0.035) * (start - key)
    vibrato = 0.25 * np.clip((time_s - 0.3) / 0.4, 0, 1) * np.sin(2 * np.pi * 5.3 * time_s)
    ending = 0 if held else np.clip((time_s - (seconds - 0.09)) / 0.09, 0, 1)
    level = (0.75 + 0.25 * np.sin(np.pi * time_s / seconds)) * (1 - ending)
    return np.stack([key + glide + vibrato, level])


def _followed(curve: np.ndarray, seconds: float) -> np.ndarray:
    """Without corners: a mean over so long."""
    window = np.hanning(int(seconds * RATE) | 1)
    return np.convolve(np.pad(curve, len(window) // 2, mode="edge"), window / window.sum(), "valid")


def _wav(sound: Floats) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, RATE, "PCM_16", format="WAV")
    return file.getvalue()


def _whistle() -> bytes | None:
    """From the installed package, or from beside the source."""
    packaged = files("retimbre") / "app" / "examples" / "whistle.flac"
    beside = Path(__file__).parents[3] / "examples" / "whistle.flac"
    for place in (packaged, beside):
        if place.is_file():
            return place.read_bytes()
    return None
