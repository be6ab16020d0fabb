"""Gallery: every instrument that comes with retimbre, on one tune, in one room."""

from __future__ import annotations

from typing import Any

import streamlit as st

from retimbre.app import gallery
from retimbre.app.choosers import DRY, spoken
from retimbre.app.examples import examples
from retimbre.controls import note_name
from retimbre.errors import RetimbreError
from retimbre.rooms import library


def page() -> None:
    """A card for each instrument."""
    st.title("One tune, every instrument", anchor=False)
    tune, room = st.columns(2)
    example = tune.selectbox("Tune", list(examples()), key="gallery tune", persist_state="session")
    place = room.selectbox("In the room", [DRY, *library.shipped()], key="gallery room", persist_state="session")
    try:
        cards = gallery.cards()
        rows = [column for _ in cards[::2] for column in st.columns(2, gap="large")]
        for column, card in zip(rows, cards, strict=False):  # the last may stay empty
            with column:
                _card(card, str(example), str(place))
    except RetimbreError as error:
        st.error(str(error), icon=":material/error:")


def _card(card: dict[str, Any], example: str, room: str) -> None:
    st.subheader(spoken(card["name"]).capitalize(), anchor=False)
    result = gallery.played(card["name"], example, room)
    st.audio(result["after"])
    st.html(result["picture"]["after"])
    notes = f"{note_name(card['low'])} to {note_name(card['high'])}"
    st.caption(" · ".join(part for part in (notes, card["description"], card["authors"], card["license"]) if part))
