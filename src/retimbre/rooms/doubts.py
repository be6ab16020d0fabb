"""Whether what was given as an impulse response is one: a recording of music, speech or a tone is not."""

from __future__ import annotations

import numpy as np

from retimbre.rooms.bands import Array

_RISE_DB, _HEARD_DB = 18.0, 45.0  # echoes in a tunnel make a response rise by 12 dB again
_BLOCK_S = 0.05
_LATEST_S = 0.3  # from the first sound to the loudest
_LINES, _TONAL = 0.05, 0.5  # the strongest twentieth of the bins of noise holds a fifth of its energy
_OCTAVES_HZ = (500.0, 1000.0, 2000.0, 4000.0)


def doubt(response: Array, sample_rate: int, start: int) -> str | None:
    """Why a response [samples], whose direct sound begins at a sample, cannot be that of a room; None if it can."""
    heard = response[start:]
    late_s = int(np.argmax(np.abs(heard))) / sample_rate
    if late_s > _LATEST_S:
        return f"the loudest sound comes {late_s:.1f} s after the first"
    size = round(_BLOCK_S * sample_rate)
    blocks = np.square(heard[: len(heard) // size * size]).reshape(-1, size).mean(axis=1)
    rises = _rises(np.maximum(10 * np.log10(blocks / max(blocks.max(initial=0), 1e-30) + 1e-30), -_HEARD_DB))
    if rises > 1:  # once it may: the first answer comes late
        return f"after it has died away it grows louder again, by more than {_RISE_DB:.0f} dB, {rises} times"
    share = _tonal_share(heard, sample_rate)
    if share > _TONAL:
        return f"{share:.0%} of its energy is in a few tones"
    return None


def _rises(level_db: Array) -> int:
    """How often the level grows by `_RISE_DB` after it has fallen."""
    rises, turn, rising = 0, np.inf, False
    for level in level_db:
        turn = max(turn, level) if rising else min(turn, level)
        if abs(level - turn) > _RISE_DB:
            rises, rising, turn = rises + (not rising), not rising, level
    return rises


def _tonal_share(heard: Array, sample_rate: int) -> float:
    """Share of the energy from 350 Hz to 5.7 kHz that is in the strongest bins of each octave."""
    power = np.square(np.abs(np.fft.rfft(heard)))
    hz = np.fft.rfftfreq(len(heard), 1 / sample_rate)
    octaves = [np.sort(power[(hz > one / 2**0.5) & (hz <= one * 2**0.5)])[::-1] for one in _OCTAVES_HZ]
    strongest = sum(float(octave[: round(_LINES * len(octave))].sum()) for octave in octaves)
    return strongest / max(sum(float(octave.sum()) for octave in octaves), 1e-30)
