"""The recordings: found, checked, and laid end to end as training and validation material."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from retimbre import audio
from retimbre.engine import FRAME_RATE
from retimbre.errors import RetimbreError
from retimbre.training.recipe import Recipe
from retimbre.training.recording import HOP, MIN_ONE_NOTE_SHARE, MIN_PITCHED_SHARE, Recording, load_recording

MIN_PITCHED_S = 10.0
PERFORMANCE_S = 30.0
"""Of recordings that hold more than a few notes."""


@dataclass(frozen=True, eq=False)
class Material:
    """Recordings laid end to end: audio [240 frames], controls [frames + 1, 3 or more], and where each one starts."""

    audio: Tensor
    controls: Tensor
    starts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.controls) - 1

    def with_columns(self, columns: Tensor) -> Material:
        """The same with more numbers in each row of controls, [frames + 1, more]; one number is the same in all."""
        more = columns.expand(len(self.controls), -1)
        return replace(self, controls=torch.cat([self.controls, more], dim=1))

    def clips(self, starts: Iterable[int], frames: int, context: int) -> tuple[Tensor, Tensor]:
        """Clips from the given frames on.

        Returns:
            Audio [clips, 240 frames] and controls [clips, context + frames + 1, 3], which begin `context` frames
            earlier so that the network has a past; before the beginning, the first frame stands for it.
        """
        starts = list(starts)
        audio = torch.stack([self.audio[start * HOP : (start + frames) * HOP] for start in starts])
        rows = (torch.tensor(starts)[:, None] + torch.arange(-context, frames + 1)).clamp(min=0)
        return audio, self.controls[rows]


def load_corpus(
    recipe: Recipe, cache: Path, *, progress: Callable[[list[Path]], Iterable[Path]], warn: Callable[[str], None]
) -> list[Recording]:
    """Everything in the folder of a recipe that can teach its instrument.

    Args:
        recipe: whose folder is searched with its subfolders for audio files of any format and rate.
        cache: where the controls are kept.
        progress: wraps the list of files while it is worked through.
        warn: told about each file that is left out, and why.

    Raises:
        RetimbreError: there is nothing to learn from, and why.
    """
    folder = recipe.recordings
    paths = [path for path in audio.find([folder]) if recipe.takes(path)]
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RetimbreError(
            f"{cache}: cannot be made ({error.strerror}); write the instrument to another folder"
        ) from error
    good, silent, unpitched = [], 0, 0
    for path in progress(paths):
        try:
            recording = load_recording(path, cache).louder(recipe.level_db(path))
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
    """Hold out about `share` of the time for validation: whole recordings, at least one, chosen by `seed`.

    A performance (longer than `PERFORMANCE_S`, or the only recording) gives its end: the rest stays for training.
    """
    only = len(recordings) == 1
    long = [one for one in recordings if only or len(one.controls) > PERFORMANCE_S * FRAME_RATE]
    short = [one for one in recordings if one not in long]
    cuts = [int(len(recording.controls) * (1 - share)) for recording in long]
    training = [_part(recording, 0, cut) for recording, cut in zip(long, cuts, strict=True)]
    held = [_part(recording, cut, len(recording.controls) - 1) for recording, cut in zip(long, cuts, strict=True)]
    wanted = share * sum(len(recording.controls) for recording in short)
    # None longer than wanted; where all are longer, the shortest.
    order = [int(index) for index in np.random.default_rng(seed).permutation(len(short))]
    fitting = [index for index in order if len(short[index].controls) <= wanted]
    if short and not fitting:
        fitting = [min(order, key=lambda index: len(short[index].controls))]
    chosen, length = set(), 0
    for index in fitting:
        if chosen and length + len(short[index].controls) > wanted:
            continue
        chosen.add(index)
        length += len(short[index].controls)
        if length >= 0.9 * wanted:
            break
    training += [recording for index, recording in enumerate(short) if index not in chosen]
    return training, held + [short[index] for index in sorted(chosen)]


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
