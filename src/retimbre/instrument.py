"""An instrument: a small network and a card, in one `.safetensors` file that runs nothing when it is opened.

The card (JSON in the file's header) says what the network's numbers mean and where they come from; the layout of both
is in `docs/instrument-file.md`.
"""

from __future__ import annotations

import difflib
import json
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import safetensors
import safetensors.numpy

from retimbre.controls import Controls
from retimbre.engine import FRAME_RATE, Decoder, Floats, Synth
from retimbre.errors import RetimbreError
from retimbre.files import refuse_overwrite, replacing
from retimbre.rooms.room import Room

FORMAT_VERSION = 1
SUFFIX = ".safetensors"
Made = TypeVar("Made")
_MAX_FILE, _MAX_HEADER = 64 << 20, 1 << 20  # bytes; a shipped instrument has 0.2 MB and 6 kB


@dataclass(frozen=True)
class Range:
    """What the network heard of a quantity: the middle of its scale, and the ends that inputs are clamped to."""

    centre: float
    low: float
    high: float


@dataclass(frozen=True)
class Network:
    """Shape and scales of the network (`docs/definitions.md`, Decoder).

    Attributes:
        channels: width, a multiple of 8.
        layers: each looks 3 frames into the past, 1, 2, 4, ... frames apart.
        harmonics: harmonics that it drives.
        pitches: rows of the table of pitches, evenly spaced over the range, which adds to the inputs.
        noise_band_hz: frequencies of the noise bands.
        pitch: in MIDI numbers.
        loudness: in dB.
    """

    channels: int
    layers: int
    harmonics: int
    pitches: int
    noise_band_hz: tuple[float, ...]
    pitch: Range
    loudness: Range

    def __post_init__(self) -> None:
        """Refuse shapes that the engine has no code or no memory for."""
        limits = (8 <= self.channels <= 512 and self.channels % 8 == 0) and 1 <= self.layers <= 10
        if not (limits and 1 <= self.harmonics <= 512 and 2 <= self.bands <= 512 and 2 <= self.pitches <= 512):
            raise ValueError("the network's shape is outside what the engine can run")
        bands, scales = np.array(self.noise_band_hz), [*asdict(self.pitch).values(), *asdict(self.loudness).values()]
        sane = bool((np.abs([*bands, *scales]) < 1e6).all())  # false for NaN
        if not (sane and bands[0] >= 0 and (np.diff(bands.astype(np.float32)) > 0).all()):
            raise ValueError("the noise bands must rise and the ranges be finite")
        for edges, low, high in ((self.pitch, -40, 200), (self.loudness, -200, 100)):
            if not (low <= edges.low <= edges.centre <= edges.high <= high and edges.low < edges.high):
                raise ValueError("the ranges of pitch and loudness must lie in order and within reason")

    @property
    def bands(self) -> int:
        """Number of noise bands."""
        return len(self.noise_band_hz)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each weight, in the order in which the engine takes them."""
        width, out = self.channels, self.harmonics + self.bands
        shapes: dict[str, tuple[int, ...]] = {"input.weight": (2, width), "input.bias": (width,)}
        shapes["input.pitches"] = (self.pitches, width)
        for layer in range(self.layers):
            name = f"layers.{layer}"
            shapes |= {f"{name}.taps": (3, width), f"{name}.weight": (width, width), f"{name}.bias": (width,)}
        return shapes | {"output.weight": (width, out), "output.bias": (out,)}

    def to_card(self) -> dict[str, Any]:
        """The part of a card that says what the network is."""
        return {
            "synthesis": {
                "frame_rate": FRAME_RATE,
                "harmonics": self.harmonics,
                "noise_band_hz": list(self.noise_band_hz),
            },
            "network": {
                "kind": "causal convolution",
                "channels": self.channels,
                "layers": self.layers,
                "pitches": self.pitches,
            },
            "pitch": {**asdict(self.pitch), "unit": "MIDI number"},
            "loudness": {**asdict(self.loudness), "unit": "dB"},
        }

    @classmethod
    def from_card(cls, card: dict[str, Any]) -> Network:
        """Read the shape out of a card; KeyError, TypeError or ValueError say that it is not there or not sane."""
        synthesis, network = card["synthesis"], card["network"]
        if synthesis["frame_rate"] != FRAME_RATE or network["kind"] != "causal convolution":
            raise ValueError("the network is of an unknown kind")
        ranges = [Range(*(float(card[key][end]) for end in ("centre", "low", "high"))) for key in ("pitch", "loudness")]
        bands = tuple(float(hz) for hz in synthesis["noise_band_hz"])
        sizes = (
            int(network["channels"]),
            int(network["layers"]),
            int(synthesis["harmonics"]),
            int(network["pitches"]),
        )
        return cls(*sizes, bands, *ranges)


@dataclass(frozen=True, eq=False)
class SynthParams:
    """What drives the synthesiser, one row a frame.

    Attributes:
        f0_hz: [frames].
        harmonic_amplitudes: linear, of harmonics 1, 2, ..., [frames, harmonics].
        noise_magnitudes: linear, at `noise_band_hz`, [frames, bands].
        noise_band_hz: [bands].
    """

    f0_hz: Floats
    harmonic_amplitudes: Floats
    noise_magnitudes: Floats
    noise_band_hz: Floats

    def rows(self) -> Floats:
        """As the engine takes it, [frames, 1 + harmonics + bands]."""
        columns = (self.f0_hz[:, None], self.harmonic_amplitudes, self.noise_magnitudes)
        return np.concatenate(columns, axis=1, dtype=np.float32)


def synthesize(params: SynthParams, sample_rate: int, *, seed: int = 0) -> Floats:
    """Render synthesiser parameters: the sound between the first and the last frame, at 16 to 192 kHz."""
    synth = Synth(sample_rate, params.harmonic_amplitudes.shape[1], params.noise_band_hz)
    return synth.process(params.rows(), seed=seed)


class Player:
    """An instrument being played: controls in, audio out, in blocks of any size."""

    def __init__(self, instrument: Instrument, sample_rate: int, *, seed: int = 0) -> None:
        """Start at `sample_rate` Hz; `seed` chooses the noise."""
        self._decoder = instrument.decoder()
        self._synth = Synth(sample_rate, instrument.network.harmonics, instrument.noise_band_hz)
        self._seed = seed

    def process(self, controls: Controls) -> Floats:
        """The samples between these frames; the first frame of all makes no sound."""
        return self._synth.process(self._decoder.process(_rows(controls)), seed=self._seed)


class Instrument:
    """A network that plays. Make one with `load`.

    Attributes:
        card: what the file says of itself.
        network: its shape and scales.
        room: that its recordings were made in, which its sound is free of; None where they were dry.
        weights: by name.
    """

    def __init__(self, card: dict[str, Any], weights: dict[str, Floats]) -> None:
        """Put a card and its weights together.

        Raises:
            ValueError: they do not fit each other.
        """
        self.card = card
        self.network = Network.from_card(card)
        check_quantiles(card["loudness"]["quantiles"])
        self.room = Room.from_json(card["room"]) if card.get("room") is not None else None
        self.weights = checked(weights, self.network.shapes)

    @property
    def name(self) -> str:
        """The name on the card, as far as it can be part of a file's name."""
        return "".join(c if c.isalnum() or c in " -_.#" else "_" for c in str(self.card["name"]))[:64]

    @property
    def range_midi(self) -> tuple[float, float]:
        """The lowest and the highest note of its recordings, without stray frames, as MIDI numbers."""
        quantiles = self.card["pitch"]["quantiles"]
        return quantiles[1], quantiles[-2]

    @cached_property
    def noise_band_hz(self) -> Floats:
        """Frequencies of the noise bands, [bands]."""
        return np.array(self.network.noise_band_hz, np.float32)

    @cached_property
    def flat_weights(self) -> Floats:
        """Scales and weights in the order in which the engine takes them (`decoder_new` in engine.h), [n]."""
        scales = [*asdict(self.network.pitch).values(), *asdict(self.network.loudness).values()]
        return np.concatenate([np.array(scales, np.float32), *(w.ravel() for w in self.weights.values())])

    def decoder(self) -> Decoder:
        """The network, at the beginning of a stream."""
        net = self.network
        return Decoder(self.flat_weights, net.channels, net.layers, net.harmonics, net.bands, net.pitches)

    def decode(self, controls: Controls) -> SynthParams:
        """What the network makes of the controls."""
        rows = self.decoder().process(_rows(controls))
        f0_hz, harmonics, noise = np.split(rows, [1, 1 + self.network.harmonics], axis=1)
        return SynthParams(f0_hz[:, 0], harmonics, noise, self.noise_band_hz)

    def play(self, controls: Controls, sample_rate: int = 48_000, *, seed: int = 0) -> Floats:
        """Play the controls as they are: `ceil((frames - 1) sample_rate / 200)` samples."""
        return Player(self, sample_rate, seed=seed).process(controls)

    def save(self, path: Path | str, *, overwrite: bool = False) -> None:
        """Write the file, whole or not at all."""
        write_file(Path(path), self.card, self.weights, overwrite=overwrite)


