"""An evaluation on one page: the range, how loudness drives timbre, and a held-out phrase beside its reconstruction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retimbre import picture
from retimbre.analysis import analyze
from retimbre.engine import Floats
from retimbre.instrument import Instrument
from retimbre.training.evaluate import Evaluation
from retimbre.training.reconstruct import Heard, in_its_room, reconstruct
from retimbre.training.recording import SAMPLE_RATE, Recording
from retimbre.training.timbre import Envelopes, centroid_slope, deviations, join

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PHRASE_S = 9.0
_NOTES = 5  # in the phrase, from low to high
_WIDTH, _HEIGHT = 12.8, 12.0  # inches, at 125 dots each
_LEFT, _RIGHT = 0.85, 0.25


def draw(
    path: Path,
    instrument: Instrument,
    recordings: Sequence[Recording],
    heard: Sequence[Heard],
    evaluation: Evaluation,
    known: Sequence[tuple[Envelopes, Envelopes]] = (),
) -> None:
    """Write the page.

    Args:
        path: a .png, .svg or .pdf; an older one is replaced.
        instrument: that was measured.
        recordings: that it was measured on.
        heard: what was measured of each.
        evaluation: the figures.
        known: envelopes of what training saw, recorded and played, for range and dynamics.

    Raises:
        RetimbreError: the suffix is another, or the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    picture.check_suffix(path)
    figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=125, facecolor=picture.PAPER)
    FigureCanvasAgg(figure)

    def panel(left: float, top: float, width: float, height: float) -> Axes:
        """Axes at a place in inches from the upper left corner."""
        return figure.add_axes((left / _WIDTH, 1 - (top + height) / _HEIGHT, width / _WIDTH, height / _HEIGHT))

    def write(left: float, top: float, line: str, size: int, colour: str, weight: str = "normal") -> None:
        figure.text(left / _WIDTH, 1 - top / _HEIGHT, line, fontsize=size, color=colour, fontweight=weight, va="top")

    title = f"{instrument.name}, measured on {evaluation.recordings} recordings ({evaluation.seconds:.0f} s)"
    write(_LEFT, 0.2, title, 14, picture.INK, "bold")
    figures = _headline(evaluation)
    for place, (value, meaning) in enumerate(figures):
        left = _LEFT + place * (_WIDTH - _LEFT - _RIGHT) / len(figures)
        write(left, 0.62, value, 17, picture.LOUDNESS)
        write(left, 0.98, meaning, 9, picture.INK)
    pairs = [(one.recorded, one.played) for one in heard] + [*known]
    recorded, played = (join(list(sounds)) for sounds in zip(*pairs, strict=True))
    half = (_WIDTH - _LEFT - _RIGHT - 0.95) / 2
    _draw_range(panel(_LEFT, 1.95, half, 2.4), instrument, recorded)
    _draw_dynamics(panel(_LEFT + half + 0.95, 1.95, half, 2.4), recorded, played)
    sound, again = phrase(instrument, recordings)
    seconds = len(sound) / SAMPLE_RATE
    played = f"{instrument.name}, played from it" + ", in its room" * any(one.room for one in recordings)
    for place, (title, part) in enumerate((("recording", sound), (played, again))):
        axes = panel(_LEFT, 5.25 + 3.25 * place, _WIDTH - _LEFT - _RIGHT, 2.8)
        controls = analyze(part, SAMPLE_RATE)
        picture.draw_row(axes, part, SAMPLE_RATE, controls, title=title, seconds=seconds, last=place == 1)
    picture.save(figure, path)


