"""What answers at the addresses of the pages."""

import asyncio
import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from retimbre.app import front

pytest.importorskip("streamlit", reason="Streamlit is not installed")
from starlette.applications import Starlette


class Answer:
    """What an ASGI application answers to a GET."""

    def __init__(self, path: str) -> None:
        self.status, self.headers, self.body = 0, {}, b""
        app = Starlette(routes=front.routes("/music"))
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "root_path": ""}
        asyncio.run(app(scope, self._asked, self._told))

    async def _asked(self) -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def _told(self, message: MutableMapping[str, Any]) -> None:
        self.body += message.get("body", b"")
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], {key.decode(): value for key, value in message["headers"]}


def test_every_page_has_an_answer_at_its_address() -> None:
    shell = (Path(front.__file__).parent / "pages" / "shell.py").read_text(encoding="utf-8")
    assert set(re.findall(r'url_path="(\w+)"', shell)) == set(front.PAGES)
    for page in ("", *front.PAGES):
        answer = Answer(f"/music/{page}")
        assert answer.status == 200
        assert answer.body.index(b'location.origin + "/music"') < answer.body.index(b'type="module"')


def test_the_first_page_is_at_the_root() -> None:
    answer = Answer(f"/music/{front.FIRST}")
    assert answer.status == 307 and answer.headers["location"] == b"/music/"


def test_only_files_of_components_are_given_away() -> None:
    assert all(Answer(f"/music/{front.PARTS}/{path}").body == data for path, data in front.parts().items())
    for path in ("curves/../launch.py", "../launch.py", "curves/", "pages/shell.css"):
        assert Answer(f"/music/{front.PARTS}/{path}").status == 404
