"""Pictures for the app, as HTML: they fit any width, follow the theme, and their words stay readable on a phone.

Spectrograms and curves are masks over colours, which `pages/shell.css` has.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

import numpy as np

from retimbre import picture
from retimbre.controls import Controls, note_name
from retimbre.engine import Floats
from retimbre.gallery.strokes import GREY_ALPHA, line, png

COLUMNS, ROWS, SHADES = 600, 140, 48  # of a spectrogram
POINTS = 1200  # of a curve
QUIET_DB = -80.0  # of the axis of loudness
WIDE = 1000  # units of a drawing across; it is 100 high


@dataclass(frozen=True, eq=False)
class Curve:
    """A line over time: values [n], evenly spaced, NaN where there is none, 0 at the bottom and 1 at the top."""

    values: np.ndarray
    kind: str
    share: float = 1.0  # of the panel's width that it spans
    width: float = 2.2  # in pixels


@dataclass(frozen=True, eq=False)
class Sounding:
    """A sound to be drawn: its spectrogram (`shade_of`), its controls, and how long it is."""

    shade: np.ndarray
    controls: Controls | None
    seconds: float


def before_and_after(before: Sounding, after: Sounding) -> dict[str, str]:
    """Spectrogram and pitch of what was heard and of what is played, then both pitches and both loudness curves.

    Returns:
        HTML of the parts "before", "after", "pitch" and "loudness", which share one time axis; the last has its labels.
    """
    seconds = max(before.seconds, after.seconds)
    pairs = [(one.controls, kind) for one, kind in ((before, "heard"), (after, "played")) if one.controls]
    keys = (("heard", "before"), ("played", "after"))
    loudness = [loudness_curve(one, seconds, kind) for one, kind in pairs]
    low, high = pitch_range([one for one, _ in pairs])
    # What was heard is seen on both sides of what is played, where they are one.
    pitch = [
        replace(pitch_curve(one, seconds, kind, low, high), width=5.0 if kind == "heard" else 2.2)
        for one, kind in pairs
    ]
    return {
        "before": spectrum_panel(before, "heard", seconds, title="Spectrum before"),
        "after": spectrum_panel(after, "played", seconds, title="Spectrum after"),
        "pitch": panel("Pitch", pitch, hz_ticks(low, high), height=96, keys=keys),
        "loudness": panel("Loudness", loudness, LOUDNESS_TICKS, height=84, keys=keys) + time_axis(seconds),
    }


def pitch_range(controls: Sequence[Controls]) -> tuple[float, float]:
    """A few semitones more than all of these sing, in Hz."""
    voiced = np.concatenate([np.zeros(0), *(one.f0_hz[one.voiced] for one in controls)])
    return (float(voiced.min()) / 2**0.3, float(voiced.max()) * 2**0.3) if len(voiced) else (100.0, 1000.0)


def shade_of(sound: Floats, rate: int) -> np.ndarray:
    """A spectrogram as shades from 0 to `SHADES`, low frequencies first, [rows, columns]."""
    level_db, _, _ = picture.spectrogram(sound, rate, COLUMNS, ROWS)
    return np.round(SHADES * np.clip(1 + level_db / picture.LEVEL_RANGE_DB, 0, 1)).astype(np.uint8)


def spectrum_panel(one: Sounding, kind: str, seconds: float, *, height: int = 150, title: str = "") -> str:
    """A spectrogram with the pitch over it."""
    low, high = picture.LOWEST_HZ, picture.HIGHEST_HZ
    ticks = [(text, float(_height(hz, low, high))) for hz, text in ((100, "100 Hz"), (1000, "1 kHz"), (8000, "8 kHz"))]
    curves = [pitch_curve(one.controls, seconds, kind)] if one.controls else []
    return panel(title, curves, ticks, height=height, shade=one.shade / SHADES, share=one.seconds / seconds)


def pitch_curve(
    controls: Controls, seconds: float, kind: str, low: float = picture.LOWEST_HZ, high: float = picture.HIGHEST_HZ
) -> Curve:
    """The pitch where there is one, on a scale of octaves from `low` to `high` Hz."""
    values = np.full(len(controls), np.nan)
    voiced = controls.voiced
    values[voiced] = _height(controls.f0_hz[voiced], low, high)
    return Curve(values, kind, controls.seconds / seconds)


def hz_ticks(low: float, high: float) -> list[tuple[str, float]]:
    """Labels at a few round frequencies of a scale of octaves from `low` to `high` Hz."""
    round_hz = [hz for hz in (50, 100, 200, 300, 500, 1000, 2000, 3000, 5000) if low * 1.06 <= hz <= high / 1.06]
    named = [(f"{hz} Hz" if hz < 1000 else f"{hz // 1000} kHz", float(_height(hz, low, high))) for hz in round_hz]
    return [tick for place, tick in enumerate(named) if place == 0 or tick[1] - named[place - 1][1] > 0.17]


LOUDNESS_TICKS = [(f"\N{MINUS SIGN}{-db} dB", 1 - db / QUIET_DB) for db in (-60, -40, -20)]


def loudness_curve(controls: Controls, seconds: float, kind: str) -> Curve:
    """The loudness from `QUIET_DB` to 0."""
    return Curve(np.clip(1 - controls.loudness_db / QUIET_DB, 0, 1), kind, controls.seconds / seconds)


def panel(
    title: str,
    curves: Sequence[Curve],
    ticks: Sequence[tuple[str, float]],
    *,
    height: int,
    shade: np.ndarray | None = None,
    share: float = 1.0,
    kind: str = "ink",
    keys: Sequence[tuple[str, str]] = (),
) -> str:
    """One panel: ink as dark as `shade` [rows, columns] says (from low to high), curves over it, and ticks.

    Args:
        title: above it.
        curves: lines.
        ticks: labels, and their heights from 0 to 1.
        height: in pixels.
        shade: 0 (none) to 1 (ink); None for a panel without.
        share: of the width that the shade spans.
        kind: the colour of the shade.
        keys: what each kind of line means.
    """
    layers = [] if shade is None else [_layer(kind, "png", _png(shade[::-1]), share)]
    layers += [_layer(curve.kind, "svg+xml", _svg(curve), 1.0) for curve in curves]
    marks = "".join(f'<span class="rt-tick" style="bottom:{100 * at:.1f}%">{escape(text)}</span>' for text, at in ticks)
    told = "".join(f'<span class="rt-key rt-{escape(kind)}">{escape(text)}</span>' for kind, text in keys)
    caption = f"<figcaption><b>{escape(title)}</b>{told}</figcaption>" if title else ""
    plot = f'<div class="rt-plot" style="height:{height}px"><div class="rt-paper">{"".join(layers)}</div>{marks}</div>'
    said = escape(title or "Spectrogram")
    return f'<figure class="rt-panel" role="img" aria-label="{said}">{caption}{plot}</figure>'


def _layer(kind: str, form: str, image: bytes, share: float) -> str:
    """An image as a mask over the colour of its kind."""
    mask = f"url(data:image/{form};base64,{b64encode(image).decode()})"
    style = f"width:{100 * share:.2f}%;-webkit-mask-image:{mask};mask-image:{mask}"
    return f'<div class="rt-layer rt-{escape(kind)}" style="{style}"></div>'


def time_axis(seconds: float) -> str:
    """Labels at round times."""
    step = next(
        step for step in (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200) if seconds / step <= 6 or step == 1200
    )
    times = np.arange(0, seconds - 0.3 * step, step)
    labels = "".join(f'<span style="left:{100 * time / seconds:.2f}%">{_clock(time, step)}</span>' for time in times)
    return f'<div class="rt-time" aria-hidden="true"><div>{labels}</div></div>'


def _clock(time: float, step: float) -> str:
    if step < 10:
        return f"{time:g} s"
    return f"{int(time // 60)}:{int(time % 60):02d}"


def _height(hz: np.ndarray | float, low: float, high: float) -> np.ndarray:
    return np.log2(np.asarray(hz) / low) / np.log2(high / low)


def histogram(seconds: dict[int, float]) -> str:
    """How long each semitone (MIDI number) sounds, as bars from the lowest to the highest."""
    known = sorted(note for note, length in seconds.items() if length > 0)
    if not known:
        return ""
    notes, most = range(known[0], known[-1] + 1), max(seconds.values())
    bars = "".join(f'<i style="height:{100 * seconds.get(note, 0) / most:.0f}%"></i>' for note in notes)
    ends = f"<span>{note_name(notes[0])}</span><span>{note_name(notes[-1])}</span>"
    return f'<div class="rt-bars" role="img" aria-label="Pitches">{bars}</div><div class="rt-ends">{ends}</div>'


def _svg(curve: Curve) -> bytes:
    """A line for each stretch without NaN, of one width however the drawing is stretched."""
    step = max(1, -(-len(curve.values) // POINTS))
    values = curve.values[::step]
    across = np.arange(len(values)) * (WIDE * curve.share * step / max(1, len(curve.values) - 1))
    pen = f'fill="none" stroke="#000" stroke-width="{curve.width}"'
    joined = 'stroke-linejoin="round" vector-effect="non-scaling-stroke"'
    frame = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} 100" preserveAspectRatio="none"'
    return f'<svg {frame}><path {pen} {joined} d="{line(across, values)}"/></svg>'.encode()


def _png(shade: np.ndarray) -> bytes:
    """Black, as opaque as `shade` [rows, columns] says: a PNG of grey and alpha, 8 bits each."""
    pixels = np.zeros((*shade.shape, 2), np.uint8)
    pixels[..., 1] = np.round(255 * np.clip(shade, 0, 1))
    return png(pixels.reshape(len(shade), -1), shade.shape[1], 8, GREY_ALPHA, effort=4)
