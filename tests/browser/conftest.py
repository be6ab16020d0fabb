"""The live page in Debian's or anyone's Chromium, without a screen, a sound card or a microphone."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from retimbre.app.serve import server
from tests.browser.apps import serving
from tests.browser.driver import Log, overhear, says

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


LOG = Log()


@pytest.fixture(autouse=True)
def log() -> Iterator[Log]:
    """What pages did beyond what they showed: in no test may an error come up in one, or another host be asked."""
    LOG.clear()
    yield LOG
    assert not LOG.errors
    assert {host.partition(":")[0] for host in LOG.hosts} <= {"127.0.0.1", ""}  # what a page made itself has no host


@pytest.fixture(scope="session")
def app() -> Iterator[str]:
    """The address of the app."""
    pytest.importorskip("streamlit", reason="Streamlit is not installed")
    with serving() as address:
        yield address


@pytest.fixture(scope="session")
def address(content: dict[str, bytes]) -> Iterator[str]:
    with server(content, port=0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable]:
    """Starts a browser that hears a sound file as its microphone."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("there is no Chromium here")
    with playwright.sync_playwright() as running:

        @contextmanager
        def launch(microphone: Path | None = None) -> Iterator:
            heard = [f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
            browser = running.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *heard])
            browser.on("context", lambda context: overhear(context, LOG))
            yield browser
            browser.close()

        yield launch


@pytest.fixture(scope="session")
def browser(launch: Callable) -> Iterator:
    with launch() as running:
        yield running


@contextmanager
def opened(browser, address: str) -> Iterator:
    """The page, ready to start."""
    context = browser.new_context(viewport={"width": 720, "height": 640})  # small pictures are drawn fast
    page = context.new_page()
    page.goto(address)
    says(page, "Ready")
    yield page
    context.close()


@pytest.fixture
def page(browser, address: str) -> Iterator:
    with opened(browser, address) as page:
        yield page


@pytest.fixture(scope="session")
def resting(browser, address: str) -> Iterator:
    """The same page for all tests that only call its modules or look at it, and never start it."""
    with opened(browser, address) as page:
        yield page
