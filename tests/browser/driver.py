"""How the tests use the page: open it, start it, drop files on it, record what it plays."""

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from tests.browser.sounds import read

DROP = """async ({ name, data, on }) => {
    const carried = new DataTransfer();
    carried.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name));
    const { x, y, width, height } = document.querySelector(on).getBoundingClientRect();
    const where = { clientX: x + width / 2, clientY: y + height / 2 };
    const event = new DragEvent("drop", { ...where, bubbles: true, cancelable: true, dataTransfer: carried });
    document.querySelector(on).dispatchEvent(event);
}"""


@dataclass
class Log:
    """What pages did beyond what they showed."""

    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def clear(self) -> None:
        """Forget it, as a test must that provokes an error."""
        self.errors.clear()
        self.hosts.clear()


def overhear(context: Any, log: Log) -> None:
    """Note console errors (violations of the content policy are some), exceptions and every host that is asked."""

    def said(message: Any) -> None:
        where = f"{message.text} ({message.location['url']})"
        # The app's server forgets a sound once another has its place, even if a busy browser still asks for it.
        if message.type == "error" and "/media/" not in where:
            log.errors.append(where)

    context.on("console", said)
    context.on("weberror", lambda error: log.errors.append(str(error.error)))
    context.on("request", lambda request: log.hosts.add(urlsplit(request.url).netloc))


def says(page: Any, part: str) -> None:
    """Wait until the status line holds these words."""
    page.locator("#status", has_text=part).wait_for()


def start(page: Any, playing: str) -> None:
    """Press Start, agree to the headphones if asked, and wait until it plays."""
    page.click("#start")
    if page.locator("#headphones[open]").count():
        page.click("#headphones-on")
    says(page, playing)
    page.wait_for_selector("#record:enabled")


def choose_input(page: Any, name: str) -> None:
    """Microphone, file or keyboard."""
    page.check(f"[name=input][value={name}]", force=True)


def record(page: Any, seconds: float, play: Callable[[], Any] = lambda: None) -> tuple[np.ndarray, int]:
    """What the page plays for a while, from the file that it saves: samples and rate."""
    button, press = page.locator("#record"), "(button) => button.click()"  # by no mouse or focus, which may be playing
    button.evaluate(press)
    play()
    page.wait_for_timeout(1000 * seconds)
    with page.expect_download() as download:
        button.evaluate(press)
    return read(Path(download.value.path()).read_bytes())


def drop(page: Any, name: str, data: bytes, on: str = "main") -> str:
    """Drop a file on the page; what the page says to it."""
    page.evaluate("document.getElementById('status').textContent = ''")
    page.locator(on).scroll_into_view_if_needed()
    page.evaluate(DROP, {"name": name, "data": b64encode(data).decode(), "on": on})
    page.locator("#status", has_text=re.compile(r"\S")).wait_for()
    return page.inner_text("#status")
