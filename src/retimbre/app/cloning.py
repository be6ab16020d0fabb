"""An instrument like a clip: the visitor's own, found by learning for a minute in a process of its own."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import streamlit as st

from retimbre.app import session, watching
from retimbre.app.limits import Limits
from retimbre.audio import SUFFIXES
from retimbre.errors import RetimbreError


def choose_clone() -> str | None:
    """Ask for a clip, learn it when asked to; the file of the instrument once it is there."""
    if find_spec("torch") is None:
        st.info("Learning a clip needs PyTorch: `pip install '.[train]'` where retimbre lies.")
        return None
    clip = st.file_uploader(
        "15 to 30 seconds of one instrument: a scale, up softly and down loudly.",
        type=sorted(suffix[1:] for suffix in SUFFIXES),
        max_upload_size=Limits.current().megabytes,
        key="clip",
    )
    if clip:
        try:
            kept = session.current().keep_sound(clip.name, clip.getvalue())
        except RetimbreError as error:
            st.error(str(error), icon=":material/error:")
            return None
        name = Path(kept.name).stem or "clip"
        output = Path(session.current().folder, f"{Path(kept.path).stem}.safetensors")
        if not output.exists():
            watching.watch("clone", f"Learn {name}", ["clone", kept.path, "-o", str(output)], {kept.path: kept.name})
        else:
            st.session_state["clone"] = str(output), name
    made = st.session_state.get("clone")
    if made:
        st.caption(f"{made[1]}, as it was learned, plays.")
    return made[0] if made else None
