"""The sound that a visitor brings: recorded, uploaded, or an example."""

from __future__ import annotations

import streamlit as st

from retimbre.app import session
from retimbre.app.examples import examples
from retimbre.app.limits import Limits
from retimbre.app.session import Kept
from retimbre.audio import SUFFIXES
from retimbre.errors import RetimbreError

WAYS = {"Example": ":material/music_note:", "Record": ":material/mic:", "Upload": ":material/upload_file:"}


def choose_source(label: str = "You play") -> Kept | None:
    """Ask for a sound; None until there is one. What is wrong with it is said in its place."""
    way = st.segmented_control(
        label, list(WAYS), default="Example", required=True, key="way", persist_state="session",
        format_func=lambda name: f"{WAYS[name]} {name}", width="stretch",
    )  # fmt: skip
    asked = {"Example": _example, "Record": _recorded, "Upload": _uploaded}[way or "Example"]
    try:
        brought = asked()
        if brought:
            st.session_state[f"source {way}"] = session.current().keep_sound(*brought)
    except RetimbreError as error:
        st.error(str(error), icon=":material/error:")
        return None
    return st.session_state.get(f"source {way}")


def _example() -> tuple[str, bytes]:
    known = examples()
    name = st.selectbox("Example", list(known), key="example", persist_state="session", label_visibility="collapsed")
    return known[str(name)]


def _recorded() -> tuple[str, bytes] | None:
    sound = st.audio_input("Hum, sing, whistle or play: one note at a time.", sample_rate=48_000, key="recorded")
    return ("recording.wav", sound.getvalue()) if sound else None


def _uploaded() -> tuple[str, bytes] | None:
    limits = Limits.current()
    sound = st.file_uploader(
        f"One note at a time, up to {limits.minutes:g} minutes.",
        type=sorted(suffix[1:] for suffix in SUFFIXES),
        max_upload_size=limits.megabytes,
        key="uploaded",
    )
    return (sound.name, sound.getvalue()) if sound else None
