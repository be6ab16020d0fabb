"""The site of plain files in a browser, under some path of a plain server: it plays, in tune, and asks nobody else."""

import functools
import re
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from retimbre import audio
from retimbre.app.site import export
from retimbre.app.static import static
from retimbre.gallery.folder import SHIPPED, read_gallery
from tests.browser.apps import downloaded, rested, visit
from tests.browser.axe import faults
from tests.browser.driver import says
from tests.browser.sounds import keys_heard

EXAMPLES = {one.title: one for one in read_gallery(SHIPPED)}
ONE = next(iter(EXAMPLES.values()))
TWINKLE = EXAMPLES["Twinkle, twinkle, toy piano"]
TWINKLE_KEYS = (72, 74, 76, 77, 79, 81)
"""MIDI numbers of the tune, as the toy plays it."""

RATE = 16_000
DECODED = """async (sound) => {
    const answer = await fetch(sound.src), context = new OfflineAudioContext(1, 1, 16000);
    const decoded = (await context.decodeAudioData(await answer.arrayBuffer())).getChannelData(0);
    return new Promise((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result.split(",")[1]);
        reader.readAsDataURL(new Blob([decoded]));
    });
}"""
PLAYING = (
    "() => [...document.querySelectorAll('audio')].filter((sound) => !sound.paused).map((sound) => sound.ariaLabel)"
)


class Quiet(SimpleHTTPRequestHandler):
    """Serves files as `python -m http.server` does, and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def folder(content: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site."""
    return export(tmp_path_factory.mktemp("root") / "path", static(content))[0].parent


@pytest.fixture(scope="module")
def public(folder: Path) -> Iterator[str]:
    """Where it is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder.parent)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/path/"
        server.shutdown()
        thread.join()


@contextmanager
def opened(browser, address: str, **options) -> Iterator:
    """A page."""
    context = browser.new_context(**({"viewport": {"width": 1000, "height": 700}} | options))
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()


def sounds(page, title: str) -> list:
    """Both players of an example."""
    return page.locator("article", has_text=title).locator("audio").element_handles()


def fetched(page) -> None:
    """Wait until the first example can be played from any place."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('audio')].slice(0, 2).every((one) => /^blob/.test(one.src))"
    )


def test_before_and_after_are_the_same_tune_octaves_apart(browser, public: str) -> None:
    with opened(browser, f"{public}gallery/") as page:
        told = [page.evaluate(DECODED, one) for one in sounds(page, TWINKLE.title)]
    before, after = (np.frombuffer(b64decode(text), np.float32) for text in told)
    for sound, octave in ((before, 0), (after, TWINKLE.octave)):
        distance = np.abs(keys_heard(sound, RATE)[:, None] - 12 * octave - np.array(TWINKLE_KEYS))
        assert (distance.min(axis=1) < 0.5).mean() > 0.9 and all((near < 0.5).mean() > 0.05 for near in distance.T)


def test_pressed_while_the_other_plays_a_player_goes_on_from_there(browser, public: str) -> None:
    with opened(browser, f"{public}gallery/") as page:
        fetched(page)
        card, (before, after) = page.locator("article").first, sounds(page, ONE.title)
        card.get_by_role("slider").first.fill("5")
        card.get_by_role("button", name="before").click()
        page.wait_for_function("(sound) => !sound.paused && sound.currentTime > 5.3", arg=before)
        card.get_by_role("button", name="after").click()
        page.wait_for_function("(sound) => !sound.paused && sound.currentTime > 5.6", arg=after)
        assert page.evaluate(PLAYING) == [f"{ONE.title}, after"]
        assert before.evaluate("(sound) => sound.currentTime") < after.evaluate("(sound) => sound.currentTime") < 12
        page.locator("article").nth(2).get_by_role(
            "button", name="after"
        ).click()  # another example begins at its start
        page.wait_for_function(f"() => ({PLAYING})()[0]?.startsWith('{list(EXAMPLES)[2]}')")
        assert len(page.evaluate(PLAYING)) == 1


