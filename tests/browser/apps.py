"""A server of the app, and how its pages are used."""

import contextlib
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.browser.sounds import read

WAIT_MS = 60_000
RUNNING = "[data-testid=stSpinner], [data-testid=stStatusWidget], [data-testid=stSkeleton]"
LOADED = "() => [...document.querySelectorAll('audio')].every((player) => player.readyState > 0)"


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """The address of a server of its own."""
    command = [sys.executable, "-m", "retimbre", "app", "--no-browser", "--port", "0", *options]
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
def visit(browser: Any, address: str, width: int = 1000, height: int = 700) -> Iterator:
    """The app as a newcomer finds it."""
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    rested(page)
    yield page
    context.close()


def rested(page: Any) -> None:
    """Wait until nothing is being rendered, and the players have loaded what they play."""
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_timeout(300)  # in which a change begins to be seen
    page.wait_for_function(f"""() => {{
        const app = document.querySelector("[data-testid=stApp]").dataset;
        return app.testScriptState === "notRunning" && !document.querySelector("{RUNNING}");
    }}""")
    page.wait_for_function(LOADED)


def turn_to(page: Any, title: str) -> None:
    """Another page of the app, by its link; on a narrow screen the links lie in a drawer."""
    if not page.get_by_role("link", name=title, exact=True).is_visible():
        page.get_by_role("button", name="Expand sidebar").click()
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
