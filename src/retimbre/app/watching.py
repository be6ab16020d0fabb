"""How a visitor starts a job, watches it and stops it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from retimbre.app import jobs, session

STOPPED = "It was stopped."


def watch(key: str, label: str, arguments: Sequence[str], names: Mapping[str, str]) -> None:
    """A button that starts a command, and its progress; the page runs anew when it ends.

    Args:
        key: of the job in the session.
        label: on the button.
        arguments: of the command.
        names: what the visitor calls the files in its words.
    """
    job: jobs.Job | None = st.session_state.get(f"job {key}")
    if job and job.running:
        _progress(key, names)
        return
    if job and not job.succeeded:
        st.error(jobs.translated(job.said() or STOPPED, names), icon=":material/error:")
    if st.button(label, type="primary", key=f"start {key}"):
        job = jobs.start(arguments, Path(session.current().folder, f"{key}.log"))
        if job is None:
            st.warning(jobs.FULL)
            return
        st.session_state[f"job {key}"] = job
        session.current().jobs.append(job)
        st.rerun()


@st.fragment(run_every=1.0)
def _progress(key: str, names: Mapping[str, str]) -> None:
    job: jobs.Job = st.session_state[f"job {key}"]
    if not job.running:
        st.rerun()
    show(jobs.translated(job.said(), names))
    if st.button("Stop", key=f"stop {key}"):
        job.stop()
        st.rerun()


def show(said: str) -> None:
    """How far a job is, as it said."""
    share = re.match(r"training\s+(\d+) %", said)
    st.progress(int(share[1]) if share else 0, text=said or "Starting …")