def test_everything_is_there_and_shown(browser, public: str) -> None:
    with opened(browser, f"{public}gallery/") as page:
        assert page.locator("article h2").all_inner_texts() == list(EXAMPLES)
        page.evaluate("for (const image of document.images) image.loading = 'eager'")
        page.wait_for_function("() => [...document.images].every((image) => image.naturalWidth > 0)")
        names = page.get_by_role("button").evaluate_all("(buttons) => buttons.map((button) => button.ariaLabel)")
        assert len(set(names)) == len(names) == 2 * len(EXAMPLES)


def test_the_keyboard_plays_and_moves_about(browser, public: str) -> None:
    with opened(browser, f"{public}gallery/") as page:
        fetched(page)
        page.get_by_role("button").first.focus()
        page.keyboard.press("Space")
        page.wait_for_function("() => document.querySelector('audio').currentTime > 0.2")
        page.keyboard.press("Space")
        assert page.evaluate(PLAYING) == []
        page.keyboard.press("Tab")
        before = page.evaluate("document.querySelector('audio').currentTime")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.querySelector('audio').currentTime") == pytest.approx(before + 1, abs=0.01)
        told = page.locator("input:focus").get_attribute("aria-valuetext")
        assert told == f"{before + 1:.1f} of {ONE.seconds:.1f} seconds"


@pytest.mark.parametrize("path", ["", "gallery/"])
def test_pages_fit_a_phone_and_have_no_serious_fault(browser, public: str, path: str) -> None:
    with opened(browser, public + path, viewport={"width": 320, "height": 640}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert faults(page) == []


def test_it_plays_without_scripts(browser, public: str) -> None:
    with opened(browser, f"{public}gallery/", java_script_enabled=False) as page:
        box = page.locator("audio").first.bounding_box()
        assert box and box["height"] >= 30 and not page.get_by_role("button", name="Play").count()


def test_the_way_to_live_takes_instrument_and_room_along(browser, public: str) -> None:
    with opened(browser, public) as page:
        page.get_by_role("link", name="Play the violin yourself").click()
        says(page, "Ready")
        assert page.locator("#promise").inner_text() == "violin"
        assert page.evaluate("document.querySelector('[name=room]:checked').closest('label').innerText").startswith(
            "hall"
        )
        page.goto(f"{public}live/index.html?instrument=nonsense&room=nowhere")
        says(page, "Ready")
        assert page.locator("#promise").inner_text() == "cello"


def test_the_page_of_magenta_js_is_ready_and_has_asked_nobody(browser, public: str) -> None:
    with opened(browser, public) as page:
        page.get_by_role("link", name="Magenta.js").click()
        says(page, "Ready")
        page.wait_for_function("() => [...document.querySelectorAll('audio[src]')].every((one) => one.duration > 5)")


def test_a_gallery_opens_from_a_folder(browser, folder: Path) -> None:
    """By a double click: no server, and still its own players."""
    with opened(browser, (folder / "gallery" / "index.html").as_uri()) as page:
        assert page.get_by_role("button").count() == 2 * len(EXAMPLES)
        page.get_by_role("button").first.click()
        page.wait_for_function("() => document.querySelector('audio').currentTime > 0.2")


def test_an_example_opens_in_transform_as_it_was_made(app: str, browser) -> None:
    with visit(browser, f"{app}gallery") as page:
        page.wait_for_function(  # its sounds can be played from any place
            "() => [...document.querySelectorAll('.card audio')].every((one) => one.seekable.end(0) > 5)"
        )
        played = [one for one in EXAMPLES.values() if one.instrument]
        place, one = next((place, one) for place, one in enumerate(played) if ":" in one.instrument)
        page.get_by_role("button", name="Open in Transform").nth(place).click()
        page.get_by_role("heading", name="Play any sound as any instrument").wait_for()
        rested(page)
        shown = page.locator("[data-testid=stMain]").inner_text()
        assert one.title in shown
        assert all(f"{float(share) * 100:.0f} %" in shown for share in re.findall(r":([0-9.]+)", one.instrument))
        keys, wanted = keys_heard(*downloaded(page)), keys_heard(*audio.read(SHIPPED / one.after))
        assert abs(np.median(keys) - np.median(wanted)) < 0.5
