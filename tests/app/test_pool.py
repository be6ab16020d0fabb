"""Worker processes: what breaks one harms nobody else."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

from retimbre.app.pool import BROKEN, BUSY, STUCK, Pool
from retimbre.errors import RetimbreError


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("sounds") / "second.wav"
    soundfile.write(path, np.zeros(8000), 8000)
    return str(path)


def test_a_file_that_is_no_sound_is_told_in_one_line(pool: Pool, second: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF no sound")
    with pytest.raises(RetimbreError, match=r"broken\.wav: .*convert it"):
        pool.run("check", source=str(broken), minutes=1.0)
    assert pool.run("check", source=second, minutes=1.0) == 1.0


def test_a_worker_that_dies_is_replaced(pool: Pool, second: str) -> None:
    pool.run("check", source=second, minutes=1.0)
    (worker,) = pool._workers
    assert worker._process and worker._process.stdin
    worker._process.stdin.write("this is no task\n")  # it breaks down over the next line
    with pytest.raises(RetimbreError) as caught:
        pool.run("check", source=second, minutes=1.0)
    assert str(caught.value) == BROKEN
    assert pool.run("check", source=second, minutes=1.0) == 1.0


def test_a_task_that_takes_too_long_is_stopped(pool: Pool, second: str) -> None:
    pool.run("check", source=second, minutes=1.0)
    (worker,) = pool._workers
    assert worker._process
    os.kill(worker._process.pid, signal.SIGSTOP)  # it hangs
    with pytest.raises(RetimbreError) as caught:
        pool.run("check", source=second, minutes=1.0, timeout_s=0.2)
    assert str(caught.value) == STUCK
    assert pool.run("check", source=second, minutes=1.0) == 1.0


def test_where_all_are_at_work_the_visitor_is_asked_to_come_back() -> None:
    with pytest.raises(RetimbreError) as caught:
        Pool(0).run("check", wait_s=0.0)
    assert str(caught.value) == BUSY
