"""Where the app serves the page, with the page's own policy, and to each visitor their own clip."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from retimbre.app.magenta import FRAMED, content, tickets
from retimbre.app.site import CONTENT_TYPES

FILES = "magenta-files"
"""Where the page lies under the app's address."""

BINARY = {".bin": "application/octet-stream"}


def route(prefix: str, bundle: Path | None) -> Any:
    """A route for Starlette.

    Args:
        prefix: of the app's address, as /retimbre, or "".
        bundle: as `retimbre.app.magenta.content` takes it.

    Raises:
        RetimbreError: the bundle is not to be used.
    """
    from starlette.responses import FileResponse, Response
    from starlette.routing import Route

    page, kinds = content(bundle), CONTENT_TYPES | BINARY
    policy = {"Content-Security-Policy": FRAMED, "Referrer-Policy": "no-referrer"}

    async def answer(request: Any) -> Response:
        path = request.path_params["path"]
        kind = kinds.get(PurePosixPath(path).suffix, "text/plain")
        if path in page:
            return Response(page[path], media_type=kind, headers=policy | {"Cache-Control": "no-cache"})
        file = tickets.SHARED.file(path)
        if file is None:
            return Response("There is no such file.\n", 404, media_type="text/plain", headers=policy)
        return FileResponse(file, media_type=kind, headers=policy | {"Cache-Control": "no-store"})

    return Route(f"{prefix}/{FILES}/{{path:path}}", answer)
