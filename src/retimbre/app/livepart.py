"""The live page as a component of the app: the same files and the same engine, in a shadow root of the page."""

from __future__ import annotations

import functools
from typing import Any

from streamlit.components import v2

from retimbre.app.launch import LIVE

_MOUNT = """
const leave = new WeakMap();
export default ({ parentElement, data }) => {
  if (leave.has(parentElement)) return;
  const files = new URL(`${data.files}/embed.js`, document.baseURI).href;
  leave.set(parentElement, import(files).then(({ embed }) => embed(parentElement)));
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
    """Put it here."""
    _component()(data={"files": LIVE}, key="live")
