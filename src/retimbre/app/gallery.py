"""The shipped instruments, each playing the same tune: rendered once for all visitors, as it is nobody's own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import streamlit as st

from retimbre.app import folders, pool
from retimbre.app.examples import examples
from retimbre.app.steps import Order
from retimbre.instrument import load, shipped


@st.cache_resource(show_spinner=False)
def _folder() -> Path:
    folder = folders.new("gallery")
    for name, data in examples().values():
        (folder / name).write_bytes(data)
    return folder


@st.cache_data(show_spinner=False, max_entries=200)
def played(instrument: str, example: str, room: str) -> dict[str, Any]:
    """An instrument that plays an example in a room, as the task "transform" tells it."""
    order = Order(str(_folder() / examples()[example][0]), instrument, room=room)
    return pool.shared().run("transform", folder=str(_folder()), order=asdict(order))


@st.cache_data(show_spinner=False)
def cards() -> list[dict[str, Any]]:
    """What is said of each shipped instrument."""
    found = []
    for name in shipped():
        one = load(name)
        authors = sorted({str(source.get("author", "")) for source in one.card.get("sources", [])} - {""})
        pitch = one.network.pitch
        card = {key: str(one.card.get(key, "")) for key in ("description", "license")}
        found.append({"name": name, "authors": "; ".join(authors), "low": pitch.low, "high": pitch.high, **card})
    return found
