"""The recordings: found, checked, and laid end to end as training and validation material."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from retimbre import audio
from retimbre.dsp import LOUDNESS_FLOOR_DB, hz_to_midi, midi_to_hz
from retimbre.engine import FRAME_RATE
from retimbre.errors import RetimbreError
from retimbre.training.recipe import Recipe
from retimbre.training.recording import (
    GAP_FRAMES,
    HOP,
    MIN_ONE_NOTE_SHARE,
    MIN_PITCHED_SHARE,
    SAMPLE_RATE,
    Recording,
    load_recording,
)
from retimbre.training.sessions import hear_rooms

MIN_PITCHED_S = 10.0
PERFORMANCE_S = 30.0
"""Of recordings that hold more than a few notes."""


@dataclass(frozen=True, eq=False)
class Material:
    """Recordings of one room laid end to end.

    Attributes:
        audio: [240 frames].
        controls: [frames + 1, 3 or more].
        starts: frame where each recording starts.
        room: name of the session that they were recorded in, None where they are dry.
        bandwidth: share of the spectrum, from 0 Hz up, that they hold.
    """

    audio: Tensor
    controls: Tensor
    starts: tuple[int, ...]
    room: str | None = None
    bandwidth: float = 1.0

    def __len__(self) -> int:
        return len(self.controls) - 1

    def with_columns(self, columns: Tensor) -> Material:
        """The same with more numbers in each row of controls, [frames + 1, more]; one number is the same in all."""
        more = columns.expand(len(self.controls), -1)
        return replace(self, controls=torch.cat([self.controls, more], dim=1))

    def without_stray_pitch(self, low_midi: float, high_midi: float) -> Material:
        """The same, but frames without a pitch that read one beyond the range read its middle.

        The network clamps pitch to its range: the noise of all such frames would settle in the notes at its ends.
        """
        f0_hz, periodicity, *others = self.controls.unbind(-1)
        midi = hz_to_midi(f0_hz.clamp(min=1.0))
        stray = ((midi < low_midi) | (midi > high_midi)) & (periodicity < 0.5)
        middle = midi_to_hz(torch.tensor((low_midi + high_midi) / 2))
        f0_hz = torch.where(stray, middle, f0_hz)
        return replace(self, controls=torch.stack([f0_hz, periodicity, *others], dim=-1))

    def places(self, frames: int) -> Tensor:
        """Frames where a clip of some length may start: in a room, wholly inside one recording."""
        if self.room is None:
            return torch.arange(max(1, len(self) - frames))
        ends = (*self.starts[1:], len(self))  # before which lies silence that was not recorded
        lasts = [max(start, end - GAP_FRAMES - frames) for start, end in zip(self.starts, ends, strict=True)]
        return torch.cat([torch.arange(*pair) for pair in zip(self.starts, [last + 1 for last in lasts], strict=True)])

    def clips(self, starts: Iterable[int], frames: int, context: int) -> tuple[Tensor, Tensor]:
        """Clips from the given frames on.

        Returns:
            Audio [clips, 240 frames] and controls [clips, context + frames + 1, 3], which begin `context` frames
            earlier so that the network has a past; before the beginning, the first frame stands for it. In a room
            it is silent before each recording: nothing rings on from the one before.
        """
        starts = list(starts)
        audio = torch.stack([self.audio[start * HOP : (start + frames) * HOP] for start in starts])
        rows = torch.tensor(starts)[:, None] + torch.arange(-context, frames + 1)
        if self.room is None:
            return audio, self.controls[rows.clamp(min=0)]
        begins = torch.tensor(self.starts)
        first = begins[torch.searchsorted(begins, torch.tensor(starts), right=True) - 1][:, None]
        silence = torch.tensor([0.0, LOUDNESS_FLOOR_DB]).expand(*rows.shape, 2)
        controls = self.controls[rows.maximum(first)]
        controls[..., 1:] = torch.where((rows < first)[..., None], silence, controls[..., 1:])
        return audio, controls


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
        RetimbreError: there is nothing to learn from, and why; of a single file that alone is told.
    """
    folder = recipe.recordings
    alone = folder.is_file()
    paths = [path for path in audio.find([folder]) if recipe.takes(path)]
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RetimbreError(
            f"{cache}: cannot be made ({error.strerror}); write the instrument to another folder"
        ) from error

    def leave_out(why: str) -> None:
        if not alone:
            warn(f"left out: {why}")

    good, silent, unpitched = [], 0, 0
    for path in progress(paths):
        try:
            recording = load_recording(path, cache).louder(recipe.level_db(path))
            recording = replace(recording, band_limit_hz=recipe.band_limit_hz(path))
        except audio.AudioError as error:
            if alone:
                raise
            leave_out(str(error))
            continue
        if not recording.sounding.any():
            silent += 1
            leave_out(f"{path}: is silent")
        elif recording.pitched_share < MIN_PITCHED_SHARE or recording.one_note_share < MIN_ONE_NOTE_SHARE:
            unpitched += 1
            share = f"{100 * recording.pitched_share * recording.one_note_share:.0f} %"
            leave_out(f"{path}: only {share} of it has one clear pitch (several notes at once, or noise?)")
        else:
            good.append(recording)
    good = hear_rooms(good, recipe)
    if good:
        pitched_s = sum(recording.pitched_s for recording in good)
        if pitched_s >= MIN_PITCHED_S:
            return good
        raise RetimbreError(
            f"{folder}: holds {pitched_s:.1f} s of clearly pitched sound; an instrument needs {MIN_PITCHED_S:.0f} s at "
            "least, and 5 to 20 minutes to be good"
        )
    if unpitched:
        what = "has no" if alone else "no recording has"
        raise RetimbreError(f"{folder}: {what} one clear pitch at a time; record one note at a time, no chords")
    if silent:
        what = "is silent" if alone else "every recording is silent"
        raise RetimbreError(f"{folder}: {what}; check the levels of the export")
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
    audio = recording.audio[start * HOP : (start + len(controls) - 1) * HOP]
    return replace(recording, audio=audio, controls=controls)


def lay_out(recordings: Sequence[Recording]) -> Material:
    """Put recordings one after the other; the frame where two meet belongs to the second."""
    rows, starts, at = [], [], 0
    for recording in recordings:
        c = recording.controls
        rows.append(np.stack([c.f0_hz, c.periodicity, c.loudness_db], axis=1)[:-1])
        starts.append(at)
        at += len(c) - 1
    rows.append(rows[-1][-1:])
    samples = np.concatenate([recording.audio for recording in recordings])
    room, limit_hz = recordings[0].room, recordings[0].band_limit_hz
    bandwidth = min(1.0, limit_hz / (SAMPLE_RATE / 2)) if limit_hz else 1.0
    name = room.name if room else None
    return Material(torch.from_numpy(samples), torch.from_numpy(np.concatenate(rows)), tuple(starts), name, bandwidth)


def lay_out_by_room(recordings: Sequence[Recording]) -> list[Material]:
    """Those of each room, and those of each band, apart."""
    groups: dict[Any, list[Recording]] = {}
    for recording in recordings:
        groups.setdefault((recording.room, recording.band_limit_hz), []).append(recording)
    return [lay_out(group) for group in groups.values()]
