"""The recipe of the room estimator runs from dry sounds and responses to a network that the listener takes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soundfile as sf

from retimbre.rooms.listen import MELS
from retimbre.rooms.targets import TARGETS

RECIPE = Path(__file__).parents[2] / "recipes" / "room_estimator.py"


def test_the_recipe_runs_from_end_to_end(tmp_path) -> None:
    pytest.importorskip("pyroomacoustics")
    rng = np.random.default_rng(0)
    work, recordings = tmp_path / "work", tmp_path / "audio"
    (recordings / "rir").mkdir(parents=True)
    work.mkdir()
    seconds = np.arange(16_000) / 16_000
    for decay_s in (0.5, 0.9):
        response = rng.standard_normal(16_000) * 10 ** (-3 * seconds / decay_s)
        response[0] = 8
        sf.write(recordings / "rir" / f"{decay_s}.flac", response / 10, 16_000)
    for kind in ("speech", "music"):
        bursts = rng.standard_normal((2, 24 * 16_000)) * np.repeat(rng.random((2, 96)) < 0.4, 4000, axis=1)
        np.save(work / f"sources_{kind}.npy", (4000 * bursts).astype(np.int16))
    command = [sys.executable, str(RECIPE), "--small", "--recordings", str(recordings), "--work", str(work)]
    subprocess.run([*command, "--out", str(tmp_path / "room.onnx")], check=True, capture_output=True)
    assert np.load(work / "targets_2000.npy").shape == (4, TARGETS), "rooms from far away"
    session = onnxruntime.InferenceSession((tmp_path / "room.onnx").read_bytes(), providers=["CPUExecutionProvider"])
    outputs = session.run(None, {"levels": rng.normal(0, 1, (1, 400, MELS)).astype(np.float32)})
    told, spread = map(np.asarray, outputs)
    assert np.isfinite(told).all() and (spread > 0).all()
