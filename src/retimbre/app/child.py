"""A `retimbre` command as a child of the app: it is interrupted, as by Ctrl-C, when its standard input ends.

So it stops when it is told to, and when the server is gone, however that happened; a training keeps its checkpoint.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import threading
from pathlib import Path


def main() -> int:
    """Run the command that the arguments are."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_interrupt_at_the_end_of_input, daemon=True).start()
    _make_way()
    from retimbre.cli import main as command

    try:
        return command(sys.argv[1:])
    except KeyboardInterrupt:  # before the command could answer it
        return 130


def _interrupt_at_the_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 1):  # unbuffered: a lock held at the end would be fatal
        pass
    _thread.interrupt_main()


def _make_way() -> None:
    """Let those who wait for a sound go first, and be the first to go where the machine has no memory left."""
    with contextlib.suppress(OSError, AttributeError):  # as far as this system can
        os.nice(5)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("700")


if __name__ == "__main__":
    sys.exit(main())