def phrase(instrument: Instrument, recordings: Sequence[Recording]) -> tuple[Floats, Floats]:
    """A phrase and its reconstruction, [samples] each: parts of a few recordings, from low to high."""
    known = [one for one in recordings if one.pitched_s > 0]
    known.sort(key=lambda one: float(np.median(one.controls.f0_hz[one.controls.voiced & one.sounding])))
    # The longest of each fifth: it has the most to show.
    groups = [[known[i] for i in part] for part in np.array_split(np.arange(len(known)), min(_NOTES, len(known)))]
    chosen = [max(group, key=lambda one: one.pitched_s) for group in groups]
    length = int(PHRASE_S / len(chosen) * SAMPLE_RATE)
    parts = []
    for one in chosen:
        start = max(0, int(np.argmax(one.sounding)) * (SAMPLE_RATE // 200) - SAMPLE_RATE // 20)
        fade = np.minimum(1, np.arange(min(length, len(one.audio) - start))[::-1] / 2400).astype(np.float32)
        pair = (one.audio, in_its_room(instrument, one, reconstruct(instrument, one)[0]))
        parts.append([sound[start : start + len(fade)] * fade for sound in pair])
    sound, again = (np.concatenate(sounds) for sounds in zip(*parts, strict=True))
    return sound, again


def _headline(e: Evaluation) -> list[tuple[str, str]]:
    """The figures that matter most, and what they mean."""
    figures = [
        (e.spectral_loss, "{:.3f}", "multi-scale\nspectral loss"),
        (e.pitch_median_cents, "{:.1f} cents", "median pitch error\nof the reconstruction"),
        (e.loudness_error_db, "{:.1f} dB", "mean loudness error\nof the reconstruction"),
        (e.timbre_distance_db, "{:.1f} dB", "timbre, reconstruction\nto recordings"),
        (e.centroid_slope_ratio, "{:.2f}", "slope of centroid over\nloudness: 1 is right"),
        (e.transfer_ratio, "{:.2f}", "timbre of transfers, to the\ninstrument / to the source"),
    ]
    return [(form.format(value), meaning) for value, form, meaning in figures if value is not None]


def _draw_range(axes: Axes, instrument: Instrument, recorded: Envelopes) -> None:
    pitch = instrument.network.pitch
    low, high = min(pitch.low, recorded.midi.min()), max(pitch.high, recorded.midi.max())
    edges = np.arange(np.floor(low) - 0.5, np.ceil(high) + 1.5)
    seconds = np.histogram(recorded.midi, edges)[0] * 0.02
    axes.axvspan(pitch.low, pitch.high, color=picture.GRID, alpha=0.55, linewidth=0)
    axes.bar(edges[:-1] + 0.5, seconds, width=0.8, color=picture.PITCH)
    axes.set_xlim(edges[0] - 0.5, edges[-1] + 0.5)
    octaves = [midi for midi in range(12, 121, 12) if edges[0] <= midi <= edges[-1]]
    axes.set_xticks(octaves, [f"C{midi // 12 - 1}" for midi in octaves])
    across = axes.get_xaxis_transform()
    axes.text(pitch.low + 0.6, 0.97, "range on the card", transform=across, va="top", fontsize=9, color=picture.INK)
    _finish(axes, "range", "pitch", "pitched sound, s")


def _draw_dynamics(axes: Axes, recorded: Envelopes, played: Envelopes) -> None:
    """Centroids by loudness at the same pitch: the median of each 3 dB, and half of the frames around it."""
    for sound, label, colour in ((recorded, "recordings", picture.INK), (played, "instrument", picture.LOUDNESS)):
        loudness, octaves = deviations(sound)
        step = np.round(loudness / 3)
        levels = [level for level in np.unique(step) if (step == level).sum() >= 20]
        if not levels:
            continue
        spread = [np.percentile(octaves[step == level], [25, 50, 75]) for level in levels]
        lower, middle, upper = np.array(spread).T
        slope = centroid_slope(sound)
        told = f"{label}, {slope:+.2f} octaves for 10 dB" if np.isfinite(slope) else label
        axes.fill_between(3 * np.array(levels), lower, upper, color=colour, alpha=0.14, linewidth=0)
        axes.plot(3 * np.array(levels), middle, color=colour, linewidth=1.8, marker="o", markersize=3.5, label=told)
        axes.legend(frameon=False, fontsize=9, labelcolor=picture.INK, loc="upper left")
    _finish(axes, "loudness drives timbre", "loudness re the pitch's mean, dB", "centroid re its mean, octaves")


def _finish(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=picture.INK, pad=7)
    axes.set_xlabel(x, fontsize=10, color=picture.INK)
    axes.set_ylabel(y, fontsize=9, color=picture.INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.grid(axis="y", color=picture.GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9, colors=picture.FAINT, labelcolor=picture.INK, length=3, width=0.7)
