"""The report as text for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from retimbre.controls import note_name
from retimbre.training.doctor.collection import covered

if TYPE_CHECKING:
    from retimbre.training.doctor import Diagnosis, File


def lines(diagnosis: Diagnosis, every_file: bool = False) -> Iterator[str]:
    """The files with findings (or every file), what was measured of the set, and the verdict with advice."""
    root = Path(diagnosis.folder)
    shown = [file for file in diagnosis.files if every_file or file.findings]
    if shown:
        width = max(len(str(Path(file.path).relative_to(root))) for file in shown)
        for file in shown:
            yield f"{Path(file.path).relative_to(root)!s:<{width}}  {_summary(file)}"
        yield ""
    yield f"files       {len(diagnosis.files)}, {diagnosis.minutes:.1f} minutes"
    yield f"usable      {diagnosis.usable_minutes:.1f} minutes of single notes"
    if covered(diagnosis.pitches.seconds):
        yield "pitches     " + _histogram(diagnosis.pitches.seconds)
    if diagnosis.loudness_db:
        low, middle, high = diagnosis.loudness_db
        yield f"loudness    {middle:.0f} dB, from {low:.0f} to {high:.0f} dB within a file"
    yield "noise       " + (
        "unknown" if diagnosis.noise_db is None else f"{-diagnosis.noise_db:.0f} dB below the notes"
    )
    yield "decay       " + (
        "unknown: no note is heard to its end" if diagnosis.decay_s is None else f"{diagnosis.decay_s:.1f} s to -60 dB"
    )
    yield ""
    yield diagnosis.verdict
    for finding in diagnosis.findings:
        yield f"- {finding.text}: {finding.advice}"
    counts: Counter[str] = Counter()
    minutes: dict[str, float] = {}
    advice: dict[str, str] = {}
    for file in diagnosis.files:
        for fault, finding in {finding.fault: finding for finding in file.findings}.items():
            counts[fault] += 1
            minutes[fault] = minutes.get(fault, 0.0) + (file.measures.seconds / 60 if file.measures else 0)
            advice[fault] = finding.advice
    for fault, count in counts.most_common():
        yield f"- {fault} in {count} of {len(diagnosis.files)} files ({minutes[fault]:.1f} minutes): {advice[fault]}"


def _summary(file: File) -> str:
    one = file.measures
    about = ""
    if one and one.median_midi is not None:
        about = f"{one.usable_s:6.1f} s  {note_name(round(one.median_midi)):<4}"
    return f"{about:<14}  {'; '.join(finding.text for finding in file.findings) or 'good'}"


def _histogram(seconds: dict[int, float]) -> str:
    """A bar for each semitone between the lowest and the highest note that were played."""
    bars = " ▁▂▃▄▅▆▇█"
    notes = covered(seconds)
    low, high = notes[0], notes[-1]
    most = max(seconds.values())
    heights = [seconds.get(note, 0.0) / most for note in range(low, high + 1)]
    drawn = "".join(bars[min(8, int(8 * height) + (height > 0))] for height in heights)
    return f"{note_name(low)} {drawn} {note_name(high)}"
