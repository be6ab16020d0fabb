"""Before training: what is wrong with a folder of recordings, file by file and as a set. Needs no PyTorch.

- `waveform`, `spectrum`, `partials`: what is measured, one idea each.
- `measures`: one file in numbers.
- `faults`: what is wrong with a file, in words.
- `names`: what the names of the files say of their pitch.
- `collection`: what is wrong with the set.
- `page`: the report as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retimbre import audio
from retimbre.errors import RetimbreError
from retimbre.training.doctor.collection import ENOUGH_S, Pitches, judge_set, pitches
from retimbre.training.doctor.faults import Finding, judge
from retimbre.training.doctor.measures import Measures, measure
from retimbre.training.doctor.names import wrong_octaves
from retimbre.training.recording import make_recording

_IS = {
    "clipping": "clipped",
    "polyphony": "polyphonic",
    "octave": "read an octave off",
    "reverberation": "reverberant",
    "noise": "noisy",
    "band limit": "band-limited",
    "offset": "off centre",
}
"""A fault as a property, for the verdict."""

__all__ = ["Diagnosis", "File", "Finding", "Measures", "Pitches", "examine"]


@dataclass(frozen=True)
class File:
    """A file: what was measured and what is wrong; `measures` is None where it cannot be read."""

    path: str
    measures: Measures | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor says of a folder; `dataclasses.asdict` makes JSON of it.

    Attributes:
        folder: that was examined.
        verdict: one sentence.
        minutes: length of all files that can be read.
        usable_minutes: of single notes in files that training would take.
        pitches: what is covered.
        loudness_db: of the pitched frames: the files' medians of what is exceeded for 95, 50 and 5 % of the time.
        noise_db: background noise re the loud parts, median over the usable time; None where no file shows it.
        decay_s: to -60 dB at the ends of notes, lower quartile over the usable time: an upper bound of the room's; or
            None.
        findings: what is wrong with the set.
        files: all of them.
    """

    folder: str
    verdict: str
    minutes: float
    usable_minutes: float
    pitches: Pitches
    loudness_db: tuple[float, ...]
    noise_db: float | None
    decay_s: float | None
    findings: tuple[Finding, ...]
    files: tuple[File, ...]


def examine(
    folder: Path,
    cache: Path | None = None,
    *,
    progress: Callable[[list[Path]], Iterable[Path]] = lambda paths: paths,
) -> Diagnosis:
    """Listen to a folder of recordings as training would, and say what is wrong.

    Args:
        folder: searched with its subfolders for audio files of any format and rate.
        cache: an existing folder where controls are kept and taken from, such as that of training; None keeps nothing.
        progress: wraps the list of files while it is worked through.

    Raises:
        RetimbreError: the folder does not exist or holds no audio file.
    """
    if not folder.is_dir():
        raise RetimbreError(f"{folder}: is no folder; name the folder of your recordings")
    files = [_examine(path, cache) for path in progress(audio.find([folder]))]
    measured = [file.measures for file in files if file.measures]
    useful = [file.measures for file in files if file.measures and not _left_out(file)]
    by_name = wrong_octaves(useful)
    files = [
        File(file.path, file.measures, (*file.findings, by_name[file.path])) if file.path in by_name else file
        for file in files
    ]
    findings = judge_set(useful)
    usable_s = sum(one.usable_s for one in useful)
    return Diagnosis(
        str(folder),
        _verdict(usable_s, findings, files),
        round(sum(one.seconds for one in measured) / 60, 2),
        round(usable_s / 60, 2),
        pitches(useful),
        tuple(round(float(db), 1) for db in np.median([one.loudness_db for one in useful], axis=0)) if useful else (),
        _quantile([(one.noise_db, one.usable_s) for one in useful], 0.5),
        _quantile([(one.decay_s, one.usable_s) for one in useful], 0.25),
        findings,
        tuple(files),
    )


def _examine(path: Path, cache: Path | None) -> File:
    try:
        samples, rate = audio.read(path)
    except audio.AudioError as error:
        text = str(error).removeprefix(f"{path}: ")
        return File(str(path), None, (Finding("unreadable", text, "training leaves it out"),))
    measures = measure(make_recording(path, samples, rate, cache), samples, rate)
    return File(str(path), measures, judge(measures))


def _left_out(file: File) -> bool:
    return any(finding.fault == "no pitch" for finding in file.findings)


def _verdict(usable_s: float, findings: tuple[Finding, ...], files: list[File]) -> str:
    if usable_s < ENOUGH_S:
        return "Not enough to train on."
    ill = sum(bool(file.findings) for file in files)
    if not findings and not ill:
        return "Ready to train."
    if most := _of_most(files):
        return f"It can be trained on, but most of it is {', '.join(most)}."
    parts = [f"{ill} of {len(files)} files"] if ill else []
    parts += ["the set as a whole"] if findings else []
    return f"It can be trained on, but {' and '.join(parts)} could be better."


def _of_most(files: list[File]) -> list[str]:
    """What more than half of the minutes are, in words."""
    seconds = dict.fromkeys(_IS, 0.0)
    for file in files:
        for fault in {finding.fault for finding in file.findings} & _IS.keys():
            seconds[fault] += file.measures.seconds if file.measures else 0
    whole = sum(file.measures.seconds for file in files if file.measures)
    return [word for fault, word in _IS.items() if seconds[fault] > whole / 2]


def _quantile(values: Iterable[tuple[float | None, float]], share: float) -> float | None:
    """The value that a share of the weights stays below or at; None where no (value, weight) has a value."""
    known = sorted((value, weight) for value, weight in values if value is not None)
    if not known:
        return None
    weights = np.cumsum([weight for _, weight in known])
    return round(known[int(np.searchsorted(weights, share * weights[-1]))][0], 2)