def checked(weights: dict[str, Floats], shapes: dict[str, tuple[int, ...]]) -> dict[str, Floats]:
    """The weights of these names; ValueError where one lacks, or is not of its shape, float32 and finite."""
    for name, shape in shapes.items():
        if name not in weights or weights[name].shape != shape:
            found = weights[name].shape if name in weights else "missing"
            raise ValueError(f"weight {name} should be {shape}, is {found}")
        if weights[name].dtype != np.float32:
            raise ValueError(f"weight {name} should be float32, is {weights[name].dtype}")
        if not np.isfinite(weights[name]).all():
            raise ValueError(f"weight {name} holds NaN or infinite numbers")
    return {name: weights[name] for name in shapes}


def check_quantiles(numbers: list[float]) -> None:
    """ValueError where a card's quantiles of loudness are none."""
    quantiles = np.array(numbers, np.float64)
    rising = quantiles.ndim == 1 and len(quantiles) >= 9 and (np.diff(quantiles) >= 0).all()
    if not (rising and np.isfinite(quantiles).all()):
        raise ValueError("the loudness quantiles must be 9 or more rising numbers")


def write_file(path: Path, card: dict[str, Any], weights: dict[str, Floats], *, overwrite: bool = False) -> None:
    """Write weights and a card, whole or not at all."""
    refuse_overwrite(path, overwrite=overwrite)
    # One metadata entry only: safetensors would write several in a random order.
    data = safetensors.numpy.save(weights, {"card": json.dumps(card, ensure_ascii=False)})
    with replacing(path) as part:
        part.write_bytes(data)


