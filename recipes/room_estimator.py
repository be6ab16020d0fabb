"""Train the room estimator: `python recipes/room_estimator.py [--recordings ../shared/audio] [--work FOLDER]`.

Makes sources (`room_sources.py`), rooms and examples (`room_data.py`) in the work folder, trains the network
(`retimbre.training.room_network`), calibrates its spreads on rooms apart, and writes
src/retimbre/rooms/estimator.onnx. Needs espeak-ng, FluidSynth with FluidR3_GM, and the extras `train`, `rooms` and
`export`. Every step is seeded. On one core: an hour and 4 GB of disk.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import room_data
import room_sources
import torch

from retimbre.training.room_network import RoomConfig, calibrate, train
from retimbre.training.room_onnx import export_onnx

TARGET = Path(__file__).parents[1] / "src" / "retimbre" / "rooms" / "estimator.onnx"
SHARD, CALIBRATION = 2000, 600
SEED = 0


def main() -> None:
    """Make the data that is not there yet, train, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=Path, default=Path(__file__).parents[2] / "shared" / "audio")
    parser.add_argument("--work", type=Path, help="where the data is kept, and taken from if it is there")
    parser.add_argument("--examples", type=int, default=18_000)
    parser.add_argument("--boxes", type=int, default=350)
    parser.add_argument("--steps", type=int, default=RoomConfig.steps)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        sources = _sources(work, options.recordings)
        boxes = room_data.make_boxes(np.random.default_rng(SEED + 2), options.boxes)
        measured = room_data.load_measured(options.recordings / "rir")

        def shard(number: int, count: int) -> tuple[np.ndarray, np.ndarray]:
            heard, true = work / f"levels_{number}.npy", work / f"targets_{number}.npy"
            if not true.exists():
                rng = np.random.default_rng([SEED, number])
                examples = room_data.make_examples(rng, sources, boxes, measured, count)
                np.save(heard, examples.levels)
                np.save(true, examples.targets)
            return np.load(heard, mmap_mode="r"), np.load(true)

        shards = [shard(number, SHARD) for number in range(options.examples // SHARD)]
        network = train(shards, RoomConfig(steps=options.steps, seed=SEED))
        calibrate(network, *shard(1000, CALIBRATION))
        export_onnx(network, TARGET)


def _sources(work: Path, recordings: Path) -> dict[str, np.ndarray]:
    """Training sources by kind, [sources, samples] of int16."""
    paths = {kind: work / f"sources_{kind}.npy" for kind in ("speech", "music")}
    if not all(path.exists() for path in paths.values()):
        for kind, sounds in room_sources.make_sources(recordings, SEED + 1).items():
            np.save(paths[kind], (32767 * np.stack(sounds)).astype(np.int16))
    return {kind: np.load(path, mmap_mode="r") for kind, path in paths.items()}


if __name__ == "__main__":
    main()
