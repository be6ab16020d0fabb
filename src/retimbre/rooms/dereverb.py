"""Late reverberation taken out of a recording, given its room (Lebart, Boucher and Denbigh 2001; Habets 2004).

In each bin of a spectrogram the power of the reverberation is predicted from the power before: it decays with the
room, and is fed by what sounds. A Wiener filter with a decision-directed signal-to-reverberation ratio (Ephraim and
Malah 1984) turns it down. Causal, but for the window. Linear prediction (WPE), the common alternative, predicts
sustained notes away.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from retimbre.analysis import analyze
from retimbre.controls import Controls
from retimbre.engine import Floats
from retimbre.rooms.bands import Array
from retimbre.rooms.room import Room

WINDOW_S = 0.04
"""Of the spectra: long enough for the partials of a low note, short enough for its end. They overlap by 3/4."""

DELAY = 3
"""Spectra (30 ms) before which nothing counts as late: windows that overlap see the same sound."""

SMOOTHING_S = 0.02
"""Over which the power that feeds the room is averaged."""

_PERSISTENCE = 0.9  # of the signal-to-reverberation ratio, from one spectrum to the next
_TINY = 1e-12


def suppress_late(
    audio: Floats, sample_rate: int, room: Room, *, floor_db: float = -20.0, strength: float = 1.0
) -> Floats:
    """Turn down the late reverberation of a room.

    Args:
        audio: what was recorded in it, [samples].
        sample_rate: in Hz.
        room: where.
        floor_db: as far as anything is turned down.
        strength: by what the predicted reverberation is multiplied before it is taken off: 0.5 is careful with
            music, more than 1 takes off what fluctuates above the prediction as well.

    Returns:
        [samples], with no delay.
    """
    hop = round(WINDOW_S * sample_rate / 4)
    n = 4 * hop
    window = np.sqrt(np.hanning(n + 1)[:-1])
    padded = np.pad(audio, (n - hop, n + -len(audio) % hop))
    decay, feed = _recursion(room, np.fft.rfftfreq(n, 1 / sample_rate), hop / sample_rate)
    smooth = math.exp(-hop / sample_rate / SMOOTHING_S)
    floor = 10 ** (floor_db / 20)
    out = np.zeros(len(padded))
    fed, late = np.zeros(n // 2 + 1), [np.zeros(n // 2 + 1)] * (DELAY + 1)  # newest last
    clean = np.ones(n // 2 + 1)  # power after the filter over that of the reverberation
    for at in range(0, len(padded) - n + 1, hop):
        spectrum = np.fft.rfft(window * padded[at : at + n])
        power = np.abs(spectrum) ** 2
        late = [*late[1:], decay * ((1 - feed) * late[-1] + feed * fed)]
        fed = smooth * fed + (1 - smooth) * power
        ratio = power / (strength * decay**DELAY * late[0] + _TINY)
        wanted = _PERSISTENCE * clean + (1 - _PERSISTENCE) * np.maximum(ratio - 1, 0)
        gain = np.maximum(wanted / (1 + wanted), floor)
        clean = gain**2 * ratio
        out[at : at + n] += window * np.fft.irfft(gain * spectrum, n)
    # Four windows of Hann overlap to 2.
    return (out[n - hop : n - hop + len(audio)] / 2).astype(np.float32)


def dry_controls(audio: Floats, sample_rate: int, room: Room) -> Controls:
    """The controls that the dry sound had, as far as the room is known.

    Nobody hears what is left of the reverberation here, so it may be little: an instrument that is told of tails plays
    them.
    """
    return analyze(suppress_late(audio, sample_rate, room, floor_db=-40.0, strength=1.5), sample_rate)


def _recursion(room: Room, bin_hz: npt.ArrayLike, step_s: float) -> tuple[Array, Array]:
    """Decay of the power from one spectrum to the next, and the share of the sounding power that feeds it, [bins].

    A steady sound of power D is answered by `D 10^(level / 10)` in the end; so much less is fed each time as decays.
    """
    decay_s, level_db = room.at(bin_hz)
    decay = 10 ** (-6 * step_s / decay_s)
    return decay, np.minimum(1.0, 10 ** (level_db / 10) * (1 - decay) / decay)
