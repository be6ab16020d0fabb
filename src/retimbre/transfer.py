"""Play any sound with an instrument: analyse, adjust, decode, synthesise, for arrays and for files of any length."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from retimbre import audio
from retimbre.analysis import analyze, analyze_blocks
from retimbre.controls import Controls
from retimbre.engine import FRAME_RATE, Floats, n_samples
from retimbre.errors import RetimbreError
from retimbre.instrument import Instrument, Player
from retimbre.rooms import library
from retimbre.rooms.dereverb import FOR_CONTROLS, Dereverberator
from retimbre.rooms.measured import MeasuredRoom
from retimbre.rooms.place import dried, ringing
from retimbre.rooms.room import Room

SILENCE_DB = -85
"""Loudness below which a sound is silence, whatever the rest of it is like."""

GATE_BELOW_LOUD_DB = 45
"""Where the automatic gate closes, below the loud frames (95th percentile) of a sound."""

MAX_SLOPE = 2.0
"""Steepest that the loudness fit may stretch dynamics: an even source must not have its noise made into music."""

HEADROOM_DB = 1.0
"""How far the loudness fit may exceed the loud frames that the instrument was trained on (their 96th percentile): a
plucked attack must not ask for what no bow ever played."""

_CHUNK_FRAMES = 400  # frames rendered at once (2 s)


@dataclass(frozen=True)
class Settings:
    """How a sound is fitted to an instrument.

    Attributes:
        octave: octaves up, or "auto": as many whole octaves as bring the sound into the instrument's range.
        semitones: further transposition.
        gain_db: of the output.
        fit_loudness: match the dynamics of the sound to those of the instrument.
        gate_db: loudness below which the sound fades into silence; None chooses it from the sound.
        seed: of the noise.
        room: that the instrument is heard in, such as its own (`Instrument.room`); None is dry.
    """

    octave: int | Literal["auto"] = "auto"
    semitones: float = 0.0
    gain_db: float = 0.0
    fit_loudness: bool = True
    gate_db: float | None = None
    seed: int = 0
    room: Room | MeasuredRoom | None = None


@dataclass(frozen=True)
class Adjustment:
    """What `adjust` did: octaves moved, the gate in dB, and the loudness curve as (from dB, to dB) points."""

    octave: int
    gate_db: float
    loudness_points: tuple[tuple[float, float], ...]
    outside_range: float  # share of voiced frames beyond the pitches that the instrument was trained on


def adjust(controls: Controls, instrument: Instrument, settings: Settings | None = None) -> tuple[Controls, Adjustment]:
    """Move the controls of a sound to where the instrument is at home.

    Pitch moves by whole octaves, and only if the sound's pitches (10th to 90th percentile) do not lie in the
    instrument's range already: then by the rounded difference of the medians. Loudness goes through the map of the
    sound's quantiles onto the instrument's, over voiced frames, with slopes up to `MAX_SLOPE`, 1 beyond the ends, and
    `HEADROOM_DB` at the top.
    """
    settings = settings or Settings()
    loudness, voiced = controls.loudness_db.astype(np.float64), controls.voiced & (controls.f0_hz > 0)
    heard = voiced & (loudness > SILENCE_DB)
    loud = float(np.percentile(loudness[heard], 95)) if heard.any() else float(np.percentile(loudness, 95))
    gate_db = max(SILENCE_DB, loud - GATE_BELOW_LOUD_DB) if settings.gate_db is None else settings.gate_db
    heard &= loudness > gate_db

    octave = fitting_octave(controls.f0_hz[heard], instrument) if settings.octave == "auto" else settings.octave
    f0_hz = controls.f0_hz * np.float32(2 ** (octave + settings.semitones / 12))
    low, high = (
        440 * 2 ** ((edge - 69) / 12) for edge in (instrument.network.pitch.low, instrument.network.pitch.high)
    )
    beyond = ((f0_hz < low) | (f0_hz > high))[heard]

    fit = settings.fit_loudness and heard.any()
    points = _loudness_points(loudness[heard], instrument) if fit else ((0.0, 0.0),)
    fitted = _extended(loudness, points)
    # Below the gate three times steeper, and towards digital silence steeper still: whatever the fit adds, a silent
    # input stays silent.
    fitted -= 2 * np.maximum(gate_db - loudness, 0) + 6 * np.maximum(SILENCE_DB - loudness, 0)
    # The decision on voicing has been made: a frame that is in is wholly in.
    periodicity = np.where(voiced, np.maximum(controls.periodicity, 0.6), np.minimum(controls.periodicity, 0.4))
    adjusted = controls.replace(f0_hz=f0_hz, periodicity=periodicity, loudness_db=fitted.astype(np.float32))
    return adjusted, Adjustment(octave, gate_db, points, float(beyond.mean()) if len(beyond) else 0.0)


def fitting_octave(f0_hz: Floats, instrument: Instrument) -> int:
    """Whole octaves that bring pitches [n] into the range of an instrument: 0 where they are in it already."""
    if not len(f0_hz):
        return 0
    midi = 69 + 12 * np.log2(f0_hz / 440)
    low, high = np.percentile(midi, [10, 90])
    pitch = instrument.network.pitch
    if pitch.low <= low and high <= pitch.high:
        return 0
    return int(np.round((pitch.centre - np.median(midi)) / 12))


def _loudness_points(loudness: np.ndarray, instrument: Instrument) -> tuple[tuple[float, float], ...]:
    """Quantiles of the source, kept apart so that no slope exceeds MAX_SLOPE, against those of the instrument."""
    theirs = np.array(instrument.card["loudness"]["quantiles"])[2:-2:2]
    shares = np.linspace(0, 1, len(instrument.card["loudness"]["quantiles"]))[2:-2:2]
    ours = np.quantile(loudness, shares)
    apart = np.diff(theirs) / MAX_SLOPE
    middle = len(ours) // 2
    for i in range(middle, len(ours) - 1):
        ours[i + 1] = max(ours[i + 1], ours[i] + max(apart[i], 1e-3))
    for i in range(middle, 0, -1):
        ours[i - 1] = min(ours[i - 1], ours[i] - max(apart[i - 1], 1e-3))
    return tuple((round(float(a), 2), round(float(b), 2)) for a, b in zip(ours, theirs, strict=True))


def _extended(loudness: np.ndarray, points: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Piecewise linear through the points, with slope 1 beyond them: no step where a note begins or ends."""
    source, target = np.array(points).T
    above = np.maximum(loudness - source[-1], 0)
    if len(source) > 1:
        above = np.minimum(above, HEADROOM_DB)
    return np.interp(loudness, source, target) + np.minimum(loudness - source[0], 0) + above


