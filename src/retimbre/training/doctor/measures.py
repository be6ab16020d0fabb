"""One file in numbers, without judgement."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from retimbre.engine import FRAME_RATE, Floats
from retimbre.training.doctor.partials import look
from retimbre.training.doctor.spectrum import Frames, band_limit_hz, decay_s, noise_db
from retimbre.training.doctor.waveform import clipped_tops, offset_db
from retimbre.training.recording import GAP_FRAMES, HOP, SAMPLE_RATE, Recording

_LOOK_FRAMES = 20  # from one look at the spectrum to the next: 0.1 s, less in short notes
_SHORTEST_FRAMES = 4
_LOOKS = 12  # that a short note should have
_MOST_LOOKS = 3000  # of a file: spread over it, they tell as much of an hour as of five minutes
_FEW_LOOKS = 5  # fewer are the attack, in which everything rings
_LOUD_DB = 10  # below the loudest frames; softer ones hold what rings on of other strings and notes
_CLIFF_DB = 20
"""How far the spectrum must fall to be cut off rather than to end: cut off are 25 dB and more, notes reach 18."""

_FULL_HZ = 18_000
"""A band that reaches as far is whole: what is missing above is hardly heard."""


@dataclass(frozen=True)
class Measures:
    """What was measured of a file.

    Attributes:
        path: of the file.
        seconds: its length.
        sample_rate: its own, in Hz.
        pitched_share: pitched part of what sounds.
        one_note_share: part of the pitched frames that has the partials of one note.
        usable_s: seconds of both.
        mixed_s: seconds that have a pitch, but not the partials of one note.
        pitch_s: usable seconds of each semitone, by MIDI number.
        median_midi: median pitch, None without pitch.
        level_db: loudness that the pitched frames exceed for a quarter of their time, None without pitch.
        rms_db, peak_db: of all samples, re full scale.
        loudness_db: of the pitched frames: what they exceed for 95, 50 and 5 % of their time.
        brightness: centroid of the partials in multiples of the fundamental, median; None without pitch.
        stray_db: second strongest line that is no partial, re the strongest line: exceeded for 60 % of the time,
            as a struck string rings for less; -100 for a few looks.
        chord_share: looks whose partials are those of two notes that share a fundamental.
        octave_high_share, octave_low_share: looks whose spectrum says that the pitch found is an octave off.
        clipped_tops: tops and bottoms cut off flat.
        offset_db: constant offset re RMS.
        noise_db: background noise re the loud parts, as white noise; None where it cannot be told.
        decay_s: to -60 dB, of the ends of notes above 1 kHz; None where none is heard.
        band_limit_hz: where the spectrum is cut off, None where it is not.
    """

    path: str
    seconds: float
    sample_rate: int
    pitched_share: float = 0.0
    one_note_share: float = 0.0
    usable_s: float = 0.0
    mixed_s: float = 0.0
    pitch_s: dict[int, float] = field(default_factory=dict)
    median_midi: float | None = None
    level_db: float | None = None
    rms_db: float = -120.0
    peak_db: float = -120.0
    loudness_db: tuple[float, ...] = ()
    brightness: float | None = None
    stray_db: float = -100.0
    chord_share: float = 0.0
    octave_high_share: float = 0.0
    octave_low_share: float = 0.0
    clipped_tops: int = 0
    offset_db: float = -120.0
    noise_db: float | None = None
    decay_s: float | None = None
    band_limit_hz: float | None = None


def measure(recording: Recording, samples: Floats, sample_rate: int) -> Measures:
    """Measure a recording, with what the file holds: samples [n] at its own rate."""
    limit_hz, cliff_db = band_limit_hz(samples, sample_rate)
    limit_hz = limit_hz if cliff_db > _CLIFF_DB else sample_rate / 2
    frames = Frames.of(recording.audio[: -GAP_FRAMES * HOP], SAMPLE_RATE)
    found = {
        "path": str(recording.path),
        "seconds": round(len(samples) / sample_rate, 3),
        "sample_rate": sample_rate,
        "rms_db": round(_db(float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))), 1),
        "peak_db": round(_db(float(np.abs(samples).max())), 1),
        "clipped_tops": clipped_tops(samples),
        "offset_db": round(offset_db(samples), 1),
        "noise_db": _rounded(noise_db(frames, limit_hz), 1),
        "decay_s": _rounded(decay_s(frames), 2),
        "band_limit_hz": round(limit_hz) if limit_hz < _FULL_HZ else None,
    }
    controls = recording.controls
    pitched = np.flatnonzero(controls.voiced & recording.sounding)
    if not len(pitched):
        return Measures(**found)
    loudness = np.quantile(controls.loudness_db[pitched], [0.05, 0.5, 0.95, 0.75])
    loud = pitched[controls.loudness_db[pitched] >= loudness[2] - _LOUD_DB]
    step = max(_SHORTEST_FRAMES, min(_LOOK_FRAMES, len(loud) // _LOOKS), len(loud) // _MOST_LOOKS)
    loud = loud[::step]
    looks = [look(recording.audio, SAMPLE_RATE, at / FRAME_RATE, float(controls.f0_hz[at])) for at in loud]
    midi = 69 + 12 * np.log2(controls.f0_hz[pitched] / 440)
    enough = len(looks) >= _FEW_LOOKS
    octaves = np.array([one.octave for one in looks])
    semitones, counts = np.unique(np.round(midi).astype(int), return_counts=True)
    one_note = recording.one_note_share
    seconds = counts * one_note / FRAME_RATE
    return Measures(
        **found,
        pitched_share=round(recording.pitched_share, 3),
        one_note_share=round(one_note, 3),
        usable_s=round(recording.pitched_s * one_note, 3),
        mixed_s=round(recording.pitched_s * (1 - one_note), 3),
        pitch_s={int(note): round(float(s), 3) for note, s in zip(semitones, seconds, strict=True)},
        median_midi=round(float(np.median(midi)), 2),
        level_db=round(float(loudness[3]), 1),
        loudness_db=tuple(round(float(db), 1) for db in loudness[:3]),
        brightness=round(float(np.median([one.brightness for one in looks])), 3),
        stray_db=round(float(np.quantile([one.stray_db for one in looks], 0.4)), 1) if enough else -100.0,
        chord_share=round(float(np.mean([one.chord for one in looks])), 3) if enough else 0.0,
        octave_high_share=round(float((octaves > 0).mean()), 3),
        octave_low_share=round(float((octaves < 0).mean()), 3),
    )


def _db(amplitude: float) -> float:
    return 20 * float(np.log10(max(amplitude, 1e-6)))


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
