"""A hummed sound through every page of the app: what is played there is in tune."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.apps import downloaded, turn_to, visit
from tests.browser.driver import choose_input, record, says, start
from tests.browser.sounds import NOTE_S, TUNE, hummed, wav
from tests.browser.test_app import assert_in_tune, assert_plays, played

pytest.importorskip("streamlit", reason="Streamlit is not installed")

RATE = 48_000


def test_a_hummed_sound_goes_through_every_page(app: str, launch: Callable, tmp_path: Path) -> None:
    mine = wav(tmp_path / "mine.wav", hummed(RATE), RATE)
    with launch(mine) as browser, visit(browser, app) as page:
        page.get_by_role("radio", name="Record").click()
        page.get_by_role("button", name="Record", exact=True).click()
        page.wait_for_timeout(1000 * (len(TUNE) * NOTE_S + 2))
        page.get_by_role("button", name="Stop recording").click()
        page.locator("[data-testid=stMarkdown]", has_text="recording.wav").first.wait_for()
        assert_plays(*downloaded(page))

        turn_to(page, "How it works")
        page.get_by_role("heading", name="Synthesise").wait_for()
        for place in (0, page.locator("audio").count() - 1):  # the sound itself, and the last step
            assert_in_tune(*played(page, place))

        turn_to(page, "Rooms")
        page.locator("[data-testid=stMarkdown]", has_text="recording.wav").first.wait_for()
        assert_in_tune(*played(page, 0))
        assert_in_tune(*played(page, 1))

        turn_to(page, "Live")
        says(page, "Ready")
        choose_input(page, "microphone")
        start(page, "Listening")
        page.wait_for_timeout(1500)  # in which it finds the player's loudness and octave
        assert_in_tune(*record(page, len(TUNE) * NOTE_S))

        turn_to(page, "Gallery")
        assert page.locator("audio").count() >= 2
        turn_to(page, "Train")
        page.locator("[data-testid=stFileUploader] input").set_input_files(mine)
        page.get_by_text("Not enough to train on").wait_for()
