"""A server of the app, and how its pages are used."""

import contextlib
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.browser.sounds import read

WAIT_MS = 60_000
RESTED = """() => new Promise((done) => {
    let since = performance.now();
    const look = () => {
        const app = document.querySelector("[data-testid=stApp]")?.dataset;
        const busy = "[data-testid=stSpinner], [data-testid=stStatusWidget], [data-testid=stSkeleton]";
        const rests = app?.testScriptState === "notRunning" && !document.querySelector(busy)
            && [...document.querySelectorAll("audio")].every((player) => player.readyState > 0);
        if (!rests) since = performance.now();
        if (performance.now() - since > 400) done(true); // a change, and one that it brings, begins to be seen sooner
        else setTimeout(look, 20);
    };
    look();
})"""

LAPTOP: dict[str, Any] = {"viewport": {"width": 1000, "height": 700}}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 15; Phone) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36",
}  # Streamlit shuts its drawer after a choice on what says that it is a phone


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """The address of a server of its own."""
    program = str(Path(__file__).with_name("brief.py"))
    command = [sys.executable, program, "app", "--no-browser", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        address = next(line.split()[3] for line in server.stdout if "http" in line)
        for _ in range(100):  # it says so just before it listens
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}_stcore/health"):
                break
            time.sleep(0.1)
        try:
            yield address
        finally:
            server.terminate()


@contextmanager
def visit(browser: Any, address: str, device: Mapping[str, Any] = LAPTOP) -> Iterator:
    """The app as a newcomer finds it."""
    context = browser.new_context(**device)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    rested(page)
    yield page
    context.close()


def rested(page: Any) -> None:
    """Wait until nothing has been rendered for a while, and the players have loaded what they play."""
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_function(RESTED)


def turn_to(page: Any, title: str) -> None:
    """Another page of the app, by its link; on a narrow screen the links lie in a drawer."""
    drawer = page.get_by_role("button", name="Expand sidebar")
    if drawer.is_visible():
        drawer.click()
    page.get_by_role("link", name=title, exact=True).click()
    rested(page)


def bring(page: Any, sound: Path) -> None:
    """Upload a sound."""
    page.get_by_role("radio", name="Upload").click()
    page.locator("[data-testid=stFileUploader]", has_text="One note").locator("input").set_input_files(sound)


def downloaded(page: Any) -> tuple[np.ndarray, int]:
    """What the button saves, once the page is at rest."""
    rested(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Sound").click()
    return read(Path(download.value.path()).read_bytes())
