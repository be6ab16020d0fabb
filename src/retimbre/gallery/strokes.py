"""What drawings on a page are made of: lines with gaps, and small PNGs."""

from __future__ import annotations

import struct
import zlib

import numpy as np

GREY, GREY_ALPHA = 0, 4
"""Kinds of pixels, as PNG numbers them."""


def line(across: np.ndarray, values: np.ndarray, digits: int = 1) -> str:
    """An SVG path at places `across` [n] through values [n] from 0 (at 100) to 1 (at 0), broken where they are NaN."""
    parts, pen_up = [], True
    for x, value in zip(across, values, strict=True):
        if np.isnan(value):
            pen_up = True
            continue
        parts.append(f"{'M' if pen_up else 'L'}{x:.{digits}f} {100 * (1 - value):.1f}")
        pen_up = False
    return "".join(parts)


def png(rows: np.ndarray, width: int, bits: int, kind: int, effort: int) -> bytes:
    """A PNG file of packed rows [height, bytes], top row first, `width` pixels of so many bits a channel wide."""
    lines = np.concatenate([np.zeros((len(rows), 1), np.uint8), rows], axis=1)  # each is preceded by "unfiltered"

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, len(rows), bits, kind, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines.tobytes(), effort)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
