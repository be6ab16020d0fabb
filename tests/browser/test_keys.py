"""Keys of the page, of the computer and of a MIDI keyboard play the note that they name."""

import numpy as np
import pytest

from tests.browser.driver import choose_input, record, start
from tests.browser.sounds import keys_heard

FAKE_MIDI = """
    window.keyboard = { name: "A fake keyboard", state: "connected" };
    navigator.requestMIDIAccess = async () => ({ inputs: new Map([["1", window.keyboard]]) });
"""


def played(page, play) -> float:
    """The note, as a MIDI number, that sounds."""
    sound, rate = record(page, 1.0, play)
    heard = keys_heard(sound, rate)
    assert len(heard) > 20
    return float(np.median(heard))


@pytest.fixture
def keys(page):
    page.evaluate(FAKE_MIDI)
    choose_input(page, "keyboard")
    start(page, "Play the keys")
    return page


def test_every_kind_of_key_plays_its_note(keys) -> None:
    """A key of the computer, one of the page by mouse, and one of a MIDI keyboard."""
    assert abs(played(keys, lambda: keys.keyboard.down("d")) - 52) < 0.3  # E3
    keys.keyboard.up("d")

    def press() -> None:
        keys.hover("[data-key='57']", position={"x": 15, "y": 110})
        keys.mouse.down()

    assert abs(played(keys, press) - 57) < 0.3
    assert keys.get_attribute("[data-key='57']", "aria-pressed") == "true"
    keys.mouse.up()
    keys.click("#connect-midi")
    keys.locator("#midi", has_text="A fake keyboard").wait_for()
    message = "keyboard.onmidimessage({ data: new Uint8Array([0x92, 62, 90]) })"
    assert abs(played(keys, lambda: keys.evaluate(message)) - 62) < 0.3
    keys.evaluate("keyboard.onmidimessage({ data: new Uint8Array([0x82, 62, 0]) })")
    assert keys.get_attribute("[data-key='62']", "aria-pressed") == "false"


def test_arrows_walk_along_the_piano_and_space_plays(keys) -> None:
    keys.focus("[data-key='48']")
    keys.keyboard.press("ArrowRight")
    keys.keyboard.press("ArrowRight")
    assert abs(played(keys, lambda: keys.keyboard.down("Space")) - 50) < 0.3
    keys.keyboard.up("Space")
    assert keys.get_attribute("[data-key='50']", "aria-pressed") == "false"
    keys.keyboard.press("x")
    assert keys.inner_text("#keys-range") == "C4 to C6"
