"""One sound through every page of the app, uploaded or hummed into the microphone: what is played there is in tune."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.apps import bring, downloaded, rested, turn_to, visit
from tests.browser.driver import choose_input, says, start
from tests.browser.sounds import TUNE, hummed, keys_heard, read, wav
from tests.browser.test_app import assert_plays

pytest.importorskip("streamlit", reason="Streamlit is not installed")

RATE = 48_000


def played(page: Any, place: int) -> tuple[np.ndarray, int]:
    """What a player of the page plays."""
    rested(page)
    url = page.locator("audio").nth(place).evaluate("(player) => player.currentSrc || player.src")
    return read(page.request.get(url).body())


def assert_in_tune(sound: np.ndarray, rate: int) -> None:
    """What is heard is a note of the tune, in whatever octave."""
    heard = keys_heard(sound if sound.ndim == 1 else sound.mean(axis=1), rate)
    off = (heard[:, None] - np.array(TUNE) + 6) % 12 - 6
    assert len(heard) > 50 and (np.abs(off).min(axis=1) < 0.5).mean() > 0.8


@pytest.mark.parametrize("way", ["Upload", "Record"])
def test_a_sound_goes_through_every_page(way: str, app: str, launch: Callable, tmp_path: Path) -> None:
    mine = wav(tmp_path / "mine.wav", hummed(RATE), RATE)
    with launch(mine) as browser, visit(browser, app) as page:
        if way == "Upload":
            bring(page, mine)
        else:
            page.get_by_role("radio", name="Record").click()
            page.get_by_role("button", name="Record", exact=True).click()
            page.wait_for_timeout(6000)
            page.get_by_role("button", name="Stop recording").click()
        name = "mine.wav" if way == "Upload" else "recording.wav"
        page.locator("[data-testid=stMarkdown]", has_text=name).first.wait_for()
        assert_plays(*downloaded(page))

        turn_to(page, "How it works")
        page.get_by_role("heading", name="Synthesise").wait_for()
        rested(page)
        for place in (0, page.locator("audio").count() - 1):  # the sound itself, and the last step
            assert_in_tune(*played(page, place))
        page.screenshot(path=tmp_path / f"how_{way}.png")

        turn_to(page, "Rooms")
        page.locator("[data-testid=stMarkdown]", has_text=name).first.wait_for()
        assert_in_tune(*played(page, 0))
        assert_in_tune(*played(page, 1))
        page.screenshot(path=tmp_path / f"rooms_{way}.png")

        turn_to(page, "Live")
        says(page, "Ready")
        if way == "Upload":
            choose_input(page, "file")
            page.locator("#sound-file").set_input_files(mine)
            says(page, "mine")
            start(page, "Playing")
        else:
            choose_input(page, "microphone")
            start(page, "Listening")
        page.wait_for_timeout(1500)  # in which it finds the player's loudness and octave
        page.locator("#record").click()
        page.wait_for_timeout(4000)
        with page.expect_download() as download:
            page.locator("#record").click()
        assert_in_tune(*read(Path(download.value.path()).read_bytes()))
        page.screenshot(path=tmp_path / f"live_{way}.png")

        turn_to(page, "Gallery")
        assert page.locator("audio").count() >= 2
        turn_to(page, "Train")
        page.locator("[data-testid=stFileUploader] input").set_input_files(mine)
        page.get_by_text("Not enough to train on").wait_for()
