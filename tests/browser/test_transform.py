"""Transform in a browser: what is drawn on the curves is heard, by mouse and by keys, and sides can be compared."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("streamlit", reason="Streamlit is not installed")

from tests.browser.apps import PHONE, bring, downloaded, rested, visit
from tests.browser.axe import faults
from tests.browser.sounds import keys_heard, level_db, wav

RATE = 48_000
KEY = 57  # MIDI number of the sound
SIDES = (
    "() => window.sounds.map(({ muted, paused, currentTime, duration }) => ({ muted, paused, currentTime, duration }))"
)
KEEP_SOUNDS = """window.sounds = [];
window.Audio = class extends Audio { constructor(...given) { super(...given); window.sounds.push(this); } };"""


def steady(seconds: float = 3.0, key: int = KEY) -> np.ndarray:
    """A tone with a few harmonics, [samples]."""
    time_s = np.arange(round(RATE * seconds)) / RATE
    phase = 2 * np.pi * 440 * 2 ** ((key - 69) / 12) * time_s
    fade = np.clip(np.minimum(time_s, seconds - time_s) / 0.05, 0, 1)
    return (0.2 * fade * sum(np.sin(k * phase) / k for k in range(1, 7))).astype(np.float32)


@pytest.fixture
def page(app: str, browser, tmp_path: Path) -> Iterator:
    """A steady tone on the cello, ready to be drawn on."""
    with visit(browser, app, {"viewport": {"width": 1000, "height": 1400}}) as page:
        bring(page, wav(tmp_path / "tone.wav", steady(), RATE))
        page.locator("[data-testid=stMarkdown]", has_text="tone.wav").wait_for()
        open_curves(page)
        yield page


def open_curves(page) -> None:
    rested(page)
    page.locator(".st-key-drawing label").click()
    page.locator("#pitch-ticks span").first.wait_for()
    rested(page)


def spot(page, seconds: str, note: str) -> tuple[float, float]:
    """Where the labels of the axes say that a note lies on the screen."""
    paper = page.locator("#pitch").bounding_box()
    left, top = (
        page.locator(f"#{axis} span", has_text=text).first.evaluate(f"(label) => parseFloat(label.style.{side})")
        for axis, text, side in (("times", seconds, "left"), ("pitch-ticks", note, "top"))
    )
    return paper["x"] + left, paper["y"] + top


def keys_between(sound: np.ndarray, start_s: float, stop_s: float) -> float:
    """MIDI number that an independent tracker hears there (median)."""
    return float(np.median(keys_heard(sound[round(RATE * start_s) : round(RATE * stop_s)], RATE)))


def assert_plays(page, *keys: float) -> None:
    """These three notes, a second each."""
    sound, rate = downloaded(page)
    assert rate == RATE
    assert [keys_between(sound, at + 0.15, at + 0.9) for at in range(3)] == pytest.approx(keys, abs=0.25)


def sent(page) -> None:
    """Wait until what was drawn has been sent and answered."""
    page.wait_for_timeout(500)
    rested(page)


def test_a_note_that_is_drawn_with_the_mouse_is_heard(page) -> None:
    page.get_by_text("Snap to semitones").click()
    page.mouse.move(*spot(page, "1 s", "E4"))
    page.mouse.down()
    page.mouse.move(*spot(page, "2 s", "E4"), steps=12)
    page.mouse.up()
    sent(page)
    assert_plays(page, KEY, 64, KEY)


def test_a_stretch_that_is_moved_with_keys_is_heard(page) -> None:
    paper = page.locator("#pitch")
    paper.focus()
    for key in ("Home", *["ArrowRight"] * 20, *["Shift+ArrowRight"] * 20, *["ArrowUp"] * 3):
        paper.press(key)
    assert "1.00 s to 2.00 s: C4" in page.locator("#status").inner_text()
    sent(page)
    assert_plays(page, KEY, KEY + 3, KEY)
    paper.press("Control+z")
    paper.press("Control+z")
    paper.press("Control+z")
    sent(page)
    assert_plays(page, KEY, KEY, KEY)


def test_erased_pitch_is_silent_and_comes_back(page) -> None:
    whole, _ = downloaded(page)
    page.locator("#loudness").focus()
    for key in ("Home", *["ArrowRight"] * 20, *["Shift+ArrowRight"] * 20, "Delete"):
        page.locator("#loudness").press(key)
    sent(page)
    sound, _ = downloaded(page)
    inside, before = slice(round(1.2 * RATE), round(1.8 * RATE)), slice(0, round(0.9 * RATE))
    assert level_db(sound[inside]) < level_db(whole[inside]) - 40
    assert level_db(sound[before]) == pytest.approx(level_db(whole[before]), abs=0.2)
    page.get_by_role("button", name="Reset").click()
    sent(page)
    again, _ = downloaded(page)
    assert (again == whole).all()


def test_what_is_drawn_goes_with_the_sliders_and_not_into_another_clip(page, tmp_path: Path) -> None:
    paper = page.locator("#pitch")
    paper.focus()
    for key in ("Home", *["Shift+ArrowRight"] * 20, "ArrowUp", "ArrowUp"):
        paper.press(key)
    sent(page)
    page.get_by_text("Adjust", exact=True).click()
    slider = page.get_by_role("slider", name="Semitones")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    sent(page)
    assert_plays(page, KEY + 5, KEY + 3, KEY + 3)
    uploader = page.locator("[data-testid=stFileUploader]", has_text="One note")
    uploader.locator("input").set_input_files(wav(tmp_path / "other.wav", steady(key=KEY + 2), RATE))
    page.get_by_text("belonged to the sound before").wait_for()
    page.locator("[data-testid=stMarkdown]", has_text="other.wav").wait_for()
    sent(page)
    assert_plays(page, KEY + 5, KEY + 5, KEY + 5)


def test_one_player_changes_sides_at_the_same_place(app: str, browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    context.add_init_script(KEEP_SOUNDS)
    page = context.new_page()
    page.goto(app)
    rested(page)
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("() => window.sounds.length === 2 && window.sounds.every((one) => one.currentTime > 0.5)")
    before, after = page.evaluate(SIDES)
    assert before["muted"] and not after["muted"]
    assert abs(before["currentTime"] - after["currentTime"]) < 0.1
    page.get_by_role("button", name="Pause").press("x")
    before, changed = page.evaluate(SIDES)
    assert not before["muted"] and changed["muted"]
    assert before["currentTime"] >= after["currentTime"]  # on it goes
    page.get_by_role("slider", name="Position").press("End")
    page.get_by_role("button", name="Play", exact=True).wait_for()  # it has ended
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    context.close()


def test_the_curves_can_be_used_by_everyone_and_on_a_phone(app: str, browser) -> None:
    with visit(browser, app, PHONE) as page:
        open_curves(page)
        page.get_by_text("Keys", exact=True).click()
        assert faults(page) == []
        edges = "(one) => [one.scrollWidth, one.clientWidth]"
        wide, there = page.locator("[data-testid=stMain]").evaluate(edges)
        assert wide == there


def test_a_table_of_controls_is_played_and_can_be_drawn_on(page, tmp_path: Path) -> None:
    rows = (f"{frame / 200:.3f},{440 if frame < 400 else 330},1,-25" for frame in range(601))
    table = tmp_path / "mine.csv"
    table.write_text("time_s,f0_hz,periodicity,loudness_db\n" + "\n".join(rows))
    page.get_by_text("Controls from a table").click()
    page.locator(".st-key-edit input[type=file]").set_input_files(table)
    sent(page)
    assert_plays(page, 69, 69, 64)
    paper = page.locator("#pitch")
    paper.focus()
    for key in ("Home", *["Shift+ArrowRight"] * 20, "ArrowDown", "ArrowDown"):
        paper.press(key)
    sent(page)
    assert_plays(page, 67, 69, 64)


@pytest.mark.parametrize("path", ["", "transform", "rooms"])
def test_an_address_that_is_opened_directly_asks_for_nothing_that_is_not_there(app: str, browser, path: str) -> None:
    """Whatever fails or is logged as an error fails the test, by the fixture `log`."""
    with visit(browser, app + path) as page:
        assert page.title()
        assert page.get_by_text("Page not found").count() == 0


def test_a_clip_is_learned_and_played(app: str, browser, tmp_path: Path) -> None:
    """A scale of a quarter of a minute; then the example is played as it sounds, in tune."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    scale = np.concatenate([gain * steady(1.0, key) for gain in (0.3, 1.0) for key in range(50, 65, 2)])
    with visit(browser, app) as page:
        bring(page, wav(tmp_path / "tone.wav", steady(), RATE))
        page.get_by_role("radio", name="like a clip").click()
        clip = page.locator("[data-testid=stFileUploader]", has_text="15 to 30 seconds")
        clip.locator("input").set_input_files(wav(tmp_path / "hum.wav", scale, RATE))
        page.get_by_role("button", name="Learn hum").click()
        page.get_by_text("as it was learned, plays").wait_for(timeout=240_000)
        assert_plays(page, KEY, KEY, KEY)
