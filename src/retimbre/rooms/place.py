"""A recording played in a room, or taken out of one: files of any length, in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import tee
from pathlib import Path
from typing import Any

import numpy as np

from retimbre import audio
from retimbre.engine import Convolver, Floats
from retimbre.rooms.dereverb import Dereverberator
from retimbre.rooms.measured import MeasuredRoom
from retimbre.rooms.room import Room

Progress = Callable[[float], None]

_BLOCK = 65_536  # samples of the ringing that are written at once


def place_file(
    source: Path,
    output: Path,
    room: Room | MeasuredRoom,
    *,
    channels: int = 1,
    gain_db: float = 0.0,
    overwrite: bool = False,
    progress: Progress = lambda share: None,
) -> dict[str, Any]:
    """Play a file of any length in a room, and let the room ring on after it.

    Args:
        source: any audio file; it is heard as one point, so several channels are mixed.
        output: the file to write; its suffix is the format, its rate that of `source`.
        room: where.
        channels: of the output, 1 or 2.
        gain_db: of the output.
        overwrite: whether `output` may exist.
        progress: called with the share that is done.

    Returns:
        What happened, ready for JSON.

    Raises:
        RetimbreError: a file cannot be read or written.
    """
    with audio.Reader(source) as reader:
        rate = reader.sample_rate
        response = room.to_rir(rate, 2)[:, :channels]
        with audio.Writer(output, rate, channels, overwrite=overwrite, inputs=[source]) as writer:
            peak = write_all(convolved(read(reader, progress), response, gain_db), writer)
    return {"input": str(source), "output": str(output), "room": room.name} | report(writer, gain_db, peak)


def dry_file(
    source: Path,
    output: Path,
    room: Room,
    *,
    strength: float = 1.0,
    gain_db: float = 0.0,
    overwrite: bool = False,
    progress: Progress = lambda share: None,
) -> dict[str, Any]:
    """Turn down the late reverberation in a file of any length; see `Dereverberator`.

    Args:
        source: any audio file; several channels are mixed.
        output: the file to write, as long as `source`; its suffix is the format, its rate that of `source`.
        room: that `source` was recorded in.
        strength: by what the predicted reverberation is multiplied before it is taken off.
        gain_db: of the output.
        overwrite: whether `output` may exist.
        progress: called with the share that is done.

    Returns:
        What happened, ready for JSON.

    Raises:
        RetimbreError: a file cannot be read or written.
    """
    with audio.Reader(source) as reader:
        stream = Dereverberator(reader.sample_rate, room, strength=strength)
        gain = np.float32(10 ** (gain_db / 20))
        with audio.Writer(output, reader.sample_rate, overwrite=overwrite, inputs=[source]) as writer:
            peak = write_all((gain * block[:, None] for block in dried(read(reader, progress), stream)), writer)
    what = {"input": str(source), "output": str(output), "room": room.name, "strength": strength}
    return what | report(writer, gain_db, peak)


def read(reader: audio.Reader, progress: Progress) -> Iterator[Floats]:
    """All blocks of a file, telling how far it is."""
    done = 0
    for block in reader.blocks():
        done += len(block)
        progress(min(1.0, done / max(1, reader.n_samples)))
        yield block


def dried(blocks: Iterable[Floats], stream: Dereverberator) -> Iterator[Floats]:
    """The blocks [n] through a stream, to its end."""
    for block in blocks:
        yield stream.process(block)
    yield stream.flush()


def convolved(blocks: Iterable[Floats], response: Floats, gain_db: float) -> Iterator[Floats]:
    """Blocks [n] in a room that answers with `response` [taps, channels]; [n, channels], until it has rung out."""
    response = response * np.float32(10 ** (gain_db / 20))
    ears = (
        ringing(copy, np.ascontiguousarray(one))
        for copy, one in zip(tee(blocks, response.shape[1]), response.T, strict=True)
    )
    yield from (np.stack(heard, axis=1) for heard in zip(*ears, strict=True))


def ringing(blocks: Iterable[Floats], response: Floats) -> Iterator[Floats]:
    """Blocks [n] convolved with `response` [taps], and then what it still answers: taps - 1 samples more."""
    convolver = Convolver(response)
    yield from map(convolver.process, blocks)
    for at in range(0, len(response) - 1, _BLOCK):
        yield convolver.process(np.zeros(min(_BLOCK, len(response) - 1 - at), np.float32))


def write_all(blocks: Iterable[Floats], writer: audio.Writer) -> float:
    """Write blocks [n, channels]; gives the peak."""
    peak = 0.0
    for block in blocks:
        writer.write(block)
        peak = max(peak, float(np.abs(block).max(initial=0)))
    return peak


def report(writer: audio.Writer, gain_db: float, peak: float) -> dict[str, Any]:
    """What was written, ready for JSON."""
    peak_db = 20 * float(np.log10(max(peak, 1e-10)))
    return {
        "seconds": round(writer.n_samples / writer.sample_rate, 3),
        "sample_rate": writer.sample_rate,
        "channels": writer.channels,
        "gain_db": round(gain_db, 2),
        "peak_db": round(peak_db, 1),
        "clipped_samples": writer.clipped,
        "suggested_gain_db": round(gain_db - max(0.0, peak_db + 0.5), 1),
    }
