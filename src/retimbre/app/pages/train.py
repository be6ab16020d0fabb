"""Train: recordings of one instrument in, an instrument out; learned in a process of its own."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import streamlit as st

from retimbre.app import jobs, session
from retimbre.app.limits import Limits
from retimbre.app.session import Kept
from retimbre.audio import SUFFIXES
from retimbre.errors import RetimbreError
from retimbre.instrument import SUFFIX

ADVICE = """
Record 5 to 20 minutes of one instrument: one note at a time, over its whole range, soft and loud, one microphone,
a dry room. Any format will do, any number of files. Single notes are enough.
"""


def page() -> None:
    """Recordings, what is wrong with them, and training."""
    st.title("Make an instrument of your recordings", anchor=False)
    st.markdown(ADVICE)
    files = st.file_uploader(
        "Recordings of one instrument",
        type=sorted(suffix[1:] for suffix in SUFFIXES),
        accept_multiple_files=True,
        max_upload_size=Limits.current().megabytes,
        key="recordings",
    )
    if not files:
        return
    folder = Path(session.current().folder, "recordings")
    try:
        _bring(folder, {file.name: file.getvalue() for file in files})
        with st.spinner("Listening to your recordings …"):
            told = session.current().ask("doctor", [Kept("", f"{folder}/")], folder=str(folder))
    except RetimbreError as error:
        st.error(str(error), icon=":material/error:")
        return
    _diagnosis(told)
    _train(folder)


def _bring(folder: Path, files: dict[str, bytes]) -> None:
    """Make the folder hold these files, and no others."""
    if sum(map(len, files.values())) > 1e6 * Limits.current().megabytes:
        raise RetimbreError(
            f"Together these are more than {Limits.current().megabytes} MB; bring fewer, or shorter ones."
        )
    folder.mkdir(exist_ok=True)
    wanted = {re.sub(r"[^\w .#-]", "_", Path(name).name): data for name, data in files.items()}
    for old in folder.iterdir():
        if old.name not in wanted:
            old.unlink()
    for name, data in wanted.items():
        path = folder / name
        if not path.exists() or path.stat().st_size != len(data):
            path.write_bytes(data)


def _diagnosis(told: dict[str, Any]) -> None:
    say = st.success if told["verdict"].startswith("Ready") else st.warning
    say(told["verdict"], icon=":material/stethoscope:")
    st.markdown(f"**{told['usable_minutes']:.1f} minutes** of single notes, at these pitches:")
    if told["pitches"]:
        st.html(told["pitches"])
    for finding in told["findings"]:
        st.markdown(f"- {finding}")
    ill = {name: findings for name, findings in told["files"].items() if findings}
    if ill:
        with st.expander(f"What could be better in {len(ill)} of {len(told['files'])} files"):
            for name, findings in ill.items():
                st.markdown(f"**{name}**: " + "; ".join(findings))


def _train(folder: Path) -> None:
    if find_spec("torch") is None:
        st.info("Training needs PyTorch: `pip install '.[train]'` where retimbre lies.")
        return
    left, right = st.columns(2)
    name = re.sub(r"\W", "_", left.text_input("Its name", "my_instrument", max_chars=40, key="name")) or "instrument"
    minutes = right.slider("Minutes of training", 1, 30, 5, key="minutes", persist_state="session")
    output = folder.parent / (name + SUFFIX)
    if not output.exists():
        jobs.watch("train", "Train", ["train", str(folder), "-o", str(output), "--minutes", str(minutes)],
                   {f"{output}": output.name, f"{folder}/": ""})  # fmt: skip
        return
    st.session_state["own instrument"] = Kept(output.name, str(output))
    st.success(f"{name} is ready: it waits under *Transform*, as “my own”.", icon=":material/check:")
    st.download_button(
        "Instrument", output.read_bytes, output.name, type="primary", on_click="ignore", icon=":material/download:"
    )
