"""What is wrong with one file, in words and with a remedy.

The thresholds were chosen on five instruments; `benchmarks/doctor.py` judges them on seven others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from retimbre.training.doctor.measures import Measures
from retimbre.training.recording import MIN_PITCHED_SHARE

CLIPPED_TOPS = 3  # sound ones have 2 at most
OFFSET_DB = -35.0  # a cut in mid-cycle leaves less
NOISE_DB = -43.0  # breath and bow stay below
DECAY_S = 1.0
"""Longer is the room. Of 650 dry notes 4 ring on so long by themselves, three of them low staccatos of the cello."""

NAME_THE_ROOM = "name the room in a recipe ([rooms]) and training learns it apart"

ONE_NOTE_SHARE = 0.7
MIXED_S = 0.15  # less is the attack of a short note
STRAY_DB = -30.0
CHORD_SHARE = 0.4
OCTAVE_SHARE = 0.3


@dataclass(frozen=True)
class Finding:
    """A fault: its name (the same in every report), what was found, and what to do."""

    fault: str
    text: str
    advice: str


def judge(m: Measures) -> tuple[Finding, ...]:
    """All faults of a file, the worst first; files without a pitch get only that one."""
    if m.pitched_share < MIN_PITCHED_SHARE or m.median_midi is None:
        share = f"only {100 * m.pitched_share:.0f} % of what sounds has a pitch"
        return (Finding("no pitch", share, "leave it out; training would"),)
    return tuple(finding for check in _CHECKS if (finding := check(m)))


def _polyphony(m: Measures) -> Finding | None:
    if m.one_note_share < ONE_NOTE_SHARE and m.mixed_s >= MIXED_S:
        text = f"only {100 * m.one_note_share:.0f} % of it is a single note"
    elif m.stray_db > STRAY_DB:
        text = f"another note sounds as well ({m.stray_db:.0f} dB)"
    elif m.chord_share >= CHORD_SHARE:
        text = f"two notes sound together in {100 * m.chord_share:.0f} % of it"
    else:
        return None
    return Finding("polyphony", text, "record one note at a time and let it end before the next; leave chords out")


def _clipping(m: Measures) -> Finding | None:
    if m.clipped_tops < CLIPPED_TOPS:
        return None
    return Finding("clipping", f"{m.clipped_tops} peaks are cut off flat", "record it again with less gain")


def _octave(m: Measures) -> Finding | None:
    for share, where in ((m.octave_high_share, "an octave too high"), (m.octave_low_share, "an octave too low")):
        if share >= OCTAVE_SHARE:
            text = f"the pitch seems {where} in {100 * share:.0f} % of it"
            return Finding("octave", text, "compare with `retimbre analyze --picture`; leave it out if it is wrong")
    return None


def _reverberation(m: Measures) -> Finding | None:
    if m.decay_s is None or m.decay_s < DECAY_S:
        return None
    text = f"notes die away in {m.decay_s:.1f} s"
    return Finding("reverberation", text, f"record in a dry room, close to the microphone, or {NAME_THE_ROOM}")


def _noise(m: Measures) -> Finding | None:
    if m.noise_db is None or m.noise_db < NOISE_DB:
        return None
    text = f"background noise {-m.noise_db:.0f} dB below the notes"
    return Finding("noise", text, "record closer or louder, in a quieter room: 60 dB is good")


def _band_limit(m: Measures) -> Finding | None:
    if m.band_limit_hz is None:
        return None
    text = f"nothing above {m.band_limit_hz / 1000:.1f} kHz: from an MP3, or a lower sample rate"
    return Finding("band limit", text, "use the original at 44.1 or 48 kHz; the instrument will sound no brighter")


def _offset(m: Measures) -> Finding | None:
    if m.offset_db < OFFSET_DB or m.clipped_tops >= CLIPPED_TOPS:  # clipping one side more makes an offset
        return None
    text = f"constant offset, {-m.offset_db:.0f} dB below the sound"
    return Finding("offset", text, "remove the DC offset in an audio editor")


_CHECKS: tuple[Callable[[Measures], Finding | None], ...] = (
    _polyphony,
    _clipping,
    _octave,
    _reverberation,
    _noise,
    _band_limit,
    _offset,
)
