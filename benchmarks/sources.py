"""Does the instrument play what was sung? Real recordings played with an instrument, judged by an independent analyser.

SwiftF0, a neural pitch tracker that shares nothing with the engine, listens to the recording and to what came out.
It reads some notes an octave high (522 to 625 Hz), so intervals are folded to the nearest octave, frame by frame.
The reference is what it reads of the recording where it is sure.

    python -m benchmarks.sources [FILE ...] [--to cello]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retimbre import audio
from retimbre.instrument import Instrument, load
from retimbre.training.independent import swift_f0
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
    "vocal_hum_3",
    "humpback_whale",
    "guitar_Dstring",
    "guitar_LowEstring1",
    "theremin_low_2",
    "oboe_A4",
    "flute_trill_2",
    "khaen_lo_1",
    "organ_C3",
)
SHOWN = (
    "crow",  # a tenth of a second, and SwiftF0 is never sure of it
    "up_down_vocals_1",  # several voices at once, gliding apart
    "guitar_slide_e",  # a slide over its own echoes
)
"""Recordings without one sure pitch: played and shown, not judged."""

SURE = 0.85
"""Confidence from which SwiftF0's reading of a recording is taken for the truth. From 0.5, its threshold for voicing,
only 97.9 % of its readings of these recordings agree with what it reads when they are played a semitone faster: no
instrument could be shown to be better than that. From 0.85 it is 99.6 % (`--agreement` measures it)."""

VOICED = 0.5
"""Confidence from which the output counts as voiced: the threshold that SwiftF0's authors calibrated."""

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


def listen(sound: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """What the analyser hears: pitch in Hz and confidence, [frames of 16 ms]."""
    result = swift_f0().detect(sound - sound.mean(), sample_rate)  # the whale's recording has an offset of 0.36
    return result.pitch_hz, result.confidence


def is_third_partial(sound: np.ndarray, sample_rate: int, frame: int, pitch_hz: float) -> bool:
    """Whether a reading is the third partial of the sound: lines stand at one and two thirds of it.

    SwiftF0 takes the third partial of low cello notes for their pitch: it is up to 28 dB above the first there.
    """
    length = round(0.08 * sample_rate)
    start = max(0, round((frame + 0.5) * 0.016 * sample_rate) - length // 2)
    part = sound[start : start + length]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 4 * length))
    hz = np.fft.rfftfreq(4 * length, 1 / sample_rate)

    def around(factor: float) -> np.ndarray:
        return spectrum[np.abs(hz - factor * pitch_hz) < 0.04 * pitch_hz]

    valley = max(around(1 / 2).min(), around(5 / 6).min())
    return bool(min(around(1 / 3).max(), around(2 / 3).max()) > 5.6 * valley)  # 15 dB


def octaves_aside(cents: np.ndarray) -> np.ndarray:
    """Intervals folded into -600 .. 600 cents."""
    return (cents + 600) % 1200 - 600


def measure(source: Path, instrument: Instrument, folder: Path) -> Row:
    """Play one recording into `folder` and compare."""
    output = folder / f"{source.stem}.wav"
    report = transfer_file(source, output, instrument, Settings(), overwrite=True)
    sound_in, rate_in = audio.read(source)
    sound_out, rate_out = audio.read(output)
    pitch_in, sure = listen(sound_in, rate_in)
    pitch_out, voiced = listen(sound_out, rate_out)
    frames = min(len(pitch_in), len(pitch_out))
    sure, voiced = sure[:frames] >= SURE, voiced[:frames] >= VOICED
    both = np.flatnonzero(sure & voiced)
    off = np.abs(octaves_aside(1200 * np.log2(pitch_out[both] / pitch_in[both])))
    for i in np.flatnonzero(off > TRUE_CENTS):
        if is_third_partial(sound_out, rate_out, int(both[i]), float(pitch_out[both[i]])):
            off[i] = abs(octaves_aside(1200 * np.log2(pitch_out[both[i]] / 3 / pitch_in[both[i]])))
    return Row(
        source.stem,
        report["seconds"],
        float(sure.sum()) * 0.016,
        float(np.median(off)) if len(off) else float("nan"),
        float((off <= TRUE_CENTS).mean()) if len(off) else float("nan"),
        len(both) / max(1, int(sure.sum())),
        report["octave"],
        report["times_real_time"],
    )


def rows(sources: Iterable[Path], instrument: Instrument) -> list[Row]:
    """Measure each recording."""
    with tempfile.TemporaryDirectory() as folder:
        return [measure(source, instrument, Path(folder)) for source in sources]


def total(measured: Sequence[Row]) -> Row:
    """All recordings as one: means weighted by the seconds that have a pitch, and the median of the medians."""
    measured = [row for row in measured if row.voiced_s]
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


def agreement(sources: Iterable[Path], sure: float) -> float:
    """Share of the analyser's sure readings that it repeats, within `TRUE_CENTS`, at another speed."""
    same = count = 0
    for source in sources:
        sound, rate = audio.read(source)
        faster = round(rate * 2 ** (1 / 12))
        pitch, confidence = listen(sound, rate)
        again, heard = listen(sound, faster)
        at = np.minimum(np.round((np.arange(len(pitch)) + 0.5) * rate / faster - 0.5).astype(int), len(again) - 1)
        both = (confidence >= sure) & (heard[at] >= VOICED)
        off = octaves_aside(1200 * np.log2(again[at] / pitch * rate / faster))[both]
        same, count = same + int((np.abs(off) <= TRUE_CENTS).sum()), count + len(off)
    return same / max(1, count)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--to", default="cello")
    parser.add_argument("--agreement", action="store_true", help="how far the analyser agrees with itself")
    options = parser.parse_args()
    files = options.files or [SOURCES / f"{name}.flac" for name in NAMES]
    if options.agreement:
        for sure in (VOICED, 0.7, SURE, 0.9):
            print(f"from confidence {sure}: {100 * agreement(files, sure):.1f} %")
        return
    print(table(rows(files, load(options.to))))


if __name__ == "__main__":
    main()
