"""How a training goes, drawn: its losses over its steps."""

from __future__ import annotations

import numpy as np

from retimbre.app.drawing import Curve, panel
from retimbre.training.follow import Story

_POINTS = 160  # of a curve


def losses(story: Story) -> str:
    """Training and validation loss on a logarithmic scale, HTML; "" before there are any."""
    known = {name: np.array(points) for name, points in story.losses.items() if name in ("training", "validation")}
    if "training" not in known or len(known["training"]) < 2:
        return ""
    first, last = known["training"][0, 0], known["training"][-1, 0]
    edges = np.linspace(first, last, min(_POINTS, len(known["training"])) + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    curves = {"heard": _means(known["training"], edges)}
    if "validation" in known:
        steps, values = known["validation"].T
        curves["played"] = np.interp(middles, steps, values, left=np.nan)
    shown = np.concatenate([curve[np.isfinite(curve) & (curve > 0)] for curve in curves.values()])
    low, high = 0.95 * shown.min(), 1.05 * np.percentile(shown, 98)
    width = np.log(high / low)
    lines = [Curve(np.clip(np.log(values / low) / width, 0, 1), kind) for kind, values in curves.items()]
    ticks = [(f"{value:g}", float(np.log(value / low) / width)) for value in _round_numbers(low, high)]
    keys = [("heard", "training"), *([("played", "held-out recordings")] if "played" in curves else [])]
    return panel("Loss", lines, ticks, height=140, keys=keys)


def _means(points: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Of the values between edges; where there are none, between the neighbours."""
    steps, values = points.T
    places = np.clip(np.searchsorted(edges, steps, "right") - 1, 0, len(edges) - 2)
    counts = np.bincount(places, minlength=len(edges) - 1)
    sums = np.bincount(places, values, minlength=len(edges) - 1)
    held = counts > 0
    return np.interp(np.arange(len(counts)), np.flatnonzero(held), sums[held] / counts[held])


def _round_numbers(low: float, high: float) -> list[float]:
    found = [digit * 10.0**power for power in range(-3, 4) for digit in (1, 1.5, 2, 3, 4, 5, 6, 8)]
    found = [value for value in found if low < value < high]
    while len(found) > 4:
        found = found[::2]
    return found
