"""Late reverberation taken out of a recording, given its room (Lebart, Boucher and Denbigh 2001; Habets 2004).

In each bin of a spectrogram the power of the reverberation is predicted from the power before: it decays with the
room, and is fed by what sounds. A Wiener filter with a decision-directed signal-to-reverberation ratio (Ephraim and
Malah 1984) turns it down. Causal, but for the window. Linear prediction (WPE), the common alternative, predicts
sustained notes away; here less is taken off the more tonal a sound is, because the partials of a long note meet a room
in single frequencies, whose share of the reverberation no band tells. Less is taken off, too, where the room was
estimated and is hardly known, and where there is hardly a room.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from retimbre.analysis import analyze
from retimbre.controls import Controls
from retimbre.engine import Floats
from retimbre.rooms.bands import Array
from retimbre.rooms.room import Room

WINDOW_S = 0.064
"""Of the spectra: long enough for the partials of a low note. They overlap by 3/4."""

FLOOR_DB = -14.0
"""As far as anything is turned down at a strength of 1; twice as far at 4."""

TONAL_STRENGTH = 0.3
"""Share of the predicted reverberation that is taken off a tonal sound."""

FOR_CONTROLS: dict[str, Any] = {
    "strength": 1.5,
    "alone": 4.0,
    "floor_db": -40.0,
    "careful": False,
    "window_s": 0.04,
}
"""How sound is made dry that only the analysis hears; the window is short enough for the ends of notes."""

_DELAY_S = 0.03  # before which nothing counts as late: windows that overlap see the same sound
_SMOOTHING_S = 0.02  # over which the power that feeds the room is averaged
_PERSISTENCE = 0.9  # of the signal-to-reverberation ratio, from one spectrum to the next
_TINY = 1e-12
_TONAL_HZ = (200.0, 5000.0)
_TONAL_S = 0.2  # over which tonality is averaged
_TONAL_DB, _NOISY_DB = -26.0, -17.4  # flatness up to which a sound is all tonal, and from which on it is not at all
_KNOWN_DB = 3.5  # standard error of what a room leaves up to which it is known: that of rooms heard in clear speech
_ALONE_DB = 1.0, 4.0  # above the prediction: the room sounds alone, and not alone
_FALLEN_DB = 10.0  # by which a tail has fallen when it is heard
_CLEAR_DB, _DRY_DB = 18.0, 28.0  # clarity (C50) up to which all is taken off, and from which on nothing is
_EARLY_S = 0.05
_SPECTRA = 256  # at once


class Dereverberator:
    """Turns down the late reverberation of a room in a stream, in blocks of any size.

    What is certain comes out at once; `flush` ends the stream. Nothing is delayed in the end: sample n of all that
    comes out belongs to sample n of all that went in.
    """

    def __init__(
        self,
        sample_rate: int,
        room: Room,
        *,
        strength: float = 1.0,
        alone: float = 1.0,
        floor_db: float | None = None,
        careful: bool = True,
        window_s: float = WINDOW_S,
    ) -> None:
        """Start a stream at `sample_rate` Hz of a sound that was recorded in `room`.

        Args:
            sample_rate: of the stream.
            room: where.
            strength: by what the predicted reverberation is multiplied before it is taken off: 0 changes nothing,
                more than 1 takes off what fluctuates above the prediction as well.
            alone: by what it is multiplied as well in spectra that hold, as a whole, no more than predicted: nothing
                sounds there but the room, whose single partials fluctuate far above the prediction.
            floor_db: as far as anything is turned down; None: `FLOOR_DB` times the root of `strength`.
            careful: take less off tonal sounds, and where the room is hardly known or hardly there.
            window_s: of the spectra.
        """
        self._hop = max(1, round(window_s * sample_rate / 4))
        n, step_s = 4 * self._hop, self._hop / sample_rate
        hz = np.fft.rfftfreq(n, 1 / sample_rate)
        self._window = np.sqrt(np.hanning(n + 1)[:-1])
        self._delay = max(1, round(_DELAY_S / step_s))
        self._decay, self._feed = _recursion(room, hz, step_s)
        self._delayed = self._decay**self._delay
        if careful:
            self._delayed *= _known(room, hz) * _there(room, hz)
        floor_db = FLOOR_DB * math.sqrt(strength) if floor_db is None else floor_db
        self._strength, self._alone, self._floor = strength, alone, 10 ** (floor_db / 20)
        self._tonal = (hz >= _TONAL_HZ[0]) & (hz <= _TONAL_HZ[1]) if careful else None
        self._smooth, self._slow = math.exp(-step_s / _SMOOTHING_S), math.exp(-step_s / _TONAL_S)
        self._quiet = 1e-12 * float(self._window @ self._window)  # white noise 120 dB below full scale
        self._past = [np.zeros_like(self._decay)] * (self._delay + 1)  # reverberant power, newest last
        self._power, self._direct = np.zeros(len(hz)), np.zeros(len(hz))
        self._clean = np.ones(len(hz))  # power after the filter over that of the reverberation
        self._flat_db = 0.5 * (_TONAL_DB + _NOISY_DB)
        self._waiting, self._sum = np.zeros(n - self._hop, np.float32), np.zeros(n)
        self._before = n - self._hop  # samples of the first windows that lie before the stream
        self._received = self._sent = 0

    @property
    def latency_samples(self) -> int:
        """How much later than a sample goes in it comes out at the most."""
        return len(self._window) - 1

    def process(self, audio: Floats) -> Floats:
        """Feed samples [n]; get those that are certain by now."""
        self._received += len(audio)
        self._waiting = np.concatenate([self._waiting, audio])
        pieces = [np.empty(0)]
        while len(self._waiting) >= len(self._window):
            count = min(_SPECTRA, (len(self._waiting) - len(self._window)) // self._hop + 1)
            pieces.append(self._filter(count))
            self._waiting = self._waiting[count * self._hop :]
        out = np.concatenate(pieces)
        cut = min(self._before, len(out))
        self._before -= cut
        self._sent += len(out) - cut
        return out[cut:].astype(np.float32)

    def flush(self) -> Floats:
        """The rest, so that as many samples came out as went in."""
        missing, received = self._received - self._sent, self._received
        rest = self.process(np.zeros(len(self._window) + self._hop, np.float32))[:missing]
        self._received = self._sent = received
        return rest

    def _filter(self, count: int) -> Array:
        """The next windows of what waits, filtered and added up: the samples that no later window reaches."""
        n, hop = len(self._window), self._hop
        views = np.lib.stride_tricks.sliding_window_view(self._waiting, n)[: count * hop : hop]
        spectra = np.fft.rfft(views * self._window)
        spectra *= self._gains(np.square(spectra.real) + np.square(spectra.imag))
        # Four windows of Hann overlap to 2.
        pieces = np.fft.irfft(spectra, n) * (0.5 * self._window)
        out = np.empty((count, hop))
        for piece, certain in zip(pieces, out, strict=True):
            self._sum += piece
            certain[:] = self._sum[:hop]
            self._sum[:-hop] = self._sum[hop:]
            self._sum[-hop:] = 0
        return out.ravel()

    def _gains(self, power: Array) -> Array:
        """Of the next spectra, from their power, [spectra, bins] both."""
        strengths = self._strength * self._care(power)
        gains = np.empty_like(power)
        for now, strength, gain in zip(power, strengths, gains, strict=True):
            reverberant = self._decay * (self._past[-1] + self._feed * self._direct)
            self._past = [*self._past[1:], reverberant]
            late = (self._delayed * self._past[0]).sum(axis=0)
            self._power = self._smooth * self._power + (1 - self._smooth) * now
            self._direct = self._power - reverberant.sum(axis=0)
            ratio = now / (strength * self._alone_now(late) * late + _TINY)
            wanted = _PERSISTENCE * self._clean + (1 - _PERSISTENCE) * np.maximum(ratio - 1, 0)
            gain[:] = np.maximum(wanted / (1 + wanted), self._floor)
            self._clean = np.square(gain) * ratio
        return gains

    def _alone_now(self, late: Array) -> float:
        """What `alone` makes of the strength now, by how far the sound as a whole is above the prediction."""
        if self._alone == 1:
            return 1.0
        above_db = 10 * math.log10((float(self._power.sum()) + _TINY) / (float(late.sum()) + _TINY))
        lowest_db, highest_db = _ALONE_DB
        return self._alone ** min(1.0, max(0.0, (highest_db - above_db) / (highest_db - lowest_db)))

    def _care(self, power: Array) -> Array:
        """Share of the prediction that is taken off each spectrum, by its flatness (geometric over arithmetic mean)."""
        if self._tonal is None:
            return np.ones(len(power))
        heard = power[:, self._tonal] + self._quiet
        flat_db = 10 / math.log(10) * (np.log(heard).mean(axis=1) - np.log(heard.mean(axis=1)))
        for place, value in enumerate(flat_db):
            self._flat_db = self._slow * self._flat_db + (1 - self._slow) * float(value)
            flat_db[place] = self._flat_db
        noisy = np.clip((flat_db - _TONAL_DB) / (_NOISY_DB - _TONAL_DB), 0, 1)
        return TONAL_STRENGTH ** (1 - noisy)


def suppress_late(
    audio: Floats,
    sample_rate: int,
    room: Room,
    *,
    strength: float = 1.0,
    alone: float = 1.0,
    floor_db: float | None = None,
    careful: bool = True,
    window_s: float = WINDOW_S,
) -> Floats:
    """Turn down the late reverberation of a room in a whole recording [samples]; see `Dereverberator`."""
    stream = Dereverberator(
        sample_rate, room, strength=strength, alone=alone, floor_db=floor_db, careful=careful, window_s=window_s
    )
    return np.concatenate([stream.process(audio), stream.flush()])


def dry_controls(audio: Floats, sample_rate: int, room: Room) -> Controls:
    """The controls that the dry sound had, as far as the room is known.

    Nobody hears what is left of the reverberation here, so it may be little: an instrument that is told of tails plays
    them.
    """
    return analyze(suppress_late(audio, sample_rate, room, **FOR_CONTROLS), sample_rate)


def _recursion(room: Room, hz: npt.ArrayLike, step_s: float) -> tuple[Array, Array]:
    """Decay of the power from one spectrum to the next, and the share of the direct power that feeds it.

    Of each part of the answer, [parts, bins]. A steady sound of power D is answered by `D 10^(level / 10)` in the
    end; so much less is fed each time as decays.
    """
    parts = [room.part_at(place, hz) for place in range(1 + bool(room.second_decay_s))]
    decay = np.array([10 ** (-6 * step_s / decay_s) for decay_s, _ in parts])
    level = np.array([10 ** (level_db / 10) for _, level_db in parts])
    feed = level * (1 - decay) / decay
    return decay, feed / np.maximum(feed.sum(axis=0), 1)  # so that no power becomes negative


def _known(room: Room, hz: npt.NDArray[np.floating]) -> Array:
    """Share of the predicted power to reckon with, by the standard errors of an estimated room, [bins].

    The filter needs the ratio of what is heard to the reverberation. Of a power that is known to a standard error of s
    dB, with the errors distributed normally, the mean of the inverse is `10^(ln(10) s^2 / 200)` times the inverse of
    its median; of errors as small as those the filter was made with, nothing is reckoned.
    """
    if not (room.level_spread_db and room.decay_spread):
        return np.ones(len(hz))
    # A decay time that is wrong by a share of itself makes what has fallen wrong by as much.
    spread_db = np.hypot(room.level_spread_db, _FALLEN_DB * np.array(room.decay_spread))
    excess = np.maximum(np.square(spread_db) - _KNOWN_DB**2, 0)
    octaves = np.log2(room.band_hz)
    return 10 ** (-math.log(10) / 200 * np.interp(np.log2(np.maximum(hz, room.band_hz[0])), octaves, excess))


def _there(room: Room, hz: npt.NDArray[np.floating]) -> Array:
    """Share of the reverberation to take off, by the clarity of the room, [bins].

    What is nearly dry can win little and lose much: its tail is masked, and an estimate cannot tell it from none.
    """
    parts = [room.part_at(place, hz) for place in range(1 + bool(room.second_decay_s))]
    waited_s = max(0.0, _EARLY_S - room.predelay_s)
    whole = sum(10 ** (level_db / 10) for _, level_db in parts)
    late = sum(10 ** (level_db / 10 - 6 * waited_s / decay_s) for decay_s, level_db in parts)
    clarity_db = 10 * np.log10((1 + whole - late) / (late + _TINY))
    return np.clip((_DRY_DB - clarity_db) / (_DRY_DB - _CLEAR_DB), 0, 1)
