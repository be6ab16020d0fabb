"""The page of Magenta.js in the app: both play the visitor's clip alike, and nobody else can hear it."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import numpy as np
import pytest

pytest.importorskip("streamlit", reason="Streamlit is not installed")

from benchmarks.magenta_js import bundle
from benchmarks.report import Unavailable
from retimbre.app.magenta import FRAMED
from tests.browser.apps import bring, rested, serving, turn_to, visit
from tests.browser.sounds import read, wav

RATE, SECONDS, F0_HZ = 48_000, 3.0, 220.0
RENDERING_MS = 120_000
STRONGEST = 10


@pytest.fixture(scope="module")
def app() -> Iterator[str]:
    """A server with a copy of Magenta.js, behind a path."""
    try:
        options = ("--magenta-js", str(bundle()), "--base-path", "some/path")
    except Unavailable as reason:
        pytest.skip(str(reason))
    with serving(*options) as address:
        yield address


def held() -> np.ndarray:
    """One note with vibrato, which swells and fades."""
    time_s = np.arange(round(SECONDS * RATE)) / RATE
    phase = 2 * np.pi * (F0_HZ * time_s + 0.2 * np.sin(2 * np.pi * 5 * time_s))
    wave = sum(np.sin(k * phase) / k for k in range(1, 11))
    return (0.15 * wave * np.sin(np.pi * time_s / SECONDS) ** 2).astype(np.float32)


def harmonics_db(sound: np.ndarray, rate: int) -> np.ndarray:
    """Levels of the first harmonics of `F0_HZ` in the middle of a sound, each with its vibrato."""
    middle = sound[round(rate * (SECONDS / 2 - 0.5)) : round(rate * (SECONDS / 2 + 0.5))]
    power = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) ** 2
    hz = np.fft.rfftfreq(len(middle), 1 / rate)
    return np.array([10 * np.log10(power[np.abs(hz - k * F0_HZ) < F0_HZ / 4].sum()) for k in range(1, 20)])


def test_both_play_the_uploaded_clip(app: str, browser, tmp_path: Path) -> None:
    """Ten harmonics are as strong as the engine's, as far as Magenta.js' own room and fit of loudness allow.

    A room of noise raises and lowers each by a few dB. (test_magenta.py compares without: 0.1 dB.)
    """
    with visit(browser, app) as page:
        bring(page, wav(tmp_path / "mine.wav", held(), RATE))
        page.locator("[data-testid=stMarkdown]", has_text="mine.wav").wait_for()
        page.get_by_role("radio", name="violin").click()
        rested(page)
        turn_to(page, "Magenta.js")
        shown = page.frame_locator("iframe")
        shown.locator("#status", has_text="Ready").wait_for()
        assert shown.locator("#fetches").inner_text() == ""  # nothing will be asked of anybody
        shown.get_by_role("button", name="Play it in Magenta.js").click()
        shown.locator("#status[data-kind]", has_text=re.compile("ready to be|not work")).wait_for(timeout=RENDERING_MS)
        assert "ready" in shown.locator("#status").inner_text()
        with page.expect_download() as download:
            shown.locator("#played a").click()
        theirs = harmonics_db(*read(Path(download.value.path()).read_bytes()))
        frame = page.frames[1]
        with urllib.request.urlopen(urljoin(frame.url, parse_qs(urlsplit(frame.url).query)["ours"][0])) as answer:
            ours = harmonics_db(*read(answer.read()))
    strongest = np.argsort(ours)[-STRONGEST:]
    differences = (theirs - ours)[strongest] - np.median((theirs - ours)[strongest])
    assert np.median(np.abs(differences)) < 2 and np.abs(differences).max() < 8


def test_a_visitors_clip_is_theirs_alone(app: str, browser) -> None:
    with visit(browser, app) as first, visit(browser, app) as second:
        addresses = []
        for page in (first, second):
            turn_to(page, "Magenta.js")
            page.frame_locator("iframe").locator("#status", has_text="Ready").wait_for()
            frame = page.frames[1].url
            addresses.append(urljoin(frame, parse_qs(urlsplit(frame).query)["clip"][0]))
        (secret, one), (other, two) = (address.rsplit("/", 3)[1:3] for address in addresses)
        assert one == two and secret != other and min(len(secret), len(other)) >= 43  # 256 bits
        with urllib.request.urlopen(addresses[0]) as answer:
            assert answer.headers["Content-Security-Policy"] == FRAMED
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Content-Type"] == "audio/wav"
        for path in ("clip.wav", f"{one}/clip.wav", f"x{secret}/{one}/clip.wav", f"{secret}/../{one}", f"{secret}/"):
            with pytest.raises(urllib.error.HTTPError, match=r"40\d"):
                urllib.request.urlopen(f"{app}magenta-files/{path}")
