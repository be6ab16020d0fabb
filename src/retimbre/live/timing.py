"""How long blocks take: what a live program owes its player an account of.

A block is late when its processing took longer than its sound lasts; then the sound card has run out of samples
whatever its buffers hold on average.
"""

from __future__ import annotations

_STEP_S = 1e-5
_STEPS = 10_000  # to 0.1 s; what took longer counts in the last one


class BlockTimes:
    """Adds up processing times, in constant memory and without work worth the name.

    Attributes:
        blocks: how many.
        late: how many of them were late.
        busy_s: processing time of all.
        sound_s: duration of all.
        worst_s: of the slowest.
    """

    def __init__(self) -> None:
        self.blocks = self.late = 0
        self.busy_s = self.sound_s = self.worst_s = 0.0
        self._counts = [0] * _STEPS

    def add(self, spent_s: float, duration_s: float) -> None:
        """Count a block that took `spent_s` to make and lasts `duration_s`."""
        self.blocks += 1
        self.busy_s += spent_s
        self.sound_s += duration_s
        self.late += spent_s > duration_s
        self.worst_s = max(self.worst_s, spent_s)
        self._counts[min(int(spent_s / _STEP_S), _STEPS - 1)] += 1

    @property
    def load(self) -> float:
        """Share of the time that is spent processing."""
        return self.busy_s / self.sound_s if self.sound_s else 0.0

    def quantile_s(self, share: float) -> float:
        """The time that this share of the blocks stayed within, to 10 microseconds; at most the worst."""
        left = share * self.blocks
        for step, count in enumerate(self._counts[:-1], 1):
            left -= count
            if left <= 0:
                return min(step * _STEP_S, self.worst_s)
        return self.worst_s
