"""The room of a recording, from what rings on of each note after the next has begun.

In playing there are few rests, but after every note its partials die away freely wherever the notes that follow have
none of theirs. Which those places are is known from the pitch, not from the level, so that nothing favours decays that
happen to be short or smooth. In each band the slopes of all tails, every tail about its own mean, give one decay time
(a regression with one intercept a tail; on a logarithmic scale the fading of single partials has no slope), and where
the tails begin, below the notes that they follow, gives the level of the room.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from retimbre.controls import Controls
from retimbre.engine import FRAME_RATE, Floats
from retimbre.errors import RetimbreError
from retimbre.rooms.bands import OCTAVE_BANDS_HZ, Array
from retimbre.rooms.dereverb import dry_controls
from retimbre.rooms.room import Room

N_FFT_S, HOP_S = 4096 / 48_000, 0.01
"""Window of the spectra, which separates partials from 50 Hz apart, and the time from one to the next."""

_SETTLED = 7  # spectra after the end of a note that still see the note itself
_LONGEST = 60  # spectra that a tail is followed for
_SHORTEST = 8
_APART = 3  # bins from the partials of other notes
_STRONG = 10 ** (25 / 10)  # how far a partial must stand out of the noise for its tail to do so
_ABOVE_NOISE = 10 ** (8 / 10)  # what is weaker is not followed
_MIN_TAILS = 30
_PRIOR_S2 = 2.0  # seconds squared
_LOUDEST_DB, _QUIETEST_DB = 12.0, -30.0
_LONGEST_S = 2.5  # of a response
_FADING_DB = (
    1.3  # by which the mean logarithm of a fading power, of two degrees of freedom and more, lies below its mean
)


@dataclass(frozen=True)
class Note:
    """A note that was played: its first and last spectrum, its pitch in Hz."""

    start: int
    stop: int
    f0_hz: float


@dataclass(frozen=True, eq=False)
class Tail:
    """What rings on of a partial.

    Attributes:
        hz: of the partial.
        note_s: how long the note had sounded.
        note_db: its level.
        time_s: since the note ended, [spectra].
        level_db: [spectra].
        heard: spectra before it sinks into the noise.
    """

    hz: float
    note_s: float
    note_db: float
    time_s: Array
    level_db: Array
    heard: int


def estimate(sounds: Sequence[tuple[Floats, Controls]], sample_rate: int, name: str = "") -> Room:
    """Estimate the room that recordings of one session share.

    Where notes overlap in the room their pitches are mistaken, so the recordings are analysed once more when a first
    estimate has made them drier.

    Args:
        sounds: samples [n] and controls of each recording.
        sample_rate: in Hz.
        name: of the room.

    Raises:
        RetimbreError: too few notes can be heard to their ends.
    """
    room = _fit([tail for sound in sounds for tail in find_tails(*sound, sample_rate)], name)
    drier = [(audio, dry_controls(audio, sample_rate, room)) for audio, _ in sounds]
    return _fit([tail for sound in drier for tail in find_tails(*sound, sample_rate)], name)


def _fit(tails: Sequence[Tail], name: str) -> Room:
    if sum(tail.heard >= _SHORTEST for tail in tails) < _MIN_TAILS:
        raise RetimbreError(f"{name}: too few notes ring on for its room to be heard; leave it out of [rooms]")
    # All bands together steady those that hold few tails.
    whole = _slope(tails)
    octave = np.array([math.log2(tail.hz) for tail in tails])
    decays, levels = [], []
    for hz in OCTAVE_BANDS_HZ:
        near = [tail for tail, place in zip(tails, octave, strict=True) if abs(place - math.log2(hz)) <= 0.5]
        decays.append(-60 / _slope(near, whole))
        levels.append(_level_db(near, decays[-1]))
    level = np.array(levels)
    overall = float(np.nanmedian(level)) if np.isfinite(level).any() else _level_db(tails, -60 / whole)
    decay_s = np.clip(decays, 0.1, 6.0)
    level = np.clip(np.where(np.isfinite(level), level, overall), _QUIETEST_DB, _LOUDEST_DB)
    return Room(
        OCTAVE_BANDS_HZ,
        tuple(round(float(value), 3) for value in decay_s),
        tuple(round(float(value), 2) for value in level),
        round(min(_LONGEST_S, float(decay_s.max())), 2),
        0,
        name,
    )


def _slope(tails: Sequence[Tail], prior: float | None = None) -> float:
    """Slope of all tails in dB a second, and of a prior slope that weighs as much as a few of them."""
    product, square = (0.0, 1e-9) if prior is None else (_PRIOR_S2 * prior, _PRIOR_S2)
    for tail in tails:
        if tail.heard < _SHORTEST:
            continue
        time = tail.time_s[: tail.heard] - tail.time_s[: tail.heard].mean()
        product += float(time @ tail.level_db[: tail.heard])
        square += float(time @ time)
    return min(product / square, -5.0)


def _level_db(tails: Sequence[Tail], decay_s: float) -> float:
    """Level of the room's answer, from where the tails begin; NaN where there are too few."""
    if len(tails) < _MIN_TAILS:
        return float("nan")
    first = slice(_SHORTEST)
    begins = [
        float(tail.level_db[first].mean() + 60 / decay_s * tail.time_s[first].mean() + _FADING_DB) for tail in tails
    ]
    fall = np.array([begin - tail.note_db for begin, tail in zip(begins, tails, strict=True)])
    # The room holds this share of its final energy after a note of that length.
    filled = 1 - np.exp(-6 * math.log(10) / decay_s * np.array([tail.note_s for tail in tails]))
    share = min(0.9, 10 ** (float(np.median(fall)) / 10))
    return 10 * math.log10(share / (1 - share) / float(np.median(filled)))


