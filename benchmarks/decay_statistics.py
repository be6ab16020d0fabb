"""A yardstick for the room estimator: linear regression on how steeply levels fall in a recording.

Slopes of short stretches of level in ten bands, their quantiles and spread (after Ratnam et al. 2003; Wen et al. 2008);
no network, nothing but numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retimbre.rooms.listen import MELS

Array = npt.NDArray[np.float64]

GROUPS = 10
WINDOWS = (10, 20, 30)
"""Frames that a slope is read over."""


def statistics(levels: npt.NDArray[np.floating]) -> Array:
    """Statistics of the slopes of levels in dB [frames, MELS]; NaN where too little falls."""
    power = 10 ** (np.asarray(levels, np.float64) / 10)
    groups = np.array_split(np.arange(MELS), GROUPS)
    bands = 10 * np.log10(np.stack([power[:, group].mean(axis=1) for group in groups], axis=1) + 1e-12)
    loud_db = np.quantile(bands, 0.95, axis=0)
    row: list[float] = []
    for width in WINDOWS:
        slope, mean, fit = _lines(bands, width)
        falling = (slope < -0.02) & (mean > loud_db - 35)
        clean = falling & (fit > 0.9) & (-slope * width > 6)
        for band in range(GROUPS):
            falls, cleanly = -slope[falling[:, band], band], -slope[clean[:, band], band]
            row += [*np.log(np.quantile(falls, [0.5, 0.9]))] if len(falls) > 5 else [np.nan] * 2
            row += [*np.log(np.quantile(cleanly, [0.5, 0.2]))] if len(cleanly) > 3 else [np.nan] * 2
            row.append(float(np.log(np.mean(falls**2))) if len(falls) > 5 else np.nan)
        row.append(float(np.mean(slope < -0.05)))
    return np.array(row)


def _lines(bands: Array, width: int) -> tuple[Array, Array, Array]:
    """Slope in dB a frame, mean and r² of every stretch of so many frames, [stretches, bands] each."""
    views = np.lib.stride_tricks.sliding_window_view(bands, width, axis=0)[::2]
    place = np.arange(width) - (width - 1) / 2
    mean = views.mean(axis=2)
    slope = views @ place / (place @ place)
    whole = views.var(axis=2) * width + 1e-9
    return slope, mean, slope**2 * (place @ place) / whole


@dataclass(frozen=True, eq=False)
class Ridge:
    """A linear regression with a penalty, on standardised statistics."""

    middle: Array
    centre: Array
    scale: Array
    weights: Array
    offset: Array

    @classmethod
    def fit(cls, inputs: Array, targets: Array, penalty: float = 30.0) -> Ridge:
        """Learn targets [examples, targets] from statistics [examples, inputs]; what is NaN counts as the median."""
        middle = np.nanmedian(inputs, axis=0)
        known = np.where(np.isfinite(inputs), inputs, middle)
        truth = np.where(np.isfinite(targets), targets, np.nanmedian(targets, axis=0))
        centre, scale, offset = known.mean(axis=0), known.std(axis=0) + 1e-9, truth.mean(axis=0)
        standard = (known - centre) / scale
        normal = standard.T @ standard + penalty * np.eye(standard.shape[1])
        return cls(middle, centre, scale, np.linalg.solve(normal, standard.T @ (truth - offset)), offset)

    def __call__(self, inputs: Array) -> Array:
        """Targets [targets] of statistics [inputs]."""
        known = np.where(np.isfinite(inputs), inputs, self.middle)
        return (known - self.centre) / self.scale @ self.weights + self.offset
