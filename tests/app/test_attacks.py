"""What is brought to break a server: it is refused in words, and the next visitor notices nothing."""

import json
import os
import signal
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import soundfile

from retimbre.app import steps, worker
from retimbre.app.limits import MINUTES
from retimbre.app.pool import Pool
from retimbre.errors import RetimbreError

HOURS = 6


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hours of silence in little: a FLAC whose header says so, and a second of its sound."""
    path = tmp_path_factory.mktemp("bomb") / "bomb.flac"
    soundfile.write(path, np.zeros((48_000, 2)), 48_000)
    data = bytearray(path.read_bytes())
    (word,) = struct.unpack_from(">Q", data, 18)  # rate, channels and depth, then 36 bits of length
    struct.pack_into(">Q", data, 18, (word & ~((1 << 36) - 1)) | HOURS * 3600 * 48_000)
    path.write_bytes(data)
    return path


def test_hours_of_silence_in_little_are_refused_by_their_header(bomb: Path) -> None:
    assert bomb.stat().st_size < 100_000
    began = time.process_time()
    with pytest.raises(RetimbreError, match=r"lasts 360\.0 minutes; 10 may be used"):
        steps.check(bomb, 10.0)
    with pytest.raises(RetimbreError, match="360 minutes; 120 may be used"):
        steps.check_length(bomb.parent, 120)
    assert time.process_time() - began < 5  # to read it through would take minutes


def test_hours_of_silence_are_no_impulse_response(pool: Pool, bomb: Path) -> None:
    with pytest.raises(RetimbreError, match="too long for an impulse response"):
        pool.run("room", path=str(bomb))


def test_a_worker_that_is_killed_harms_nobody_else(pool: Pool, tmp_path: Path) -> None:
    path = tmp_path / "second.wav"
    soundfile.write(path, np.zeros(8000), 8000)
    pool.run("check", source=str(path), minutes=1.0)
    process = pool._workers[0]._process
    assert process
    os.kill(process.pid, signal.SIGKILL)  # as a machine without memory does
    process.wait()
    assert pool.run("check", source=str(path), minutes=1.0) == 1.0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits a process's data")
def test_a_worker_cannot_take_more_memory_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MINUTES, "1")
    greedy = (
        "from retimbre.app import worker, tasks, limits\nimport numpy as np\n"
        "tasks.TASKS['check'] = lambda megabytes: float(np.ones(megabytes << 17).sum())\n"
        "worker.main()\n"
    )
    asked = [json.dumps({"task": "check", "arguments": {"megabytes": size}}) for size in (10, 4000, 10)]
    done = subprocess.run([sys.executable, "-c", greedy], input="\n".join(asked), capture_output=True, text=True)
    small, large, again = (json.loads(line) for line in done.stdout.splitlines())
    assert small["value"] == again["value"] == 10 << 17 and large["problem"] == worker.TOO_LARGE


def test_a_full_disk_is_said_to_be_the_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "second.wav"
    soundfile.write(path, 0.1 * np.sin(np.arange(48_000) / 20), 48_000)
    monkeypatch.setattr("numpy.savez", full)
    asked = {"folder": str(tmp_path), "order": {"source": str(path)}}
    assert worker.answer("transform", asked) == {"problem": worker.FULL}
    assert [file.name for file in tmp_path.iterdir()] == ["second.wav"]  # nothing half-written


def test_a_file_that_is_half_made_is_not_kept(tmp_path: Path) -> None:
    def half(path: Path) -> None:
        path.write_text("half")
        raise ValueError

    shelf = steps.Shelf(tmp_path)
    with pytest.raises(ValueError):
        shelf.file("numbers", ["x"], ".json", half)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 4 << 40]}}, id="terabytes"),
        pytest.param({"w": {"dtype": "F32", "shape": [1], "data_offsets": [-8, 4]}}, id="before the file"),
        pytest.param({"__metadata__": {"card": "[" * 100_000}}, id="a deep card"),
    ],
)
def test_a_hostile_instrument_is_refused(pool: Pool, tmp_path: Path, header: dict) -> None:
    sound, hostile = tmp_path / "a.wav", tmp_path / "hostile.safetensors"
    soundfile.write(sound, 0.1 * np.sin(np.arange(48_000) / 20), 48_000)
    text = json.dumps(header).encode()
    hostile.write_bytes(struct.pack("<Q", len(text)) + text + bytes(8))
    with pytest.raises(RetimbreError, match=r"hostile\.safetensors: "):
        pool.run("transform", folder=str(tmp_path), order={"source": str(sound), "instrument": str(hostile)})


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="children are looked up in /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_ends_takes_its_children_and_files_along(how: int, tmp_path: Path) -> None:
    pytest.importorskip("streamlit", reason="Streamlit is not installed")
    command = [sys.executable, "-m", "retimbre", "app", "--no-browser", "--port", "0", "--base-path", "some/path"]
    around = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=around) as server:
        assert server.stdout
        address = next(line.split()[3] for line in server.stdout if "http" in line)
        assert address.endswith("/some/path/")
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{address}_stcore/health") as answer:
                    assert "Path=/some/path" not in str(answer.headers)  # no page, so no key
                break
            except OSError:
                time.sleep(0.1)
        with urllib.request.urlopen(address) as answer:
            assert any("Path=/some/path;" in cookie for cookie in answer.headers.get_all("Set-Cookie"))
        children = []
        for task in Path(f"/proc/{server.pid}/task").iterdir():
            children += [int(child) for child in (task / "children").read_text().split()]
        assert children
        server.send_signal(how)
        said = server.communicate(timeout=60)[0]
    deadline = time.monotonic() + 30
    while any(map(alive, children)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "Traceback" not in said
    if how != signal.SIGKILL:
        assert not list(tmp_path.glob("retimbre-*"))
