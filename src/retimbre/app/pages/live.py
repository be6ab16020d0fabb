"""Live: play as it sounds. All of it happens in the browser; this server only hands out the files."""

from __future__ import annotations

import streamlit as st

from retimbre.app import livepart


def page() -> None:
    """The live page, as a part of this one."""
    st.title("Hum, and hear a cello", anchor=False)
    livepart.show()
