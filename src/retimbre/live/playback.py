"""A file through the live line: what a player would have heard, hearing it for the first time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from retimbre import audio
from retimbre.engine import Floats, Resampler
from retimbre.instrument import Instrument
from retimbre.live.stream import Stream
from retimbre.transfer import Settings, level_warnings, natural_rate, write_blocks


def open_stream(instrument: Instrument, sample_rate: int, settings: Settings) -> Stream:
    """A stream that is set as an offline transfer would be."""
    stream = Stream(sample_rate, instrument, seed=settings.seed)
    stream.set(
        octave=None if settings.octave == "auto" else settings.octave,
        semitones=settings.semitones,
        fit=float(settings.fit_loudness),
        gate_db=settings.gate_db,
        gain=10 ** (settings.gain_db / 20),
    )
    if settings.room:
        stream.change_room(settings.room)
    return stream


def stream_blocks(stream: Stream, blocks: Iterator[Floats]) -> Iterator[Floats]:
    """Sound through a stream, its latency taken away: as long as it was, each sample in its place."""
    early = stream.latency
    for block in blocks:
        out = stream.process(block)
        yield out[early:]
        early = max(0, early - len(out))
    yield stream.process(np.zeros(stream.latency, np.float32))[early:]


def play_file(
    source: Path,
    output: Path,
    instrument: Instrument,
    settings: Settings | None = None,
    *,
    output_rate: int | None = None,
    overwrite: bool = False,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """As `retimbre.transfer.transfer_file`, without looking ahead: the live line, block by block.

    Raises:
        RetimbreError: a file cannot be read or written.
    """
    settings = settings or Settings()
    began = time.perf_counter()
    with audio.Reader(source) as reader:
        rate = output_rate or natural_rate(reader.sample_rate)
        stream = open_stream(instrument, rate, settings)
        wanted = max(1, round(reader.n_samples * rate / reader.sample_rate))
        with audio.Writer(output, rate, overwrite=overwrite, inputs=[source]) as writer:
            music = stream_blocks(stream, _at_rate(reader, rate))
            level = write_blocks(music, writer, wanted, progress)
        meters = stream.meters()
        seconds = reader.n_samples / reader.sample_rate
    report = {
        "input": str(source),
        "output": str(output),
        "instrument": instrument.name,
        "seconds": round(seconds, 3),
        "sample_rate": rate,
        "latency_ms": round(1000 * stream.latency / rate, 2),
        "octave": int(meters["octave"]),
        "fit_db": round(meters["fit_db"], 1),
        "semitones": settings.semitones,
        "gain_db": settings.gain_db,
        "room": settings.room.name if settings.room else None,
        "seed": settings.seed,
        **level,
        "times_real_time": round(seconds / max(time.perf_counter() - began, 1e-9), 1),
    }
    return report | {"warnings": level_warnings(report)}


def _at_rate(reader: audio.Reader, rate: int) -> Iterator[Floats]:
    if rate == reader.sample_rate:
        yield from reader.blocks()
        return
    resampler = Resampler(reader.sample_rate, rate)
    for block in reader.blocks():
        yield resampler.process(block)
    yield resampler.flush()
