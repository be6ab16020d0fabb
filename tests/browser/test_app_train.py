"""An instrument of one's own, in a browser: recordings in, watched while it learns, played, taken away."""

import re
from pathlib import Path

import numpy as np
import pytest

from retimbre.instrument import load
from tests.browser.apps import bring, downloaded, rested, turn_to, visit
from tests.browser.driver import says
from tests.browser.sounds import hummed, wav
from tests.browser.test_app import assert_plays

pytest.importorskip("streamlit", reason="Streamlit is not installed")
pytest.importorskip("torch", reason="PyTorch is not installed")

RATE = 48_000
PATIENCE_MS = 400_000


def reeds(folder: Path) -> list[Path]:
    """Notes of something like a reed pipe: odd harmonics above all, brighter when loud, a little breath."""
    rng, paths = np.random.default_rng(5), []
    time_s = np.arange(round(1.6 * RATE)) / RATE
    fade = np.clip(np.minimum(time_s / 0.04, (1.5 - time_s) / 0.1), 0, 1)
    for key in range(50, 70, 4):
        hz = 440 * 2 ** ((key - 69) / 12)
        for level in (0.08, 0.3):
            slope = 2.2 - 3 * level
            tone = sum(np.sin(2 * np.pi * k * hz * time_s) / k**slope * (1 if k % 2 else 0.2) for k in range(1, 24))
            breath = 0.02 * rng.standard_normal(len(time_s))
            paths.append(wav(folder / f"reed_{key}_{level}.wav", fade * level * (tone / 2 + breath), RATE))
    return paths


def test_a_tiny_instrument_is_trained_watched_and_played(app: str, browser, tmp_path: Path) -> None:
    with visit(browser, f"{app}train") as page:
        page.set_default_timeout(PATIENCE_MS)
        page.locator("[data-testid=stFileUploader] input").set_input_files(reeds(tmp_path))
        page.get_by_text("minutes of single notes", exact=False).first.wait_for()
        page.get_by_label("Its name").fill("reed")
        page.get_by_label("Its name").press("Enter")
        rested(page)
        thumb = page.get_by_role("slider", name="Training takes")
        for _ in range(3):  # from 4 minutes to 12 seconds
            thumb.press("ArrowLeft")
        page.get_by_text("12 s, to try it").first.wait_for()
        rested(page)
        page.get_by_role("button", name="Train", exact=True).click()
        page.get_by_text("reed is being learned").wait_for()

        page.reload()  # it goes on without the page ...
        page.get_by_text(re.compile("reed is (being learned|ready)")).wait_for()
        second = page.context.new_page()  # ... and a second window sees the same, and can be used meanwhile
        second.set_default_timeout(PATIENCE_MS)
        second.goto(app)
        bring(second, wav(tmp_path / "hum.wav", hummed(RATE), RATE))
        second.locator("[data-testid=stMarkdown]", has_text="hum.wav").first.wait_for()
        assert_plays(*downloaded(second))
        turn_to(second, "Train")
        second.get_by_text(re.compile("reed is (being learned|ready)")).wait_for()
        second.close()

        page.get_by_text("reed is ready").wait_for()
        page.get_by_role("img", name="Loss").or_(page.get_by_text("held-out recordings")).first.wait_for()
        assert page.locator("audio").count() >= 2  # a note as it was recorded, and as it is played
        page.screenshot(path=tmp_path / "ready.png")
        with page.expect_download() as download:
            page.get_by_role("button", name="Instrument").click()
        own = tmp_path / download.value.suggested_filename
        download.value.save_as(own)
        assert own.name == "reed.safetensors" and 48 < load(own).network.pitch.centre < 70

        page.get_by_role("button", name="Play it", exact=True).click()
        page.get_by_text("reed.safetensors plays").wait_for()
        bring(page, tmp_path / "hum.wav")
        page.locator("[data-testid=stMarkdown]", has_text="hum.wav").first.wait_for()
        assert_plays(*downloaded(page))
        turn_to(page, "Train")
        page.get_by_role("button", name="Play it live").click()
        says(page, "reed is chosen")
