"""What plays, and where: choosers that several pages share."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from retimbre.app import session
from retimbre.app.cloning import choose_clone
from retimbre.app.limits import Limits
from retimbre.audio import SUFFIXES
from retimbre.base import load_base
from retimbre.errors import RetimbreError
from retimbre.instrument import SUFFIX, load, shipped
from retimbre.rooms import library

BLEND, LIKE, OWN = "a blend", "like a clip", "my own"
DRY, ITS_OWN, LISTENED, RESPONSE = "none", "own", "listened", "response"


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


def choose_room(instrument: str | None, key: str = "room") -> str | None:
    """A room, as `retimbre.transfer.choose_room` takes it; None until the visitor has said enough.

    Args:
        instrument: that plays in it, and may have a room of its own; None where the room itself is looked at.
        key: of the choice in the session.
    """
    about = {name: library.about(name).get("description", "") for name in library.shipped()}
    options = [*about, LISTENED, RESPONSE]
    if not instrument:
        options.append(DRY)
    else:
        own = instrument in shipped() and load(instrument).room
        options = [DRY, *([ITS_OWN] if own else []), *options]
    words = {
        DRY: "none: dry" if instrument else "none: take its own away",
        ITS_OWN: "its own: where it was recorded",
        LISTENED: "that of a recording …",
        RESPONSE: "an impulse response …",
    }
    room = st.selectbox(
        "In the room" if instrument else "Room",
        options,
        format_func=lambda name: words.get(str(name), str(name)),
        key=key,
        persist_state="session",
    )
    if room in (LISTENED, RESPONSE):
        return listened(key) if room == LISTENED else _response(key)
    if text := about.get(str(room)):
        st.caption(f"{text[0].upper()}{text[1:]}.")
    return room


def listened(key: str) -> str | None:
    """The room of a recording: heard in speech or music, no impulse response needed."""
    file = st.file_uploader(
        "10 seconds or more of speech or music, recorded in the room.",
        type=sorted(suffix[1:] for suffix in SUFFIXES),
        max_upload_size=Limits.current().megabytes,
        key=f"{key} heard",
    )
    if not file:
        return None
    here = session.current()
    try:
        kept = here.keep_sound(file.name, file.getvalue())
        told = here.ask("listen", [kept], folder=here.folder, source=kept.path, name=Path(file.name).stem)
    except RetimbreError as error:
        st.error(str(error), icon=":material/error:")
        return None
    low, high = told["t60_range_s"]
    st.caption(
        f"It decays in about {told['t60_s']:.1f} s ({low:.1f} to {high:.1f} s), clarity {told['c50_db']:.0f} dB."
    )
    for warning in told["warnings"]:
        st.caption(f":material/warning: {warning}")
    return told["path"]


def _response(key: str) -> str | None:
    kinds = [*sorted(suffix[1:] for suffix in SUFFIXES), "json"]
    file = st.file_uploader("An impulse response, or a room.json", type=kinds, key=f"{key} file")
    if not file:
        return None
    kept = session.current().keep(file.name, file.getvalue())
    try:
        session.current().ask("room", [kept], path=kept.path)
    except RetimbreError as error:
        st.error(str(error), icon=":material/error:")
        return None
    return kept.path
