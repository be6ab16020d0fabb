"""A server for the live page on this computer: what `site` holds, and nothing else."""

from __future__ import annotations

import errno
import functools
import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from retimbre.app.site import CONTENT_TYPES
from retimbre.errors import RetimbreError

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; media-src blob:; font-src 'none'; base-uri 'none'; form-action 'none'"
)
"""What the page may load: its own files. It stands in the page too, for hosts that send no such header."""

HEADERS = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), midi=(self)",
    "Cache-Control": "no-cache",
}

PORTS_TRIED = 20


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD from a dictionary, so no path leads to a file."""

    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds that a silent connection is kept

    def __init__(self, content: dict[str, bytes], *arguments) -> None:
        """Answer one connection; `content` as `site` gives it."""
        self.content = content
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Answer with a file."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer with what a GET would say of it."""
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path).removeprefix("/") or "index.html"
        data = self.content.get(path)
        kind = CONTENT_TYPES[PurePosixPath(path).suffix] if data is not None else "text/plain; charset=utf-8"
        self.send_response(HTTPStatus.NOT_FOUND if data is None else HTTPStatus.OK)
        data = b"There is no such page.\n" if data is None else data
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def end_headers(self) -> None:
        """Add what every answer says, errors too."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def version_string(self) -> str:
        """Name no versions."""
        return "retimbre"

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = False  # elsewhere than on Unix that would share a port with another program

    def server_bind(self) -> None:
        if hasattr(socket, "AF_UNIX"):  # a port that was ours a moment ago is free
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up in the middle is no news."""


def server(content: dict[str, bytes], host: str = "127.0.0.1", port: int = 8765) -> ThreadingHTTPServer:
    """A server, ready for `serve_forever`, on the first free port from `port` on; 0 is any.

    Args:
        content: files by path, as `site` gives them.
        host: address to listen on.
        port: where to begin; `server_port` of what comes says where it ended.

    Raises:
        RetimbreError: no port is free there, or the address is not this computer's.
    """
    last = min(port + PORTS_TRIED, 65_535) if port else 0
    for candidate in range(port, last + 1):
        try:
            return _Server((host, candidate), functools.partial(Handler, content))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                why = error.strerror or str(error)
                raise RetimbreError(f"--host {host}: cannot be listened on ({why}); leave it out") from error
    raise RetimbreError(f"--port {port}: no port from {port} to {last} is free; choose another")


def address(host: str, port: int) -> str:
    """Where a browser on this computer finds the page."""
    reachable = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}/"
