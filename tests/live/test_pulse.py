"""The command on a real sound server: what goes into the microphone comes out as another instrument."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from benchmarks import pulse
from retimbre import audio
from retimbre.training import independent

pytestmark = pytest.mark.skipif(bool(pulse.missing()), reason=f"not installed: {pulse.missing()}")

RATE = 48_000
NOTES = (57, 64, 60, 55, 62)  # A3 E4 C4 G3 D4
NOTE_S = 0.5
LIVE = [
    sys.executable,
    "-m",
    "retimbre",
    "live",
    "--to",
    "cello",
    "--octave",
    "0",
    "--block",
    "480",
    "--latency",
    "0.1",
]


@pytest.fixture
def server() -> Iterator[pulse.Server]:
    with tempfile.TemporaryDirectory(prefix="retimbre") as folder, pulse.server(Path(folder)) as running:
        yield running


def tune(path: Path) -> Path:
    t = np.arange(round(NOTE_S * RATE)) / RATE
    shape = np.minimum(1, np.minimum(t, NOTE_S - t) / 0.03)
    notes = [
        shape * sum(0.15 / k * np.sin(2 * np.pi * k * 440 * 2 ** ((midi - 69) / 12) * t) for k in range(1, 8))
        for midi in NOTES
    ]
    silence = np.zeros(RATE // 2)
    sf.write(path, np.concatenate([silence, *notes, silence]), RATE, subtype="PCM_16")
    return path


def heard(path: Path) -> list[int]:
    """Notes of 0.2 s or more in a recording, by a tracker that is not ours."""
    reading = independent.pitch(*audio.read(path))
    midi = [round(69 + 12 * np.log2(hz / 440)) for hz in reading.f0_hz[reading.voiced]]
    runs = [(note, len(list(run))) for note, run in groupby(midi)]
    return [note for note, _ in groupby(note for note, length in runs if length * independent.HOP_S >= 0.2)]


def test_a_tune_comes_out_on_the_cello(server: pulse.Server, tmp_path: Path) -> None:
    command = [*LIVE, "--json", "--record", str(tmp_path / "live")]
    with server.recording(tmp_path / "out.wav"):
        live = subprocess.Popen(
            command, env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert live.stdout
        first = json.loads(live.stdout.readline())
        assert server.play(tune(tmp_path / "tune.wav")).wait() == 0
        time.sleep(0.5)  # what is still on its way
        while (json.loads(live.stdout.readline())["recording_s"] or 0) < 3.5:  # the server of a busy machine may pause
            pass
        live.send_signal(signal.SIGINT)
        said, complaints = live.communicate(timeout=60)
    summary = json.loads(said.splitlines()[-1])
    assert (live.returncode, summary["faults"], summary["losses"], first["connected"]) == (0, 0, 0, True)
    assert "Traceback" not in complaints and "retimbre:" not in complaints
    assert summary["blocks"] > 300 and summary["bad_samples"] == 0
    assert heard(tmp_path / "out.wav") == list(NOTES)
    for end in ("input", "output"):
        assert heard(tmp_path / f"live_{end}.wav") == list(NOTES)
        assert sf.info(tmp_path / f"live_{end}.wav").frames == sf.info(tmp_path / "live_input.wav").frames
    assert not np.allclose(sf.read(tmp_path / "live_input.wav")[0], sf.read(tmp_path / "live_output.wav")[0], atol=0.01)


def test_an_interrupt_ends_it_with_a_summary(server: pulse.Server) -> None:
    live = subprocess.Popen(
        [*LIVE, "--json"], env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert live.stdout and json.loads(live.stdout.readline())["connected"]
    live.send_signal(signal.SIGINT)
    said, complaints = live.communicate(timeout=60)
    assert (live.returncode, json.loads(said.splitlines()[-1])["summary"]) == (0, True)
    assert "Traceback" not in complaints


def test_without_a_server_it_says_what_is_missing(server: pulse.Server) -> None:
    server.stop()
    done = subprocess.run(LIVE, env=server.environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "no sound output: connect headphones" in done.stderr
    assert "Traceback" not in done.stderr
