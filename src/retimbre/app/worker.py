"""A worker process of the app: reads one task a line from its standard input, answers with one line each (JSON).

It is a process of its own, so that a file that breaks a decoder, or a task that never ends, takes nothing else along.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

from retimbre.app.limits import Limits
from retimbre.app.tasks import TASKS
from retimbre.errors import RetimbreError

TOO_LARGE = "There is not enough memory for this; use a shorter sound."
FULL = "This server has no room left to keep sounds just now. Try again later."


def main() -> None:
    """Serve until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends the input
    confine(Limits.current().memory_mb)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    serve(sys.stdin, answers)


def serve(asked: TextIO, answers: TextIO) -> None:
    """Answer every line."""
    for line in asked:
        print(json.dumps(answer(**json.loads(line)) | {"peak_mb": peak_mb()}), file=answers, flush=True)


def confine(memory_mb: int) -> None:
    """Take no more memory than this, and be the first to go where the machine has none left; Linux can do both."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = memory_mb << 20
    # Of data, not of addresses: the engine's sandbox reserves gigabytes of those, and fills few.
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if most < 0 else min(wanted, most), most))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def peak_mb() -> float:
    """The most memory that this process has held; 0 where it cannot be told."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def answer(task: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What a task gives: {"value"}; {"problem"} for what the user can cure; {"defect"} for what is ours."""
    try:
        return {"value": TASKS[task](**arguments)}
    except RetimbreError as error:
        return {"problem": FULL if _disk_full(error.__cause__) else str(error)}
    except MemoryError:
        return {"problem": TOO_LARGE}
    except OSError as error:
        if _disk_full(error):
            return {"problem": FULL}
        return _defect(error)
    except Exception as error:
        return _defect(error)


def _defect(error: Exception) -> dict[str, Any]:
    traceback.print_exception(error)
    return {"defect": f"{type(error).__name__}: {error}"}


def _disk_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


if __name__ == "__main__":
    main()
