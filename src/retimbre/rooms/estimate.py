"""The room of a recording, heard blindly: no impulse response is needed, only speech or music that was played in it.

A small network (`retimbre.training.room_network`, trained on simulated rooms) hears windows of the recording and tells
figures of the room with a spread each; windows count by what they tell, with the inverse of the variance. What tells
nothing is refused: no estimate without its confidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from retimbre import audio
from retimbre.engine import Floats, Resampler
from retimbre.errors import RetimbreError
from retimbre.rooms.figures import HALF_OCTAVES_HZ, room_from_figures
from retimbre.rooms.listen import HOP, LISTEN_RATE, MELS, mel_levels, normalise
from retimbre.rooms.reference import Reference
from retimbre.rooms.room import Array, Room
from retimbre.rooms.targets import BANDS, MIDDLE, TARGETS

WINDOW, STEP = 1596, 800
"""Frames (of 10 ms) that are heard at a time, and from one time to the next."""

SHORTEST = 290
"""Frames that say anything."""

PATCH = 4
"""Frames, of which the network takes whole numbers."""

INTERVAL = 1.2816
"""Standard deviations to either side that hold 80 % of a normal distribution."""

_ALIKE = 0.7  # correlation of the errors of windows of one recording
_TOGETHER = 0.9  # spread of the mean of three neighbouring bands, over that of each
_VAGUE = 0.35  # spread of the logarithm of a decay time from which on it is told
_NOTHING = 0.85  # ... and nothing is known
_DRY_DB = 25.0


@dataclass(frozen=True)
class BandEstimate:
    """One half octave: times in seconds and levels in dB, ranges that hold the truth in 80 % of cases."""

    band_hz: float
    t60_s: float
    t60_range_s: tuple[float, float]
    edt_s: float
    c50_db: float
    c50_range_db: tuple[float, float]


@dataclass(frozen=True)
class Estimate:
    """What was heard of a room.

    Attributes:
        t60_s: decay time (T20 of ISO 3382) from 500 to 1000 Hz. That of all bands together depends on how loud each
            is in the response, which no recording tells: a source may be as dull as a room.
        t60_range_s: holds the truth in 80 % of cases; so do all ranges.
        edt_s: early decay time, there too.
        c50_db: clarity there, energy of the first 50 ms over the rest.
        c50_range_db: its range.
        drr_db: energy of the direct sound over the rest, of all bands together.
        drr_range_db: its range.
        bands: half octaves from 125 Hz to 5.7 kHz.
        seconds: how much was heard.
        room: to play in; it holds the spreads.
        warnings: what to know before the figures are believed.
        heard: which channels, where there are several.
    """

    t60_s: float
    t60_range_s: tuple[float, float]
    edt_s: float
    c50_db: float
    c50_range_db: tuple[float, float]
    drr_db: float
    drr_range_db: tuple[float, float]
    bands: tuple[BandEstimate, ...]
    seconds: float
    room: Room
    warnings: tuple[str, ...] = ()
    heard: str = ""

    def to_json(self) -> dict[str, Any]:
        """As `retimbre room estimate --json` prints it."""
        return asdict(self) | {"room": self.room.to_json()}


def estimate(sound: Floats, sample_rate: int, name: str = "") -> Estimate:
    """Estimate the room of a recording.

    Args:
        sound: [samples], of speech or music; 10 s and more tell well.
        sample_rate: in Hz, 8 to 192 kHz.
        name: of the room.

    Raises:
        RetimbreError: the recording is too short, silent, steady or too noisy to tell a room.
    """
    listener = Listener(sample_rate)
    listener.process(np.asarray(sound, np.float32))
    return listener.finish(name)


def estimate_file(path: Path, progress: Callable[[float], None] = lambda share: None) -> Estimate:
    """Estimate the room of an audio file of any length, in constant memory; see `estimate`."""
    with audio.Reader(path) as reader:
        listener, read = Listener(reader.sample_rate), 0
        for block in reader.blocks():
            listener.process(block)
            read += len(block)
            progress(read / max(reader.n_samples, read))
        channels, alone = reader.channels, reader.channel
    heard = f"channel {alone + 1} of {channels}" if alone is not None else f"the mean of {channels} channels"
    try:
        return replace(listener.finish(path.stem), heard=heard if channels > 1 else "")
    except RetimbreError as error:
        raise RetimbreError(f"{path}: {error}") from None


class Listener:
    """Hears a recording block by block."""

    def __init__(self, sample_rate: int) -> None:
        """Start a recording at `sample_rate` Hz."""
        self._resampler = Resampler(sample_rate, LISTEN_RATE, 24)
        self._reference = Reference(sample_rate)
        self._pending = np.empty(0, np.float32)  # samples that make no whole frame yet
        self._kept = np.empty((0, MELS), np.float32)  # levels of the last window
        self._unheard = self._windows = 0  # frames at the end that no window held yet; windows so far
        self._told: list[tuple[Array, Array]] = []
        self._apart = 0.0

    def process(self, sound: Floats) -> None:
        """Hear samples [n] on."""
        self._reference.inspect(sound)
        self._take(self._resampler.process(sound))

    def figures(self) -> tuple[Array, Array]:
        """Means and spreads of `Targets.vector` when the recording has ended, [TARGETS] each.

        Raises:
            RetimbreError: it told nothing; the message says why.
        """
        self._take(self._resampler.flush())
        if self._unheard > 100 or not self._windows:
            self._hear()
        self._reference.check()
        told, spread, self._apart = _combine(self._told)
        if middle(told, spread, 0)[1] > _NOTHING and middle(told, spread, 2)[0] < _DRY_DB:
            raise RetimbreError(
                "tells no room: no sound in it ends clearly enough for its decay to be heard; take speech, or music "
                "with rests, with less noise"
            )
        return told, spread

    def finish(self, name: str = "") -> Estimate:
        """The room when the recording has ended; see `figures`."""
        told, spread = self.figures()
        return _estimate(told, spread, self._apart, self._reference, name)

    def _take(self, sound: Floats) -> None:
        pending = np.concatenate([self._pending, sound])
        levels = mel_levels(pending)
        self._pending = pending[len(levels) * HOP :]
        while len(levels):
            wanted = STEP if self._windows else WINDOW
            part, levels = np.split(levels, [wanted - self._unheard])
            self._kept = np.concatenate([self._kept, part])[-WINDOW:]
            self._unheard += len(part)
            if self._unheard == wanted:
                self._hear()

    def _hear(self) -> None:
        """Hear what is kept."""
        self._unheard = 0
        self._windows += 1
        levels = self._kept[: len(self._kept) // PATCH * PATCH]
        if len(levels) < SHORTEST or not self._reference.hear(levels):
            return
        told, spread = _session().run(None, {"levels": normalise(levels)[None]})
        self._told.append((told[0].astype(np.float64), spread[0].astype(np.float64)))


def _combine(told: list[tuple[Array, Array]]) -> tuple[Array, Array, float]:
    """Means and spreads [TARGETS] of all windows, and how far decay times of single windows lie apart, in spreads."""
    means, spreads = (np.stack(values) for values in zip(*told, strict=True))
    weight = spreads**-2
    weight /= weight.sum(axis=0)
    mean = (weight * means).sum(axis=0)
    # Windows that err alike add less than independent ones would.
    count = 1 / (weight**2).sum(axis=0)
    spread = np.sqrt(1 / (spreads**-2).mean(axis=0) * (_ALIKE + (1 - _ALIKE) / count))
    at = MIDDLE.start
    apart = float(np.sqrt((((means[:, at] - mean[at]) / spreads[:, at]) ** 2).mean()))
    return mean, spread, apart


def middle(told: Array, spread: Array, part: int) -> tuple[float, float]:
    """Mean and spread over 500 to 1000 Hz of what is told of bands, [TARGETS]: log T20, log EDT or C50 (0 to 2)."""
    # Neighbouring bands err alike; their mean errs a little less than each.
    here = slice(part * BANDS + MIDDLE.start, part * BANDS + MIDDLE.stop)
    return float(told[here].mean()), _TOGETHER * float(spread[here].mean())


def _estimate(told: Array, spread: Array, apart: float, reference: Reference, name: str) -> Estimate:
    times = 3 * BANDS
    log_t60, log_edt, c50_db = (told[place * BANDS : (place + 1) * BANDS] for place in range(3))
    unheard = ~reference.heard()
    warnings = list(reference.warnings())
    (t60, t60_spread), (c50, c50_spread) = (middle(told, spread, part) for part in (0, 2))
    low, high = _range(told, spread, exponential=True)
    low_db, high_db = _range(told, spread)
    if t60_spread > _VAGUE:
        warnings.append("decays are hard to hear in it: the figures are rough; more of it, or speech, tells more")
    if c50 > _DRY_DB:
        warnings.append("sounds dry: there is hardly a room to be heard, so its figures are rough")
    if apart > 2:
        warnings.append("its parts tell different rooms; give one place at a time")
    bands = tuple(
        BandEstimate(
            round(hz, 1),
            _round(math.exp(log_t60[band])),
            (_round(low[band]), _round(high[band])),
            _round(math.exp(log_edt[band])),
            round(float(c50_db[band]), 1),
            (round(float(low_db[2 * BANDS + band]), 1), round(float(high_db[2 * BANDS + band]), 1)),
        )
        for band, hz in enumerate(HALF_OCTAVES_HZ)
    )
    known_s, known_db = (np.where(unheard, np.nan, values) for values in (np.exp(log_t60), c50_db))
    room = room_from_figures(HALF_OCTAVES_HZ, known_s, known_db, float(told[times + 4]), name=name[:64])
    return Estimate(
        t60_s=_round(math.exp(t60)),
        t60_range_s=(_round(math.exp(t60 - INTERVAL * t60_spread)), _round(math.exp(t60 + INTERVAL * t60_spread))),
        edt_s=_round(math.exp(log_edt[MIDDLE].mean())),
        c50_db=round(c50, 1),
        c50_range_db=(round(c50 - INTERVAL * c50_spread, 1), round(c50 + INTERVAL * c50_spread, 1)),
        drr_db=round(float(told[times + 4]), 1),
        drr_range_db=(round(float(low_db[times + 4]), 1), round(float(high_db[times + 4]), 1)),
        bands=bands,
        seconds=round(reference.seconds, 1),
        room=_with_spreads(room, spread),
        warnings=tuple(warnings),
    )


def _with_spreads(room: Room, spread: Array) -> Room:
    """The room with its confidence, that of the last half octave for all above."""
    at, places = np.log2(room.band_hz), np.log2(HALF_OCTAVES_HZ)
    decays = np.interp(at, places, spread[:BANDS])
    levels = np.interp(at, places, spread[2 * BANDS : 3 * BANDS])
    return replace(
        room,
        decay_spread=tuple(np.round(decays, 3).tolist()),
        level_spread_db=tuple(np.round(levels, 2).tolist()),
    )


def _range(told: Array, spread: Array, *, exponential: bool = False) -> tuple[Array, Array]:
    low, high = told - INTERVAL * spread, told + INTERVAL * spread
    return (np.exp(low), np.exp(high)) if exponential else (low, high)


def _round(seconds: float) -> float:
    return round(float(seconds), 3)


@lru_cache(maxsize=1)
def _session() -> Any:
    """The network, run on one core."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    model = Path(__file__).with_name("estimator.onnx").read_bytes()
    session = onnxruntime.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])
    assert session.get_outputs()[0].shape[-1] == TARGETS
    return session
