"""What the samples of a file say by themselves: flat tops, an offset."""

from __future__ import annotations

import numpy as np

from retimbre.engine import Floats

_SAME = 0.75 / 32768
"""Samples closer than 16-bit codes are equal: flat tops stay flat when the file is turned down later."""

_CORNER = 4.0
"""How many times more the curve must bend beside a flat top than a parabola of the same flatness would."""


def clipped_tops(audio: Floats) -> int:
    """Count the tops and bottoms that are cut off flat at one level, wherever that level lies.

    The round top of a low note is flat for some samples too, but leaves its height like a parabola, not at a corner.
    What a lossy codec or a resampler made of flat tops is not recognised.

    Args:
        audio: samples [n] at the file's own rate.
    """
    return sum(_flat_tops(side) for side in (audio, -audio))


def _flat_tops(audio: Floats) -> int:
    top = float(audio.max(initial=0))
    at_top = np.concatenate([[False], audio >= top - _SAME, [False]])
    edges = np.flatnonzero(at_top[1:] != at_top[:-1])
    starts, ends = edges[::2], edges[1::2]  # [runs]; the ends are excluded
    whole = (ends - starts >= 3) & (starts >= 2) & (ends + 2 <= len(audio))
    starts, ends = starts[whole], ends[whole]
    half = (ends - starts) / 2
    parabola = _SAME * ((half + 2) / half) ** 2  # how far it has fallen two samples beside the run
    fallen = top - np.maximum(audio[starts - 2], audio[ends + 1])
    return int((fallen > _CORNER * parabola).sum())


def offset_db(audio: Floats) -> float:
    """Constant offset of samples [n] in dB re the RMS of the rest, at least -120."""
    offset, rest = abs(float(audio.mean(dtype=np.float64))), float(audio.std(dtype=np.float64))
    return 20 * float(np.log10(max(1e-6, offset / max(rest, 1e-9))))
