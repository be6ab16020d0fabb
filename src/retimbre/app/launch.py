"""Start the app: Streamlit's server with the pages of this folder, and beside them the live page's files."""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from retimbre.app import folders, front, gallery, jobs, pool, visitors
from retimbre.app.limits import Limits
from retimbre.app.serve import PORTS_TRIED, address
from retimbre.errors import RetimbreError

LIVE = "live-files"
"""Where the files of the live page lie under the app's address."""

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; base-uri 'self'; "
    "form-action 'self'"
)
"""Only this server is asked for anything. (Streamlit's own pages need inline scripts and styles.)"""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), midi=(self)",
}

THEME: dict[str, Any] = {
    "theme.baseRadius": "12px",
    "theme.buttonRadius": "full",
    "theme.headingFontWeights": [650, 600, 600],
    "theme.headingFontSizes": ["1.9rem", "1.35rem", "1.1rem"],
    "theme.light.primaryColor": "#b04504",
    "theme.light.backgroundColor": "#fdfcf9",
    "theme.light.secondaryBackgroundColor": "#f4f1ea",
    "theme.light.textColor": "#1d2a36",
    "theme.light.borderColor": "#dfdad0",
    "theme.dark.primaryColor": "#ff9347",
    "theme.dark.backgroundColor": "#10161c",
    "theme.dark.secondaryBackgroundColor": "#18212a",
    "theme.dark.textColor": "#eceae4",
    "theme.dark.borderColor": "#2b3742",
}


@dataclass(frozen=True)
class Wishes:
    """Where and how to serve.

    Attributes:
        host: address to listen on.
        port: where to begin to look for a free one.
        base_path: in the address, for a server behind a proxy; "" is none.
        limits: of uploads.
        browser: whether to open one.
        magenta_js: a local copy of Magenta.js; None lets the visitor's browser fetch it when it is to play.
    """

    host: str = "127.0.0.1"
    port: int = 8501
    base_path: str = ""
    limits: Limits = field(default_factory=Limits)
    browser: bool = True
    magenta_js: Path | None = None


def start(wishes: Wishes) -> None:
    """Serve until interrupted.

    Raises:
        RetimbreError: Streamlit is not installed, no port is free, or the copy of Magenta.js is another file.
    """
    if find_spec("streamlit") is None:
        raise RetimbreError("the app needs Streamlit: pip install '.[app]' where retimbre lies")
    wishes.limits.export()
    port = free_port(wishes.host, wishes.port)
    base = wishes.base_path.strip("/")
    where = address(wishes.host, port) + (f"{base}/" if base else "")
    if wishes.port and port != wishes.port:
        print(f"port {wishes.port} is taken; using {port}")

    def ready() -> None:
        print(f"retimbre is at {where} (Ctrl-C ends it)", flush=True)
        if wishes.browser:
            threading.Timer(0.5, webbrowser.open, [where]).start()

    application(base, ready, wishes.magenta_js).run(config=settings(wishes, port, base))


def settings(wishes: Wishes, port: int, base: str) -> dict[str, Any]:
    """Streamlit's options: quiet, private, and in our colours."""
    return {
        "server.address": wishes.host,
        "server.port": port,
        "server.baseUrlPath": base,
        "server.headless": True,  # the browser is opened here
        "server.fileWatcherType": "none",
        "server.maxUploadSize": wishes.limits.megabytes,
        "server.showEmailPrompt": False,
        "logger.hideWelcomeMessage": True,  # it would ask another host for this one's address
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        **THEME,
    }


def application(base: str, ready: Callable[[], None], magenta_js: Path | None = None) -> Any:
    """The ASGI application (`streamlit.App`); it calls `ready` just before it listens."""
    import streamlit as st
    from starlette.concurrency import run_in_threadpool
    from starlette.middleware import Middleware
    from starlette.responses import FileResponse, Response
    from starlette.routing import Route

    from retimbre.app.magenta.route import route
    from retimbre.app.site import CONTENT_TYPES, site

    files = functools.cache(site)  # takes seconds: made when the live page is first opened

    async def live_file(request: Any) -> Response:
        path, content = request.path_params["path"], await run_in_threadpool(files)
        if path not in content:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        return Response(
            content[path], media_type=CONTENT_TYPES[Path(path).suffix], headers={"Cache-Control": "no-cache"}
        )

    @contextlib.asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        pool.shared().start()
        ready()
        try:
            yield
        finally:
            jobs.end_all()
            pool.shared().stop()
            folders.remove()

    async def gallery_file(request: Any) -> Response:
        path = gallery.files().get(request.path_params["name"])
        if not path:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        return FileResponse(path, media_type=CONTENT_TYPES[path.suffix], headers={"Cache-Control": "no-cache"})

    prefix = f"/{base}" if base else ""
    return st.App(
        Path(__file__).parent / "pages" / "shell.py",
        routes=[
            Route(f"{prefix}/{LIVE}/{{path:path}}", live_file),
            Route(f"{prefix}/{gallery.FILES}/{{name}}", gallery_file),
            route(prefix, magenta_js),
            *front.routes(prefix),
        ],
        middleware=[Middleware(Headers, base=base)],
        lifespan=lifespan,
    )


class Headers:
    """Adds `HEADERS` to every answer, but those that it has already: a page may have a policy of its own.

    A page also brings the key by which a browser is known again (`visitors`).
    """

    def __init__(self, app: Any, base: str = "") -> None:
        self.app, self.base = app, base
        self.headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, and its answer back."""

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                said = message.get("headers", [])
                names = {name.lower() for name, _ in said}
                headers = [*said, *(one for one in self.headers if one[0] not in names)]
                if key := self._key(scope, headers):
                    headers.append((b"set-cookie", key.encode()))
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, answer)

    def _key(self, scope: Any, headers: list[tuple[bytes, bytes]]) -> str | None:
        if not dict(headers).get(b"content-type", b"").startswith(b"text/html"):
            return None
        sent = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
        return visitors.greeting(sent.decode("latin-1"), self.base)


def free_port(host: str, port: int) -> int:
    """The first port from `port` on that nobody listens on; 0 is any.

    Raises:
        RetimbreError: there is none, or the address is not this computer's.
    """
    last = min(port + PORTS_TRIED, 65_535) if port else 0
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, last + 1):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
                return probe.getsockname()[1]
            except PermissionError:
                continue
            except OSError as error:
                if "in use" not in str(error).lower():
                    raise RetimbreError(
                        f"--host {host}: cannot be listened on ({error.strerror}); leave it out"
                    ) from error
    raise RetimbreError(f"--port {port}: no port from {port} to {last} is free; choose another")
