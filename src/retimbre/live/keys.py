"""Single keys from a terminal, without Enter, and the terminal as it was afterwards."""

from __future__ import annotations

import os
import sys
from typing import Any

ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}
"""Last letters of what terminals send for them, after ESC [ (VT100) or ESC O (in application mode)."""

_WINDOWS_ARROWS = {"H": "up", "P": "down", "M": "right", "K": "left"}


def parse(text: str) -> tuple[list[str], str]:
    """What a terminal sent, as keys.

    Args:
        text: what was left of the last call, and what came since.

    Returns:
        Printable characters as they are, "space", and the names of the arrows, in order; other keys are left out. And
        the beginning of a sequence whose rest has not come yet.
    """
    keys: list[str] = []
    at = 0
    while at < len(text):
        if text[at] != "\x1b":
            if text[at].isprintable():
                keys.append("space" if text[at] == " " else text[at])
            at += 1
            continue
        end = at + 1
        if end < len(text) and text[end] not in "[O":
            at = end  # Escape itself, or Alt with the next key
            continue
        end += 1
        while end < len(text) and text[at + 1] == "[" and (text[end].isdigit() or text[end] in ";?"):
            end += 1
        if end >= len(text):
            return keys, text[at:]
        if text[end] in ARROWS:
            keys.append(ARROWS[text[end]])
        at = end + 1
    return keys, ""


class Keys:
    """The keys that were pressed, where the standard input is a terminal; elsewhere none ever are.

    Use it as a context: however the block is left, the terminal is as it was.
    """

    def __init__(self, terminal: Any = None) -> None:
        """Prepare to read from `terminal`, a text file, by default the standard input."""
        self._terminal = terminal or sys.stdin
        self._before: Any = None
        self._rest = ""
        self.available = bool(self._terminal) and self._terminal.isatty()

    def __enter__(self) -> Keys:
        if self.available and os.name == "posix":
            import termios
            import tty

            self._before = termios.tcgetattr(self._terminal)
            tty.setcbreak(self._terminal)  # Ctrl-C stays what it is
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            import termios

            termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)
            self._before = None

    def read(self) -> list[str]:
        """Keys since the last call."""
        if not self.available:
            return []
        came = self._came_windows() if os.name == "nt" else self._came()
        # A sequence arrives as a whole; the beginning of one that is left from the last time was the Escape key.
        keys, self._rest = parse((self._rest if came else "") + came)
        return keys

    def _came(self) -> str:
        import select

        came = b""
        while select.select([self._terminal], [], [], 0)[0]:
            part = os.read(self._terminal.fileno(), 1024)
            if not part:  # the terminal was closed
                self.available = False
                break
            came += part
        return came.decode("utf-8", "ignore")

    def _came_windows(self) -> str:
        import msvcrt

        console: Any = msvcrt
        came = ""
        while console.kbhit():
            character = console.getwch()
            if character in "\x00\xe0":  # the first half of a special key
                name = _WINDOWS_ARROWS.get(console.getwch(), "")
                came += "".join(f"\x1b[{letter}" for letter, arrow in ARROWS.items() if arrow == name)
            else:
                came += character
        return came
