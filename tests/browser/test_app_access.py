"""The app for everyone: as axe-core judges it, by keys alone, on a phone."""

from pathlib import Path

import pytest

from tests.browser.apps import DESK, PHONE, bring, rested, turn_to, visit
from tests.browser.axe import faults, still
from tests.browser.driver import says
from tests.browser.sounds import hummed, read, wav
from tests.browser.test_app import assert_plays

PAGES = ("Gallery", "Live", "How it works", "Train", "Rooms", "Magenta.js", "Transform")
SIDEWAYS = """() => [document.documentElement, document.querySelector("[data-testid=stMain]")]
    .map((one) => one.scrollWidth - one.clientWidth)"""


def open_page(page, title: str) -> None:
    """One of the pages, with all of it there, and what is folded unfolded."""
    turn_to(page, title)
    if title == "Live":
        says(page, "Ready")
    if title == "Transform":
        page.get_by_role("radio", name="After").wait_for()
    if title == "Magenta.js":
        page.frame_locator("iframe").locator("#status", has_text="Ready").wait_for()
    folded = page.locator("details:not([open]) > summary")
    while folded.count():
        folded.first.click()
    still(page)


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["desk", "phone"])
def test_no_page_has_a_serious_fault_or_scrolls_sideways(device: dict, app: str, browser) -> None:
    with visit(browser, app, device) as page:
        found, wide = {}, {}
        for title in PAGES:
            open_page(page, title)
            found[title], wide[title] = faults(page), page.evaluate(SIDEWAYS)
        assert found == {title: [] for title in PAGES}
        assert wide == {title: [0, 0] for title in PAGES}


def test_what_comes_up_on_wish_has_no_serious_fault(app: str, browser, tmp_path: Path) -> None:
    """Curves to draw on, uploads and their mistakes, blends, rooms from recordings, the drawer of a phone."""
    mine, broken = wav(tmp_path / "mine.wav", hummed(48_000), 48_000), tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    with visit(browser, app, PHONE) as page:
        page.get_by_text("Draw on the curves").click()
        rested(page)
        assert not faults(page)
        page.get_by_role("radio", name="Record").click()
        rested(page)
        assert not faults(page)
        bring(page, broken)
        page.get_by_role("alert").first.wait_for()
        assert not faults(page)
        bring(page, mine)
        page.locator("[data-testid=stMarkdown]", has_text="mine.wav").wait_for()
        rested(page)
        page.get_by_role("radio", name="a blend").click()
        rested(page)
        assert not faults(page)
        page.get_by_role("button", name="Expand sidebar").click()
        page.get_by_role("link", name="Train", exact=True).wait_for()
        assert not faults(page)
        page.get_by_role("link", name="Train", exact=True).click()
        page.get_by_role("heading", name="Make an instrument").wait_for()
        page.locator("[data-testid=stFileUploader]").locator("input").set_input_files(mine)
        rested(page)
        assert not faults(page)


FOCUSED = """() => {
    const at = document.activeElement, by = document.getElementById(at.getAttribute("aria-labelledby"));
    const name = at.getAttribute("aria-label") ?? (by ?? at.labels?.[0] ?? at).innerText;
    return [name || at.localName, at.getAttribute("role") ?? (at.type === "range" ? "slider" : at.localName)];
}"""

LOOK = """(one) => {
    const looks = [];
    for (let at = one, step = 0; at && step < 4; at = at.parentElement, step++) {
        const style = getComputedStyle(at);
        looks.push(style.outline, style.boxShadow, style.borderColor, style.backgroundColor);
    }
    return looks.join();
}"""


def tab_to(page, name: str, role: str = "", key: str = "Tab") -> None:
    """Press Tab until something of that name has the focus, which must be seen."""
    for _ in range(60):
        page.keyboard.press(key)
        found = page.evaluate(FOCUSED)
        if name in found[0] and role in found[1]:
            assert focus_is_seen(page), found
            return
    pytest.fail(f"{key} does not reach {name!r}")


def focus_is_seen(page) -> bool:
    """Whether the focused thing, or what it lies in, looks different without the focus."""
    still(page)  # borders fade
    focused = page.evaluate_handle("document.activeElement")
    with_focus = page.evaluate(LOOK, focused)
    focused.evaluate("(one) => one.blur()")
    still(page)
    without = page.evaluate(LOOK, focused)
    focused.evaluate("(one) => one.focus({ focusVisible: true })")
    return with_focus != without


def test_by_keys_alone(app: str, browser, tmp_path: Path) -> None:
    """Upload, another instrument, another room, a slider, listen, save, another page."""
    mine = wav(tmp_path / "mine.wav", hummed(48_000), 48_000)
    with visit(browser, app) as page:
        press = page.keyboard.press
        tab_to(page, "Example", "radio")
        tab_to(page, "Upload", "radio", "ArrowRight")
        press("Enter")
        page.get_by_text("One note at a time, up to").wait_for()
        rested(page)
        asked = []
        page.on("filechooser", lambda chooser: asked.append(chooser))
        for _ in range(5):  # a slow machine may still be laying the page out, and drop a key
            tab_to(page, "Upload", "button")
            press("Space")
            page.wait_for_timeout(1000)
            if asked:
                break
        asked[0].set_files(mine)
        page.locator("[data-testid=stMarkdown]", has_text="mine.wav").wait_for()
        rested(page)
        tab_to(page, "", "radio")
        tab_to(page, "trombone", "radio", "ArrowRight")
        press("Enter")
        page.locator("[data-testid=stMarkdown]", has_text="After · trombone").wait_for()
        tab_to(page, "In the room", "combobox")
        press("ArrowDown")
        press("ArrowDown")
        press("Enter")
        rested(page)
        tab_to(page, "Adjust", "summary")
        press("Enter")
        page.get_by_role("slider", name="Semitones").wait_for()
        tab_to(page, "Semitones", "slider")
        press("ArrowRight")
        rested(page)
        tab_to(page, "audio")
        press("Space")
        page.wait_for_function("document.activeElement.currentTime > 0.2")
        press("Space")
        tab_to(page, "Sound", "button")
        with page.expect_download() as download:
            press("Enter")
        assert_plays(*read(Path(download.value.path()).read_bytes()), shifts=(-11, 1, 13))
        tab_to(page, "How it works", "a")
        press("Enter")
        page.get_by_role("heading", name="Decode").wait_for()
        rested(page)
