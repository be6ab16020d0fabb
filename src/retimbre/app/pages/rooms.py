"""Rooms: choose one, or hear one in a recording; look at it, change it, play in it, take it away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from retimbre.app import session
from retimbre.app.choosers import DRY, choose_room
from retimbre.app.session import Kept
from retimbre.app.sources import choose_source
from retimbre.errors import RetimbreError
from retimbre.rooms import library

OWN = "Then that room is heard in it, taken out where that helps, and only what is missing of the new one is added."


def page() -> None:
    """The room on the left, what it is like and how it sounds on the right."""
    st.title("Put any sound in any room", anchor=False)
    asked, answered = st.columns([5, 8], gap="large")
    with asked:
        source = choose_source("Sound")
        room = choose_room(None, key="place")
    try:
        with asked:
            own = st.toggle("The sound has a room of its own", key="own", help=OWN) if room != DRY else True
            room = _shaped(room) if room and room != DRY else room
        with answered:
            if source and room:
                _listen(source, room, own)
            if room and room != DRY:
                _look(room)
            elif not room:
                st.info("What is known of the room appears here.", icon=":material/graphic_eq:")
    except RetimbreError as error:
        st.error(str(error), icon=":material/error:")


def _shaped(room: str) -> str:
    here = session.current()
    if room not in library.shipped() and Path(room).suffix != ".json":
        return room  # a measured response is played as it is
    kept: dict[str, Any] = {"format": "%.2f \N{MULTIPLICATION SIGN}", "persist_state": "session"}
    decay = st.slider("It rings", 0.25, 3.0, 1.0, 0.05, key="decay", **kept)
    distance = st.slider("Heard from", 0.25, 4.0, 1.0, 0.05, key="distance", help="So many times as far.", **kept)
    return here.ask("shape", [], folder=here.folder, room=room, decay=decay, distance=distance)


def _listen(source: Kept, room: str, own: bool) -> None:
    here = session.current()
    with st.spinner("Rendering …"):
        made = here.ask("place", [source], folder=here.folder, source=source.path, room=room, own=own)
    where = "without its room" if room == DRY else "in the room"
    titles = {"before": f":blue[**Before**] · {source.name}", "after": f":orange[**After**] · {where}"}
    for key, title in titles.items():
        st.markdown(title)
        st.audio(made[key])
        st.html(made["pictures"][key])
    for warning in made["warnings"]:
        st.caption(f":material/warning: {warning}")
    quiet: dict[str, Any] = {"on_click": "ignore", "icon": ":material/download:"}
    with st.container(horizontal=True):
        name = f"{Path(source.name).stem}_in_room.wav"
        st.download_button("Sound", Path(made["after"]).read_bytes, name, "audio/wav", type="primary", **quiet)
        if room == DRY:
            return
        st.download_button("Impulse response", lambda: _made("response", room), "room.wav", "audio/wav", **quiet)
        st.download_button("Numbers", lambda: _made("numbers", room), "room.json", "application/json", **quiet)


def _made(task: str, room: str) -> bytes:
    here = session.current()
    return Path(here.ask(task, [], folder=here.folder, room=room)).read_bytes()


def _look(room: str) -> None:
    here = session.current()
    told = here.ask("report", [], folder=here.folder, room=room)
    st.html(told["picture"])
    st.markdown(_table(told["rows"]))
    st.caption("T30: time to fall by 60 dB. EDT: as its beginning tells. C80: energy of the first 80 ms over the rest.")
    for warning in told["warnings"]:
        st.caption(f":material/warning: {warning}")


def _table(rows: list[dict[str, Any]]) -> str:
    lines = ["| octave | T30, s | EDT, s | C80, dB |", "|---|---:|---:|---:|"]
    for row in rows:
        octave = "all" if row["band_hz"] is None else f"{row['band_hz']:g} Hz"
        lines.append(f"| {octave} | {_cell(row['t30_s'], 2)} | {_cell(row['edt_s'], 2)} | {_cell(row['c80_db'], 1)} |")
    return "\n".join(lines)


def _cell(value: float | None, digits: int) -> str:
    return "\N{EN DASH}" if value is None else f"{value:.{digits}f}"
