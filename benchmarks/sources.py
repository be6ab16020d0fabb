"""Does the instrument play what was sung? Real recordings played with an instrument, judged by an independent analyser.

SwiftF0, a neural pitch tracker that shares nothing with the engine, listens to the recording and to what came out.
It reads some notes an octave high (522 to 625 Hz), so intervals are folded to the nearest octave, frame by frame.

    python -m benchmarks.sources [FILE ...] [--to cello]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from retimbre import audio
from retimbre.instrument import Instrument, load
from retimbre.transfer import Settings, transfer_file

SOURCES = Path("../shared/audio/sources")  # relative to the repository; recordings that are not part of it
NAMES = (
    "singing_female_sms",
    "singing_male_carnatic_vignesh",
    "singing_vocadito_1",
    "singing_vocadito_10",
    "soprano_E4",
    "speech_female_sms",
    "speech_male_sms",
    "up_down_vocals_1",
    "humpback_whale",
    "crow",
    "guitar_Dstring",
    "guitar_slide_e",
    "theremin_low_2",
    "oboe_A4",
    "flute_trill_2",
    "khaen_lo_1",
)

CONFIDENT = 0.5
"""Confidence from which SwiftF0 counts as sure: the threshold that its authors calibrated, which finds 98 % of the
frames of a solo violin; at 0.85 it would find 67 %."""

TRUE_CENTS = 50
"""A frame further off than this is wrong."""


@dataclass(frozen=True)
class Row:
    """What the analyser heard of one recording.

    Attributes:
        name: of the recording.
        seconds: its length.
        voiced_s: how much of it has a pitch.
        cents: median distance in pitch of output and input, octaves aside.
        true: share of the frames with a pitch in both that are within `TRUE_CENTS`.
        kept: share of the input's frames with a pitch whose output has one.
        octave: octaves that the transfer moved it.
        times_real_time: speed of the transfer, file to file.
    """

    name: str
    seconds: float
    voiced_s: float
    cents: float
    true: float
    kept: float
    octave: int
    times_real_time: float


@lru_cache(maxsize=1)
def _swift_f0() -> Any:
    from swift_f0 import SwiftF0

    return SwiftF0(threads=1)


def listen(sound: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Pitch in Hz and whether the analyser is sure of it, [frames of 16 ms]."""
    result = _swift_f0().detect(sound - sound.mean(), sample_rate)  # the whale's recording has an offset of 0.36
    return result.pitch_hz, result.confidence >= CONFIDENT


def octaves_aside(cents: np.ndarray) -> np.ndarray:
    """Intervals folded into -600 .. 600 cents."""
    return (cents + 600) % 1200 - 600


def measure(source: Path, instrument: Instrument, folder: Path) -> Row:
    """Play one recording into `folder` and compare."""
    output = folder / f"{source.stem}.wav"
    report = transfer_file(source, output, instrument, Settings(), overwrite=True)
    (pitch_in, sure_in), (pitch_out, sure_out) = (listen(*audio.read(path)) for path in (source, output))
    frames = min(len(pitch_in), len(pitch_out))
    pitch_in, sure_in, pitch_out, sure_out = (x[:frames] for x in (pitch_in, sure_in, pitch_out, sure_out))
    both = sure_in & sure_out
    off = np.abs(octaves_aside(1200 * np.log2(pitch_out[both] / pitch_in[both])))
    return Row(
        source.stem,
        report["seconds"],
        float(sure_in.sum()) * 0.016,
        float(np.median(off)) if len(off) else float("nan"),
        float((off <= TRUE_CENTS).mean()) if len(off) else float("nan"),
        float(both.sum() / max(1, sure_in.sum())),
        report["octave"],
        report["times_real_time"],
    )


def rows(sources: Iterable[Path], instrument: Instrument) -> list[Row]:
    """Measure each recording."""
    with tempfile.TemporaryDirectory() as folder:
        return [measure(source, instrument, Path(folder)) for source in sources]


def total(measured: Sequence[Row]) -> Row:
    """All recordings as one: means weighted by the seconds that have a pitch, and the median of the medians."""
    weight = np.array([row.voiced_s for row in measured])

    def mean(what: str) -> float:
        return float(np.average([getattr(row, what) for row in measured], weights=weight))

    seconds = sum(row.seconds for row in measured)
    spent = sum(row.seconds / row.times_real_time for row in measured)
    cents = float(np.median([row.cents for row in measured]))
    return Row("all", seconds, float(weight.sum()), cents, mean("true"), mean("kept"), 0, seconds / spent)


def table(measured: Sequence[Row]) -> str:
    """As Markdown."""
    lines = [
        "| recording | s | with pitch, s | median, cents | within 50 cents | still voiced | octave | x real time |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in [*measured, total(measured)]:
        lines.append(
            f"| {row.name} | {row.seconds:.1f} | {row.voiced_s:.1f} | {row.cents:.1f} | {100 * row.true:.1f} % "
            f"| {100 * row.kept:.1f} % | {row.octave:+d} | {row.times_real_time:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--to", default="cello")
    options = parser.parse_args()
    files = options.files or [SOURCES / f"{name}.flac" for name in NAMES]
    print(table(rows(files, load(options.to))))


if __name__ == "__main__":
    main()
