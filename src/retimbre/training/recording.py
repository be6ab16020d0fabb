"""One recording: read, resampled, analysed and judged. Needs no PyTorch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from retimbre import audio
from retimbre.analysis import analyze
from retimbre.controls import Controls
from retimbre.engine import FRAME_RATE, Floats, resample
from retimbre.files import replacing
from retimbre.rooms.room import Room
from retimbre.training.polyphony import is_one_note

SAMPLE_RATE = 48_000
HOP = SAMPLE_RATE // FRAME_RATE
GAP_FRAMES = 40
"""Silence after each recording (0.2 s), which the instrument learns to leave silent."""

MIN_PITCHED_SHARE = 0.6
"""Of the sounding frames of a recording. One voice reaches 0.9; noise and drums stay below."""

MIN_ONE_NOTE_SHARE = 0.4
"""Of the pitched frames of a recording. Notes reach 0.6 and more, chords 0.02."""

_SOUNDING_DB = 40  # below a recording's loud frames (their 95th percentile) it counts as silent
_SILENT_DB = -75
_FADE_S = 0.005  # many sample libraries cut notes while they sound: a click that no instrument makes


@dataclass(frozen=True, eq=False)
class Recording:
    """One file, ready.

    Attributes:
        path: of the file.
        audio: at 48 kHz, [240 (frames - 1)].
        controls: of the dry sound, as far as the room is known.
        room: that it was recorded in, as estimated; None where it is dry.
        band_limit_hz: above which it holds nothing, None where it holds everything.
    """

    path: Path
    audio: Floats
    controls: Controls
    room: Room | None = None
    band_limit_hz: float | None = None

    @property
    def sounding(self) -> np.ndarray:
        """Frames that are not silence, [frames] of bool."""
        loudness = self.controls.loudness_db
        return loudness > max(_SILENT_DB, np.percentile(loudness, 95) - _SOUNDING_DB)

    @property
    def pitched_s(self) -> float:
        """Seconds of pitched sound."""
        return float((self.controls.voiced & self.sounding).sum()) / FRAME_RATE

    @cached_property
    def one_note_share(self) -> float:
        """Part of the pitched frames, ten a second, whose spectrum is that of one note."""
        frames = np.flatnonzero(self.controls.voiced & self.sounding)[::20]
        f0_hz = self.controls.f0_hz
        single = [is_one_note(self.audio, SAMPLE_RATE, frame / FRAME_RATE, float(f0_hz[frame])) for frame in frames]
        return float(np.mean(single)) if single else 0.0

    @property
    def pitched_share(self) -> float:
        """Pitched part of what sounds."""
        return self.pitched_s * FRAME_RATE / max(1, int(self.sounding.sum()))

    def louder(self, gain_db: float) -> Recording:
        """The same at another level."""
        controls = self.controls.replace(loudness_db=self.controls.loudness_db + np.float32(gain_db))
        audio = self.audio * np.float32(10 ** (gain_db / 20))
        return replace(self, audio=audio, controls=controls) if gain_db else self


@lru_cache(maxsize=1)
def _engine_id() -> str:
    return hashlib.sha256(files("retimbre").joinpath("engine.wasm").read_bytes()).hexdigest()[:12]


def load_recording(path: Path, cache: Path) -> Recording:
    """Read, resample and analyse one file; the controls are kept in `cache` until file or engine change."""
    return make_recording(path, *audio.read(path), cache)


def make_recording(path: Path, samples: Floats, sample_rate: int, cache: Path | None = None) -> Recording:
    """As `load_recording`, of samples [n] that were read already. Without a cache nothing is kept."""
    samples = resample(samples, sample_rate, SAMPLE_RATE)
    length = len(samples)
    samples = with_gap(samples)
    frames = len(samples) // HOP
    fade = min(length // 2, int(_FADE_S * SAMPLE_RATE))
    samples[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    samples[length - fade : length] *= np.linspace(1, 0, fade, dtype=np.float32)
    kept = cache / f"{_key(path)}.npy" if cache else None
    controls = _controls(kept, frames + 1) if kept else None
    if controls is None:
        controls = analyze(samples, SAMPLE_RATE)
        if kept:
            with replacing(kept) as part, part.open("wb") as file:
                np.save(file, np.stack([controls.f0_hz, controls.periodicity, controls.loudness_db]))
    return Recording(path, samples, controls)


def _controls(kept: Path, frames: int) -> Controls | None:
    try:
        rows = np.load(kept, allow_pickle=False)
        return Controls(*rows) if rows.shape == (3, frames) else None
    except (OSError, ValueError):
        return None


def with_gap(samples: Floats) -> Floats:
    """Fill up to whole frames, and add the silence that follows each recording."""
    return np.pad(samples, (0, -len(samples) % HOP + GAP_FRAMES * HOP))


def _key(path: Path) -> str:
    status = path.stat()
    key = f"{path.resolve()} {status.st_size} {status.st_mtime_ns} {_engine_id()}"
    return hashlib.sha256(key.encode()).hexdigest()[:20]
