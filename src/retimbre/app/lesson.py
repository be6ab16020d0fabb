"""The line, step by step, for one order: what each step makes, to see and to hear. Runs in worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from retimbre import audio
from retimbre.app import drawing, steps
from retimbre.app.drawing import Curve, panel, time_axis
from retimbre.app.steps import Fitted, Order, Shelf
from retimbre.controls import Controls
from retimbre.engine import Floats

HARMONICS = 40  # shown
DEEPEST_DB = 70.0  # of the network's output, below its highest
SURE_TICKS = [("no", 0.12), ("yes", 0.88)]
NOISE_HZ = {1000: "1 kHz", 4000: "4 kHz", 12_000: "12 kHz"}


def explain(shelf: Shelf, order: Order) -> dict[str, Any]:
    """Pictures (HTML) and sounds (files) of every step, and numbers for the words around them."""
    heard, fitted = steps.hear(shelf, order.source), steps.fit(shelf, order)
    dry, placed = replace(order, room="none"), steps.play(shelf, order)
    alone = replace(dry, noise=0.0), replace(dry, harmonics=0.0)
    seconds = heard.controls.seconds
    return {
        "sounds": {
            "source": str(steps.before(shelf, order.source)),
            "heard": str(steps.tone(shelf, heard.controls, Path(order.source).name)),
            "adjusted": str(steps.tone(shelf, fitted.controls, str(asdict(dry)))),
            "harmonics": str(steps.play(shelf, alone[0])),
            "noise": str(steps.play(shelf, alone[1])),
            "dry": str(steps.play(shelf, dry)),
            "placed": str(placed),
        },
        "pictures": {
            "source": _spectrum(heard.sound, heard.sample_rate),
            "heard": _controls([("heard", "heard", heard.controls)], seconds, sure=True),
            "adjusted": _controls(
                [("heard", "before", heard.controls), ("played", "after", fitted.controls)], seconds, sure=False
            ),
            "decoded": _decoded(fitted, seconds),
            "dry": _spectrum(*audio.read(steps.play(shelf, dry))),
            "placed": _spectrum(*audio.read(placed)),
        },
        "frames": len(heard.controls),
        "harmonics": fitted.params.harmonic_amplitudes.shape[1],
        "bands": fitted.params.noise_magnitudes.shape[1],
        **fitted.told,
    }


def _spectrum(sound: Floats, rate: int) -> str:
    seconds = len(sound) / rate
    one = drawing.Sounding(drawing.shade_of(sound, rate), None, seconds)
    return drawing.spectrum_panel(one, "heard", seconds) + time_axis(seconds)


def _controls(curves: Sequence[tuple[str, str, Controls]], seconds: float, *, sure: bool) -> str:
    """Pitch, how sure it is, and loudness; each curve is (kind of line, what it is called, controls)."""
    low, high = drawing.pitch_range([one for _, _, one in curves])
    ticks = drawing.hz_ticks(low, high)
    keys = tuple((kind, called) for kind, called, _ in curves) if len(curves) > 1 else ()
    pitch = [drawing.pitch_curve(one, seconds, kind, low, high) for kind, _, one in curves]
    parts = [panel("Pitch", pitch, ticks, height=110, keys=keys)]
    if sure:
        parts += [
            panel("Is there a pitch?", [Curve(one.periodicity, kind)], SURE_TICKS, height=56) for kind, _, one in curves
        ]
    loudness = [drawing.loudness_curve(one, seconds, kind) for kind, _, one in curves]
    parts.append(panel("Loudness", loudness, drawing.LOUDNESS_TICKS, height=84, keys=keys))
    return "".join(parts) + time_axis(seconds)


def _decoded(fitted: Fitted, seconds: float) -> str:
    """What drives the synthesiser: harmonics from the first up, and noise bands from low to high."""
    params = fitted.params
    bands = params.noise_band_hz
    near = [(text, int(np.argmin(np.abs(bands - hz)))) for hz, text in NOISE_HZ.items()]
    noise_ticks = [(text, (band + 0.5) / len(bands)) for text, band in near]
    shown = min(HARMONICS, params.harmonic_amplitudes.shape[1])
    tone_ticks = [(f"{k}.", (k - 0.5) / shown) for k in (2, 10, 20, 30) if k <= shown]
    tone, noise = _shade(params.harmonic_amplitudes[:, :shown]), _shade(params.noise_magnitudes)
    return (
        panel("Harmonics", [], tone_ticks, height=150, shade=tone, kind="played")
        + panel("Noise", [], noise_ticks, height=110, shade=noise, kind="heard")
        + time_axis(seconds)
    )


def _shade(magnitudes: Floats) -> np.ndarray:
    """Levels of [frames, rows] as shades [rows, columns]."""
    step = max(1, -(-len(magnitudes) // drawing.COLUMNS))
    level_db = 20 * np.log10(magnitudes[::step].T + 1e-7)
    return np.clip(1 + (level_db - level_db.max()) / DEEPEST_DB, 0, 1)
