"""Long work of one visitor, such as training: a process of its own, watched, stopped on wish, and with the session."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile

import streamlit as st

AT_ONCE = threading.BoundedSemaphore(max(1, (os.cpu_count() or 2) // 2))
"""How many run at the same time, of all visitors."""

FULL = "Others are training on this server just now. Try again in a few minutes."


class Job:
    """A `retimbre` command that runs."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Start it."""
        self._log = TemporaryFile("w+", encoding="utf-8", errors="replace")
        command = [sys.executable, "-m", "retimbre", *arguments]
        self._process = subprocess.Popen(
            command,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"NO_COLOR": "1"},
        )
        self._end = weakref.finalize(self, _end, self._process)
        threading.Thread(target=_release, args=(self._process,), daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._process.poll() is None

    @property
    def succeeded(self) -> bool:
        """Whether it ended, and well."""
        return self._process.poll() == 0

    def lines(self) -> list[str]:
        """What it said so far."""
        size = os.fstat(self._log.fileno()).st_size
        text = os.pread(self._log.fileno(), size, 0) if hasattr(os, "pread") else b""
        return [line for line in text.decode("utf-8", "replace").replace("\r", "\n").splitlines() if line.strip()]

    def stop(self) -> None:
        """End it."""
        self._end()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()


def _release(process: subprocess.Popen[bytes]) -> None:
    process.wait()
    AT_ONCE.release()


def start(arguments: Sequence[str]) -> Job | None:
    """Run a command; None where too many run already."""
    if not AT_ONCE.acquire(blocking=False):
        return None
    try:
        return Job(arguments)
    except BaseException:
        AT_ONCE.release()
        raise


def watch(key: str, label: str, arguments: Sequence[str], output: Path, names: Mapping[str, str]) -> None:
    """A button that starts a command, and its progress.

    Args:
        key: of the job in the session.
        label: on the button.
        arguments: of the command.
        output: the file that it makes; while it exists there is nothing to do.
        names: what the visitor calls the files in its words.
    """
    if output.exists():
        return
    job: Job | None = st.session_state.get(("job", key))
    if job and job.running:
        _progress(key, names)
        return
    if job and not job.succeeded:
        said = job.lines()
        text = (said[-1] if said else "It was stopped.").removeprefix("retimbre: ")
        for path, name in names.items():
            text = text.replace(path, name)
        st.error(text, icon=":material/error:")
    if st.button(label, type="primary", key=f"start {key}"):
        job = start(arguments)
        if job is None:
            st.warning(FULL)
            return
        st.session_state["job", key] = job
        st.rerun()


@st.fragment(run_every=1.0)
def _progress(key: str, names: Mapping[str, str]) -> None:
    job: Job = st.session_state["job", key]
    if not job.running:
        st.rerun()
    said = job.lines()
    text = said[-1] if said else "Starting …"
    share = text.partition(" %")[0].rpartition(" ")[2] if text.startswith("training") else "0"
    st.progress(int(share) if share.isdecimal() else 0, text=text)
    if st.button("Stop", key=f"stop {key}"):
        job.stop()
        st.rerun()
