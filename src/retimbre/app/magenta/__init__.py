"""A page on which Magenta.js plays a clip beside the engine, with an exported instrument or one of Magenta's own.

Static modules, no build step. Magenta.js is 2.5 MB of another project: the page takes it from a public network, pinned
by version and hash, or from a local copy. In its address the page takes

- `clip`: the sound to be played,
- `instrument`: a folder that `retimbre export --format magenta` made; may be repeated,
- `ours`: the same clip, played by the engine (may be left out),
- `octave`: how many octaves up the engine plays it, so that Magenta.js does the same (may be left out).

Addresses are relative to the page, and of the same host.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from pathlib import Path

from retimbre.errors import RetimbreError

POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval' https://cdn.jsdelivr.net; style-src 'self'; "
    "connect-src 'self' https://storage.googleapis.com; img-src 'self' data: blob:; media-src 'self' blob:; "
    "worker-src 'self' blob:; base-uri 'none'; form-action 'none'"
)
"""What the page may load: Magenta.js, which makes functions of text, and Magenta's own instruments, from where they are
published. It stands in the page too; a server that sends a policy of its own for the page must send this one."""

FRAMED = f"{POLICY}; frame-ancestors 'self'"
"""The policy as a header, of a server whose own pages show this one."""

BUNDLE = "RETIMBRE_MAGENTA_JS"
"""Variable of the environment that names a local copy of Magenta.js, for the app."""

LOCAL_BUNDLE = "magentamusic.js"

_OF_LIVE = ("choices.js", "dom.js", "engine.js", "icon.svg", "record.js", "style.css")


def content(bundle: Path | None = None) -> dict[str, bytes]:
    """Every file of the page by its path, for any server; the page itself is `index.html`.

    Args:
        bundle: `dist/magentamusic.js` of the npm package @magenta/music that `bundle.json` names, to serve it from here
            and ask no other host for it.

    Raises:
        RetimbreError: `bundle` cannot be read, or is not that file.
    """
    app = files("retimbre") / "app"
    suffixes = (".css", ".html", ".js", ".json")
    page = {entry.name: entry.read_bytes() for entry in (app / "magenta").iterdir() if entry.name.endswith(suffixes)}
    page |= {name: (app / "live" / name).read_bytes() for name in _OF_LIVE}
    page["engine.wasm"] = (files("retimbre") / "engine.wasm").read_bytes()
    if bundle is not None:
        told = json.loads(page["bundle.json"])
        page[LOCAL_BUNDLE] = _checked(bundle, told)
        page["bundle.json"] = json.dumps(told | {"src": LOCAL_BUNDLE}).encode()
    return page


def _checked(bundle: Path, told: dict[str, str]) -> bytes:
    """The bundle's bytes, if they are those that the page is written for."""
    try:
        data = bundle.read_bytes()
    except OSError as error:
        raise RetimbreError(f"{bundle}: cannot be read ({error.strerror}); check the path") from error
    if told["integrity"] != "sha384-" + base64.b64encode(hashlib.sha384(data).digest()).decode():
        raise RetimbreError(f"{bundle}: is not dist/magentamusic.js of {told['package']}; fetch it with npm")
    return data
