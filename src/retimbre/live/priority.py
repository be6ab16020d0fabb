"""Which of the computer's threads goes first.

The audio thread must not wait while other programs compute; nor may the thread that holds Python's lock when the audio
thread wants it. On Linux they ask the scheduler for it here, where the user may (as members of the groups audio or
realtime mostly can); macOS, Windows and JACK give PortAudio's thread its priority by themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

AUDIO_PRIORITY, LOOP_PRIORITY = 10, 5


def go_first(priority: int) -> bool:
    """Let the calling thread run before all ordinary ones; gives whether that was allowed."""
    if not hasattr(os, "sched_setscheduler"):
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError:
        return False
    return True


@contextmanager
def going_first(priority: int) -> Iterator[None]:
    """`go_first` for a block, and for the threads that are started in it: those of sound drivers among them."""
    go_first(priority)
    try:
        yield
    finally:
        step_back()


def step_back() -> None:
    """Let the calling thread be an ordinary one again."""
    if hasattr(os, "sched_setscheduler"):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
