"""How training talks to a terminal: one bar for the analysis, one line that moves for the training."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

from retimbre.training.loop import Console

_QUIET_EVERY_S = 10.0  # lines where there is no terminal


@contextmanager
def console(stream: TextIO | None = None) -> Iterator[Console]:
    """A console, closed when the run ends however it ends; lines go to `stream`, the standard output if None."""
    bar = tqdm(total=1.0, bar_format="{desc} |{bar}| {postfix}", leave=False, delay=1e9, disable=None)
    last = 0.0

    def progress(done: float, loss: float, validation: float, left: float) -> None:
        nonlocal last
        bar.delay = 0
        known = f"{validation:.3f}" if validation == validation else "not yet"  # NaN until first measured
        text = f"loss {loss:.3f}, validation {known}, {left // 60:.0f}:{left % 60:02.0f} left"
        bar.set_description_str(f"training {100 * done:3.0f} %", refresh=False)
        bar.set_postfix_str(text, refresh=False)
        bar.update(done - bar.n)
        if bar.disable and time.monotonic() - last >= _QUIET_EVERY_S:
            last = time.monotonic()
            print(f"training {100 * done:.0f} %: {text}", file=stream, flush=True)

    try:
        yield Console(
            say=lambda line: tqdm.write(line, file=stream),
            files=lambda paths: tqdm(paths, desc="listening", unit="file", leave=False, disable=None),
            progress=progress,
        )
    finally:
        bar.close()
