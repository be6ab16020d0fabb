"""How much one visitor of the app may ask for; whoever hosts it chooses."""

from __future__ import annotations

import os
from dataclasses import dataclass

MINUTES, MEGABYTES, FOLDERS = "RETIMBRE_MAX_MINUTES", "RETIMBRE_MAX_MB", "RETIMBRE_FOLDERS"
"""Variables of the environment that hold the limits, so that every process of a server knows them."""

KEPT_MB = 1000
"""What a session may keep on the disk; beyond it the oldest steps are forgotten, and made again when asked for."""

WAIT_S = 300
"""How long a visitor waits for a free worker before being told to come back."""

STEP_S = 180
"""After which a worker that does not answer is stopped."""

RETIRED_MB = 500
"""A worker that has needed more than this is replaced by a fresh one."""

TRAINING_MINUTES = 120
"""Of recordings that a training may use, all together."""

_WORKER_MB, _MINUTE_MB = 1000, 120
"""What a worker may take of memory: so much, and so much more for each minute of sound that is allowed."""


@dataclass(frozen=True)
class Limits:
    """What visitors may bring, and name.

    Attributes:
        minutes: of an uploaded sound.
        megabytes: of an uploaded file.
        folders: beneath which visitors may name a folder of this computer to train on; None forbids it.
    """

    minutes: float = 10.0
    megabytes: int = 100
    folders: str | None = None

    @classmethod
    def current(cls) -> Limits:
        """Those that the environment asks for."""
        told = os.environ.get
        return cls(float(told(MINUTES, cls.minutes)), int(told(MEGABYTES, cls.megabytes)), told(FOLDERS) or None)

    def export(self) -> None:
        """Tell this process and those that it starts."""
        os.environ[MINUTES], os.environ[MEGABYTES] = str(self.minutes), str(self.megabytes)
        os.environ[FOLDERS] = self.folders or ""

    @property
    def memory_mb(self) -> int:
        """What a worker may take of memory."""
        return round(_WORKER_MB + _MINUTE_MB * self.minutes)
