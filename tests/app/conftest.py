"""The pages without a browser, a server and worker processes."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from retimbre.app import pool as pools
from retimbre.app.worker import answer
from retimbre.errors import RetimbreError


class InHere:
    """A pool without processes, which notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def run(self, task: str, *, visitor: str = "", told: Any = None, **arguments: Any) -> Any:
        self.asked.append((task, arguments))
        answered = answer(task, arguments)
        if "problem" in answered:
            raise RetimbreError(answered["problem"])
        return answered["value"]

    @property
    def order(self) -> dict[str, Any]:
        """The newest order."""
        return next(arguments["order"] for task, arguments in reversed(self.asked) if task == "transform")


@pytest.fixture(scope="module")
def pool() -> Iterator[pools.Pool]:
    """One worker process."""
    pool = pools.Pool(1)
    yield pool
    pool.stop()


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> InHere:
    here = InHere()
    monkeypatch.setattr(pools, "shared", lambda: here)
    return here


@pytest.fixture
def opened(workers: InHere) -> Callable:
    """Opens a page by name."""
    testing = pytest.importorskip("streamlit.testing.v1", reason="Streamlit is not installed")

    def open_page(name: str):
        script = f"from retimbre.app.pages import {name}\n{name}.page()"
        page = testing.AppTest.from_string(script, default_timeout=120).run()
        assert not page.exception
        return page

    return open_page


@pytest.fixture
def shell() -> Path:
    """The script that Streamlit runs."""
    return Path(pools.__file__).parent / "pages" / "shell.py"


@pytest.fixture
def tone() -> Callable[..., bytes]:
    """A steady tone with a few harmonics, as a WAV file."""

    def make(seconds: float = 1.0, hz: float = 220.0, level: float = 0.2) -> bytes:
        time_s = np.arange(round(48_000 * seconds)) / 48_000
        sound = sum(level / k * np.sin(2 * np.pi * k * hz * time_s) for k in (1, 2, 3, 4))
        file = io.BytesIO()
        soundfile.write(file, sound, 48_000, format="WAV")
        return file.getvalue()

    return make
