"""Record what comes in and what goes out while it is played, without making the player wait.

The audio thread copies each block into a ring; a thread of the recorder's own writes the ring to two WAV files.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from retimbre.audio import Writer
from retimbre.engine import Floats
from retimbre.errors import RetimbreError
from retimbre.live.priority import step_back

ENDS = ("input", "output")

_RING_S = 10.0  # that a disk may keep us waiting
_WAKE_S = 0.05


class Names:
    """Names of takes, two files each.

    Args:
        wish: a folder, in which takes are numbered from 1 on; or the beginning of the names: PREFIX_input.wav and
            PREFIX_output.wav, and PREFIX_2_input.wav and so on for further takes.
        force: the first take may replace files.

    Raises:
        RetimbreError: the files exist and may not be replaced, or there is no such folder.
    """

    def __init__(self, wish: Path, force: bool = False) -> None:
        self._folder = wish.is_dir()
        self._stem = wish / "take" if self._folder else wish
        self._first, self.force = True, force
        if not self._stem.parent.is_dir():
            raise RetimbreError(f"--record {wish}: the folder {self._stem.parent} does not exist; create it first")
        there = [path for path in self._pair("") if path.exists()]
        if there and not self._folder and not force:
            raise RetimbreError(f"{there[0]}: exists already; choose another name for --record, or give --force")

    def next(self) -> tuple[tuple[Path, Path], bool]:
        """Files of the next take, and whether they may replace others."""
        if self._first and not self._folder:
            self._first = False
            return self._pair(""), self.force
        return next(pair for pair in self._numbered() if not any(path.exists() for path in pair)), False

    def _numbered(self) -> Iterator[tuple[Path, Path]]:
        number = 1 if self._folder else 2
        while True:
            yield self._pair(f"_{number}")
            number += 1

    def _pair(self, number: str) -> tuple[Path, Path]:
        first, second = (self._stem.with_name(f"{self._stem.name}{number}_{end}.wav") for end in ENDS)
        return first, second


class Recorder:
    """Takes of what comes in and goes out, as pairs of 24-bit WAV files that appear when a take ends, or not at all.

    `take` belongs to the audio thread, everything else to one other thread.

    Attributes:
        files: that were written.
        lost: samples that are missing in them because the disk was too slow.
    """

    def __init__(self, names: Names, sample_rate: int) -> None:
        self.files: list[Path] = []
        self.lost, self._trouble = 0, ""
        self._names, self._rate = names, sample_rate
        self._ring = np.zeros((round(_RING_S * sample_rate), 2), np.float32)
        self._running = False  # what the audio thread goes by
        self._written = self._read = 0  # samples of the take; each counted by one thread alone
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether a take is being recorded."""
        return self._running

    @property
    def seconds(self) -> float:
        """Length of the take so far."""
        return self._written / self._rate

    def start(self) -> None:
        """Begin a take."""
        self.stop()
        self._written = self._read = 0
        self._stop.clear()
        self._thread = threading.Thread(target=self._write_take, name="recorder", daemon=True)
        self._running = True
        self._thread.start()

    def stop(self) -> None:
        """End the take; returns when its files are complete."""
        self._running = False
        if self._thread:
            self._stop.set()
            self._thread.join()
            self._thread = None

    def trouble(self) -> str:
        """Why a take was not written, once; empty where there is nothing to tell."""
        trouble, self._trouble = self._trouble, ""
        return trouble

    def take(self, heard: Floats, sound: Floats) -> None:
        """Keep a block of input and output, [n] each; called by the audio thread."""
        if not self._running:
            return
        ring, at, n = self._ring, self._written % len(self._ring), len(heard)
        if self._written - self._read + n > len(ring):
            self.lost += n
            return
        first = min(n, len(ring) - at)
        ring[at : at + first, 0], ring[at : at + first, 1] = heard[:first], sound[:first]
        if first < n:
            ring[: n - first, 0], ring[: n - first, 1] = heard[first:], sound[first:]
        self._written += n

    def _write_take(self) -> None:
        step_back()
        try:
            (first, second), force = self._names.next()
            with (
                Writer(first, self._rate, overwrite=force) as heard,
                Writer(second, self._rate, overwrite=force) as sound,
            ):
                ending = False
                while not ending:
                    ending = self._stop.wait(_WAKE_S)
                    self._empty(heard, sound)
            self.files += [first, second]
        except RetimbreError as error:
            self._trouble = f"not recorded: {error}"
        finally:
            self._running = False

    def _empty(self, heard: Writer, sound: Writer) -> None:
        """Write what the ring holds."""
        end = self._written
        while self._read < end:
            at = self._read % len(self._ring)
            block = self._ring[at : at + end - self._read]
            heard.write(np.nan_to_num(block[:, 0]))  # a driver's NaN
            sound.write(block[:, 1])
            self._read += len(block)
