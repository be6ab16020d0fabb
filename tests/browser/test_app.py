"""The app in a browser: what is downloaded is in tune, nobody else is asked for anything, and the live page plays."""

import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.browser.apps import bring, downloaded, rested, visit
from tests.browser.driver import choose_input, says, start
from tests.browser.sounds import TUNE, hummed, keys_heard, read, wav

pytest.importorskip("streamlit", reason="Streamlit is not installed")


def assert_plays(sound: np.ndarray, rate: int, shifts: tuple[int, ...] = (-12, 0, 12)) -> None:
    """Every note of the tune is there, in one octave or at one of these distances, and hardly anything else."""
    heard = keys_heard(sound, rate)
    shift = min(shifts, key=lambda shift: float(np.median(np.abs(heard - np.median(TUNE) - shift))))
    distance = np.abs(heard[:, None] - np.array(TUNE) - shift)
    assert np.median(distance.min(axis=1)) < 0.3
    assert all((near < 0.5).mean() > 0.05 for near in distance.T)


def test_an_uploaded_tune_comes_back_in_tune(app: str, browser, tmp_path: Path) -> None:
    mine = wav(tmp_path / "mine.wav", hummed(48_000), 48_000)
    with visit(browser, app) as page:
        bring(page, mine)
        page.locator("[data-testid=stMarkdown]", has_text="mine.wav").wait_for()
        assert_plays(*downloaded(page))


def test_a_hummed_tune_comes_back_in_tune(app: str, launch: Callable, tmp_path: Path) -> None:
    with launch(wav(tmp_path / "hum.wav", hummed(48_000), 48_000)) as browser, visit(browser, app) as page:
        page.get_by_role("radio", name="Record").click()
        page.get_by_role("button", name="Record", exact=True).click()
        page.wait_for_timeout(6000)
        page.get_by_role("button", name="Stop recording").click()
        page.locator("[data-testid=stMarkdown]", has_text="recording.wav").wait_for()
        assert_plays(*downloaded(page))


def test_live_plays_inside_the_app(app: str, browser) -> None:
    with visit(browser, app) as page:
        page.get_by_role("link", name="Live").click()
        says(page, "Ready")
        choose_input(page, "file")
        start(page, "Playing")
        page.wait_for_function(
            """() => [...document.querySelectorAll('*')].map((one) => one.shadowRoot?.getElementById('note'))
                .some((note) => /[A-G]/.test(note?.textContent ?? ''))"""
        )
        page.locator("#record").click()
        page.wait_for_timeout(3000)
        with page.expect_download() as download:
            page.locator("#record").click()
        sound, rate = read(Path(download.value.path()).read_bytes())
        distance = np.abs(keys_heard(sound, rate)[:, None] - [48, 50, 52, 53, 55, 57, 59, 60, 62, 64, 65, 67]).min(
            axis=1
        )
        assert len(distance) > 50 and (distance < 0.3).mean() > 0.7
        page.get_by_role("link", name="How it works").click()  # it falls silent, and lets go
        page.get_by_role("heading", name="Decode").wait_for()
        rested(page)


def test_other_answers_come_with_the_policy_too(app: str) -> None:
    for path in ("", "live-files/engine.wasm", "_stcore/health"):
        with urllib.request.urlopen(app + path) as answer:
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    with pytest.raises(urllib.error.HTTPError, match=r"40\d"):
        urllib.request.urlopen(app + "live-files/../launch.py")