def _rows(controls: Controls) -> Floats:
    if controls.frame_rate != FRAME_RATE:
        controls = controls.resample(FRAME_RATE)
    return np.stack([controls.f0_hz, controls.periodicity, controls.loudness_db], axis=1)


def shipped() -> list[str]:
    """Names of the instruments that come with retimbre."""
    folder = files("retimbre").joinpath("instruments")
    return sorted(entry.name.removesuffix(SUFFIX) for entry in folder.iterdir() if entry.name.endswith(SUFFIX))


def load(name_or_path: str | Path) -> Instrument:
    """Open a shipped instrument by name, or any by file.

    Raises:
        RetimbreError: there is none of that name, or the file is damaged, hostile or from a newer version.
    """
    text = str(name_or_path)
    if text in shipped():
        with as_file(files("retimbre") / "instruments" / (text + SUFFIX)) as path:
            return _read(path)
    path = Path(text)
    if path.is_file():
        return _read(path)
    if path.suffix == SUFFIX or len(path.parts) > 1:
        raise RetimbreError(f"{text}: no such instrument file; check the path")
    near = difflib.get_close_matches(text.lower(), shipped(), n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(shipped())}"
    raise RetimbreError(f"{text}: no instrument of this name; {hint} (or give a {SUFFIX} file)")


def _read(path: Path) -> Instrument:
    return read_file(path, Instrument)


def read_file(path: Path, make: Callable[[dict[str, Any], dict[str, Floats]], Made]) -> Made:
    """Open a file of weights and a card without trusting it, and make of it what it holds.

    Raises:
        RetimbreError: the file is damaged, hostile or from a newer version, or `make` does not take it (ValueError).
    """
    try:
        with path.open("rb") as file:
            prefix = file.read(8)
        size = path.stat().st_size
    except OSError as error:
        raise RetimbreError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    header = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else size
    if header > min(size - 8, _MAX_HEADER) or size > _MAX_FILE:
        raise RetimbreError(f"{path}: is not an instrument file, or damaged; train or download it again")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}
    except (safetensors.SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        raise RetimbreError(f"{path}: is not an instrument file, or damaged; train or download it again") from error
    if "card" not in metadata:
        raise RetimbreError(f"{path}: holds weights but no retimbre card; give a file that `retimbre train` wrote")
    try:
        card = json.loads(metadata["card"])
        version, _ = card["format_version"], card["name"]
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise RetimbreError(
                f"{path}: has format version {version}, this retimbre reads {FORMAT_VERSION}; upgrade it"
            )
        if version != FORMAT_VERSION:
            raise ValueError("its format version is unknown")
        return make(card, weights)
    except RetimbreError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = f"its card lacks {error}" if isinstance(error, KeyError) else str(error)
        raise RetimbreError(f"{path}: is damaged ({reason}); train or download it again") from error
