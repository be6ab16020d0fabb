"""Numbers on their way into a web page and back: 32-bit floats as text."""

from __future__ import annotations

import base64

import numpy as np

from retimbre.engine import Floats


def encoded(numbers: Floats) -> str:
    """For a page."""
    return base64.b64encode(numbers.astype("<f4").tobytes()).decode()


def decoded(text: str) -> Floats:
    """From a page."""
    return np.frombuffer(base64.b64decode(text), "<f4")
