"""Long work of one visitor, such as training: a process of its own, stopped on wish, and with the visitor."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path

AT_ONCE = max(1, (os.cpu_count() or 2) // 2)
"""How many run at the same time, of all visitors."""

GRACE_S = 20.0
"""How long one that is told to stop may take to save what it has."""

FULL = "Others are training on this server just now. Try again in a few minutes."
_free = threading.BoundedSemaphore(AT_ONCE)
_all: weakref.WeakSet[Job] = weakref.WeakSet()


class Job:
    """A `retimbre` command that runs."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        """Start it; what it says goes to a file."""
        self._log = log
        self.stopped = False
        """Whether it was told to stop."""
        command = [sys.executable, "-m", "retimbre.app.child", *arguments]
        threads = str(max(1, (os.cpu_count() or 2) // AT_ONCE))
        around = os.environ | {"OMP_NUM_THREADS": threads, "PYTHONUNBUFFERED": "1"}  # its log is read as it grows
        apart = os.name == "posix"  # Ctrl-C is for the server alone
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command, stdout=file, stderr=file, stdin=subprocess.PIPE, env=around, start_new_session=apart,
            )  # fmt: skip
        _all.add(self)

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._process.poll() is None

    @property
    def succeeded(self) -> bool:
        """Whether it ended, and well."""
        return self._process.poll() == 0

    def wait(self) -> None:
        """Until it ends."""
        self._process.wait()
        self._let_go()

    def said(self) -> str:
        """The last line that it wrote."""
        text = self._log.read_text("utf-8", "replace") if self._log.exists() else ""
        lines = [line.strip() for line in re.split(r"[\r\n]", text) if line.strip()]
        return lines[-1].removeprefix("retimbre: ") if lines else ""

    def stop(self) -> None:
        """Ask it to save what it has and end, and see to it that it does."""
        if not self.running:
            return
        self.stopped = True
        self._let_go()
        reaper = threading.Timer(GRACE_S, self._process.kill)
        reaper.daemon = True
        reaper.start()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self.wait()

    def _let_go(self) -> None:
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()


def end_all() -> None:
    """End what runs: the server is going."""
    for job in list(_all):
        job.kill()


def start(arguments: Sequence[str], log: Path) -> Job | None:
    """Run a command; None where too many run already."""
    if not _free.acquire(blocking=False):
        return None
    try:
        job = Job(arguments, log)
    except BaseException:
        _free.release()
        raise

    def release() -> None:
        job.wait()
        _free.release()

    threading.Thread(target=release, daemon=True).start()
    return job


def translated(text: str, names: Mapping[str, str]) -> str:
    """With the visitor's names for their files."""
    for path, name in names.items():
        text = text.replace(path, name)
    return text
