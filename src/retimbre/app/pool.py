"""A bounded number of worker processes that all visitors share in turn; each does one task at a time."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from retimbre.app.limits import RETIRED_MB, STEP_S, WAIT_S
from retimbre.app.line import Line
from retimbre.errors import RetimbreError

BUSY = "Everybody is rendering just now. Try again in a minute."
STUCK = "This took too long and was stopped. Use a shorter sound."
BROKEN = "This could not be rendered: the program that tried broke down. Nothing else was harmed; try another file."


class Worker:
    """One process, which is started anew when it dies or is stopped."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def ask(self, task: str, arguments: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Give it a task, wait for the answer.

        Raises:
            RetimbreError: it broke down, or took too long.
        """
        process = self._process if self._process and self._process.poll() is None else self.start()
        assert process.stdin and process.stdout
        late = threading.Timer(timeout_s, process.kill)
        late.start()
        try:
            process.stdin.write(json.dumps({"task": task, "arguments": arguments}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            timely = not late.finished.is_set()
            late.cancel()
        if not line:
            self.stop()
            raise RetimbreError(BROKEN if timely else STUCK)
        answer = json.loads(line)
        if answer["peak_mb"] > RETIRED_MB:
            self.start()  # it would keep for itself what this task needed
        return answer

    def start(self) -> subprocess.Popen[str]:
        """Start the process, in place of one that has died."""
        self.stop()
        command = [sys.executable, "-m", "retimbre.app.worker"]
        one_core = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=one_core
        )
        return self._process

    def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(OSError):  # what it was told last, it can no longer read
                    pipe.close()


class Pool:
    """Workers that wait for tasks."""

    def __init__(self, size: int) -> None:
        """Make `size` of them; each starts with its first task."""
        self._workers = [Worker() for _ in range(size)]
        self._line = Line(self._workers)

    def run(
        self,
        task: str,
        *,
        visitor: str = "",
        told: Callable[[int], object] = lambda before: None,
        wait_s: float = WAIT_S,
        timeout_s: float = STEP_S,
        **arguments: Any,
    ) -> Any:
        """What a task of `retimbre.app.tasks` gives.

        Args:
            task: its name.
            visitor: who asks; one who is served already comes after one who is not.
            told: called about every second of waiting, with how many are served before.
            wait_s: how long to wait for a worker.
            timeout_s: after which the worker is stopped.
            arguments: of the task.

        Raises:
            RetimbreError: in words for the user: what is wrong with the input, or that the server is busy.
        """
        try:
            worker = self._line.take(visitor, wait_s, told)
        except TimeoutError:
            raise RetimbreError(BUSY) from None
        try:
            answer = worker.ask(task, arguments, timeout_s)
        finally:
            self._line.give(visitor, worker)
        if "value" in answer:
            return answer["value"]
        raise RetimbreError(answer.get("problem", BROKEN))

    def start(self, count: int = 2) -> None:
        """Start some of the processes before anyone waits for them."""
        for worker in self._workers[-count:]:  # those that are taken first
            worker.start()

    def stop(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.stop()


@functools.cache
def shared() -> Pool:
    """The pool of this server: as many workers as there are cores to spare, two at least."""
    pool = Pool(max(2, min(8, (os.cpu_count() or 2) - 1)))
    atexit.register(pool.stop)
    return pool
