"""The live page as a component of the app: the same files and the same engine, in a shadow root of the page."""

from __future__ import annotations

import functools
from base64 import b64encode
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2

from retimbre.app import session
from retimbre.app.choosers import OWN
from retimbre.app.launch import LIVE

_MOUNT = """
const leave = new WeakMap();
export default ({ parentElement, data }) => {
  if (leave.has(parentElement)) return;
  const files = new URL(`${data.files}/embed.js`, document.baseURI).href;
  const word = document.createElement("p"); // the server takes seconds over these files the first time
  word.textContent = "One moment: instruments and rooms are on their way.";
  parentElement.append(word);
  leave.set(parentElement, import(files).then(({ embed }) => {
    word.remove();
    return embed(parentElement, data.own);
  }, () => {
    word.textContent = "The live page did not arrive; is the server still there? Reload this page.";
    return () => word.remove();
  }));
  return () => {
    leave.get(parentElement)?.then((out) => out());
    leave.delete(parentElement);
  };
};
"""


@functools.cache
def _component() -> Any:
    return v2.component("retimbre_live", html="", js=_MOUNT)


def show() -> None:
    """Put it here, with the visitor's own instrument among those to choose from."""
    session.current()
    _component()(data={"files": LIVE, "own": _own()}, key="live")


def _own() -> dict[str, Any] | None:
    """Its file in text (base64), and whether it is the one that the visitor chose."""
    own: session.Kept | None = st.session_state.get(session.OWN)
    if not own or not Path(own.path).exists():
        return None
    data = b64encode(Path(own.path).read_bytes()).decode()
    return {"name": own.name, "data": data, "chosen": st.session_state.get("instrument") == OWN}
