"""Convolution with a room as the sound comes: blocks of any size, no delay, memory of one response.

Uniformly partitioned overlap-save (Gardner 1995, with the first partition recomputed as its block fills, which is
what makes blocks of any size come back at once).
"""

from __future__ import annotations

import numpy as np

from retimbre.engine import Floats

PARTITION = 4096
"""Samples: the fastest for files. Live blocks want partitions of about their own size."""


class Convolver:
    """A stream through an impulse response."""

    def __init__(self, response: Floats, partition: int = PARTITION) -> None:
        """Start with silence; `response` is [taps], 1 at its first sample for the direct sound."""
        self._size = partition
        parts = np.pad(response, (0, -len(response) % partition)).reshape(-1, partition)
        self._response = np.fft.rfft(parts, 2 * partition).astype(np.complex64)  # [partitions, bins]
        self._past = np.zeros_like(self._response)  # spectra of past blocks, newest first
        self._window = np.zeros(2 * partition, np.float32)  # the block before, and the one that fills
        self._filled = 0
        self._owed = self._answer_of_past()

    def process(self, audio: Floats) -> Floats:
        """The next samples [n] of the stream, convolved, [n]."""
        out, at = np.empty(len(audio), np.float32), 0
        while at < len(audio):
            count = min(len(audio) - at, self._size - self._filled)
            begin, end = self._size + self._filled, self._size + self._filled + count
            self._window[begin:end] = audio[at : at + count]
            newest = np.fft.rfft(self._window)
            block = np.fft.irfft(newest * self._response[0] + self._owed)
            out[at : at + count] = block[begin:end]
            at, self._filled = at + count, self._filled + count
            if self._filled == self._size:
                self._past = np.concatenate([newest[None].astype(np.complex64), self._past[:-1]])
                self._window = np.concatenate([self._window[self._size :], np.zeros(self._size, np.float32)])
                self._filled, self._owed = 0, self._answer_of_past()
        return out

    def _answer_of_past(self) -> np.ndarray:
        """Spectrum of what earlier blocks add to the one that fills."""
        return (self._past[:-1] * self._response[1:]).sum(axis=0)
