"""The HTML that opens the app at any of its addresses, and the files of its own components.

Streamlit's HTML does not say where its server lies, so at /rooms it first tries /rooms/_stcore, which fails loudly in
the browser's console. Here each page's address answers with the same HTML and the answer in it.
"""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

PAGES = ("live", "how", "train", "rooms", "gallery", "magenta")
"""Addresses of the pages, as `retimbre.app.pages.shell` names them, without the first."""

FIRST = "transform"
"""The page at the root of the app, which has no address of its own; who asks for it by name is led there."""

PARTS = "part-files"
"""Where the files of the components lie under the app's address."""

_FRESH = {"Cache-Control": "no-cache"}


def routes(prefix: str) -> list[Any]:
    """Starlette's routes for an app under `prefix`, which is "" or begins with a slash."""
    from starlette.responses import HTMLResponse, RedirectResponse, Response
    from starlette.routing import Route

    async def opening(_: Any) -> Response:
        return HTMLResponse(html(prefix), headers=_FRESH)

    async def first(_: Any) -> Response:
        return RedirectResponse(f"{prefix}/")

    async def part(request: Any) -> Response:
        path = request.path_params["path"]
        if path not in parts():
            return Response("There is no such file.\n", 404, media_type="text/plain")
        return Response(parts()[path], media_type="text/javascript", headers=_FRESH)

    return [
        *(Route(f"{prefix}/{page}", opening) for page in ("", *PAGES)),
        Route(f"{prefix}/{FIRST}", first),
        Route(f"{prefix}/{PARTS}/{{path:path}}", part),
    ]


@functools.cache
def html(prefix: str) -> str:
    """Streamlit's page, which is told its server before it starts to look for it."""
    found = find_spec("streamlit")
    assert found and found.origin
    text = (Path(found.origin).parent / "static" / "index.html").read_text(encoding="utf-8")
    base = f"location.origin + {json.dumps(prefix)}"
    told = f"<script>window.__streamlit = {{ BACKEND_BASE_URL: {base} }}</script>"
    return text.replace("<head>", f"<head>\n    {told}", 1).replace("<title>Streamlit<", "<title>retimbre<", 1)


@functools.cache
def parts() -> dict[str, bytes]:
    """Files of the components, by path."""
    return {
        f"{folder.name}/{file.name}": file.read_bytes()
        for folder in (files("retimbre") / "app" / "parts").iterdir()
        if folder.is_dir()
        for file in folder.iterdir()
        if PurePosixPath(file.name).suffix == ".js"
    }
