"""A note: what a key press is on paper."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One key, pressed and let go.

    Attributes:
        start_s: in seconds.
        end_s: in seconds, after `start_s`.
        key: MIDI number, 0 to 127; 69 is A4.
        velocity: 1 to 127.
        channel: 0 to 15.
    """

    start_s: float
    end_s: float
    key: int
    velocity: int
    channel: int = 0
