"""The room of one recording put around the sound of another.

What the other recording has of a room of its own is taken out where that brings it nearer to the room that is wanted,
and only what is missing after that is added: in each band so much of the wanted room's answer that the decay curve of
both together comes nearest to its own. The result is as loud as the recording was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retimbre import audio
from retimbre.engine import Floats
from retimbre.errors import RetimbreError
from retimbre.rooms.bands import Array
from retimbre.rooms.dereverb import Dereverberator
from retimbre.rooms.estimate import Listener
from retimbre.rooms.measured import MeasuredRoom
from retimbre.rooms.place import Progress, convolved, dried, read, report, write_all
from retimbre.rooms.room import Room

LATE_S = 0.05
"""After the direct sound; what comes later can be taken out."""

TAKEN_DB = 6.0
"""By which dereverberation turns late reverberation down, on the whole."""

_SHARES = np.concatenate([[0.0], 10 ** np.linspace(-3, 0, 31)])  # of the wanted answer that may be added
_DEEPEST_DB = 30.0  # of the decay curves that are compared
_POINTS = 60
_GAIN_DB = 0.3  # by which the curves must come nearer for a sound to be touched
_HEARD_HZ = (200.0, 6000.0)
_DRIER_DB = 3.0  # of excess, from which on it is told
_SPECTRUM = 16_384
_TINY = 1e-12


@dataclass(frozen=True)
class Plan:
    """What a recording needs to sound as in another room.

    Attributes:
        dry: whether its own room is taken out first.
        missing: what is added.
        excess_db: by how much its decay stays above that of the wanted room; above 0 where that is drier.
    """

    dry: bool
    missing: Room | MeasuredRoom
    excess_db: float


def plan(target: Room | MeasuredRoom, source: Room | None, *, strength: float = 1.0) -> Plan:
    """What is to be taken from a recording, and what added.

    Args:
        target: the room that is wanted.
        source: the room of the recording; None where it is dry.
        strength: of the dereverberation; 0 leaves the recording as it is.

    Raises:
        RetimbreError: a measured response tells no decay.
    """
    if source is None:
        return Plan(False, target, 0.0)
    try:
        wanted = target if isinstance(target, Room) else Room.from_rir(target.response[:, 0], target.sample_rate)
    except RetimbreError as error:
        raise RetimbreError(f"{target.name}: {error}") from None
    kept = _shares(wanted, source, 0.0)
    taken = _shares(wanted, source, TAKEN_DB * min(strength, 2.0))
    dry = strength > 0 and kept[1] - taken[1] > _GAIN_DB
    shares, _, excess_db = taken if dry else kept
    level_db = 10 * np.log10(np.maximum(shares, 1e-6))
    if isinstance(target, MeasuredRoom) and float(level_db.min()) > -1:
        return Plan(dry, target, excess_db)  # as good as all of it is missing
    missing = replace(
        wanted,
        level_db=_lowered(wanted.level_db, level_db),
        second_level_db=_lowered(wanted.second_level_db, level_db),
        name=target.name,
    )
    return Plan(dry, missing, excess_db)


def _lowered(level_db: tuple[float, ...], by_db: Array) -> tuple[float, ...]:
    return tuple(np.maximum(np.array(level_db) + by_db[: len(level_db)], -120).tolist())


def _shares(wanted: Room, source: Room, taken_db: float) -> tuple[Array, float, float]:
    """Shares of the wanted answer that bring the decay curves nearest.

    Returns:
        The shares, [bands]; how far the curves then lie apart on average in dB, and how far above the wanted one.
    """
    hz = np.array(wanted.band_hz)
    time_s = (
        np.linspace(0, 1, _POINTS)[:, None] * np.maximum(wanted.at(hz)[0], 0.1) * _DEEPEST_DB / 60
    )  # [points, bands]
    own, other = _energy(wanted, hz, time_s), _energy(source, hz, time_s)
    late = _energy(source, hz, np.maximum(time_s, LATE_S))
    other = other - late + late * 10 ** (-taken_db / 10)
    # What is added sounds for the direct sound and for what is left of the source's room.
    both = other + _SHARES[:, None, None] * own * (1 + other[0])
    counts = own > own[0] * 10 ** (-_DEEPEST_DB / 10)
    above_db = np.where(counts, 10 * np.log10((both + _TINY) / (own + _TINY)), 0)
    error = np.abs(above_db).mean(axis=1)  # [shares, bands]
    error += np.abs(10 * np.log10((1 + both[:, 0]) / (1 + own[0])))  # and the whole energy
    best = error.argmin(axis=0)
    heard = (hz >= _HEARD_HZ[0]) & (hz <= _HEARD_HZ[1])
    if not heard.any():
        heard[:] = True
    every = np.arange(len(hz))
    excess_db = np.maximum(above_db, 0).mean(axis=1)[best, every]
    return _SHARES[best], float(error[best, every][heard].mean()), float(excess_db[heard].mean())


def _energy(room: Room, hz: Array, time_s: Array) -> Array:
    """Of a room's answer in each band from some time on, re the direct sound, [times, bands]."""
    energy = np.zeros(np.broadcast_shapes(time_s.shape, hz.shape))
    after_s = np.maximum(time_s - room.predelay_s, 0)
    for place in range(1 + bool(room.second_decay_s)):
        decay_s, level_db = room.part_at(place, hz)
        energy += 10 ** (level_db / 10 - 6 * after_s / decay_s)
    return energy


