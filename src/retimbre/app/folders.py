"""Where a server keeps what its visitors bring and hear, until they or it are gone."""

from __future__ import annotations

import atexit
import functools
import shutil
from pathlib import Path
from tempfile import mkdtemp


@functools.cache
def _whole() -> Path:
    atexit.register(remove)
    return Path(mkdtemp(prefix="retimbre-"))


def new(prefix: str) -> Path:
    """A folder that nobody else on this computer can read."""
    return Path(mkdtemp(prefix=f"{prefix}-", dir=_whole()))


def remove() -> None:
    """Remove all of them; servers are often ended by a signal, which leaves no time for more."""
    if _whole.cache_info().currsize:
        shutil.rmtree(_whole(), ignore_errors=True)
        _whole.cache_clear()
