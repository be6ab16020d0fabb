"""The editor of the curves: what a visitor draws on the pitch and the loudness, kept while the clip is the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import streamlit as st

from retimbre.app import session
from retimbre.app.parts import part
from retimbre.app.session import Kept
from retimbre.app.steps import Order

DROPPED = "What you had drawn belonged to the sound before, and is gone with it."
_KEY, _DRAWN = "curves", "drawn"
_EMPTY = '{"pitch":[],"loudness":[]}'


@dataclass(frozen=True)
class Drawing:
    """What was drawn on a clip, as `retimbre.app.edits` reads it."""

    clip: str
    text: str


def with_drawing(order: Order) -> Order:
    """The order, with what was drawn on this clip; what was drawn on another one is dropped, and that is said."""
    drawing: Drawing | None = st.session_state.get(_DRAWN)
    if drawing and drawing.clip != _clip(order):
        st.session_state.pop(_DRAWN)
        st.toast(DROPPED, icon=":material/ink_eraser:", duration="long")
        drawing = None
    return replace(order, edits=_kept(drawing).path) if drawing else order


def edit_curves(order: Order) -> None:
    """The curves of an order, to be drawn on."""
    here, clip = session.current(), _clip(order)
    told = here.ask("curves", [], folder=here.folder, order=asdict(order))
    drawing: Drawing | None = st.session_state.get(_DRAWN)

    def keep() -> None:
        text = str(st.session_state[_KEY].get("drawn") or _EMPTY)
        if text == _EMPTY:
            st.session_state.pop(_DRAWN, None)
        else:
            st.session_state[_DRAWN] = Drawing(clip, text)

    data = {**told, "clip": clip, "drawn": drawing.text if drawing else ""}
    part("curves")(data=data, key=_KEY, on_drawn_change=keep)


def _clip(order: Order) -> str:
    """What is drawn on: the sound, or the table that takes its place."""
    return order.controls or order.source


def _kept(drawing: Drawing) -> Kept:
    return session.current().keep("drawn.json", drawing.text.encode())
