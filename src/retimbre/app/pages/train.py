"""Train: recordings of one instrument in, an instrument out, learned in a process of its own that outlives the page."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import streamlit as st

from retimbre.app import jobs, lossview, session, watching
from retimbre.app.choosers import OWN
from retimbre.app.limits import TRAINING_MINUTES, Limits
from retimbre.app.pages import live, transform
from retimbre.app.session import Kept
from retimbre.app.workshop import STOPPED, Workshop
from retimbre.audio import SUFFIXES
from retimbre.errors import RetimbreError

ADVICE = """
Record 5 to 20 minutes of one instrument: one note at a time, over its whole range, soft and loud, one microphone,
a dry room. Any format will do, any number of files. Single notes are enough.
"""

UPLOAD, NAMED = "Upload", "A folder of this server"
MINUTES = (0.2, 1, 2, 4, 10, 20, 30)
LOOK_EVERY_S = 2.0


def page() -> None:
    """Recordings and what is wrong with them; or what is being learned of them; or the instrument."""
    st.title("Make an instrument of your recordings", anchor=False)
    session.current()
    shop = session.workshop()
    if shop.running:
        _running(shop)
    elif shop.ready:
        _ready(shop)
    elif shop.plan:
        _stopped(shop)
    else:
        _ask(shop)


def _ask(shop: Workshop) -> None:
    st.markdown(ADVICE)
    if find_spec("torch") is None:
        st.info("Training needs PyTorch: `pip install '.[train]'` where retimbre lies.")
    ways = [UPLOAD, *([NAMED] if Limits.current().folders else [])]
    way = st.segmented_control("Recordings", ways, default=UPLOAD, required=True, key="brought") if ways[1:] else UPLOAD
    try:
        folder = _named() if way == NAMED else _uploaded()
        if not folder:
            return
        _diagnosis(_examined(folder))
        if find_spec("torch"):
            _begin(shop, folder, keep=way == UPLOAD)
    except RetimbreError as error:
        st.error(str(error), icon=":material/error:")


def _uploaded() -> Path | None:
    files = st.file_uploader(
        "Recordings of one instrument",
        type=sorted(suffix[1:] for suffix in SUFFIXES),
        accept_multiple_files=True,
        max_upload_size=Limits.current().megabytes,
        key="recordings",
    )
    if not files:
        return None
    folder = Path(session.current().folder, "recordings")
    bring(folder, {file.name: file.getvalue() for file in files})
    return folder


def bring(folder: Path, files: dict[str, bytes]) -> None:
    """Make the folder hold these files, and no others.

    Raises:
        RetimbreError: they are too large together, or cannot be written.
    """
    if sum(map(len, files.values())) > 1e6 * Limits.current().megabytes:
        raise RetimbreError(
            f"Together these are more than {Limits.current().megabytes} MB; bring fewer, or shorter ones."
        )
    wanted = {re.sub(r"[^\w .#-]", "_", Path(name).name).lstrip("."): data for name, data in files.items()}
    try:
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            if old.name not in wanted:
                old.unlink()
        for name, data in wanted.items():
            path = folder / name
            if not path.exists() or path.stat().st_size != len(data):
                path.write_bytes(data)
    except OSError as error:
        raise RetimbreError(f"The recordings cannot be kept just now ({error.strerror}). Try again later.") from error


def _named() -> Path | None:
    root = Limits.current().folders
    assert root
    wish = st.text_input("Folder", placeholder=root, key="folder", help=f"In {root}, or below.")
    return named(wish, root) if wish else None


def named(wish: str, root: str) -> Path:
    """The folder that a visitor names.

    Args:
        wish: what they wrote.
        root: beneath which it must be.

    Raises:
        RetimbreError: it is elsewhere, or not there.
    """
    folder = Path(root, Path(wish.strip()).expanduser()).resolve()  # links and dots lead nowhere else
    if not folder.is_relative_to(Path(root).resolve()):
        raise RetimbreError(f"{wish}: only folders in {root} may be used")
    if not folder.is_dir():
        raise RetimbreError(f"{wish}: there is no such folder; check the name")
    return folder


def _examined(folder: Path) -> dict[str, Any]:
    """What the doctor says of a folder, asked once for the same files."""
    files = tuple(sorted((path.name, path.stat().st_size) for path in folder.rglob("*") if path.is_file()))
    known = st.session_state.get("diagnosis")
    if not known or known[0] != (folder, files):
        with st.spinner("Listening to your recordings …"):
            named = [Kept("", f"{folder}/"), Kept("The folder", str(folder))]
            told = session.current().ask("doctor", named, folder=str(folder), minutes=TRAINING_MINUTES)
        known = st.session_state["diagnosis"] = (folder, files), told
    return known[1]


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


def _begin(shop: Workshop, folder: Path, *, keep: bool) -> None:
    left, right = st.columns(2)
    name = re.sub(r"\W", "_", left.text_input("Its name", "my_instrument", max_chars=40, key="name")) or "instrument"
    minutes = right.select_slider(
        "Training takes", MINUTES, 4, key="minutes", format_func=_duration, persist_state="session"
    )
    if st.button("Train", type="primary", key="start train"):
        if shop.begin(folder, name, float(minutes), keep=keep):
            st.rerun()
        st.warning(jobs.FULL, icon=":material/hourglass:")


def _duration(minutes: float) -> str:
    return f"{minutes:g} min" if minutes >= 1 else f"{60 * minutes:g} s, to try it"


@st.fragment(run_every=LOOK_EVERY_S)
def _running(shop: Workshop) -> None:
    if not shop.running or not shop.plan:
        st.rerun()
    st.markdown(f"**{shop.plan.name}** is being learned. You may use the other pages, or come back within the hour.")
    watching.show(shop.said)
    if st.button("Stop", key="stop train", icon=":material/stop:"):
        shop.stop()
    _progress(shop)


def _progress(shop: Workshop) -> None:
    """Its losses, and what it sounds like."""
    story = shop.story()
    if curves := lossview.losses(story):
        st.html(curves)
    clips = sorted({name.partition("/")[0] for name in story.clips})
    if not clips:
        return
    st.markdown(f"**After {story.heard_at} steps**: notes that it was not taught")
    heads = {"recording": ":blue[**Recording**]", "instrument": ":orange[**Instrument**]"}
    for kind, (column, head) in zip(heads, zip(st.columns(2), heads.values(), strict=True), strict=True):
        with column:
            st.markdown(head)
            for clip in clips:
                st.audio(story.clips[f"{clip}/{kind}"], format="audio/wav")


def _stopped(shop: Workshop) -> None:
    assert shop.plan
    said = shop.said
    if not shop.job or shop.job.stopped:
        st.info(f"{shop.plan.name}: {STOPPED} It goes on from where it was.", icon=":material/pause:")
    else:
        st.error(said or STOPPED, icon=":material/error:")
    with st.container(horizontal=True):
        if st.button("Go on", type="primary", key="go on", icon=":material/play_arrow:"):
            if shop.go_on():
                st.rerun()
            st.warning(jobs.FULL, icon=":material/hourglass:")
        if st.button("Start anew", key="clear"):
            shop.clear()
            st.rerun()
    _progress(shop)


def _ready(shop: Workshop) -> None:
    assert shop.plan
    st.success(f"**{shop.plan.name}** is ready.", icon=":material/check:")
    with st.container(horizontal=True):
        if st.button("Play it", type="primary", key="play", icon=":material/swap_horiz:"):
            _choose(shop)
            st.switch_page(st.Page(transform.page, title="Transform", default=True))
        if st.button("Play it live", key="play live", icon=":material/mic:"):
            _choose(shop)
            st.switch_page(st.Page(live.page, url_path="live"))
        st.download_button(
            "Instrument", shop.output.read_bytes(), shop.output.name, "application/octet-stream",
            on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        if st.button("Train another", key="clear"):
            shop.clear()
            st.rerun()
    _progress(shop)


def _choose(shop: Workshop) -> None:
    """Let the other pages play it."""
    st.session_state[session.OWN] = Kept(shop.output.name, str(shop.output))
    st.session_state["instrument"] = OWN
