"""Magenta.js: the clip and the instrument of this session, played by another program, in the visitor's browser."""

from __future__ import annotations

import functools
import weakref
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.components import v2

from retimbre.app import session
from retimbre.app.choosers import choose_instrument
from retimbre.app.magenta import clip, tickets
from retimbre.app.magenta.route import FILES
from retimbre.app.sources import choose_source
from retimbre.app.steps import Order
from retimbre.errors import RetimbreError

INTRODUCTION = """
[Magenta.js](https://github.com/magenta/magenta-js) brought DDSP to the browser. An instrument of retimbre's, exported,
plays in it too, and here both play the same clip.
"""

_FRAME = """
export default ({ parentElement, data }) => {
  let frame = parentElement.querySelector("iframe");
  if (!frame) {
    frame = document.createElement("iframe");
    Object.assign(frame, { title: "Magenta.js", referrerPolicy: "no-referrer" });
    frame.style = "display: block; width: 100%; height: 40rem; border: 0";
    frame.onload = () => {
      const page = frame.contentDocument.documentElement;
      const fit = () => (frame.style.height = `${page.getBoundingClientRect().height}px`);
      new frame.contentWindow.ResizeObserver(fit).observe(page);
      fit();
    };
    parentElement.append(frame);
  }
  const address = new URL(data.address, document.baseURI).href;
  if (frame.src !== address) frame.src = address;
};
"""


def page() -> None:
    """What is to be played, and the page that plays it."""
    st.title("The same clip, the same instrument, in Magenta.js", anchor=False)
    st.markdown(INTRODUCTION)
    asked, answered = st.columns([5, 8], gap="large")
    with asked:
        source = choose_source()
        instrument = choose_instrument()
    with answered:
        if not (source and instrument):
            st.info("The page that plays appears here.", icon=":material/graphic_eq:")
            return
        try:
            with st.spinner("Exporting the instrument …", show_time=False):
                order = Order(source.path, instrument)
                here = session.current()
                made = here.ask("magenta", [source], folder=here.folder, order=asdict(order))
        except RetimbreError as error:
            st.error(str(error), icon=":material/error:")
            return
        _component()(data={"address": _address(**made)}, key="magenta")


def _address(folder: str, octave: int) -> str:
    """Of the page, with this visitor's clip."""
    mine = f"{_ticket()}/{folder}"
    asked = {"clip": f"{mine}/clip.wav", "ours": f"{mine}/ours.wav", "instrument": f"{mine}/instrument"}
    return f"{FILES}/index.html?{urlencode({**asked, 'octave': octave})}"


def _ticket() -> str:
    here = session.current()
    if "magenta ticket" not in st.session_state:
        ticket = tickets.SHARED.give(Path(here.folder, clip.FOLDER))
        weakref.finalize(here, tickets.SHARED.take_back, ticket)
        st.session_state["magenta ticket"] = ticket
    return st.session_state["magenta ticket"]


@functools.cache
def _component() -> Any:
    return v2.component("retimbre_magenta", html="", js=_FRAME)
