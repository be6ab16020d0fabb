"""The app for everyone: as axe-core judges it, by keys alone, on a phone."""

from pathlib import Path

import pytest

from tests.browser import axe
from tests.browser.apps import bring, rested, turn_to, visit
from tests.browser.driver import says
from tests.browser.sounds import hummed, wav

DESK, PHONE = (1280, 800), (390, 844)
PAGES = ("Transform", "Live", "How it works", "Train", "Rooms", "Gallery", "Magenta.js")
SIDEWAYS = """() => [document.documentElement, document.querySelector("[data-testid=stMain]")]
    .map((one) => one.scrollWidth - one.clientWidth)"""


def open_page(page, title: str) -> None:
    """One of the pages, with all of it there, and what is folded unfolded."""
    turn_to(page, title)
    if title == "Live":
        says(page, "Ready")
    if title == "Magenta.js":
        page.frame_locator("iframe").locator("#status", has_text="Ready").wait_for()
    for one in page.locator("details:not([open]) > summary").all():
        one.click()
    page.wait_for_timeout(500)  # things fade in


def assert_accessible(page) -> None:
    """By day and by night."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(500)  # colours fade
        assert not axe.faults(page), scheme


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_page_has_a_serious_fault_or_scrolls_sideways(size: tuple[int, int], app: str, browser) -> None:
    with visit(browser, app, *size) as page:
        for title in PAGES:
            open_page(page, title)
            assert page.evaluate(SIDEWAYS) == [0, 0], title
            assert_accessible(page)


def test_what_comes_up_on_wish_has_no_serious_fault(app: str, browser, tmp_path: Path) -> None:
    """Uploads and their mistakes, blends, rooms from recordings, the drawer of a phone."""
    mine, broken = wav(tmp_path / "mine.wav", hummed(48_000), 48_000), tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    with visit(browser, app, *PHONE) as page:
        page.get_by_role("radio", name="Record").click()
        rested(page)
        assert_accessible(page)
        bring(page, broken)
        page.get_by_role("alert").first.wait_for()
        assert_accessible(page)
        bring(page, mine)
        page.get_by_role("radio", name="a blend").click()
        page.locator("[data-testid=stMarkdown]", has_text="mine.wav").wait_for()
        rested(page)
        assert_accessible(page)
        page.get_by_role("button", name="Expand sidebar").click()
        page.get_by_role("link", name="Train", exact=True).wait_for()
        page.wait_for_timeout(500)
        assert_accessible(page)
        page.get_by_role("link", name="Train", exact=True).click()
        page.locator("[data-testid=stFileUploader]").locator("input").set_input_files(mine)
        rested(page)
        assert_accessible(page)


def tab_to(page, name: str, role: str = "") -> None:
    """Press Tab until something of that name has the focus, which must be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        told = page.evaluate("""() => {
            const one = document.activeElement;
            return [one.getAttribute("aria-label") ?? one.innerText ?? "", one.getAttribute("role") ?? one.localName];
        }""")
        if name in told[0] and role in told[1]:
            assert focus_is_seen(page), told
            return
    pytest.fail(f"Tab does not reach {name!r}")


def focus_is_seen(page) -> bool:
    """Whether the focused thing, or its frame, looks different without the focus."""
    look = """(one) => {
        const looks = [];
        for (let at = one, step = 0; at && step < 4; at = at.parentElement, step++) {
            const style = getComputedStyle(at);
            looks.push(style.outlineStyle, style.outlineColor, style.boxShadow, style.borderColor, style.backgroundColor);
        }
        return looks.join();
    }"""
    page.wait_for_timeout(300)  # borders fade
    focused = page.evaluate_handle("document.activeElement")
    with_focus = page.evaluate(look, focused)
    focused.evaluate("(one) => one.blur()")
    page.wait_for_timeout(300)
    without = page.evaluate(look, focused)
    focused.evaluate("(one) => one.focus({ focusVisible: true })")
    return with_focus != without


def test_by_keys_alone(app: str, browser, tmp_path: Path) -> None:
    """Upload, another instrument, listen, save, another page."""
    mine = wav(tmp_path / "mine.wav", hummed(48_000), 48_000)
    with visit(browser, app) as page:
        tab_to(page, "Example", "radio")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.get_by_text("One note at a time, up to").wait_for()
        rested(page)
        tab_to(page, "Upload", "button")
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Enter")
        chooser.value.set_files(mine)
        page.locator("[data-testid=stMarkdown]", has_text="mine.wav").wait_for()
        rested(page)
