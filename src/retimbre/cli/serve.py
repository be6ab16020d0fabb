"""The command that opens the live page."""

from __future__ import annotations

import argparse
import contextlib

LOCAL = ("127.0.0.1", "localhost", "::1")


def serve(options: argparse.Namespace) -> int:
    """`retimbre serve`: the live page, in a browser or in a folder."""
    from retimbre.app.site import check, export, site

    if options.export:
        check(options.export, overwrite=options.force)
        written = export(options.export, site(), overwrite=options.force)
        print(f"{options.export}: {len(written)} files; put them on any static host with HTTPS")
        return 0
    from retimbre.app.serve import address, server

    with server(site(), options.host, options.port) as page, contextlib.suppress(KeyboardInterrupt):
        where = address(options.host, page.server_port)
        if options.port and page.server_port != options.port:
            print(f"port {options.port} is taken; using {page.server_port}")
        print(f"retimbre plays at {where} (Ctrl-C ends it)", flush=True)
        if options.host not in LOCAL:
            print("browsers give a microphone to https and localhost only; others can use files and keys", flush=True)
        if not options.no_browser:
            import webbrowser

            webbrowser.open(where)
        page.serve_forever()
    return 0
