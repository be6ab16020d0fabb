"""The recordings: found, checked, analysed, and laid end to end as training and validation material."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from retimbre import audio
from retimbre.analysis import analyze
from retimbre.controls import Controls
from retimbre.engine import FRAME_RATE, Floats, resample
from retimbre.errors import RetimbreError
from retimbre.files import replacing
from retimbre.training.polyphony import is_one_note

SAMPLE_RATE = 48_000
HOP = SAMPLE_RATE // FRAME_RATE
GAP_FRAMES = 40
"""Silence after each recording (0.2 s), which the instrument learns to leave silent."""

MIN_PITCHED_S = 10.0
MIN_PITCHED_SHARE = 0.6
"""Of the sounding frames of a recording. One voice reaches 0.9; noise and drums stay below."""

MIN_ONE_NOTE_SHARE = 0.4
"""Of the pitched frames of a recording. Notes reach 0.6 and more, chords 0.02."""

_SOUNDING_DB = 40  # below a recording's loud frames (their 95th percentile) it counts as silent
_SILENT_DB = -75
_FADE_S = 0.005  # many sample libraries cut notes while they sound: a click that no instrument makes


@dataclass(frozen=True, eq=False)
class Recording:
    """One file, ready: audio at 48 kHz [240 (frames - 1)], and its controls."""

    path: Path
    audio: Floats
    controls: Controls

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


@dataclass(frozen=True, eq=False)
class Material:
    """Recordings laid end to end: audio [240 frames], controls [frames + 1, 3], and where each one starts."""

    audio: Tensor
    controls: Tensor
    starts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.controls) - 1

    def clips(self, starts: Iterable[int], frames: int, context: int) -> tuple[Tensor, Tensor]:
        """Clips from the given frames on.

        Returns:
            Audio [clips, 240 frames] and controls [clips, context + frames + 1, 3], which begin `context` frames
            earlier so that the network has a past; before the beginning, the first frame stands for it.
        """
        first = torch.as_tensor(list(starts))[:, None]
        samples = first * HOP + torch.arange(frames * HOP)
        rows = (first + torch.arange(-context, frames + 1)).clamp(min=0)
        return self.audio[samples], self.controls[rows]


@lru_cache(maxsize=1)
def _engine_id() -> str:
    return hashlib.sha256(files("retimbre").joinpath("engine.wasm").read_bytes()).hexdigest()[:12]


def _load(path: Path, cache: Path) -> Recording:
    """Read, resample and analyse one file; the controls are kept in `cache` until file or engine change."""
    samples, rate = audio.read(path)
    samples = resample(samples, rate, SAMPLE_RATE)
    fade = min(len(samples) // 2, int(_FADE_S * SAMPLE_RATE))
    samples[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    samples[len(samples) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    frames = -(-len(samples) // HOP) + GAP_FRAMES
    samples = np.pad(samples, (0, frames * HOP - len(samples)))

    status = path.stat()
    key = f"{path.resolve()} {status.st_size} {status.st_mtime_ns} {_engine_id()}"
    kept = cache / f"{hashlib.sha256(key.encode()).hexdigest()[:20]}.npy"
    try:
        rows = np.load(kept, allow_pickle=False)
        if rows.shape != (3, frames + 1):
            raise ValueError("of another length")
        controls = Controls(*rows)
    except (OSError, ValueError):
        controls = analyze(samples, SAMPLE_RATE)
        with replacing(kept) as part, part.open("wb") as file:
            np.save(file, np.stack([controls.f0_hz, controls.periodicity, controls.loudness_db]))
    return Recording(path, samples, controls)


def load_corpus(
    folder: Path, cache: Path, *, progress: Callable[[list[Path]], Iterable[Path]], warn: Callable[[str], None]
) -> list[Recording]:
    """Everything in a folder that can teach an instrument.

    Args:
        folder: searched with its subfolders for audio files of any format and rate.
        cache: where the controls are kept.
        progress: wraps the list of files while it is worked through.
        warn: told about each file that is left out, and why.

    Raises:
        RetimbreError: there is nothing to learn from, and why.
    """
    paths = audio.find([folder])
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RetimbreError(
            f"{cache}: cannot be made ({error.strerror}); write the instrument to another folder"
        ) from error
    good, silent, unpitched = [], 0, 0
    for path in progress(paths):
        try:
            recording = _load(path, cache)
        except audio.AudioError as error:
            warn(f"left out: {error}")
            continue
        if not recording.sounding.any():
            silent += 1
            warn(f"left out: {path}: is silent")
        elif recording.pitched_share < MIN_PITCHED_SHARE or recording.one_note_share < MIN_ONE_NOTE_SHARE:
            unpitched += 1
            share = f"{100 * recording.pitched_share * recording.one_note_share:.0f} %"
            warn(f"left out: {path}: only {share} of it has one clear pitch (several notes at once, or noise?)")
        else:
            good.append(recording)
    if good:
        pitched_s = sum(recording.pitched_s for recording in good)
        if pitched_s >= MIN_PITCHED_S:
            return good
        raise RetimbreError(
            f"{folder}: holds {pitched_s:.1f} s of clearly pitched sound; an instrument needs {MIN_PITCHED_S:.0f} s at "
            "least, and 5 to 20 minutes to be good"
        )
    if unpitched:
        raise RetimbreError(
            f"{folder}: no recording has one clear pitch at a time; record one note at a time, no chords"
        )
    if silent:
        raise RetimbreError(f"{folder}: every recording is silent; check the levels of the export")
    raise RetimbreError(f"{folder}: holds no audio that can be read; put WAV, FLAC, MP3, OGG or AIFF files there")


def split(recordings: list[Recording], share: float, seed: int) -> tuple[list[Recording], list[Recording]]:
    """Hold out whole recordings for validation: about `share` of the time, at least one, chosen by `seed`.

    A single recording is cut instead: its end is held out.
    """
    if len(recordings) == 1:
        only = recordings[0]
        cut = int(len(only.controls) * (1 - share))
        return [_part(only, 0, cut)], [_part(only, cut, len(only.controls) - 1)]
    order = np.random.default_rng(seed).permutation(len(recordings))
    total = sum(len(recording.controls) for recording in recordings)
    held, length = set(), 0
    # None longer than the share; where all are longer, the shortest.
    fitting = [index for index in order if len(recordings[index].controls) <= share * total]
    for index in fitting or [min(order, key=lambda index: len(recordings[index].controls))]:
        if held and length + len(recordings[index].controls) > share * total:
            continue
        held.add(int(index))
        length += len(recordings[index].controls)
        if length >= 0.9 * share * total:
            break
    training = [recording for i, recording in enumerate(recordings) if i not in held]
    return training, [recordings[i] for i in sorted(held)]


def _part(recording: Recording, start: int, stop: int) -> Recording:
    controls = recording.controls.cut(start / FRAME_RATE, stop / FRAME_RATE)
    return Recording(recording.path, recording.audio[start * HOP : (start + len(controls) - 1) * HOP], controls)


def lay_out(recordings: list[Recording]) -> Material:
    """Put recordings one after the other; the frame where two meet belongs to the second."""
    rows, starts, at = [], [], 0
    for recording in recordings:
        c = recording.controls
        rows.append(np.stack([c.f0_hz, c.periodicity, c.loudness_db], axis=1)[:-1])
        starts.append(at)
        at += len(c) - 1
    rows.append(rows[-1][-1:])
    samples = np.concatenate([recording.audio for recording in recordings])
    return Material(torch.from_numpy(samples), torch.from_numpy(np.concatenate(rows)), tuple(starts))
