"""Play the whistled example on the cello: writes ./demo/ and prints what came out.

Run it with `make demo`, or `python examples/demo.py` where retimbre is installed.
"""

from pathlib import Path

import numpy as np

import retimbre
from retimbre.picture import compare

SOURCE = Path(__file__).parent / "whistle.flac"
FOLDER = Path("demo")


def main() -> None:
    """Transfer, measure, draw."""
    FOLDER.mkdir(exist_ok=True)
    output, picture = FOLDER / "whistle_on_cello.wav", FOLDER / "whistle_on_cello.png"
    report = retimbre.transfer_file(SOURCE, output, retimbre.load("cello"), overwrite=True)

    rows, controls = [], []
    for title, path in (("input: a whistled tune", SOURCE), ("output: the same tune on the cello", output)):
        sound, sample_rate = retimbre.read(path)
        controls.append(retimbre.analyze(sound, sample_rate))
        rows.append((title, sound, sample_rate, controls[-1]))
    compare(picture, rows)

    whistle, cello = controls
    both = whistle.voiced & cello.voiced[: len(whistle)]
    octaves = np.log2(cello.f0_hz[: len(whistle)][both] / whistle.f0_hz[both]) - report["octave"]
    table = [
        ("seconds of audio", f"{report['seconds']:.1f} at {report['sample_rate']} Hz"),
        ("octaves moved", f"{report['octave']:+d}"),
        ("median pitch error", f"{1200 * np.median(np.abs(octaves)):.1f} cents"),
        ("speed", f"{report['times_real_time']:.0f} times real time"),
        ("sound", str(output)),
        ("picture", str(picture)),
    ]
    print("\n".join(f"{name:<20} {value}" for name, value in table))


if __name__ == "__main__":
    main()
