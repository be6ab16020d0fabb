"""How an instrument is played, measured on its recordings: attacks, releases, vibrato, and how loud its notes are.

The keyboard plays MIDI with these (`retimbre.midi.perform`); the card holds them as `articulation`. Needs no PyTorch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retimbre.controls import FRAME_RATE, Controls
from retimbre.midi.transcribe import Stretch, level_db, segment
from retimbre.training.recording import Recording

VIBRATO_HZ = 3.5, 8.5
"""Where vibrato is looked for."""

VIBRATO_PROMINENCE = 0.5
"""Share of the pitch's movement (1 to 15 Hz) that lies within 1 Hz of its strongest rate: vibrato is regular."""

VIBRATO_CENTS = 3.0
"""To one side; what is shallower is no vibrato."""

CUT_S = 0.025
"""A release shorter than this was cut off: the loudness, measured over 30 ms, can hardly fall faster."""

_LONG_S = 0.8  # notes that leave time for vibrato
_SETTLED_S = 0.3  # after which it is looked for
_FEWEST = 3  # notes that a median needs


def measure_articulation(recordings: Sequence[Recording]) -> dict[str, Any]:
    """Medians over the notes of some recordings.

    Args:
        recordings: of one instrument.

    Returns:
        Those that enough notes show, of `attack_s` and `release_s` (from -20 to -3 dB of a note's level, and back, at
        notes next to silence), `vibrato_hz` (of the notes that have one), `vibrato_cents` (to one side, over all long
        notes; 0 where most have none) and `loudness_db` (the level of the notes: 10th, 50th and 90th percentile).
    """
    attacks, releases, rates, depths, levels = ([] for _ in range(5))
    for recording in recordings:
        controls = recording.controls
        notes = segment(controls)
        for place, note in enumerate(notes):
            level = level_db(controls, note)
            levels.append(level)
            before = notes[place - 1].last if place else -FRAME_RATE
            after = notes[place + 1].first if place + 1 < len(notes) else len(controls) + FRAME_RATE
            attacks.append(_attack(controls, note, level, before))
            releases.append(_release(controls, note, after))
            rate, depth = _vibrato(controls, note)
            rates.append(rate)
            depths.append(depth)
    found = {
        "attack_s": _median(attacks, 4),
        "release_s": _median(releases, 4),
        "vibrato_hz": _median(rates, 2),
        "vibrato_cents": _median(depths, 1),
        "loudness_db": [round(float(q), 2) for q in np.percentile(levels, (10, 50, 90))] if len(levels) > 1 else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _median(values: Sequence[float | None], digits: int) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.median(known)), digits) if len(known) >= _FEWEST else None


def _crossing(rise: np.ndarray, low: float, high: float) -> float | None:
    """Seconds that the curve takes from `low` to where it first reaches `high`; None where it does neither."""
    above = np.flatnonzero(rise >= high)
    if not len(above) or above[0] == 0:
        return None
    below = np.flatnonzero(rise[: above[0]] < low)
    if not len(below):
        return None
    first, last = int(below[-1]), int(above[0])

    def between(frame: int, value: float) -> float:
        """Where the curve crosses, between this frame and the next."""
        return frame + float((value - rise[frame]) / (rise[frame + 1] - rise[frame]))

    return (between(last - 1, high) - between(first, low)) / FRAME_RATE


def _attack(controls: Controls, note: Stretch, level: float, before: int) -> float | None:
    first = max(0, before, note.first - FRAME_RATE // 5)
    # The level of a note that swells is not what its attack leads to.
    start = controls.loudness_db[note.first : min(note.last, note.first + FRAME_RATE // 2)]
    target = min(level, float(np.max(start)))
    return _crossing(controls.loudness_db[first : note.last], target - 20, target - 3)


def _release(controls: Controls, note: Stretch, after: int) -> float | None:
    last = min(len(controls), after, note.last + FRAME_RATE)
    first = max(note.first, note.last - FRAME_RATE // 4)
    fall = controls.loudness_db[first:last][::-1]
    target = float(np.max(controls.loudness_db[first : note.last], initial=-100))
    seconds = _crossing(fall, target - 20, target - 3)
    return seconds if seconds is None or seconds > CUT_S else None


def _vibrato(controls: Controls, note: Stretch) -> tuple[float | None, float | None]:
    """Rate in Hz, None where there is none, and depth in cents to one side; None for short notes."""
    first, last = note.first + round(_SETTLED_S * FRAME_RATE), note.last - FRAME_RATE // 10
    f0_hz, voiced = controls.f0_hz[first:last], controls.voiced[first:last]
    if note.last - note.first < _LONG_S * FRAME_RATE or not voiced.all():
        return None, None
    cents = 1200 * np.log2(f0_hz / np.median(f0_hz)).astype(np.float64)
    time = np.arange(len(cents))
    moves = cents - np.polyval(np.polyfit(time, cents, 2), time)
    window = np.hanning(len(moves))
    power = np.abs(np.fft.rfft(moves * window, 4096)) ** 2
    hz = np.fft.rfftfreq(4096, 1 / FRAME_RATE)
    inside = (hz >= VIBRATO_HZ[0]) & (hz <= VIBRATO_HZ[1])
    strongest = int(np.argmax(power[inside]))
    rate = float(hz[inside][strongest])
    share = power[np.abs(hz - rate) <= 1].sum() / max(1e-12, power[(hz >= 1) & (hz <= 15)].sum())
    at_an_end = strongest in (0, np.count_nonzero(inside) - 1)  # of a slope, not a peak
    # The energy of a windowed sine of this amplitude (Parseval).
    depth = float(np.sqrt(4 * power[np.abs(hz - rate) <= 1].sum() / 4096 / (window**2).sum()))
    return (None, 0.0) if at_an_end or share < VIBRATO_PROMINENCE or depth < VIBRATO_CENTS else (rate, depth)
