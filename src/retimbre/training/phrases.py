"""From sampled notes to playing: phrases of joined notes, at pitches between the sampled ones, with glides and vibrato.

A set of single notes has no transitions and only its own pitches; a network trained on it invents what lies between.
Here notes are cut, re-pitched to a common melody by time-varying resampling, and cross-faded where one follows the
other. Level is never changed: soft must keep sounding like soft. What comes out is analysed like any recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from retimbre.analysis import analyze
from retimbre.engine import FRAME_RATE, Floats
from retimbre.training.recording import HOP, SAMPLE_RATE, Recording, with_gap

PHRASE_S = 8.0
MAX_S = 600.0
"""More does not help, and takes memory."""

_STEADY = 0.7  # semitones that the middle 90 % of a single note's pitches span at most
_TAPS, _PHASES = 32, 2048  # of the interpolator: errors below -60 dB up to 20 kHz, -80 dB up to 5 kHz


@dataclass(frozen=True)
class Practice:
    """How phrases are played; `benchmarks/practice.py` measures what each part gives.

    Attributes:
        shift: semitones that a note is moved at most: its formants move along, and beyond it is another instrument.
        joins: share of the notes that are joined to the next.
        glide_s: the longest way from a joined note to the next, in seconds; 0 is a step.
        vibrato: the widest, in semitones to each side; half of the notes have one.
    """

    shift: float = 2.0
    joins: float = 0.6
    glide_s: float = 0.12
    vibrato: float = 0.4


@dataclass(frozen=True, eq=False)
class Note:
    """One sampled note: audio [samples], and its pitch as a MIDI number."""

    audio: Floats
    midi: float


def practise(recordings: list[Recording], share: float, seed: int, practice: Practice = Practice()) -> list[Recording]:
    """Phrases made of the single notes among the recordings; none where most of them are playing already.

    Args:
        recordings: what the instrument trains on.
        share: seconds of phrases for each second of notes, `MAX_S` in all at most.
        seed: two calls make the same phrases.
        practice: how they are played.
    """
    notes = [note for recording in recordings if (note := single_note(recording))]
    seconds = sum(len(note.audio) for note in notes) / SAMPLE_RATE
    if seconds < 0.5 * sum(recording.pitched_s for recording in recordings):
        return []
    phrases = []
    for number, audio in enumerate(make_phrases(notes, min(share * seconds, MAX_S), seed, practice), 1):
        audio = with_gap(audio)
        phrases.append(Recording(Path(f"phrase {number}"), audio, analyze(audio, SAMPLE_RATE)))
    return phrases


def single_note(recording: Recording) -> Note | None:
    """The note that a recording holds, trimmed to where it sounds; None where it holds several or is very short."""
    f0_hz = recording.controls.f0_hz
    frames = np.flatnonzero(recording.controls.voiced & recording.sounding)
    if len(frames) < 0.15 * FRAME_RATE:
        return None
    midi = 69 + 12 * np.log2(f0_hz[frames] / 440)
    low, middle, high = np.percentile(midi, [5, 50, 95])
    if high - low > _STEADY or len(frames) < 0.8 * (frames[-1] - frames[0]):
        return None
    return Note(recording.audio[frames[0] * HOP : (frames[-1] + 1) * HOP], float(middle))


def make_phrases(notes: list[Note], seconds: float, seed: int, practice: Practice = Practice()) -> list[Floats]:
    """Phrases of about `PHRASE_S` seconds, so many that they last `seconds` in all, [samples] each."""
    rng = np.random.default_rng(seed)
    phrases: list[Floats] = []
    while sum(map(len, phrases)) < seconds * SAMPLE_RATE:
        phrases.append(_phrase(notes, practice, rng))
    return phrases


def _phrase(notes: list[Note], practice: Practice, rng: np.random.Generator) -> Floats:
    pitches = np.array([note.midi for note in notes])
    lowest, highest = pitches.min() - 0.5, pitches.max() + 0.5

    def choose(wish: float) -> tuple[Note, float]:
        """A note near the pitch that is wished for, and the pitch that it is played at."""
        wish = float(np.clip(wish, lowest, highest))
        note = notes[_near(pitches, wish, rng)]
        return note, float(np.clip(wish, note.midi - practice.shift, note.midi + practice.shift))

    out = np.zeros(int((PHRASE_S + 4) * SAMPLE_RATE), np.float32)
    note, target = choose(rng.uniform(lowest, highest))
    at, joined = 0, False
    bend_from = 0.0  # semitones from the note before, where it is joined
    while at < PHRASE_S * SAMPLE_RATE:
        following, next_target = choose(target + rng.normal(0, 4))
        joins = bool(rng.random() < practice.joins)
        fade = int(rng.uniform(0.015, 0.05) * SAMPLE_RATE)
        skipped = int(rng.uniform(0.05, 0.2) * SAMPLE_RATE) if joined else 0  # a joined note has no attack of its own
        skipped = min(skipped, len(note.audio) // 3)
        duration_s = np.exp(rng.uniform(np.log(0.15), np.log(2.0)))
        length = int(min(duration_s * SAMPLE_RATE, 0.8 * (len(note.audio) - skipped)))
        length = max(length, 2 * fade)
        bend = _bend(length, fade, bend_from if joined else 0.0, next_target - target if joins else 0.0, practice, rng)
        ratio = 2 ** ((target - note.midi + bend) / 12)
        piece = warp(note.audio, skipped + np.concatenate([[0.0], np.cumsum(ratio[:-1])]))
        ramp = np.sin(0.5 * np.pi * (np.arange(fade) + 0.5) / fade).astype(np.float32)
        if joined:
            piece[:fade] *= ramp
        piece[-fade:] *= ramp[::-1]
        out[at : at + length] += piece
        bend_from, joined = target - next_target, joins
        at += length - fade if joins else length + int(rng.exponential(0.1) * SAMPLE_RATE)
        note, target = following, next_target
    return out[: min(at + SAMPLE_RATE // 5, len(out))]


def _near(pitches: np.ndarray, target: float, rng: np.random.Generator) -> int:
    """One of the notes at the nearest pitch below or above, the nearer the likelier: any layer, string or take.

    So the sound of one sampled pitch passes into that of the next, as far as a network can learn it, without a step.
    """
    below, above = pitches[pitches <= target], pitches[pitches > target]
    low = below.max() if len(below) else above.min()
    high = above.min() if len(above) else low
    nearest = high if high > low and rng.random() < (target - low) / (high - low) else low
    return int(rng.choice(np.flatnonzero(np.abs(pitches - nearest) < 0.5)))


def _bend(length: int, fade: int, start: float, end: float, practice: Practice, rng: np.random.Generator) -> np.ndarray:
    """Semitones from the note's own pitch, [length]: vibrato, drift, and half of each glide to its neighbours.

    Two joined notes cross-fade while both are half way between their pitches.
    """
    t = np.arange(length) / SAMPLE_RATE
    depth = rng.uniform(0, practice.vibrato) if rng.random() < 0.5 else 0.0
    onset = np.clip((t - rng.uniform(0.05, 0.4)) / 0.3, 0, 1)
    vibrato = depth * onset * np.sin(2 * np.pi * (rng.uniform(4.5, 7) * t + rng.random()))
    drift = np.interp(t, np.linspace(0, t[-1], 4), rng.normal(0, 0.08, 4))
    bend = vibrato + drift
    if practice.glide_s:
        glide = max(fade, int(min(rng.uniform(0.02, practice.glide_s) * SAMPLE_RATE, length / 2)))
        half = 0.5 - 0.5 * np.cos(np.pi * np.linspace(0.5, 1, glide))  # the second half of a smooth step, 0.5 to 1
        bend[:glide] += start * (1 - half)
        bend[-glide:] += end * (1 - half[::-1])
    return bend


@lru_cache(maxsize=1)
def _interpolator() -> torch.Tensor:
    """A Kaiser-windowed sinc at each phase, [phases + 1, taps]."""
    x = torch.arange(_TAPS)[None] - (_TAPS // 2 - 1) - torch.linspace(0, 1, _PHASES + 1, dtype=torch.float64)[:, None]
    inside = (1 - (x / (_TAPS / 2)) ** 2).clamp(min=0)
    h = torch.sinc(0.95 * x) * torch.special.i0(8 * inside.sqrt())
    return (h / h.sum(1, keepdim=True)).float()


def warp(audio: Floats, position: np.ndarray) -> Floats:
    """Read a sound at fractional places.

    Args:
        audio: [samples].
        position: in samples, [n]; beyond the ends there is silence.

    Returns:
        [n].
    """
    padded = torch.nn.functional.pad(torch.from_numpy(np.ascontiguousarray(audio)), (_TAPS, _TAPS))
    windows = padded.unfold(0, _TAPS, 1)
    place = torch.from_numpy(np.clip(position, -_TAPS / 2, len(audio) + _TAPS / 2 - 1))
    whole = place.floor()
    first = whole.long() + _TAPS - (_TAPS // 2 - 1)
    phase = ((place - whole) * _PHASES).round().long()
    kernel = _interpolator()
    parts = [  # in pieces that fit the cache
        torch.einsum("nt,nt->n", windows.index_select(0, start), kernel.index_select(0, row))
        for start, row in zip(first.split(1 << 13), phase.split(1 << 13), strict=True)
    ]
    return torch.cat(parts).numpy()
