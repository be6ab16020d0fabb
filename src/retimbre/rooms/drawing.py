"""A page about a room: decay curves of its octaves, decay times, clarity and direct sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retimbre.engine import Floats
from retimbre.picture import FAINT, GRID, INK, LOUDNESS, PAPER, PITCH, check_suffix, save
from retimbre.rooms.bands import ROOM_RATE
from retimbre.rooms.measure import Report, decay, find_direct, measure
from retimbre.rooms.measured import MeasuredRoom

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from retimbre.rooms.estimate import Estimate
    from retimbre.rooms.room import Room

Response = tuple[str, Floats, int]
"""Title, samples [n], sample rate in Hz."""

_DEEPEST_DB = -65
_LEAST_SPAN_DB = 6.0  # of an axis: less looks like a difference where there is none
_COLOURS = (LOUDNESS, PITCH)


def response_of(room: Room | MeasuredRoom, title: str = "") -> Response:
    """What `draw` draws of a room; of a measured one the first channel."""
    if isinstance(room, MeasuredRoom):
        return title or room.name, room.response[:, 0], room.sample_rate
    return title or room.name, room.to_rir(ROOM_RATE), ROOM_RATE


def draw(path: Path, responses: Sequence[Response], estimate: Estimate | None = None) -> None:
    """Draw one response, or two to be compared.

    Args:
        path: a .png, .svg or .pdf; an older one is replaced.
        responses: one or two, the second in another colour.
        estimate: that the first one was made of; the range of its decay times is shaded.

    Raises:
        RetimbreError: the suffix is another, the file cannot be written, or a response cannot be measured.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    check_suffix(path)
    reports = [measure(response, rate) for _, response, rate in responses]
    figure = Figure(figsize=(12.8, 6.4), dpi=125, facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(" and ".join(title for title, *_ in responses), x=0.01, ha="left", fontweight="bold", color=INK)
    grid = figure.add_gridspec(2, 4)
    octaves = max((report.octaves for report in reports), key=len)
    last_s = 1.2 * max((row.t30_s or row.t20_s or row.edt_s or 0.1) for report in reports for row in report.octaves)
    for place, row in enumerate(octaves[:4] if len(octaves) < 7 else (octaves[0], *octaves[2:5])):
        axes = figure.add_subplot(grid[0, place])
        for (title, response, rate), colour in zip(responses, _COLOURS, strict=False):
            _draw_decay(axes, response, rate, row.band_hz or 0, colour, title)
        axes.set(xlim=(0, last_s), ylim=(_DEEPEST_DB, 2))
        _calm(axes, f"decay at {row.band_hz:g} Hz, dB", "time, s")
        if place == 0 and len(responses) > 1:
            axes.legend(frameon=False, fontsize=8, labelcolor=INK)
    figures = (("edt_s", "EDT, s"), ("t30_s", "T30, s"), ("c80_db", "C80, dB"), ("drr_db", "direct sound, dB"))
    for place, (key, label) in enumerate(figures):
        axes = figure.add_subplot(grid[1, place])
        for report, colour in zip(reports, _COLOURS, strict=False):
            _draw_figures(axes, report, key, colour)
        axes.set_xticks(np.log2([row.band_hz or 1 for row in octaves]), [_short(row.band_hz or 0) for row in octaves])
        if key == "t30_s" and estimate:
            _shade(axes, estimate)
            label = "T30, s; shaded: 80 of 100 rooms"
        if key.endswith("_s"):
            axes.set_ylim(bottom=0)
        else:
            low, high = axes.get_ylim()
            more = max(0.0, _LEAST_SPAN_DB - (high - low)) / 2
            axes.set_ylim(low - more, high + more)
        _calm(axes, label, "octave, Hz")
    save(figure, path)


def _draw_decay(axes: Axes, response: Floats, sample_rate: int, hz: float, colour: str, title: str) -> None:
    if hz * np.sqrt(2) > sample_rate / 2:
        return
    curve = decay(np.asarray(response, np.float64), sample_rate, find_direct(response, sample_rate).start, hz, hz)
    step = max(1, len(curve.level_db) // 2000)
    time_s = np.arange(0, len(curve.level_db), step) / sample_rate
    axes.plot(time_s, curve.level_db[::step], color=colour, linewidth=1.5, label=title)


def _draw_figures(axes: Axes, report: Report, key: str, colour: str) -> None:
    known = [(row.band_hz or 0, getattr(row, key)) for row in report.octaves if getattr(row, key) is not None]
    if known:
        hz, values = np.array(known).T
        axes.plot(np.log2(hz), values, color=colour, linewidth=1.5, marker="o", markersize=4)


def _shade(axes: Axes, estimate: Estimate) -> None:
    """What holds the true decay times in 80 of 100 rooms."""
    low, high = np.array([band.t60_range_s for band in estimate.bands]).T
    at = np.log2([band.band_hz for band in estimate.bands])
    axes.fill_between(at, low, high, color=_COLOURS[0], alpha=0.15, linewidth=0)


def _short(hz: float) -> str:
    return f"{hz / 1000:g}k" if hz >= 1000 else f"{hz:g}"


def _calm(axes: Axes, title: str, below: str) -> None:
    axes.set_title(title, loc="left", fontsize=9, color=INK)
    axes.set_xlabel(below, fontsize=8, color=INK)
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(labelsize=8, colors=FAINT, labelcolor=INK, length=3, width=0.7)
