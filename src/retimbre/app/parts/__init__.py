"""Components of the app that are plain HTML, CSS and JavaScript, in shadow roots of the page: no frame, no build."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from retimbre.app.front import PARTS

_MOUNT = """
export default async (component) => {
  const file = new URL("%s/%s/mount.js", document.baseURI).href;
  const { mount, leave } = await import(file);
  mount(component);
  return () => leave(component);
};
"""


@functools.cache
def part(name: str) -> Any:
    """The component whose files lie in the folder `name`; call it where it shall be."""
    from streamlit.components import v2

    folder = Path(__file__).parent / name
    html, css = ((folder / f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("html", "css"))
    return v2.component(f"retimbre_{name}", html=html, css=css, js=_MOUNT % (PARTS, name))
