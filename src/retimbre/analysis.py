"""Audio to controls: the one analysis that training, offline and live use share (`engine/analyzer.c`)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from retimbre.controls import Controls
from retimbre.engine import Analyzer, Floats, n_frames

ANTICIPATION_FRAMES = 4
"""Frames before an onset that already carry its pitch (20 ms), so that no note begins with a glide from the last."""


def analyze(audio: Floats, sample_rate: int, *, lookahead: bool = True) -> Controls:
    """Measure pitch, periodicity and loudness every 5 ms.

    Args:
        audio: samples [n], mono, full scale 1.
        sample_rate: 8 to 192 kHz.
        lookahead: centre the windows and choose octave and voicing over time (offline). Without it every frame is
            what live use would have known at that moment.

    Returns:
        `ceil(200 n / sample_rate) + 1` frames. Unvoiced gaps carry the pitch before them.

    Raises:
        ValueError: the audio is not a finite, one-dimensional, non-empty array, or the rate is out of range.
    """
    audio = np.asarray(audio, np.float32)
    if audio.ndim != 1 or not len(audio):
        raise ValueError(f"analyze needs a mono signal [samples], got shape {audio.shape}")
    if not np.isfinite(audio).all():
        raise ValueError("the audio holds NaN or infinite samples")
    return analyze_blocks([audio], sample_rate, lookahead=lookahead)


def analyze_blocks(blocks: Iterable[Floats], sample_rate: int, *, lookahead: bool = True) -> Controls:
    """As `analyze`, for audio that comes in blocks, such as a file of any length."""
    analyzer = Analyzer(sample_rate, lookahead)
    rows, length = [], 0
    for block in blocks:
        rows.append(analyzer.process(block))
        length += len(block)
    frames = n_frames(length, sample_rate)
    silence = np.zeros(sample_rate // 10, np.float32)
    while sum(map(len, rows)) < frames:  # what the analysis still holds back
        rows.append(analyzer.process(silence))
    f0_hz, periodicity, loudness_db = np.concatenate(rows)[:frames].T
    return Controls(carry_pitch(f0_hz) if lookahead else f0_hz, periodicity, loudness_db)


def carry_pitch(f0_hz: Floats, anticipation: int = ANTICIPATION_FRAMES) -> Floats:
    """Fill frames of 0 Hz with the pitch before them, the last `anticipation` of each gap with the one after."""
    known = np.flatnonzero(f0_hz > 0)
    if not len(known):
        return np.zeros_like(f0_hz)
    frames = np.arange(len(f0_hz))
    after = np.minimum(np.searchsorted(known, frames), len(known) - 1)
    before = np.maximum(np.searchsorted(known, frames, side="right") - 1, 0)
    ahead = (known[after] >= frames) & (known[after] - frames <= anticipation)
    return f0_hz[np.where(ahead, known[after], known[before])]
