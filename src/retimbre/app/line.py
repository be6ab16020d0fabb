"""A fair line of those who wait for one of a few things: nobody is passed by one who holds more already."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

TOLD_EVERY_S = 1.0
"""How often those who wait are told their place."""

T = TypeVar("T")


@dataclass(eq=False)
class _Ticket:
    who: str


class Line(Generic[T]):
    """Things that are taken and given back, in turn: first who holds fewest, then who came first."""

    def __init__(self, things: Iterable[T]) -> None:
        """Have these to give."""
        self._free = list(things)
        self._held: Counter[str] = Counter()
        self._tickets: list[_Ticket] = []
        self._change = threading.Condition()

    def take(self, who: str, wait_s: float, told: Callable[[int], object]) -> T:
        """Wait for one.

        Args:
            who: takes it.
            wait_s: how long at most.
            told: called about every second of waiting with how many are served before; what it raises ends the wait.

        Raises:
            TimeoutError: none came free.
        """
        ticket, until = _Ticket(who), time.monotonic() + wait_s
        with self._change:
            self._tickets.append(ticket)
        try:
            while True:
                left = until - time.monotonic()
                with self._change:
                    if self._change.wait_for(
                        lambda: self._free and self._order()[0] is ticket, min(TOLD_EVERY_S, left)
                    ):
                        self._held[who] += 1
                        return self._free.pop()
                    before = self._order().index(ticket)
                if left <= 0:
                    raise TimeoutError
                told(before)
        finally:
            with self._change:
                self._tickets.remove(ticket)
                self._change.notify_all()

    def give(self, who: str, thing: T) -> None:
        """Give one back."""
        with self._change:
            self._held[who] -= 1
            if not self._held[who]:
                del self._held[who]
            self._free.append(thing)
            self._change.notify_all()

    def _turn_of(self, ticket: _Ticket) -> bool:
        return bool(self._free) and self._order()[0] is ticket

    def _order(self) -> list[_Ticket]:
        return sorted(self._tickets, key=lambda ticket: self._held[ticket.who])  # stable: as they came
