"""Types of option values; argparse turns what they raise into one line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path


def octave(text: str) -> int | str:
    """An octave, or auto."""
    if text == "auto":
        return text
    if text.removeprefix("-").removeprefix("+") not in tuple("0123456"):
        raise argparse.ArgumentTypeError("must be auto or -6 to 6")
    return int(text)


def count(text: str) -> int:
    """1 or more."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("must be a whole number of 1 or more")
    return int(text)


def seed(text: str) -> int:
    """What the engine and PyTorch both take."""
    value = int(text)
    if not 0 <= value < 2**31:
        raise argparse.ArgumentTypeError("must be between 0 and 2147483647")
    return value


def number(low: float, high: float) -> Callable[[str], float]:
    """A number within limits."""

    def parse(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be between {low} and {high}")
        return value

    return parse


def latency(text: str) -> float | str:
    """Seconds, or low or high."""
    if text in ("low", "high"):
        return text
    try:
        return number(0, 5)(text)
    except (ValueError, argparse.ArgumentTypeError):
        raise argparse.ArgumentTypeError("must be low, high, or 0 to 5 seconds") from None


def port(text: str) -> int:
    """A TCP port."""
    value = int(text)
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError("must be from 0 to 65535")
    return value


def base_path(text: str) -> str:
    """The beginning of the path in an address: names of letters, digits and -._~, with slashes between."""
    if not re.fullmatch(r"[\w.~/-]*", text, re.ASCII):
        raise argparse.ArgumentTypeError("must be of letters, digits and - . _ ~, as in /retimbre")
    return text


def folder(text: str) -> str:
    """A folder that is there, by its whole name."""
    path = Path(text).expanduser()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return str(path.resolve())
