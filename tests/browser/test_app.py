"""The app in a browser: what is downloaded is in tune, nobody else is asked for anything, and the live page plays."""

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.apps import bring, downloaded, rested, turn_to, visit
from tests.browser.driver import choose_input, record, says, start
from tests.browser.sounds import TUNE, hummed, keys_heard, read, wav

pytest.importorskip("streamlit", reason="Streamlit is not installed")


def assert_plays(sound: np.ndarray, rate: int, shifts: tuple[int, ...] = (-12, 0, 12)) -> None:
    """Every note of the tune is there, in one octave or at one of these distances, and hardly anything else."""
    heard = keys_heard(sound, rate)
    shift = min(shifts, key=lambda shift: float(np.median(np.abs(heard - np.median(TUNE) - shift))))
    distance = np.abs(heard[:, None] - np.array(TUNE) - shift)
    assert np.median(distance.min(axis=1)) < 0.3
    assert all((near < 0.5).mean() > 0.05 for near in distance.T)


def assert_in_tune(sound: np.ndarray, rate: int) -> None:
    """What is heard is a note of the tune, in whatever octave."""
    heard = keys_heard(sound if sound.ndim == 1 else sound.mean(axis=1), rate)
    off = (heard[:, None] - np.array(TUNE) + 6) % 12 - 6
    assert len(heard) > 50 and (np.abs(off).min(axis=1) < 0.5).mean() > 0.8


def played(page: Any, place: int) -> tuple[np.ndarray, int]:
    """What a player of the page plays."""
    rested(page)
    url = page.locator("audio").nth(place).evaluate("(player) => player.currentSrc || player.src")
    with urllib.request.urlopen(url) as answer:
        return read(answer.read())


def test_an_uploaded_tune_comes_back_in_tune_and_plays_live(app: str, browser, tmp_path: Path) -> None:
    mine = wav(tmp_path / "mine.wav", hummed(48_000), 48_000)
    with visit(browser, app) as page:
        bring(page, mine)
        page.locator("[data-testid=stMarkdown]", has_text="mine.wav").wait_for()
        assert_plays(*downloaded(page))

        turn_to(page, "Live")
        says(page, "Ready")
        choose_input(page, "file")
        start(page, "Playing")  # the tune that is there
        page.wait_for_function(
            """() => [...document.querySelectorAll('*')].map((one) => one.shadowRoot?.getElementById('note'))
                .some((note) => /[A-G]/.test(note?.textContent ?? ''))"""
        )
        page.click("#start")
        says(page, "Stopped")
        page.locator("#sound-file").set_input_files(mine)
        says(page, "mine")
        start(page, "Playing")
        assert_in_tune(*record(page, 3))

        turn_to(page, "How it works")  # it falls silent, and lets go
        page.get_by_role("heading", name="Decode").wait_for()
        assert_in_tune(*played(page, 0))


def test_other_answers_come_with_the_policy_too(app: str) -> None:
    for path in ("", "live-files/engine.wasm", "_stcore/health"):
        with urllib.request.urlopen(app + path) as answer:
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    with pytest.raises(urllib.error.HTTPError, match=r"40\d"):
        urllib.request.urlopen(app + "live-files/../launch.py")
