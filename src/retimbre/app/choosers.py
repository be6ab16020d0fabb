"""What plays, and where: choosers that several pages share."""

from __future__ import annotations

import streamlit as st

from retimbre.app import session
from retimbre.app.cloning import choose_clone
from retimbre.audio import SUFFIXES
from retimbre.base import load_base
from retimbre.errors import RetimbreError
from retimbre.instrument import SUFFIX, load, shipped
from retimbre.rooms import library

BLEND, LIKE, OWN = "a blend", "like a clip", "my own"
DRY, ITS_OWN, RESPONSE = "none", "own", "response"


def spoken(name: str) -> str:
    """A name without the signs of files."""
    return name.replace("_", " ")


def choose_instrument() -> str | None:
    """An instrument, as `retimbre.base.choose` takes it; None until the visitor has said enough."""
    options = [*shipped(), BLEND, LIKE, OWN]
    name = st.pills(
        "It sounds as", options, default="cello", required=True, format_func=spoken, key="instrument",
        persist_state="session", wrap=True,
    )  # fmt: skip
    asked = {BLEND: _blend, LIKE: choose_clone, OWN: _own}.get(name or "")
    return asked() if asked else name


def _blend() -> str | None:
    voices = load_base().voices
    first = [name for name in ("violin", "trombone") if name in voices] or voices[:2]
    chosen = st.multiselect(
        "Between", voices, default=first, format_func=spoken, key="voices", persist_state="session", max_selections=4
    )
    shares = {
        name: st.slider(
            spoken(name).capitalize(), 0, 100, 50, format="%d %%", key=f"share {name}", persist_state="session"
        )
        for name in chosen
    }
    if not any(shares.values()):
        st.info("Choose at least one, and give it a share.")
        return None
    return ",".join(f"{name}:{share / 100:g}" for name, share in shares.items() if share)


def _own() -> str | None:
    file = st.file_uploader(f"An instrument that retimbre trained ({SUFFIX}).", type=[SUFFIX[1:]], key="own file")
    try:
        if file:
            kept = session.current().keep(file.name, file.getvalue())
            try:
                load(kept.path)
            except RetimbreError as error:
                raise RetimbreError(str(error).replace(kept.path, kept.name)) from None
            st.session_state["own instrument"] = kept
    except RetimbreError as error:
        st.error(str(error), icon=":material/error:")
    kept = st.session_state.get("own instrument")
    if kept:
        st.caption(f"{kept.name} plays.")
    return kept.path if kept else None


def choose_room(instrument: str) -> str | None:
    """A room, as `retimbre.transfer.choose_room` takes it; None until the visitor has said enough."""
    about = {name: library.about(name).get("description", "") for name in library.shipped()}
    options = [DRY, *about, RESPONSE]
    if instrument in shipped() and load(instrument).room:
        options.insert(1, ITS_OWN)
    words = {DRY: "none: dry", ITS_OWN: "its own: where it was recorded", RESPONSE: "an impulse response …"}
    room = st.selectbox(
        "In the room",
        options,
        format_func=lambda name: words.get(str(name), str(name)),
        key="room",
        persist_state="session",
    )
    if room != RESPONSE:
        if about.get(room):
            st.caption(about[room])
        return room
    return _response()


def _response() -> str | None:
    file = st.file_uploader(
        "An impulse response, or a room.json", type=[*sorted(s[1:] for s in SUFFIXES), "json"], key="rir"
    )
    if not file:
        return None
    kept = session.current().keep(file.name, file.getvalue())
    try:
        session.current().ask("room", [kept], path=kept.path)
    except RetimbreError as error:
        st.error(str(error), icon=":material/error:")
        return None
    return kept.path
