"""Pictures of sounds and their controls: pitch over the spectrogram, loudness below, one time axis.

Uses matplotlib's objects with the Agg canvas only: no pyplot, no global state, safe in threads and without a display.
The colours (Okabe and Ito's orange and blue on slate) stay apart for colour-blind readers and in grey.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retimbre.errors import RetimbreError
from retimbre.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from retimbre.controls import Controls

Row = tuple[str, "NDArray[np.floating] | None", "int | None", "Controls | None"]

LOWEST_HZ = 40.0
HIGHEST_HZ = 16_000.0
LEVEL_RANGE_DB = 70.0  # of the spectrogram, below its loudest point
QUIETEST_DB = -80.0  # of the loudness axis

INK = "#22303f"
FAINT = "#8a949e"
GRID = "#dfe3e6"
PAPER = "#ffffff"
PITCH = "#d55e00"
LOUDNESS = "#0072b2"
_SHADES = ["#faf9f6", "#dce3e7", "#a9bac5", "#6c8799", "#3b5568", "#172632"]
_TICKS_HZ = {50: "50", 100: "100", 200: "200", 500: "500", 1000: "1k", 2000: "2k", 5000: "5k", 10_000: "10k"}
_LINE_POINTS = 4000  # more than any picture has pixels across


def spectrogram(
    audio: NDArray[np.floating], sample_rate: int, n_columns: int = 1600, n_rows: int = 360
) -> tuple[NDArray[np.float32], float, float]:
    """Level in bands of equal width in octaves, at evenly spaced instants.

    The number of columns is bounded, so a long sound costs no more than a short one; what lies between columns is
    not looked at.

    Args:
        audio: the sound [samples].
        sample_rate: in Hz.
        n_columns: at most so many instants.
        n_rows: how many bands.

    Returns:
        Level in dB re the loudest point [rows, columns], and the lowest and the highest frequency in Hz.
    """
    highest_hz = min(HIGHEST_HZ, sample_rate / 2)
    n_fft = 1 << round(np.log2(0.07 * sample_rate))
    n_columns = max(1, min(n_columns, int(np.ceil(len(audio) / (0.0025 * sample_rate)))))
    centres = ((np.arange(n_columns) + 0.5) * len(audio) / n_columns).astype(np.int64)
    edges_hz = np.geomspace(LOWEST_HZ, highest_hz, n_rows + 1)
    # At least two bins wide, so that low bands blend instead of showing the bins as steps.
    bin_hz = sample_rate / n_fft
    middle, half = (edges_hz[:-1] + edges_hz[1:]) / 2, np.maximum(np.diff(edges_hz) / 2, bin_hz)
    lower, upper = (np.clip((middle + side * half) / bin_hz + 0.5, 0, n_fft // 2) for side in (-1, 1))
    window = np.hanning(n_fft)
    padded = np.pad(np.asarray(audio, dtype=np.float32), (n_fft // 2, n_fft // 2))
    power = np.empty((n_rows, n_columns), dtype=np.float64)
    for start in range(0, n_columns, 64):  # a few at a time: the frames of a long picture would fill the memory
        part = centres[start : start + 64]
        frames = padded[part[:, None] + np.arange(n_fft)] * window
        bins = np.abs(np.fft.rfft(frames)) ** 2
        sums = np.concatenate([np.zeros((len(part), 1)), np.cumsum(bins, axis=1)], axis=1)
        power[:, start : start + 64] = (_at(sums, upper) - _at(sums, lower)).T
    peak = float(power.max())
    if not peak:  # nothing is as loud as the loudest point
        return np.full(power.shape, -120, np.float32), LOWEST_HZ, highest_hz
    level_db = 10 * np.log10(np.maximum(power, 1e-12 * peak) / peak)
    return level_db.astype(np.float32), LOWEST_HZ, highest_hz


def check_suffix(path: Path) -> None:
    """Refuse a name that no picture can have.

    Raises:
        RetimbreError: the suffix is none of the formats.
    """
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise RetimbreError(f"{path}: pictures are written as .png, .svg or .pdf; change the suffix")


def compare(path: str | os.PathLike[str], rows: Sequence[Row]) -> None:
    """Write one picture of several sounds, one below the other, on shared axes.

    Args:
        path: a .png, .svg or .pdf; an older one is replaced.
        rows: (title, audio [samples], sample_rate, controls) each; audio with its rate, or controls, may be None.

    Raises:
        RetimbreError: there are no rows, the suffix is another, or the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path = Path(path)
    check_suffix(path)
    if not rows:
        raise RetimbreError(f"{path}: nothing to draw; give at least one sound")
    titled = any(title for title, *_ in rows)
    # Inches, at 125 dots each: 1600 dots wide.
    width, left, right, top, bottom = 12.8, 0.85, 0.25, 0.42 if titled else 0.16, 0.52
    panel, gap = 3.1, 0.5 if titled else 0.25
    height = top + bottom + len(rows) * panel + (len(rows) - 1) * gap
    figure = Figure(figsize=(width, height), dpi=125, facecolor=PAPER)
    FigureCanvasAgg(figure)
    seconds = max(_seconds(audio, rate, controls) for _, audio, rate, controls in rows)
    for index, (title, audio, rate, controls) in enumerate(rows):
        base = (height - top - (index + 1) * panel - index * gap) / height
        size = (width - left - right) / width
        axes = figure.add_axes((left / width, base, size, panel / height))
        draw_row(axes, audio, rate, controls, title=title, seconds=seconds, last=index == len(rows) - 1)
    save(figure, path)


def save(figure: "Figure", path: Path) -> None:
    """Write a figure without date and version: the same sounds give the same bytes. An older file is replaced."""
    with replacing(path) as part:
        metadata = {"Software": None} if path.suffix.lower() == ".png" else {"Date": None}
        if path.suffix.lower() == ".pdf":
            metadata = {"CreationDate": None}
        figure.savefig(part, format=path.suffix[1:].lower(), metadata=metadata)


