"""How late, how heavy: the live line measured with signals, block by block as a host gives them.

Latencies are those of the algorithm, from a sample that goes in to what comes out, with the host's block: a sound card
adds its own buffers. The pitch of the output is that of the engine's oscillator, which moves in straight lines between
frames.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from retimbre.engine import FRAME_RATE, Floats
from retimbre.instrument import Instrument
from retimbre.live.stream import Stream

ONSETS_HZ = (82.4, 110.0, 220.0, 440.0, 880.0, 1760.0)
CHANGES_HZ = (
    (65.4, 73.4),
    (82.4, 61.7),
    (130.8, 146.8),
    (220.0, 233.1),
    (196.0, 392.0),
    (440.0, 330.0),
    (880.0, 987.8),
)
"""Slurs by a step, by a leap and by an octave."""

WITHIN_DB, WITHIN_CENTS = 12.0, 50.0
LEVEL_DB = -20.0
JUMP_OCTAVES = np.log2(1.03)  # as in engine/oscillator.c
_LEAD_S, _NOTE_S = 0.6, 0.4  # before the measured onset; of the note that is measured


def tone(hz: np.ndarray, sample_rate: int) -> Floats:
    """Harmonics up to 8 kHz that fall by 6 dB an octave, RMS 1, for a pitch at each sample, [n]."""
    phase = np.cumsum(hz / sample_rate)
    harmonics = range(1, int(min(8000, 0.45 * sample_rate) / hz.max()) + 1)
    sound = sum(np.sin(2 * np.pi * k * phase + k * k) / k for k in harmonics)
    return (sound / np.sqrt(0.5 * sum(1 / k**2 for k in harmonics))).astype(np.float32)


@dataclass(frozen=True)
class Latency:
    """Milliseconds at many places of the event within a block and a frame."""

    what: str
    hz: float
    median_ms: float
    worst_ms: float


def run_blocks(stream: Stream, sound: Floats, block: int) -> tuple[Floats, Floats, Floats]:
    """Play a sound as a host would.

    Returns:
        The output [n]; the pitch of its oscillator at each of its samples [n]; seconds that each block took [blocks].
    """
    out, pitches, spent = [], {}, []
    for at in range(0, len(sound), block):
        part = sound[at : at + block]
        began = time.perf_counter()
        out.append(stream.process(part))
        spent.append(time.perf_counter() - began)
        meters = stream.meters()
        pitches[meters["frame"]] = meters["f0_hz"]
    samples = np.arange(len(sound)) - stream.latency
    frames = np.array(list(pitches)) - 1  # the meters count frames that are complete
    at, values = samples / stream.sample_rate * FRAME_RATE, np.array(list(pitches.values()))
    hz = np.interp(at, frames, values)
    jumps = np.abs(np.log2(np.maximum(values[1:], 1) / np.maximum(values[:-1], 1))) > JUMP_OCTAVES
    interval = np.clip(np.floor(at).astype(int), 0, len(jumps) - 1)
    hz = np.where(jumps[interval], values[interval + 1], hz)  # where notes change it does not glide
    return np.concatenate(out), hz.astype(np.float32), np.array(spent, np.float32)


def onset_ms(instrument: Instrument, hz: float, sample_rate: int, block: int, place: int) -> float:
    """From the first sample of a note to output within `WITHIN_DB` of the peaks that it settles at.

    Args:
        instrument: what plays.
        hz: of the note; another, a fifth above, has sounded before.
        sample_rate: in Hz.
        block: of the host.
        place: samples by which the note is shifted against blocks and frames.
    """
    begin = round(_LEAD_S * sample_rate) + place
    note = tone(np.full(round(_NOTE_S * sample_rate), hz), sample_rate)
    before = tone(np.full(sample_rate // 4, 1.5 * hz), sample_rate)
    sound = np.zeros(begin + len(note), np.float32)
    sound[: len(before)] = before
    sound[begin:] = note
    attack = round(0.0005 * sample_rate)
    sound[begin : begin + attack] *= np.linspace(0, 1, attack, dtype=np.float32)
    stream = Stream(sample_rate, instrument)
    stream.set(octave=0)
    out, _, _ = run_blocks(stream, np.float32(10 ** (LEVEL_DB / 20)) * sound, block)
    out = np.abs(out[begin:])
    settled = out[len(out) // 2 :].max()
    first = int(np.argmax(out >= settled * 10 ** (-WITHIN_DB / 20)))
    return 1000 * (first + block) / sample_rate


def change_ms(instrument: Instrument, hz: tuple[float, float], sample_rate: int, block: int, place: int) -> float:
    """From a slurred change of pitch to output that stays within `WITHIN_CENTS` of the new one."""
    change = round(_LEAD_S * sample_rate) + place
    pitch = np.full(change + round(_NOTE_S * sample_rate), hz[1])
    pitch[:change] = hz[0]
    stream = Stream(sample_rate, instrument)
    stream.set(octave=0)
    _, found, _ = run_blocks(stream, np.float32(10 ** (LEVEL_DB / 20)) * tone(pitch, sample_rate), block)
    away = np.abs(1200 * np.log2(np.maximum(found[change:], 1) / hz[1])) > WITHIN_CENTS
    settled = int(np.flatnonzero(away)[-1]) + 1 if away.any() else 0
    return 1000 * (settled + block) / sample_rate


def latencies(instrument: Instrument, sample_rate: int = 48_000, block: int = 128, places: int = 12) -> list[Latency]:
    """Onsets and changes at several pitches, each at several places within a frame."""
    shifts = [round(i * sample_rate / FRAME_RATE / places) for i in range(places)]
    found = []
    for hz in ONSETS_HZ:
        ms = [onset_ms(instrument, hz, sample_rate, block, place) for place in shifts]
        found.append(Latency("onset", hz, float(np.median(ms)), max(ms)))
    for pair in CHANGES_HZ:
        ms = [change_ms(instrument, pair, sample_rate, block, place) for place in shifts]
        found.append(Latency(f"change from {pair[0]:g} Hz", pair[1], float(np.median(ms)), max(ms)))
    return found


@dataclass(frozen=True)
class Load:
    """Time that blocks take, against the time that they last."""

    seconds: float
    blocks: int
    load: float
    median_block_ms: float
    p999_block_ms: float
    worst_block_ms: float
    late_blocks: int


def load(instrument: Instrument, sample_rate: int = 48_000, block: int = 128, seconds: float = 20.0) -> Load:
    """Play a melody for so long, as fast as it goes, and time every block."""
    notes = 220 * 2 ** (np.random.default_rng(0).integers(-5, 13, int(seconds * 4) + 1) / 12)
    length = round(seconds * sample_rate)
    pitch = np.repeat(notes, -(-length // len(notes)))[:length]
    sound = np.float32(10 ** (LEVEL_DB / 20)) * tone(pitch, sample_rate)
    stream = Stream(sample_rate, instrument)
    run_blocks(stream, sound[:sample_rate], block)  # what is paid once
    _, _, spent = run_blocks(stream, sound, block)
    lasts = block / sample_rate
    median, p999, worst = (1000 * float(x) for x in np.percentile(spent, [50, 99.9, 100]))
    late = int((spent > lasts).sum())
    return Load(seconds, len(spent), float(spent.sum()) / seconds, median, p999, worst, late)


def report(instrument: Instrument, sample_rate: int, block: int, seconds: float) -> dict[str, Any]:
    """All of it, ready for JSON."""
    return {
        "instrument": instrument.name,
        "sample_rate": sample_rate,
        "block": block,
        "latency": [asdict(row) for row in latencies(instrument, sample_rate, block)],
        "load": asdict(load(instrument, sample_rate, block, seconds)),
    }
