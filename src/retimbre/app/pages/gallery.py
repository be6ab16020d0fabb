"""Gallery: sounds and what became of them, rendered beforehand; each is one click away from being played with."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from retimbre.app import gallery
from retimbre.app.pages import transform
from retimbre.errors import RetimbreError
from retimbre.gallery.example import Example
from retimbre.gallery.page import card

STYLE = Path(__file__).parent / "gallery.css"


def page() -> None:
    """Two cards beside each other, on a phone one below the other."""
    st.title("Any sound, as any instrument", anchor=False)
    st.caption("Blue is what was heard, orange what is played.")
    st.html(STYLE)
    try:
        examples = gallery.shown()
    except RetimbreError as error:
        st.error(str(error), icon=":material/error:")
        return
    for at in range(0, len(examples), 2):
        for column, one in zip(
            st.columns(2, gap="medium"), examples[at : at + 2], strict=False
        ):  # the last may stay empty
            with column, st.container(border=True, height="stretch", key=f"card {one.name}"):
                _card(one)


def _card(one: Example) -> None:
    st.html(card(one, folder=f"{gallery.FILES}/", preload="metadata"))
    if not one.instrument:
        return
    label = "Open in Transform"
    if st.button(
        label, icon=":material/swap_horiz:", key=f"open {one.name}", help=f"Play with {one.title}",
        on_click=gallery.choose, args=(one, st.session_state),
    ):  # fmt: skip
        for own in ("edited", "drawn"):  # controls of another sound
            st.session_state.pop(own, None)
        st.switch_page(st.Page(transform.page, title="Transform", default=True))
