"""Transform: a sound in, the same played by an instrument in a room out."""

from __future__ import annotations

from dataclasses import asdict
from math import log2
from pathlib import Path
from typing import Any

import streamlit as st

from retimbre.app import session
from retimbre.app.choosers import choose_instrument, choose_room, spoken
from retimbre.app.compare import players
from retimbre.app.editor import edit_curves, with_drawing
from retimbre.app.session import Kept
from retimbre.app.sources import choose_source
from retimbre.app.steps import Order
from retimbre.controls import note_name
from retimbre.errors import RetimbreError

AUTOMATIC = "auto"


def page() -> None:
    """Ask on the left, answer on the right; on a phone the answer comes before what is changed more rarely."""
    st.title("Play any sound as any instrument", anchor=False)
    with st.container(key="transform"):
        asked, answered, more = (st.container(key=name) for name in ("asked", "answered", "more"))
    with asked:
        source = choose_source()
        instrument = choose_instrument()
        room = choose_room(instrument) if instrument else None
    with more:
        adjusted = adjust()
    with answered:
        if source and instrument and room:
            show(source, Order(source.path, instrument, room=room, **adjusted))
        else:
            st.info("The result appears here.", icon=":material/graphic_eq:")


def adjust() -> dict[str, Any]:
    """Sliders, and the visitor's own controls: parts of an `Order`."""
    with st.expander("Adjust", icon=":material/tune:", key="adjust"):
        edited = st.session_state.get("edited")
        asked = _fit(disabled=edited is not None) | _mix()
    with st.expander("Controls from a table", icon=":material/table:", key="edit"):
        st.caption(
            "Download the controls, change them in any spreadsheet, and bring them back: they are played as they are."
        )
        file = st.file_uploader("Controls (CSV)", type=["csv"], key="csv", label_visibility="collapsed")
    kept = session.current().keep(file.name, file.getvalue()) if file else None
    if edited != kept:
        st.session_state["edited"] = kept
        st.rerun()
    return asked | {"controls": kept.path if kept else None}


def _fit(*, disabled: bool) -> dict[str, Any]:
    kept: dict[str, Any] = {"persist_state": "session", "disabled": disabled}
    octave = st.select_slider(
        "Octave", [AUTOMATIC, *range(-4, 5)], AUTOMATIC, key="octave", format_func=_octave, **kept
    )
    semitones = st.slider("Semitones", -12, 12, 0, format="%+d", key="semitones", **kept)
    loudness = st.slider(
        "Loudness",
        -24,
        24,
        0,
        format="%+d dB",
        key="loudness",
        help="Softer or louder playing: it changes the timbre.",
        **kept,
    )
    fit = st.toggle("Match my dynamics to the instrument's", value=True, key="fit", **kept)
    gate = st.select_slider(
        "Gate", [AUTOMATIC, *range(-90, -15, 5)], AUTOMATIC, key="gate", help="What is softer becomes silence.",
        format_func=lambda db: db if db == AUTOMATIC else f"{db} dB", **kept,
    )  # fmt: skip
    gate_db = None if gate == AUTOMATIC else float(gate)
    return {
        "octave": octave,
        "semitones": float(semitones),
        "loudness_db": float(loudness),
        "fit": fit,
        "gate_db": gate_db,
    }


def _mix() -> dict[str, float]:
    left, right = st.columns(2)
    kept: dict[str, Any] = {"format": "%d %%", "persist_state": "session"}
    harmonics = left.slider("Harmonics", 0, 200, 100, key="harmonics", **kept)
    noise = right.slider("Noise", 0, 200, 100, key="noise", help="Breath and bow.", **kept)
    return {"harmonics": harmonics / 100, "noise": noise / 100}


def _octave(value: int | str) -> str:
    return value if isinstance(value, str) else f"{value:+d}" if value else "0"


def show(source: Kept, order: Order) -> None:
    """Render, and show what came out."""
    named = [source, *(kept for kept in (st.session_state.get("edited"),) if kept)]
    try:
        order = with_drawing(order)
        with st.spinner("Rendering …", show_time=False):
            result = render(order, named)
    except RetimbreError as error:
        st.error(str(error), icon=":material/error:")
        return
    name = _name(order)
    players(result["before"], result["after"], names=(source.name, name))
    for warning in result["warnings"]:
        st.warning(warning, icon=":material/warning:")
    drawing = st.toggle("Draw on the curves", key="drawing", persist_state="session")
    try:  # what can be heard is there already
        here = session.current()
        picture = here.ask("picture", named, folder=here.folder, order=asdict(order))
        parts = ("before", "after") if drawing else ("before", "after", "pitch", "loudness")
        st.html("".join(picture[part] for part in parts))
        if drawing:
            edit_curves(order)
    except RetimbreError as error:
        st.error(str(error), icon=":material/error:")
    st.caption(_sentence(result))
    _downloads(source, order, result, name)


def render(order: Order, named: list[Kept]) -> dict[str, Any]:
    """What a worker makes of the order."""
    here = session.current()
    result = here.ask("transform", named, folder=here.folder, order=asdict(order))
    st.session_state["last order"] = order
    return result


def _name(order: Order) -> str:
    own = {kept.path: kept.name for kept in (st.session_state.get("own instrument"),) if kept}
    made = st.session_state.get("clone")
    own |= {made[0]: made[1]} if made else {}
    name = Path(own.get(order.instrument, order.instrument)).stem if order.instrument in own else order.instrument
    parts = [part.partition(":")[0] for part in name.split(",")]
    return spoken(" and ".join(parts))


def _sentence(result: dict[str, Any]) -> str:
    parts = [f"{result['seconds']:.1f} s"]
    if result["median_hz"]:
        parts.append(f"around {_note(result['median_hz'])}")
    if octave := result["octave"]:
        parts.append(f"{abs(octave)} octave{'s' * (abs(octave) > 1)} {'up' if octave > 0 else 'down'}")
    if result["gate_db"] is not None:
        parts.append(f"silent below {result['gate_db']:.0f} dB".replace("-", "\N{MINUS SIGN}"))
    return " · ".join(parts)


def _note(hz: float) -> str:
    return note_name(69 + 12 * log2(hz / 440))


def _downloads(source: Kept, order: Order, result: dict[str, Any], name: str) -> None:
    stem, here = f"{Path(source.name).stem}_{name.replace(' ', '_')}", session.current()

    def made(task: str) -> bytes:
        return Path(here.ask(task, [], folder=here.folder, order=asdict(order))).read_bytes()

    with st.container(horizontal=True, key="downloads"):
        quiet: dict[str, Any] = {"on_click": "ignore", "icon": ":material/download:"}
        st.download_button(
            "Sound", Path(result["after"]).read_bytes, f"{stem}.wav", "audio/wav", type="primary", **quiet
        )
        st.download_button("Controls", lambda: made("controls_csv"), f"{stem}.csv", "text/csv", **quiet)
        st.download_button("Notes", lambda: made("midi"), f"{stem}.mid", "audio/midi", **quiet)
