"""Some seconds of what comes in, kept so that the room can be heard in them."""

from __future__ import annotations

import numpy as np

from retimbre.engine import Floats

LISTEN_S = 10.0
"""Speech of that length tells a room."""


class Ear:
    """Listens when it is asked to.

    `take` belongs to the audio thread, everything else to one other thread.
    """

    def __init__(self, sample_rate: int, seconds: float = LISTEN_S) -> None:
        self.sample_rate = sample_rate
        self._kept = np.zeros(round(seconds * sample_rate), np.float32)
        self._filled = len(self._kept)  # counted by the audio thread alone while it listens
        self._listening = False  # what the audio thread goes by

    @property
    def listening(self) -> bool:
        """Whether it has been asked to and is not done."""
        return self._listening

    @property
    def left_s(self) -> float:
        """Seconds that it still needs."""
        return (len(self._kept) - self._filled) / self.sample_rate

    def start(self) -> None:
        """Begin to listen, or begin anew."""
        self._listening = False
        self._filled = 0
        self._listening = True

    def stop(self) -> None:
        """Forget it."""
        self._listening = False

    def heard(self) -> Floats | None:
        """What was kept, [samples], once, when it is complete."""
        if not self._listening or self._filled < len(self._kept):
            return None
        self._listening = False
        return np.nan_to_num(self._kept)  # a driver's NaN

    def take(self, heard: Floats) -> None:
        """Keep a block of the input [n]; called by the audio thread."""
        if not self._listening:
            return
        n = min(len(heard), len(self._kept) - self._filled)
        self._kept[self._filled : self._filled + n] = heard[:n]
        self._filled += n
