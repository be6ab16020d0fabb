"""Ends sittings whose visitor has gone. Streamlit itself does so only when the next one comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

PATIENCE_S = 150.0
"""After which a visitor who has gone does not come back: longer than Streamlit waits for a lost connection (120 s)."""

EVERY_S = 15.0


class Sitting(Protocol):
    """What can be ended."""

    def close(self) -> None:
        """Remove what it keeps, stop what it runs."""


class Sweeper:
    """Knows the sittings of a server."""

    def __init__(
        self,
        here: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Watch; `here` says of a visitor's name whether they are connected."""
        self._here, self._clock, self._patience_s = here, clock, patience_s
        self._sittings: dict[str, tuple[Sitting, float]] = {}
        self._lock = threading.Lock()

    def watch(self, name: str, sitting: Sitting) -> None:
        """Look after one more."""
        with self._lock:
            self._sittings[name] = sitting, self._clock()

    def sweep(self) -> None:
        """End those whose visitor has been away for too long."""
        with self._lock:
            for name, (sitting, seen) in list(self._sittings.items()):
                if self._here(name):
                    self._sittings[name] = sitting, self._clock()
                elif self._clock() - seen > self._patience_s:
                    del self._sittings[name]
                    sitting.close()

    def start(self) -> None:
        """Sweep from time to time, for as long as the server runs."""

        def run() -> None:
            while True:
                time.sleep(EVERY_S)
                self.sweep()

        threading.Thread(target=run, name="sweeper", daemon=True).start()