def find_tails(audio: Floats, controls: Controls, sample_rate: int) -> Iterator[Tail]:
    """All tails of a recording [samples]."""
    power = _spectra(audio, sample_rate)
    bin_hz = 1 / N_FFT_S
    notes = find_notes(controls, len(power))
    busy = _partials(notes, power.shape, bin_hz)
    noise = np.quantile(power[:, : power.shape[1] // 8 * 8].reshape(len(power), -1, 8), 0.4, axis=2)
    for note in notes:
        begin, last = note.stop + _SETTLED, min(note.stop + _SETTLED + _LONGEST, len(power))
        if last - begin < _SHORTEST:
            continue
        at = slice(max(note.start, note.stop - 10), max(note.start + 1, note.stop - 3))  # the note before it ends
        for order in range(1, int(min(12_000, 0.4 * sample_rate) / note.f0_hz) + 1):
            bin_ = round(order * note.f0_hz / bin_hz)
            near = slice(bin_ - 1, bin_ + 2)
            taken = busy[begin:last, bin_]
            end = int(np.argmax(taken)) if taken.any() else len(taken)
            if end < _SHORTEST:
                continue
            level = power[begin : begin + end, near].sum(axis=1)
            floor = 3 * noise[begin : begin + end, min(bin_ // 8, noise.shape[1] - 1)]
            sounding = float(power[at, near].sum(axis=1).mean())
            if sounding < _STRONG * floor.max():
                continue
            weak = level < _ABOVE_NOISE * floor
            time_s = HOP_S * np.arange(_SETTLED, _SETTLED + end, dtype=np.float64)
            yield Tail(
                order * note.f0_hz,
                (note.stop - note.start) * HOP_S,
                10 * math.log10(sounding),
                time_s,
                10 * np.log10(level + 1e-12),
                int(np.argmax(weak)) if weak.any() else end,
            )


def find_notes(controls: Controls, spectra: int) -> list[Note]:
    """Runs of one pitch, up to where they are let go: the last time that they are within 6 dB of their loud part."""
    step = round(HOP_S * FRAME_RATE)
    midi = 69 + 12 * np.log2(np.maximum(controls.f0_hz, 1) / 440)
    moves = np.abs(midi[4:] - midi[:-4]) > 0.6
    steady = controls.voiced.copy()
    steady[2:-2] &= ~moves
    edges = np.flatnonzero(np.diff(np.concatenate([[False], steady, [False]]).astype(int)))
    notes = []
    for start, stop in edges.reshape(-1, 2):
        loudness = controls.loudness_db[start:stop]
        stop = start + int(np.flatnonzero(loudness >= np.quantile(loudness, 0.9) - 6)[-1]) + 1
        if stop - start >= 0.08 * FRAME_RATE and stop // step < spectra:
            notes.append(Note(start // step, stop // step, float(np.median(controls.f0_hz[start:stop]))))
    return notes


def _partials(notes: Sequence[Note], shape: tuple[int, ...], bin_hz: float) -> np.ndarray:
    """Where a note that sounds has a partial, [spectra, bins] of bool."""
    busy = np.zeros(shape, bool)
    for note in notes:
        at = np.arange(1, shape[1] * bin_hz / note.f0_hz) * note.f0_hz / bin_hz
        for shift in range(-_APART, _APART + 1):
            busy[max(0, note.start - 5) : note.stop + 2, np.clip(np.round(at).astype(int) + shift, 0, shape[1] - 1)] = (
                True
            )
    return busy


def _spectra(audio: Floats, sample_rate: int) -> Floats:
    """Power spectra of Hann windows around every `HOP_S`, [spectra, bins]."""
    n, hop = round(N_FFT_S * sample_rate), round(HOP_S * sample_rate)
    views = np.lib.stride_tricks.sliding_window_view(np.pad(audio, n // 2), n)[::hop]
    window = np.hanning(n).astype(np.float32)
    pieces = [
        np.abs(np.fft.rfft(views[at : at + 500] * window)).astype(np.float32) ** 2 for at in range(0, len(views), 500)
    ]
    return np.concatenate(pieces)
