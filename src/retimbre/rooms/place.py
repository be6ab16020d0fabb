"""A recording played in a room: files of any length, in blocks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from retimbre import audio
from retimbre.engine import Convolver, Floats
from retimbre.rooms.measured import MeasuredRoom
from retimbre.rooms.room import Room

_BLOCK = 65_536  # samples of the ringing that are written at once


def place_file(
    source: Path,
    output: Path,
    room: Room | MeasuredRoom,
    *,
    channels: int = 1,
    gain_db: float = 0.0,
    overwrite: bool = False,
    progress: Callable[[float], None] = lambda share: None,
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
        rate, done, peak = reader.sample_rate, 0, 0.0
        response = room.to_rir(rate, 2).T[:channels] * np.float32(10 ** (gain_db / 20))
        ears = [Convolver(np.ascontiguousarray(one)) for one in response]
        with audio.Writer(output, rate, channels, overwrite=overwrite, inputs=[source]) as writer:

            def send(block: Floats) -> float:
                heard = np.stack([ear.process(block) for ear in ears], axis=1)
                writer.write(heard)
                return float(np.abs(heard).max(initial=0))

            for block in reader.blocks():
                peak, done = max(peak, send(block)), done + len(block)
                progress(min(1.0, done / max(1, reader.n_samples)))
            for at in range(0, response.shape[1] - 1, _BLOCK):
                peak = max(peak, send(np.zeros(min(_BLOCK, response.shape[1] - 1 - at), np.float32)))
    peak_db = 20 * float(np.log10(max(peak, 1e-10)))
    return {
        "input": str(source),
        "output": str(output),
        "room": room.name,
        "seconds": round(writer.n_samples / rate, 3),
        "sample_rate": rate,
        "channels": channels,
        "gain_db": gain_db,
        "peak_db": round(peak_db, 1),
        "clipped_samples": writer.clipped,
        "suggested_gain_db": round(min(0.0, gain_db - peak_db - 0.5), 1),
    }