def transfer(
    sound: Floats,
    sample_rate: int,
    instrument: Instrument,
    settings: Settings | None = None,
    *,
    output_rate: int | None = None,
) -> Floats:
    """Play a sound [samples] with an instrument.

    Returns:
        A sound of the same duration at `output_rate`, by default `natural_rate(sample_rate)`; in a room, longer by
        what the room answers.
    """
    rate = output_rate or natural_rate(sample_rate)
    controls, _ = adjust(analyze(sound, sample_rate), instrument, settings)
    length = round(len(sound) * rate / sample_rate)
    return np.concatenate(list(play_blocks(controls, instrument, rate, length, settings)))


def natural_rate(sample_rate: int) -> int:
    """The rate to render at when nobody asks for one: the source's own, but at least 44.1 kHz; else 48 kHz."""
    return sample_rate if sample_rate >= 44_100 else 48_000


def play_blocks(
    controls: Controls, instrument: Instrument, sample_rate: int, length: int, settings: Settings | None = None
) -> Iterator[Floats]:
    """Render adjusted controls in blocks: `length` samples, and with a room until it has rung out."""
    settings = settings or Settings()
    response = settings.room.to_rir(sample_rate) if settings.room else None
    gain = np.float32(10 ** (settings.gain_db / 20))
    dry = (gain * block for block in _dry_blocks(controls, instrument, sample_rate, length, settings.seed))
    yield from dry if response is None else ringing(dry, response)


def _dry_blocks(
    controls: Controls, instrument: Instrument, sample_rate: int, length: int, seed: int
) -> Iterator[Floats]:
    player = Player(instrument, sample_rate, seed=seed)
    sent = 0
    for at in range(0, len(controls), _CHUNK_FRAMES):
        part = slice(at, at + _CHUNK_FRAMES)
        chunk = Controls(controls.f0_hz[part], controls.periodicity[part], controls.loudness_db[part])
        block = player.process(chunk)[: length - sent]
        sent += len(block)
        yield block
    if sent < length:
        yield np.zeros(length - sent, np.float32)


def choose_room(
    wish: str, instrument: Instrument, tell: Callable[[str], None] = lambda text: None
) -> Room | MeasuredRoom | None:
    """The room that a user asks for.

    Args:
        wish: "none"; "own", that of the instrument's recordings; or what `retimbre.rooms.library.find` understands.
        instrument: what plays.
        tell: called with what to know before the room is believed.

    Raises:
        RetimbreError: there is no such room.
    """
    if wish == "none":
        return None
    if wish != "own":
        return library.find(wish, others=("none", "own"), tell=tell)
    if instrument.room is None:
        raise RetimbreError(f"--room own: {instrument.name} was made from dry recordings and has no room of its own")
    return instrument.room


