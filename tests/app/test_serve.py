"""The server of the live page, and the folder that any other server can take."""

import http.client
import json
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from retimbre import load, shipped
from retimbre.app.serve import HEADERS, POLICY, address, server
from retimbre.app.site import export
from retimbre.cli import main
from retimbre.errors import RetimbreError
from retimbre.rooms import library


@pytest.fixture(scope="module")
def port(content: dict[str, bytes]) -> Iterator[int]:
    with server(content, port=0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running.server_port
        running.shutdown()
        thread.join()


def ask(port: int, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, path)
    answer = connection.getresponse()
    result = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return result


def test_every_file_has_its_type_and_every_answer_its_headers(port: int, content: dict[str, bytes]) -> None:
    kinds = {"page.js": "text/javascript", "engine.wasm": "application/wasm", "style.css": "text/css"}
    for path, kind in (kinds | {"": "text/html", "rooms/index.json": "application/json"}).items():
        status, headers, body = ask(port, f"/{path}")
        assert status == 200
        assert headers["Content-Type"].startswith(kind)
        assert body == content[path or "index.html"]
        assert HEADERS.items() <= headers.items()
    status, headers, body = ask(port, "/engine.wasm", "HEAD")
    assert (status, int(headers["Content-Length"]), body) == (200, len(content["engine.wasm"]), b"")


@pytest.mark.parametrize(
    "path",
    ["/../serve.py", "/%2e%2e/serve.py", "//etc/passwd", "/instruments/", "/instruments", "/x.js", "/..\\serve.py"],
)
def test_there_is_nothing_but_the_page(port: int, path: str) -> None:
    status, headers, body = ask(port, path)
    assert status == 404
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert body == b"There is no such page.\n"


def test_other_methods_are_refused(port: int) -> None:
    assert ask(port, "/", "POST")[0] == 501


def test_the_page_has_the_policy_of_the_header(content: dict[str, bytes]) -> None:
    assert f'http-equiv="Content-Security-Policy" content="{POLICY}"'.encode() in content["index.html"]


def test_a_taken_port_gives_the_next(content: dict[str, bytes]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with server(content, port=port) as running:
            assert running.server_port > port


def test_addresses_that_a_browser_can_open() -> None:
    assert address("0.0.0.0", 80) == "http://127.0.0.1:80/"
    assert address("::", 80) == "http://[::1]:80/"
    assert address("studio", 80) == "http://studio:80/"


def test_what_is_offered_is_what_is_shipped(content: dict[str, bytes]) -> None:
    index = json.loads(content["instruments/index.json"])
    assert [entry["file"] for entry in index] == [f"{name}.safetensors" for name in shipped()]
    for entry in index:
        instrument = load(entry["file"].removesuffix(".safetensors"))
        assert (entry["low"], entry["high"]) == instrument.range_midi
        assert max(entry["harmonics_db"]) == 0


def test_rooms_are_the_shipped_ones_without_what_nobody_hears(content: dict[str, bytes]) -> None:
    for entry in json.loads(content["rooms/index.json"]):
        data, response = content[f"rooms/{entry['file']}"], library.find(entry["name"]).to_rir(48_000)
        assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
        taps = np.frombuffer(data[data.index(b"data") + 8 :], "<f4")
        assert np.array_equal(taps, response[: len(taps)])
        left = np.square(response[len(taps) :], dtype=np.float64).sum() / np.square(response, dtype=np.float64).sum()
        assert left <= 1e-7  # -70 dB


def test_export_writes_all_and_replaces_only_if_told(
    tmp_path: Path, content: dict[str, bytes], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retimbre.app.site.site", lambda: content)  # which takes seconds to make
    folder = tmp_path / "site"
    assert main(["serve", "--export", str(folder)]) == 0
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == set(content)
    (folder / "index.html").write_text("mine")
    assert main(["serve", "--export", str(folder)]) == 2
    assert "--force" in capsys.readouterr().err
    assert (folder / "index.html").read_text() == "mine"
    assert main(["serve", "--export", str(folder), "--force"]) == 0
    assert (folder / "index.html").read_bytes() == content["index.html"]


def test_export_into_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine")
    with pytest.raises(RetimbreError, match="is a file"):
        export(tmp_path / "site", {"index.html": b""})
    assert (tmp_path / "site").read_text() == "mine"


def test_the_page_asks_for_nothing_by_an_absolute_path(content: dict[str, bytes]) -> None:
    """So that it works in any folder of any host."""
    for path, data in content.items():
        if path.endswith((".html", ".css", ".js")):
            text = data.decode()
            assert not any(start in text for start in ('"/', "'/", "`/", "url(/", 'src="http', 'href="http'))
