"""What is wrong with a set of recordings as a whole: too little, gaps, no dynamics, several rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from retimbre.controls import note_name
from retimbre.training.doctor.faults import DECAY_S, NAME_THE_ROOM, Finding
from retimbre.training.doctor.measures import Measures

ENOUGH_S, GOOD_S = 10.0, 300.0
NOTE_S = 0.3
"""A semitone with less of it is not covered."""

GAP_SEMITONES = 5  # between covered semitones; the network interpolates what is closer

FEW_FILES = 8
"""Fewer do not show how levels are spread."""

LEVEL_SPREAD_DB = 8.5
"""Between the softest and the loudest tenth of the files at like pitch: played from soft to loud it is 12 to 20 dB."""

BRIGHTNESS_SPREAD = 0.25  # octaves of the centroid, likewise

QUIET_DB = -60.0  # noise below is no noise
SESSION_NOISE_DB = 12.0
SESSION_DECAY = 2.0  # ratio
APART = 3.0
"""How many pooled standard deviations two groups of files lie apart; halves of a normal distribution by 2.65."""


@dataclass(frozen=True)
class Pitches:
    """What is covered: seconds of each semitone by MIDI number, and the gaps, by the covered notes beside them."""

    seconds: dict[int, float]
    gaps: tuple[tuple[int, int], ...]


def pitches(files: Sequence[Measures]) -> Pitches:
    """Add up the usable seconds of each semitone; stray frames are not counted as covered."""
    seconds: dict[int, float] = {}
    for one in files:
        for note, s in one.pitch_s.items():
            seconds[note] = seconds.get(note, 0.0) + s
    seconds = {note: round(s, 2) for note, s in sorted(seconds.items())}
    gaps = [(a, b) for a, b in pairwise(covered(seconds)) if b - a > GAP_SEMITONES]
    return Pitches(seconds, tuple(gaps))


def covered(seconds: dict[int, float]) -> list[int]:
    """The semitones that were played, from the seconds of each; what is heard for less are stray frames."""
    return [note for note, s in seconds.items() if s >= NOTE_S]


def spreads(files: Sequence[Measures]) -> tuple[float, float] | None:
    """How far the files' levels in dB and brightness in octaves are spread at like pitch, from tenth to tenth.

    What is a smooth (quadratic) function of pitch is taken out of both. Of loudness, RMS and peak, that which is spread
    least: normalisation makes one of them equal. None for too few files.
    """
    notes = [
        (one.median_midi, np.log2(one.brightness), one.level_db, one.rms_db, one.peak_db)
        for one in files
        if one.brightness
    ]
    if len(notes) < FEW_FILES:
        return None
    midi, brightness, *levels = np.array(notes, float).T
    return min(_spread(midi, level) for level in levels), _spread(midi, brightness)


def _spread(midi: NDArray, values: NDArray) -> float:
    powers = np.vander((midi - midi.mean()) / 12, 3)
    rest = values - powers @ np.linalg.lstsq(powers, values, rcond=None)[0]
    low, high = np.quantile(rest, [0.1, 0.9])
    return float(high - low)


def judge_set(files: Sequence[Measures]) -> tuple[Finding, ...]:
    """All faults of a set, of files that can be used."""
    return tuple(finding for finding in (_amount(files), _coverage(files), _levels(files), _rooms(files)) if finding)


def _amount(files: Sequence[Measures]) -> Finding | None:
    usable_s = sum(one.usable_s for one in files)
    if usable_s >= GOOD_S:
        return None
    text = f"{usable_s / 60:.1f} minutes of single notes"
    if usable_s < ENOUGH_S:
        return Finding("amount", text, f"training needs {ENOUGH_S:.0f} s at least; record 5 to 20 minutes")
    return Finding("amount", text, "it will train; 5 to 20 minutes are better")


def _coverage(files: Sequence[Measures]) -> Finding | None:
    gaps = pitches(files).gaps
    if not gaps:
        return None
    text = "no notes between " + ", ".join(f"{note_name(low)} and {note_name(high)}" for low, high in gaps)
    return Finding("pitch gaps", text, f"record notes there, every {GAP_SEMITONES} semitones or closer")


def _levels(files: Sequence[Measures]) -> Finding | None:
    measured = spreads(files)
    if measured is None or measured[0] >= LEVEL_SPREAD_DB:
        return None
    level, brightness = measured
    if brightness >= BRIGHTNESS_SPREAD:
        return Finding(
            "levels",
            f"notes differ in brightness but hardly in loudness ({level:.0f} dB): soft and loud seem normalised",
            "use files that were not normalised, or turn the soft ones down by 12 to 15 dB",
        )
    return Finding(
        "dynamics", f"all notes are about equally loud ({level:.0f} dB apart)", "record soft and loud notes as well"
    )


def _rooms(files: Sequence[Measures]) -> Finding | None:
    """Several sessions: files fall into two groups by decay, by noise, or by the end of the band."""
    signs = []
    decays = [one.decay_s for one in files if one.decay_s is not None]
    if groups := two_groups(np.log(np.maximum(decays, 0.25))):
        low, high = np.exp(groups)
        if high >= DECAY_S and high / low >= SESSION_DECAY:
            signs.append(f"notes die away in {low:.1f} s or {high:.1f} s")
    noisy = [one for one in files if one.noise_db is not None and one.level_db is not None]
    relative = np.array([max(one.noise_db or 0.0, QUIET_DB) for one in noisy])
    absolute = relative + [one.level_db or 0.0 for one in noisy]
    # Soft notes of one session stand less far out of the same noise; normalised ones have other noise as far below.
    groups, in_absolute = two_groups(relative), two_groups(absolute)
    if groups and in_absolute and min(b - a for a, b in (groups, in_absolute)) >= SESSION_NOISE_DB:
        signs.append(f"noise is {-groups[1]:.0f} dB or {-groups[0]:.0f} dB below the notes")
    limited = sum(one.band_limit_hz is not None for one in files)
    if _fair(limited, len(files)):
        signs.append(f"{limited} of {len(files)} files end at a lower frequency than the others")
    if not signs:
        return None
    return Finding(
        "rooms",
        "several rooms or sessions: " + "; ".join(signs),
        f"train on one of them, the larger and drier, or {NAME_THE_ROOM}",
    )


def two_groups(values: Sequence[float] | NDArray) -> tuple[float, float] | None:
    """Medians of the two groups that values [n] fall into, if they do (Otsu 1979), and neither is but a few."""
    ordered = np.sort(np.asarray(values, float))
    best: tuple[float, int] = (0.0, 0)
    for cut in range(1, len(ordered)):
        low, high = ordered[:cut], ordered[cut:]
        within = (low.var() * len(low) + high.var() * len(high)) / len(ordered)
        apart = (high.mean() - low.mean()) / np.sqrt(within + 1e-3)
        if _fair(cut, len(ordered)) and apart > best[0]:
            best = (float(apart), cut)
    if best[0] < APART:
        return None
    return float(np.median(ordered[: best[1]])), float(np.median(ordered[best[1] :]))


def _fair(part: int, whole: int) -> bool:
    return 4 <= part <= whole - 4 and 0.15 <= part / whole <= 0.85
