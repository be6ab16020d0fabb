"""Train the room estimator: `python recipes/room_estimator.py [--recordings ../shared/audio] [--work FOLDER]`.

Makes sources (`room_sources.py`), rooms and examples (`room_data.py`) in the work folder, trains the network
(`retimbre.training.room_network`), calibrates its spreads on rooms apart, and writes
src/retimbre/rooms/estimator.onnx. Needs espeak-ng, FluidSynth with FluidR3_GM, and the extras `train`, `rooms` and
`export`. Every step is seeded. On one core: some hours and 9 GB of disk; `--small` does all of it with a few examples
and steps, to see that it runs.

The shipped weights went through these stages while the data grew: the first heard 18 500 examples; Flite, half of the
programs of FluidSynth, sources that are played faster and answers that come on slowly from afar came before the last,
which heard 16 000 new examples twice as often as the others, a third of their music replaced by speech.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import room_data
import room_sources
import torch

from retimbre.training.room_network import RoomConfig, RoomNetwork, calibrate, train
from retimbre.training.room_onnx import export_onnx

TARGET = Path(__file__).parents[1] / "src" / "retimbre" / "rooms" / "estimator.onnx"
SEED = 0
CALIBRATION, FAR = 1000, 2000
"""Numbers of those shards; the others count from 0."""

FAR_SHARE = 0.5
"""Of the rooms of that shard that are heard from far away."""

FAR_COUNTS = 3
"""How much more often its examples are heard than others."""

STAGES = (
    RoomConfig(steps=4500, seed=SEED),
    RoomConfig(steps=3900, learning_rate=1.2e-3, seed=SEED + 1),
    RoomConfig(steps=2000, learning_rate=1e-3, warm_up=50, frames=(400, 800, 1200, 1596), middle=0.5, seed=SEED + 2),
    RoomConfig(steps=2600, learning_rate=1e-3, warm_up=50, frames=(400, 800, 1200, 1596), middle=0.5, seed=SEED + 3),
)
"""One after the other; from the third on they hear rooms from far away, too."""

NEAR_STAGES = 2
"""Those that do not."""


@dataclass(frozen=True)
class Size:
    """How much is made.

    Attributes:
        shards: of examples.
        shard: examples of each.
        far: examples of the shard from far away.
        calibration: examples that spreads are calibrated on.
        boxes: simulated rooms to draw from.
        steps: share of the steps that is taken.
    """

    shards: int = 19
    shard: int = 2000
    far: int = 2000
    calibration: int = 600
    boxes: int = 600
    steps: float = 1.0


SMALL = Size(shards=1, shard=32, far=4, calibration=16, boxes=1, steps=2e-4)


def main() -> None:
    """Make the data that is not there yet, train, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=Path, default=Path(__file__).parents[2] / "shared" / "audio")
    parser.add_argument("--work", type=Path, help="where the data is kept, and taken from if it is there")
    parser.add_argument("--out", type=Path, default=TARGET, help="the network")
    parser.add_argument("--small", action="store_true", help="a network that has learned nothing, in seconds")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        network = reproduce(work, options.recordings, SMALL if options.small else Size())
    export_onnx(network, options.out)


def reproduce(work: Path, recordings: Path, size: Size) -> RoomNetwork:
    """The network from scratch.

    Args:
        work: where the data is kept, and taken from if it is there.
        recordings: folder of the responses and notes to learn from.
        size: how much of everything.
    """
    sources = _sources(work, recordings)
    boxes = room_data.make_boxes(np.random.default_rng(SEED + 2), size.boxes)
    measured = room_data.load_measured(recordings / "rir")

    def shard(number: int, count: int, far: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        heard, true = work / f"levels_{number}.npy", work / f"targets_{number}.npy"
        if not true.exists():
            rng = np.random.default_rng([SEED, number])
            examples = room_data.make_examples(rng, sources, boxes, measured, count, far=far)
            np.save(heard, examples.levels)
            np.save(true, examples.targets)
        return np.load(heard, mmap_mode="r"), np.load(true)

    shards = [shard(number, size.shard) for number in range(size.shards)]
    network = None
    for stage in STAGES[:NEAR_STAGES]:
        network = train(shards, _shortened(stage, size), start=network)
    shards += FAR_COUNTS * [shard(FAR, size.far, FAR_SHARE)]
    for stage in STAGES[NEAR_STAGES:]:
        network = train(shards, _shortened(stage, size), start=network)
    calibrate(network, *shard(CALIBRATION, size.calibration))
    return network


def _shortened(stage: RoomConfig, size: Size) -> RoomConfig:
    return replace(stage, steps=max(1, round(size.steps * stage.steps)))


def _sources(work: Path, recordings: Path) -> dict[str, np.ndarray]:
    """Training sources by kind, [sources, samples] of int16."""
    paths = {kind: work / f"sources_{kind}.npy" for kind in ("speech", "music")}
    if not all(path.exists() for path in paths.values()):
        for kind, sounds in room_sources.make_sources(recordings, SEED + 1).items():
            np.save(paths[kind], (32767 * np.stack(sounds)).astype(np.int16))
    return {kind: np.load(path, mmap_mode="r") for kind, path in paths.items()}


if __name__ == "__main__":
    main()
