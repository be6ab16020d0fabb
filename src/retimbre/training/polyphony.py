"""One note or several? The analysis finds a pitch in chords too: the fundamental that all their notes would share."""

from __future__ import annotations

import numpy as np

from retimbre.engine import Floats

_PERIODS = 8  # seen at once, so that partials lie apart
_LOW_DB = -25
"""How far the strongest of the first three partials may lie below the strongest of all. In most notes of 13 instruments
it never fell below -18 dB; the first partials of a chord's shared fundamental are missing."""

_FIRST_DB = -55
"""How far the first partial may lie below the strongest: low bassoon notes reach -45 dB. Two notes of a chord can stand
in for the second and third partial of what they share, but nothing for its first."""

_POWER_SHARE = 0.6
"""Of the power below 5 kHz, on the partials: clusters of notes have 0.4."""


def is_one_note(audio: Floats, sample_rate: int, time_s: float, f0_hz: float) -> bool:
    """Whether the spectrum around an instant is that of one note of this pitch.

    Bare fifths and octaves pass: they are periodic with low partials, like one note.

    Args:
        audio: [samples].
        sample_rate: in Hz.
        time_s: the instant.
        f0_hz: what the analysis takes for the pitch there.
    """
    n = 1 << int(np.ceil(np.log2(max(0.06, _PERIODS / f0_hz) * sample_rate)))
    start = max(0, round(time_s * sample_rate) - n // 2)
    part = audio[start : start + n]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)), n)) ** 2
    place = np.fft.rfftfreq(n, f0_hz / sample_rate)  # in multiples of f0
    heard = (place > 0.5) & (place < max(3.5, 5000 / f0_hz))
    power, place = power[heard], place[heard]
    on = np.abs(place - np.round(place)) <= max(2.2 * sample_rate / (n * f0_hz), 0.01)  # the window's main lobe
    if not power[on].any():
        return False
    strongest = 10 * np.log10(power[on].max())
    low, first = (10 * np.log10(power[on & (place < edge)].max(initial=1e-30)) - strongest for edge in (3.5, 1.5))
    return bool(low > _LOW_DB and first > _FIRST_DB and power[on].sum() > _POWER_SHARE * power.sum())
