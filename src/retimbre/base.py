"""The base: one network that is several instruments, and those between them and beyond.

Its biases and its table of pitches depend on a vector, the condition, by a matrix each. For one vector it is a plain
network, so any point of this space of instruments is folded into an `Instrument` that plays like every other: a voice
of the base (the rows of `embedding`), a blend of some, or a new one that `retimbre clone` finds.
"""

from __future__ import annotations

import copy
import re
from dataclasses import asdict
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from retimbre.engine import Floats
from retimbre.errors import RetimbreError
from retimbre.instrument import (
    FORMAT_VERSION,
    Instrument,
    Network,
    Range,
    check_quantiles,
    checked,
    load,
    read_file,
    write_file,
)

MIDDLE_DB = -25.0
"""Median loudness that the recordings of every voice are brought to: how loud a microphone was set says nothing."""

_BLEND = re.compile(r"[^:,]+:[0-9.]+(,[^:,]+:[0-9.]+)*")


def condition_shapes(network: Network, size: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the matrices from a condition of `size` numbers to what each weight gains by it."""
    shapes: dict[str, tuple[int, ...]] = {"condition.input": (size, network.channels)}
    shapes["condition.pitches"] = (size, network.pitches * network.channels)
    shapes |= {f"condition.layers.{layer}": (size, network.channels) for layer in range(network.layers)}
    return shapes | {"condition.output": (size, network.harmonics + network.bands)}


class Base:
    """A base, as its file holds it."""

    def __init__(self, card: dict[str, Any], weights: dict[str, Floats]) -> None:
        """Put a card and its weights together.

        Raises:
            ValueError: they do not fit each other.
        """
        if card["format"] != "retimbre base":
            raise ValueError("it is an instrument, no base")
        self.card = card
        self.network = Network.from_card(card)
        self.size = int(card["network"]["condition"])
        if not 1 <= self.size <= 64 or not card["voices"]:
            raise ValueError("the condition or the voices are not right")
        shapes = self.network.shapes | condition_shapes(self.network, self.size)
        self.weights = checked(weights, shapes | {"embedding": (len(card["voices"]), self.size)})
        for voice in card["voices"]:
            check_quantiles(voice["loudness"]["quantiles"])
            Range(*(float(voice["pitch"][end]) for end in ("centre", "low", "high")))

    @property
    def voices(self) -> list[str]:
        """Names of the instruments that it was trained on."""
        return [str(voice["name"]) for voice in self.card["voices"]]

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the file, whole or not at all."""
        write_file(path, self.card, self.weights, overwrite=overwrite)

    def blend(self, shares: dict[str, float]) -> Instrument:
        """The instrument between some voices.

        Args:
            shares: of voices by name, in any proportion.

        Raises:
            RetimbreError: the base has no voice of that name, or no share is above zero.
        """
        unknown = [name for name in shares if name not in self.voices]
        if unknown:
            raise RetimbreError(f"{unknown[0]}: not among the instruments that blend: {', '.join(self.voices)}")
        total = sum(shares.values())
        if not total > 0 or min(shares.values()) < 0:
            raise RetimbreError("the shares of a blend must be positive, as in violin:0.6,flute:0.4")
        weights = np.array([shares.get(name, 0.0) / total for name in self.voices])
        condition = weights.astype(np.float32) @ self.weights["embedding"]

        def mean(read: str, key: str) -> np.ndarray:
            return weights @ np.array([voice[read][key] for voice in self.card["voices"]], np.float64)

        pitch = {key: mean("pitch", key) for key in ("centre", "low", "high", "quantiles")}
        loudness = mean("loudness", "quantiles")
        name = "_".join(f"{name}{round(100 * share / total)}" for name, share in shares.items() if share > 0)
        card = self.card_of(name if len(shares) > 1 else next(iter(shares)), pitch, loudness)
        return Instrument(card, self.fold(condition, Network.from_card(card)))

    def card_of(self, name: str, pitch: dict[str, Any], loudness: np.ndarray) -> dict[str, Any]:
        """The card of an instrument of this base.

        Args:
            name: of the instrument.
            pitch: its `centre`, `low`, `high` and `quantiles`, as MIDI numbers.
            loudness: quantiles in dB.
        """
        whole, steps = self.network.pitch, self.network.pitches - 1
        step = (whole.high - whole.low) / steps
        # On the rows of the base's table, so that the fold is exact.
        first = int(np.clip(np.floor((pitch["low"] - whole.low) / step), 0, steps - 1))
        last = int(np.clip(np.ceil((pitch["high"] - whole.low) / step), first + 1, steps))
        low, high = whole.low + first * step, whole.low + last * step
        card = copy.deepcopy({key: value for key, value in self.card.items() if key != "voices"})
        centre = round(float(np.clip(pitch["centre"], low, high)), 2)
        card |= {"format": "retimbre instrument", "format_version": FORMAT_VERSION, "name": name}
        card["network"] = {key: value for key, value in card["network"].items() if key != "condition"}
        card["network"]["pitches"] = last - first + 1
        card["pitch"] = asdict(Range(centre, low, high)) | {"unit": "MIDI number"}
        card["pitch"]["quantiles"] = np.round(pitch["quantiles"], 3).tolist()
        card["loudness"] = asdict(self.network.loudness) | {"unit": "dB"}
        card["loudness"]["quantiles"] = np.round(loudness, 3).tolist()
        card["room"] = None
        return card

    def fold(self, condition: Floats, network: Network) -> dict[str, Floats]:
        """The weights of the plain network that the base is under a condition [size]; `network` as `card_of` says."""
        own, ours = self.weights, self.network

        def gained(name: str) -> Floats:
            return condition @ own[f"condition.{name}"]

        weights = {name: own[name] for name in ours.shapes}
        shift = (network.pitch.centre - ours.pitch.centre) / 12  # the same pitch, counted from another centre
        weights["input.bias"] = own["input.bias"] + gained("input") + np.float32(shift) * own["input.weight"][0]
        step = (ours.pitch.high - ours.pitch.low) / (ours.pitches - 1)
        first = round((network.pitch.low - ours.pitch.low) / step)
        table = own["input.pitches"] + gained("pitches").reshape(ours.pitches, -1)
        weights["input.pitches"] = np.ascontiguousarray(table[first : first + network.pitches])
        for name in [*(f"layers.{layer}" for layer in range(ours.layers)), "output"]:
            weights[f"{name}.bias"] = own[f"{name}.bias"] + gained(name)
        return weights


@lru_cache(maxsize=2)
def load_base(path: Path | None = None) -> Base:
    """Open a base, by default the shipped one.

    Raises:
        RetimbreError: the file is damaged, hostile or from a newer version.
    """
    if path is not None:
        return read_file(path, Base)
    with as_file(files("retimbre") / "base.safetensors") as shipped:
        return read_file(shipped, Base)


def choose(text: str) -> Instrument:
    """An instrument by name or file, or a blend of the base's, as in `violin:0.6,flute:0.4`.

    Raises:
        RetimbreError: there is none of that name, or the file cannot be opened.
    """
    if not _BLEND.fullmatch(text) or Path(text).exists():
        return load(text)
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, share = part.split(":")
        try:
            shares[name] = shares.get(name, 0.0) + float(share)
        except ValueError:
            raise RetimbreError(f"{text}: {share} is no share; write it as violin:0.6,flute:0.4") from None
    return load_base().blend(shares)