def match_file(
    source: Path,
    output: Path,
    target: Room | MeasuredRoom,
    *,
    source_room: Room | None = None,
    dry: bool = False,
    strength: float = 1.0,
    channels: int = 1,
    gain_db: float = 0.0,
    overwrite: bool = False,
    progress: Progress = lambda share: None,
) -> dict[str, Any]:
    """Put a room around a file of any length, holding only seconds of it in memory.

    Args:
        source: any audio file; it is heard as one point, so several channels are mixed.
        output: the file to write; its suffix is the format, its rate that of `source`.
        target: the room that is wanted, measured or estimated.
        source_room: that of `source`; None: it is estimated.
        dry: `source` has no room.
        strength: of the dereverberation; 0 leaves `source` as it is.
        channels: of the output, 1 or 2.
        gain_db: more than the loudness of `source`.
        overwrite: whether `output` may exist.
        progress: called with the share that is done.

    Returns:
        What happened, ready for JSON.

    Raises:
        RetimbreError: a file cannot be read or written, `source` is silent, or a measured response tells no decay.
    """
    warnings: list[str] = []
    with audio.Reader(source) as reader:
        rate = reader.sample_rate
        listener = None if dry or source_room else Listener(rate)
        spectrum = _listen(reader, listener, lambda share: progress(0.3 * share))
        if listener:
            source_room, warnings = _heard(listener, source.stem)
        todo = plan(target, source_room, strength=strength)
        if todo.excess_db > _DRIER_DB:
            warnings.append(
                f"the wanted room is drier than its own, which will still be heard ({todo.excess_db:.0f} dB too much); "
                "take more out with --strength 2, or let an instrument play it dry: retimbre room dry --with cello"
            )
        response = todo.missing.to_rir(rate, 2)[:, :channels]
        loudness_db = -10 * math.log10(_louder(spectrum, response[:, 0], rate))
        with audio.Writer(output, rate, channels, overwrite=overwrite, inputs=[source]) as writer:
            blocks = read(reader, lambda share: progress(0.3 + 0.7 * share))
            if todo.dry and source_room:
                blocks = dried(blocks, Dereverberator(rate, source_room, strength=strength))
            peak = write_all(convolved(blocks, response, gain_db + loudness_db), writer)
    return {
        "input": str(source),
        "output": str(output),
        "room": target.name,
        "source_room": source_room.to_json() if source_room else None,
        "dereverberated": todo.dry,
        "excess_db": round(todo.excess_db, 1),
        **report(writer, gain_db, peak),
        "loudness_db": round(loudness_db, 2),
        "warnings": warnings,
    }


def _heard(listener: Listener, name: str) -> tuple[Room | None, list[str]]:
    """The room of a recording, None where it tells none."""
    try:
        estimate = listener.finish(name)
    except RetimbreError as error:
        return None, [f"its own room could not be heard, and is taken for none: it {error}"]
    return estimate.room, [f"its own room: {warning}" for warning in estimate.warnings]


def _listen(reader: audio.Reader, listener: Listener | None, progress: Progress) -> Array:
    """Power spectrum of a whole file, [bins]; the listener hears it, too.

    Raises:
        RetimbreError: it is silent.
    """
    power = np.zeros(_SPECTRUM // 2 + 1)
    window = np.hanning(_SPECTRUM)
    for block in read(reader, progress):
        if listener:
            listener.process(block)
        pieces = np.pad(block, (0, -len(block) % _SPECTRUM)).reshape(-1, _SPECTRUM)
        power += np.square(np.abs(np.fft.rfft(pieces * window))).sum(axis=0)
    if not power.sum() > 1e-9:
        raise RetimbreError(f"{reader.path}: is silent; there is nothing to put into a room")
    return power


def _louder(spectrum: Array, response: Floats, sample_rate: int) -> float:
    """A-weighted power of a sound in a room over that of the sound alone."""
    hz = np.fft.rfftfreq(_SPECTRUM, 1 / sample_rate)
    weighted = spectrum * _a_weighting(hz)
    pieces = np.pad(response.astype(np.float64), (0, -len(response) % _SPECTRUM)).reshape(-1, _SPECTRUM)
    # Pieces of noise add in power; the first holds the direct sound.
    gain = np.square(np.abs(np.fft.rfft(pieces))).sum(axis=0)
    return float((weighted * gain).sum() / weighted.sum())


def _a_weighting(hz: npt.NDArray[np.floating]) -> Array:
    """Power gain (IEC 61672-1), 1 at about 1 kHz."""
    f2 = np.square(hz)
    low, first, second, high = (corner**2 for corner in (20.598997, 107.65265, 737.86223, 12194.217))
    return 1.585 * f2**4 * high**2 / ((f2 + low) ** 2 * (f2 + first) * (f2 + second) * (f2 + high) ** 2)
