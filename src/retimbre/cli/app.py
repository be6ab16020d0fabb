"""The command that opens the app."""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path

from retimbre.cli.values import base_path, folder, number, port


def add_options(sub: argparse.ArgumentParser) -> None:
    """What `retimbre app` takes."""
    sub.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="to listen on (default: this computer only)"
    )
    sub.add_argument("--port", type=port, default=8501, metavar="N", help="where to serve (default: 8501, or the next)")
    sub.add_argument(
        "--base-path", type=base_path, default="", metavar="PATH", help="in the address, behind a proxy: /retimbre"
    )
    sub.add_argument(
        "--max-minutes", type=number(0.1, 240), default=10.0, metavar="X", help="of an uploaded sound (default: 10)"
    )
    sub.add_argument("--max-mb", type=number(1, 4000), default=100, metavar="N", help="of an upload (default: 100)")
    sub.add_argument(
        "--folders",
        type=folder,
        metavar="PATH",
        help="let visitors name folders beneath it to train on; not for a server that others visit",
    )
    sub.add_argument(
        "--magenta-js",
        type=Path,
        metavar="FILE",
        help="local copy of Magenta.js (default: $RETIMBRE_MAGENTA_JS, or a CDN)",
    )
    sub.add_argument("--no-browser", action="store_true", help="only serve; open the page yourself")


def app(options: argparse.Namespace) -> int:
    """`retimbre app`: the pages, in a browser."""
    from retimbre.app.launch import Wishes, start
    from retimbre.app.limits import Limits
    from retimbre.app.magenta import BUNDLE

    limits = Limits(options.max_minutes, int(options.max_mb), options.folders)
    named = options.magenta_js or os.environ.get(BUNDLE)
    magenta_js = Path(named) if named else None
    with contextlib.suppress(KeyboardInterrupt):  # is how it ends
        start(Wishes(options.host, options.port, options.base_path, limits, not options.no_browser, magenta_js))
    return 0
