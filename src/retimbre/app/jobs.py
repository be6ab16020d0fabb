"""Long work of one visitor, such as training: a process of its own, watched, stopped on wish, and with the session."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from retimbre.app import session

AT_ONCE = max(1, (os.cpu_count() or 2) // 2)
"""How many run at the same time, of all visitors."""

FULL = "Others are training on this server just now. Try again in a few minutes."
STOPPED = "It was stopped."

_free = threading.BoundedSemaphore(AT_ONCE)


class Job:
    """A `retimbre` command that runs."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        """Start it; what it says goes to a file."""
        self._log = log
        command = [sys.executable, "-m", "retimbre", *arguments]
        with log.open("wb") as file:
            self._process = subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL)

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._process.poll() is None

    @property
    def succeeded(self) -> bool:
        """Whether it ended, and well."""
        return self._process.poll() == 0

    def wait(self) -> None:
        """Until it ends."""
        self._process.wait()

    def said(self) -> str:
        """The last line that it wrote."""
        text = self._log.read_text("utf-8", "replace") if self._log.exists() else ""
        lines = [line.strip() for line in re.split(r"[\r\n]", text) if line.strip()]
        return lines[-1].removeprefix("retimbre: ") if lines else ""

    def stop(self) -> None:
        """End it."""
        if self.running:
            self._process.terminate()


def start(arguments: Sequence[str], log: Path) -> Job | None:
    """Run a command; None where too many run already."""
    if not _free.acquire(blocking=False):
        return None
    try:
        job = Job(arguments, log)
    except BaseException:
        _free.release()
        raise

    def release() -> None:
        job.wait()
        _free.release()

    threading.Thread(target=release, daemon=True).start()
    return job


def watch(key: str, label: str, arguments: Sequence[str], names: Mapping[str, str]) -> None:
    """A button that starts a command, and its progress; the page runs anew when it ends.

    Args:
        key: of the job in the session.
        label: on the button.
        arguments: of the command.
        names: what the visitor calls the files in its words.
    """
    job: Job | None = st.session_state.get(f"job {key}")
    if job and job.running:
        _progress(key, names)
        return
    if job and not job.succeeded:
        st.error(_translated(job.said() or STOPPED, names), icon=":material/error:")
    if st.button(label, type="primary", key=f"start {key}"):
        job = start(arguments, Path(session.current().folder, f"{key}.log"))
        if job is None:
            st.warning(FULL)
            return
        st.session_state[f"job {key}"] = job
        session.current().jobs.append(job)
        st.rerun()


@st.fragment(run_every=1.0)
def _progress(key: str, names: Mapping[str, str]) -> None:
    job: Job = st.session_state[f"job {key}"]
    if not job.running:
        st.rerun()
    text = _translated(job.said() or "Starting …", names)
    share = re.match(r"training\s+(\d+) %", text)
    st.progress(int(share[1]) if share else 0, text=text)
    if st.button("Stop", key=f"stop {key}"):
        job.stop()
        st.rerun()


def _translated(text: str, names: Mapping[str, str]) -> str:
    for path, name in names.items():
        text = text.replace(path, name)
    return text
