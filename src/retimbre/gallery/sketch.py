"""Small pictures of sounds as SVG files: they stretch to any width, follow the theme and hold no words.

Blue is what was heard, orange what is played. A spectrogram is a picture of 16 greys, and lets ink through.
"""

from __future__ import annotations

from base64 import b64encode

import numpy as np

from retimbre import picture
from retimbre.controls import Controls
from retimbre.engine import Floats
from retimbre.gallery.strokes import GREY, line, png

COLUMNS, ROWS = 440, 88  # of a spectrogram
POINTS = 400  # of a curve
QUIET_DB = -80.0  # of the axis of loudness
WIDE = 1000  # units of a drawing across; it is 100 high

_STYLE = (
    ".ink{fill:#1d2a36}.heard{stroke:#1878b4}.played{stroke:#d2570b}path{fill:none;stroke-width:2;stroke-linejoin:round}"
    ".under{stroke:#fdfcf9;stroke-width:4.5;opacity:.7}.faint{stroke-width:1.4;stroke-dasharray:3 3}"
    "@media(prefers-color-scheme:dark){.ink{fill:#e4e8ec}.heard{stroke:#62b6ea}.played{stroke:#ff9347}.under{stroke:#18212a}}"
)


def spectrum(sound: Floats, rate: int, seconds: float, lines: list[tuple[str, Controls]]) -> str:
    """A spectrogram from `picture.LOWEST_HZ` to `picture.HIGHEST_HZ`, octaves evenly high, with pitches over it.

    Args:
        sound: [samples].
        rate: in Hz.
        seconds: of the time axis.
        lines: what was "heard" or "played", the main one last.

    Returns:
        The text of an SVG file.
    """
    level_db, _, _ = picture.spectrogram(sound, rate, COLUMNS, ROWS)
    shade = np.clip(1 + level_db[::-1] / picture.LEVEL_RANGE_DB, 0, 1)
    wide = WIDE * min(1.0, len(sound) / rate / seconds)
    image = f"data:image/png;base64,{b64encode(_png(shade)).decode()}"
    size = f'width="{wide:.1f}" height="100"'
    parts = [
        f'<mask id="m"><image href="{image}" {size} preserveAspectRatio="none"/></mask>',
        f'<rect class="ink" {size} mask="url(#m)"/>',
    ]
    for place, (kind, controls) in enumerate(lines):
        octaves = np.full(len(controls), np.nan)
        voiced = controls.voiced & (controls.f0_hz > 0)
        octaves[voiced] = np.log2(controls.f0_hz[voiced] / picture.LOWEST_HZ)
        curve = octaves / np.log2(picture.HIGHEST_HZ / picture.LOWEST_HZ)
        last = place == len(lines) - 1
        path = _path(curve, controls.seconds / seconds)
        parts += [_line("under", path), _line(kind, path)] if last else [_line(f"{kind} faint", path)]
    return _svg(parts)


def loudness(seconds: float, lines: list[tuple[str, Controls]]) -> str:
    """Loudness curves from `QUIET_DB` to 0, the text of an SVG file."""
    curves = [
        (kind, np.clip(1 - controls.loudness_db / QUIET_DB, 0, 1), controls.seconds / seconds)
        for kind, controls in lines
    ]
    return _svg([_line(kind, _path(curve, share)) for kind, curve, share in curves])


def _svg(parts: list[str]) -> str:
    frame = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} 100" preserveAspectRatio="none"'
    return f"<svg {frame}><style>{_STYLE}</style>{''.join(parts)}</svg>\n"


def _line(kind: str, path: str) -> str:
    return f'<path class="{kind}" vector-effect="non-scaling-stroke" d="{path}"/>'


def _path(values: np.ndarray, share: float) -> str:
    """A line through values [n] from 0 to 1 over a share of the width, broken where they are NaN."""
    step = max(1, -(-len(values) // POINTS))
    values = values[::step]
    across = np.arange(len(values)) * (WIDE * share * step / max(1, len(values) * step - 1))
    return line(across, values, digits=0)


def _png(shade: np.ndarray) -> bytes:
    """Grey [rows, columns] from 0 (black) to 1 (white), top row first: a PNG of 4 bits a pixel."""
    grey = np.round(15 * shade).astype(np.uint8)
    grey = np.pad(grey, ((0, 0), (0, grey.shape[1] % 2)))
    packed = grey[:, ::2] << 4 | grey[:, 1::2]
    return png(packed, shade.shape[1], 4, GREY, effort=9)