def transfer_file(
    source: Path,
    output: Path,
    instrument: Instrument,
    settings: Settings | None = None,
    *,
    output_rate: int | None = None,
    recorded_in: Room | None = None,
    overwrite: bool = False,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Play a file of any length into another, holding only seconds of it in memory (and 2.4 kB of controls a second).

    Args:
        source: any audio file.
        output: the file to write; its suffix is the format.
        instrument: what plays.
        settings: how.
        output_rate: of the output, by default `natural_rate` of the source.
        recorded_in: the room of `source`, which is taken out before it is analysed: no tail is played as a note.
        overwrite: whether `output` may exist.
        progress: called with the share that is done.

    Returns:
        What happened, ready for JSON.

    Raises:
        RetimbreError: a file cannot be read or written.
    """
    settings = settings or Settings()
    began = time.perf_counter()
    with audio.Reader(source) as reader:
        rate = output_rate or natural_rate(reader.sample_rate)
        length = 0

        def blocks() -> Iterator[Floats]:
            nonlocal length
            for block in reader.blocks():
                length += len(block)
                progress(0.6 * min(1.0, length / max(1, reader.n_samples)))
                yield block

        with audio.Writer(output, rate, overwrite=overwrite, inputs=[source]) as writer:
            heard = blocks()
            if recorded_in:
                heard = dried(heard, Dereverberator(reader.sample_rate, recorded_in, **FOR_CONTROLS))
            controls = analyze_blocks(heard, reader.sample_rate)
            adjusted, adjustment = adjust(controls, instrument, settings)
            wanted = round(length * rate / reader.sample_rate)
            music = play_blocks(adjusted, instrument, rate, wanted, settings)
            level = write_blocks(music, writer, wanted, lambda share: progress(0.6 + 0.4 * share))
        seconds = length / reader.sample_rate
    spent = time.perf_counter() - began
    voiced = controls.voiced
    report = {
        "input": str(source),
        "output": str(output),
        "instrument": instrument.name,
        "seconds": round(seconds, 3),
        "sample_rate": rate,
        "voiced_share": round(float(voiced.mean()), 3),
        "median_f0_hz": round(float(np.median(controls.f0_hz[voiced])), 2) if voiced.any() else None,
        **asdict(adjustment),
        "semitones": settings.semitones,
        "gain_db": settings.gain_db,
        "room": settings.room.name if settings.room else None,
        "seed": settings.seed,
        **level,
        "times_real_time": round(seconds / max(spent, 1e-9), 1),
    }
    return report | {"warnings": [*_musical_warnings(report, instrument), *level_warnings(report)]}


def write_blocks(
    blocks: Iterator[Floats], writer: audio.Writer, length: int, progress: Callable[[float], None]
) -> dict[str, Any]:
    """Write all blocks; gives the level for a report."""
    peak, done = 0.0, 0
    for block in blocks:
        writer.write(block)
        peak, done = max(peak, float(np.abs(block).max(initial=0))), done + len(block)
        progress(done / max(1, length))
    return {"peak_db": round(float(20 * np.log10(max(peak, 1e-10))), 1), "clipped_samples": writer.clipped}


def _musical_warnings(report: dict[str, Any], instrument: Instrument) -> list[str]:
    warnings = []
    if report["median_f0_hz"] is None:
        warnings.append("no pitch was found: the output holds noise at most")
    return warnings + range_warnings(report["outside_range"], instrument)


def range_warnings(outside: float, instrument: Instrument) -> list[str]:
    """What to say where this share of the notes lies outside the range of an instrument."""
    if outside <= 0.1:
        return []
    share = f"{100 * outside:.0f} %"
    return [f"{share} of the notes lie outside the range that {instrument.name} was trained on; try --octave"]


def level_warnings(report: dict[str, Any]) -> list[str]:
    """What a report of `write_blocks` gives cause to say."""
    if not report["clipped_samples"]:
        return []
    gain_db = report["gain_db"] - report["peak_db"] - 0.5
    return [f"{report['clipped_samples']} samples clipped; try --gain-db {gain_db:.1f}"]


def render_file(
    controls: Controls,
    output: Path,
    instrument: Instrument,
    settings: Settings | None = None,
    *,
    sample_rate: int = 48_000,
    overwrite: bool = False,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Play controls as they are into a file; of `settings` only gain, seed and room count."""
    controls = controls if controls.frame_rate == FRAME_RATE else controls.resample(FRAME_RATE)
    settings, length = settings or Settings(), n_samples(len(controls), sample_rate)
    with audio.Writer(output, sample_rate, overwrite=overwrite) as writer:
        level = write_blocks(play_blocks(controls, instrument, sample_rate, length, settings), writer, length, progress)
    report = {
        "output": str(output),
        "instrument": instrument.name,
        "seconds": round(length / sample_rate, 3),
        "sample_rate": sample_rate,
        "gain_db": settings.gain_db,
        "room": settings.room.name if settings.room else None,
        **level,
    }
    return report | {"warnings": level_warnings(report)}