def draw_row(
    axes: "Axes",
    audio: "NDArray[np.floating] | None",
    sample_rate: "int | None",
    controls: "Controls | None",
    *,
    title: str = "",
    seconds: "float | None" = None,
    last: bool = True,
) -> None:
    """Draw one sound: pitch over its spectrogram in `axes`, loudness in a strip cut from their lower edge.

    The vertical axis counts octaves above 1 Hz (log2), and its ticks say Hz.

    Args:
        axes: where to draw.
        audio: the sound [samples], or None for the curves alone.
        sample_rate: of `audio`, in Hz.
        controls: the curves, or None for the spectrogram alone.
        title: shown above.
        seconds: where the time axis ends; where the sound ends if None.
        last: whether the time axis is labelled.
    """
    from mpl_toolkits.axes_grid1 import make_axes_locatable

    seconds = seconds or _seconds(audio, sample_rate, controls)
    low_hz, high_hz = LOWEST_HZ, HIGHEST_HZ
    if audio is not None and sample_rate is not None and len(audio):
        _draw_spectrogram(axes, audio, sample_rate)
    elif controls is not None and controls.voiced.any():
        # Without a spectrogram the pitch fills the panel: half an octave of air on both sides.
        f0_hz = controls.f0_hz[controls.voiced]
        low_hz, high_hz = float(f0_hz.min()) / 2**0.5, float(f0_hz.max()) * 2**0.5
    axes.set_xlim(0, seconds)
    axes.set_ylim(np.log2(low_hz), np.log2(high_hz))
    axes.set_facecolor(PAPER)
    _label_hz(axes, low_hz, high_hz)
    if title:
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, pad=7)
    strip = axes
    if controls is not None:
        strip = make_axes_locatable(axes).append_axes("bottom", size="24%", pad=0.07, sharex=axes)
        _draw_pitch(axes, controls)
        _draw_loudness(strip, controls)
    for panel in {axes, strip}:
        _calm(panel)
    axes.tick_params(axis="x", labelbottom=False, length=0)
    strip.tick_params(axis="x", labelbottom=last, length=3)
    if last:
        strip.set_xlabel("time, s", fontsize=10, color=INK)


def _draw_spectrogram(axes: "Axes", audio: NDArray[np.floating], sample_rate: int) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    level_db, low_hz, high_hz = spectrogram(audio, sample_rate)
    axes.imshow(
        level_db,
        extent=(0.0, len(audio) / sample_rate, float(np.log2(low_hz)), float(np.log2(high_hz))),
        origin="lower",
        aspect="auto",
        cmap=LinearSegmentedColormap.from_list("slate", _SHADES),
        vmin=-LEVEL_RANGE_DB,
        vmax=0,
        interpolation="bilinear",
    )


def _draw_pitch(axes: "Axes", controls: "Controls") -> None:
    voiced = controls.voiced
    octaves = np.full(len(controls), np.nan)
    octaves[voiced] = np.log2(controls.f0_hz[voiced])
    step = max(1, len(controls) // _LINE_POINTS)
    time_s, octaves = controls.time_s[::step], octaves[::step]
    # A light edge keeps the line readable over dark harmonics.
    axes.plot(time_s, octaves, color=PAPER, linewidth=3.6, alpha=0.75, solid_capstyle="round")
    axes.plot(time_s, octaves, color=PITCH, linewidth=1.7, solid_capstyle="round")


def _draw_loudness(axes: "Axes", controls: "Controls") -> None:
    step = max(1, len(controls) // _LINE_POINTS)
    time_s, level_db = controls.time_s[::step], controls.loudness_db[::step]
    axes.fill_between(time_s, level_db, -200, color=LOUDNESS, alpha=0.16, linewidth=0)
    axes.plot(time_s, level_db, color=LOUDNESS, linewidth=1.3)
    axes.set_ylim(QUIETEST_DB, 0)
    axes.set_yticks([-60, -30, 0], ["-60", "-30", "0"])
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_ylabel("loudness,\ndB", fontsize=9, color=LOUDNESS)


def _label_hz(axes: "Axes", low_hz: float, high_hz: float) -> None:
    labels = _TICKS_HZ
    if high_hz < 8 * low_hz:  # a narrow panel has room for more
        labels = {hz: f"{hz:g}" for decade in (10, 100, 1000) for hz in (decade * n for n in (1, 1.5, 2, 3, 4, 6, 8))}
        axes.grid(axis="y", color=GRID, linewidth=0.7)
    shown = {hz: label for hz, label in labels.items() if low_hz <= hz <= high_hz}
    axes.set_yticks(np.log2(list(shown)) if shown else [], list(shown.values()))
    axes.set_ylabel("pitch,\nHz", fontsize=9, color=PITCH)


def _calm(axes: "Axes") -> None:
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(labelsize=9, colors=FAINT, labelcolor=INK, length=3, width=0.7)
    # One place for both labels, whatever the width of the numbers beside them.
    axes.yaxis.set_label_coords(-0.032, 0.5)


def _seconds(audio: "NDArray[np.floating] | None", sample_rate: "int | None", controls: "Controls | None") -> float:
    ends = [len(audio) / sample_rate] if audio is not None and sample_rate else []
    ends += [controls.seconds] if controls is not None else []
    return max([*ends, 1e-3])


def _at(sums: NDArray[np.float64], position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Read a running sum [..., bins] between its entries."""
    index = np.minimum(position.astype(np.int64), sums.shape[-1] - 2)
    weight = position - index
    return (1 - weight) * sums[..., index] + weight * sums[..., index + 1]
