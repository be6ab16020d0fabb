"""The live page as static files: the page itself, the engine, the instruments and the rooms that it offers.

All of it lies in one dictionary from path to content. The server answers from it and from nothing else, and
`export` writes it down for any static host: paths are relative, and nothing is asked of a server but files.
"""

from __future__ import annotations

import json
import shutil
import struct
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from retimbre.engine import FRAME_RATE, Floats
from retimbre.errors import RetimbreError
from retimbre.files import replacing
from retimbre.instrument import SUFFIX, Instrument, load, shipped
from retimbre.rooms import library

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    SUFFIX: "application/octet-stream",
}
"""Of every suffix that the page uses; browsers insist on those of .js and .wasm."""

ROOM_RATE = 48_000
"""Sample rate of the rooms' responses; the page resamples them to its own."""

UNHEARD = 1e-7
"""Share of a room's energy, -70 dB, that is left out at the end of its response."""

HARMONICS_SHOWN = 24
"""In the little picture of an instrument's timbre."""


def site() -> dict[str, bytes]:
    """Every file of the page by its path, such as `instruments/cello.safetensors`; the page itself is `index.html`."""
    package = files("retimbre")
    page = package / "app" / "live"
    content = {entry.name: entry.read_bytes() for entry in page.iterdir() if Path(entry.name).suffix in CONTENT_TYPES}
    content["engine.wasm"] = (package / "engine.wasm").read_bytes()
    instruments = {name: load(name) for name in shipped()}
    for name in instruments:
        content[f"instruments/{name}{SUFFIX}"] = (package / "instruments" / (name + SUFFIX)).read_bytes()
    content["instruments/index.json"] = _json([_summary(name, found) for name, found in instruments.items()])
    responses = rooms()
    for name, response in responses.items():
        content[f"rooms/{name}.wav"] = _wav(response)
    content["rooms/index.json"] = _json([_place(name) for name in responses])
    return content


def rooms() -> dict[str, Floats]:
    """Impulse responses of the shipped rooms, [samples] at `ROOM_RATE` each, by name."""
    return {name: _heard(library.find(name).to_rir(ROOM_RATE)) for name in library.shipped()}


def _heard(response: Floats) -> Floats:
    """A response up to where less than `UNHEARD` of its energy is left."""
    left = np.cumsum(np.square(response[::-1], dtype=np.float64))[::-1]
    return response[: int(np.sum(left > UNHEARD * left[0]))]


def export(folder: Path, content: dict[str, bytes], *, overwrite: bool = False) -> list[Path]:
    """Write pages into a folder, for any static host.

    Args:
        folder: is made where there is none.
        content: files by path, as `site` gives them.
        overwrite: whether files may be replaced there; other files are left alone.

    Returns:
        What was written.

    Raises:
        RetimbreError: the folder is a file, is not empty and must not be overwritten, or cannot be written.
    """
    check(folder, overwrite=overwrite)
    fresh = not folder.exists()
    try:
        for path, data in content.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as part:
                part.write_bytes(data)
    except BaseException as error:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            why = error.strerror or type(error).__name__
            raise RetimbreError(f"{folder}: cannot be written ({why}); name another folder") from error
        raise
    return [folder / path for path in content]


def check(folder: Path, *, overwrite: bool = False) -> None:
    """Before the work: there is no such folder, an empty one, or one in which files may be replaced.

    Raises:
        RetimbreError: it is a file, or is not empty and must not be overwritten.
    """
    if folder.exists() and not folder.is_dir():
        raise RetimbreError(f"{folder}: is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise RetimbreError(f"{folder}: is not empty; name another folder, or replace what is there with --force")


def _summary(name: str, instrument: Instrument) -> dict[str, Any]:
    card = instrument.card
    low, high = instrument.range_midi
    return {
        "file": name + SUFFIX,
        "name": instrument.name,
        "description": str(card.get("description", "")),
        "license": str(card.get("license", "")),
        "low": low,
        "high": high,
        "harmonics_db": _timbre(instrument),
    }


def _place(name: str) -> dict[str, Any]:
    told = library.about(name)
    about = {key: str(told.get(key, "")) for key in ("description", "fitted_to", "author", "license")}
    return {"file": f"{name}.wav", "name": name, **about}


def _timbre(instrument: Instrument) -> list[int]:
    """Levels in dB of the first harmonics of a note in the middle of the range, relative to the strongest."""
    from retimbre.controls import Controls

    net = instrument.network
    ones = np.ones(FRAME_RATE // 4, np.float32)
    hz = 440 * 2 ** ((net.pitch.centre - 69) / 12)
    played = instrument.decode(Controls(hz * ones, ones, net.loudness.centre * ones, FRAME_RATE))
    amplitudes = played.harmonic_amplitudes[-1, :HARMONICS_SHOWN]
    return [round(float(level)) for level in 20 * np.log10(amplitudes / amplitudes.max() + 1e-6)]


def _wav(response: Floats) -> bytes:
    """A file of 32-bit floats, which hold what is louder than 1."""
    data = response.astype("<f4").tobytes()
    layout = struct.pack("<HHIIHHH", 3, 1, ROOM_RATE, 4 * ROOM_RATE, 4, 32, 0)  # 3: floats; one channel
    chunks = ((b"fmt ", layout), (b"fact", struct.pack("<I", len(response))), (b"data", data))
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(content)) + content for name, content in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _json(data: list[dict[str, Any]]) -> bytes:
    return json.dumps(data, ensure_ascii=False, indent=1).encode()
