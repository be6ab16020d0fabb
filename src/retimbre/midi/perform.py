"""Play a part of a score with the manner of an instrument: messages to controls."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from retimbre.controls import Controls
from retimbre.engine import FRAME_RATE, Floats, Keyboard
from retimbre.files import refuse_overwrite
from retimbre.instrument import Instrument
from retimbre.midi.score import DRUMS, Part
from retimbre.transfer import Settings, fitting_octave, range_warnings, render_file

END_S = 10.0
"""Longest wait for the last note to fade."""

SPREAD_DB = (8.0, 3.0)
"""How far the softest and the loudest note lie from one of middling velocity at least, where the recordings of an
instrument differ less."""

LOST = 0.02
"""Share of the notes, beyond the reach of one voice, from which a warning is due."""

LIMITS = {
    "attack_s": (0.01, 0.4),
    "release_s": (0.02, 1.0),
    "vibrato_hz": (3.0, 9.0),
    "vibrato_cents": (0.0, 100.0),
}
"""Within which the manner that a card tells is followed."""


def manner(instrument: Instrument) -> dict[str, float]:
    """Settings of a keyboard on which this instrument is played: its dynamics, and the articulation on its card."""
    card = instrument.card
    told: dict[str, Any] = card["articulation"] if isinstance(card.get("articulation"), dict) else {}
    levels = told.get("loudness_db")
    if isinstance(levels, list) and len(levels) == 3 and all(map(_is_number, levels)):
        soft, middle, loud = levels
    else:
        soft, middle, loud = np.quantile(card["loudness"]["quantiles"], (0.2, 0.65, 0.96))
    settings = {
        "loudness_soft_db": float(min(soft, middle - SPREAD_DB[0])),
        "loudness_middle_db": float(middle),
        "loudness_loud_db": float(max(loud, middle + SPREAD_DB[1])),
    }
    for name, (low, high) in LIMITS.items():
        value = told.get(name)
        if _is_number(value):
            settings[name] = min(max(float(value), low), high)
    return settings


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def perform(part: Part, settings: dict[str, float], tail_s: float = 0.1) -> Controls:
    """What the keyboard makes of a part.

    Args:
        part: the messages.
        settings: of the keyboard, as `manner` gives them.
        tail_s: silence after the last note has faded.

    Returns:
        Controls from time 0 of the file on.
    """
    keyboard = Keyboard(**settings, mpe=float(part.mpe))
    frames: list[Floats] = []
    done = 0
    for time_s, status, data1, data2 in part.events():
        at = round(time_s * FRAME_RATE)
        if at > done:
            frames.append(keyboard.process(at - done))
            done = at
        keyboard.event(status, data1, data2)
    for channel in range(16):
        keyboard.event(0xB0 + channel, 64, 0)  # a pedal that was never lifted
        keyboard.event(0xB0 + channel, 123, 0)
    for _ in range(round(END_S * 10)):
        frames.append(keyboard.process(FRAME_RATE // 10))
        if frames[-1][-1, 1] == 0:
            break
    frames.append(keyboard.process(max(1, round(tail_s * FRAME_RATE))))
    return carried(np.concatenate(frames))


def play_file(
    source: Path,
    part: Part,
    output: Path,
    instrument: Instrument,
    settings: Settings,
    *,
    sample_rate: int = 48_000,
    overwrite: bool = False,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Play a part of a MIDI file into a sound file.

    Args:
        source: the MIDI file, which is not overwritten.
        part: of it.
        output: the file to write; its suffix is the format.
        instrument: what plays.
        settings: octave, transposition, gain, seed and room; how loud is for the file to say.
        sample_rate: of the output.
        overwrite: whether `output` may exist.
        progress: called with the share that is done.

    Returns:
        What happened, ready for JSON.

    Raises:
        RetimbreError: the file cannot be written.
    """
    refuse_overwrite(output, overwrite=overwrite, inputs=[source])
    octave = fitting_octave(keys_hz(part), instrument) if settings.octave == "auto" else settings.octave
    semitones = 12 * octave + settings.semitones
    tail_s = 0.1 + (settings.room.length_s if settings.room else 0)
    controls = perform(part, {**manner(instrument), "seed": settings.seed % 2**24}, tail_s)
    controls = controls.replace(f0_hz=controls.f0_hz * np.float32(2 ** (semitones / 12)))
    report = render_file(
        controls, output, instrument, settings, sample_rate=sample_rate, overwrite=overwrite, progress=progress
    )
    lost = part.lost_share()
    keys = np.array([note.key for note in part.notes]) + semitones
    pitch = instrument.network.pitch
    outside = float(np.mean((keys < pitch.low) | (keys > pitch.high)))
    warnings = range_warnings(outside, instrument)
    if lost > LOST:
        share = f"{100 * lost:.0f} %"
        warnings.append(f"{share} of the notes are lost: one voice plays the last key, or the highest of a chord")
    if part.channel == DRUMS + 1 and not part.mpe:
        warnings.append("this is the channel of the drums: its keys are no pitches")
    return {
        "input": str(source),
        **report,
        "track": part.track,
        "channel": part.channel,
        "part": part.name,
        "notes": len(part.notes),
        "lost_share": round(lost, 4),
        "octave": octave,
        "semitones": settings.semitones,
        "seed": settings.seed,
        "warnings": [*warnings, *report["warnings"]],
    }


def carried(rows: Floats) -> Controls:
    """Controls of rows [frames, 3], the time before the first note at its pitch."""
    rows = rows.copy()
    known = np.flatnonzero(rows[:, 0])
    if len(known):
        rows[: known[0], 0] = rows[known[0], 0]
    return Controls(*np.ascontiguousarray(rows.T))


def keys_hz(part: Part) -> Floats:
    """Pitches of the notes, each as often as it lasts tenths of a second."""
    times = [min(1000, max(1, round(10 * (note.end_s - note.start_s)))) for note in part.notes]
    pitches = np.array([440 * 2 ** ((note.key - 69) / 12) for note in part.notes], np.float32)
    return np.repeat(pitches, times)
