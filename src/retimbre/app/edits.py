"""What a visitor drew on the curves: new values for some frames, which replace those that were heard.

Pitch is kept from before the transposition, and loudness from the loud frames of the clip, so that what was drawn moves
along when the octave, the loudness or the instrument is changed.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from retimbre.controls import Controls
from retimbre.engine import Floats
from retimbre.errors import RetimbreError

LOUD_PERCENTILE = 95
"""Of the loudness of voiced frames: what drawn loudness is measured from."""

SOFTEST_LOUD_DB = -45.0

_CENTS, _CENTIBELS = (-6000, 20_000), (-12_000, 6000)  # more than any hand draws
_DRAWN_PERIODICITY = 1.0


@dataclass(frozen=True)
class Standing:
    """Where the curves of an order lie.

    Attributes:
        cents: that the pitch was moved up by.
        loud_db: level of the loud frames, as they are played.
    """

    cents: float
    loud_db: float


@dataclass(frozen=True, eq=False)
class Edits:
    """Drawn values; NaN where nothing was drawn.

    Attributes:
        cents: pitch in cents above MIDI number 0, before transposition [frames]; -inf makes a frame unvoiced.
        loudness_db: above `Standing.loud_db` [frames].
    """

    cents: Floats
    loudness_db: Floats

    @classmethod
    def parse(cls, text: str, n_frames: int) -> Edits:
        """Read `{"pitch": [[first frame, [cents or null, ...]], ...], "loudness": [[first, [dB / 100, ...]], ...]}`.

        Raises:
            RetimbreError: it is something else, or lies outside the clip.
        """
        try:
            data = json.loads(text)
            cents = _curve(data["pitch"], n_frames, _CENTS)
            loudness = (_curve(data["loudness"], n_frames, _CENTIBELS) / 100).astype(np.float32)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise RetimbreError("what was drawn cannot be read; reset the curves and draw again") from error
        if np.isinf(loudness).any():
            raise RetimbreError("what was drawn cannot be read: loudness needs a number; reset the curves")
        return cls(cents, loudness)

    @classmethod
    def load(cls, path: Path | str, n_frames: int) -> Edits:
        """Read a file of the session.

        Raises:
            RetimbreError: as `parse`.
        """
        return cls.parse(Path(path).read_text(encoding="utf-8"), n_frames)

    def applied(self, controls: Controls, standing: Standing) -> Controls:
        """The controls with what was drawn; all other frames are left as they are, to the bit."""
        f0_hz, periodicity, loudness_db = (
            curve.copy() for curve in (controls.f0_hz, controls.periodicity, controls.loudness_db)
        )
        drawn = np.isfinite(self.cents)
        f0_hz[drawn] = 440 * 2 ** ((self.cents[drawn] + standing.cents - 6900) / 1200)
        periodicity[drawn & ~controls.voiced] = _DRAWN_PERIODICITY
        periodicity[np.isneginf(self.cents)] = 0
        louder = np.isfinite(self.loudness_db)
        loudness_db[louder] = self.loudness_db[louder] + standing.loud_db
        return controls.replace(f0_hz=f0_hz, periodicity=periodicity, loudness_db=loudness_db)


def loud_db(controls: Controls) -> float:
    """Level of the loud frames; a soft one where the clip is silent."""
    frames = controls.loudness_db[controls.voiced] if controls.voiced.any() else controls.loudness_db
    return max(SOFTEST_LOUD_DB, float(np.percentile(frames, LOUD_PERCENTILE)))


def packed(controls: Controls) -> dict[str, str]:
    """Curves for a browser: 16-bit numbers, little-endian, in base64.

    Returns:
        "pitch" in cents above MIDI number 0, -1 where there is none, and "loudness" in hundredths of a dB.
    """
    voiced = controls.voiced
    cents = np.full(len(controls), -1.0)
    cents[voiced] = np.clip(6900 + 1200 * np.log2(controls.f0_hz[voiced] / 440), 0, 20_000)
    centibels = np.clip(100 * controls.loudness_db, *_CENTIBELS)
    curves = {"pitch": cents, "loudness": centibels}
    return {name: b64encode(np.round(curve).astype("<i2").tobytes()).decode() for name, curve in curves.items()}


def _curve(runs: Any, n_frames: int, bounds: tuple[int, int]) -> Floats:
    curve = np.full(n_frames, np.nan, np.float32)
    for first, values in _checked(runs, n_frames):
        part = np.array([-np.inf if value is None else float(value) for value in values], np.float32)
        if np.isnan(part).any():
            raise ValueError("not a number")
        curve[first : first + len(part)] = np.where(np.isneginf(part), part, np.clip(part, *bounds))
    return curve


def _checked(runs: Any, n_frames: int) -> Iterator[tuple[int, list[Any]]]:
    for first, values in runs:
        if type(first) is not int or not isinstance(values, list) or not 0 <= first <= n_frames - len(values):
            raise ValueError("beyond the clip")
        yield first, values
