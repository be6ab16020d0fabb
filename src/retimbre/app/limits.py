"""How much one visitor of the app may ask for; whoever hosts it chooses."""

from __future__ import annotations

import os
from dataclasses import dataclass

MINUTES, MEGABYTES = "RETIMBRE_MAX_MINUTES", "RETIMBRE_MAX_MB"
"""Variables of the environment that hold the limits, so that every process of a server knows them."""

KEPT_MB = 1000
"""What a session may keep on the disk; beyond it the oldest steps are forgotten, and made again when asked for."""

WAIT_S = 60
"""How long a visitor waits for a free worker before being told to come back."""

STEP_S = 180
"""After which a worker that does not answer is stopped."""


@dataclass(frozen=True)
class Limits:
    """What an upload may be: minutes of sound, and megabytes of file."""

    minutes: float = 10.0
    megabytes: int = 100

    @classmethod
    def current(cls) -> Limits:
        """Those that the environment asks for."""
        return cls(float(os.environ.get(MINUTES, cls.minutes)), int(os.environ.get(MEGABYTES, cls.megabytes)))

    def export(self) -> None:
        """Tell this process and those that it starts."""
        os.environ[MINUTES], os.environ[MEGABYTES] = str(self.minutes), str(self.megabytes)
