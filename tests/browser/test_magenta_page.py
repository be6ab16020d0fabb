"""The page on which Magenta.js plays a clip beside the engine: it needs no other host, and plays the clip's notes."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.magenta_js import bundle, served
from benchmarks.report import Unavailable
from retimbre import analyze, load, read, write
from retimbre.app.magenta import POLICY, content
from retimbre.export.magenta import export, loudness_db
from tests.browser.axe import faults

RATE = 44_100
F0_HZ = 220.0


def hummed() -> np.ndarray:
    """Two seconds of ten harmonics at 220 Hz, which swell and fade."""
    time_s = np.arange(2 * RATE) / RATE
    wave = sum(np.sin(2 * np.pi * k * F0_HZ * time_s) / k for k in range(1, 11))
    return (0.2 * wave * np.sin(np.pi * time_s / 2) ** 2).astype(np.float32)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        page = content(bundle())
    except Unavailable as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("page")
    for name, data in (page | {"broken.wav": b"RIFF"}).items():
        (folder / name).write_bytes(data)
    write(folder / "clip.wav", hummed(), RATE)
    export(load("violin"), folder / "violin", frames=500)
    with served(folder, POLICY) as address:
        yield f"{address}index.html"


def test_magenta_plays_the_clips_note_in_the_octave_asked_for(browser, address: str, tmp_path: Path) -> None:
    """Of itself it would take 220 Hz an octave up, nearer to the violin's middle."""
    page = browser.new_page()
    page.goto(f"{address}?clip=clip.wav&ours=clip.wav&instrument=violin/&octave=0")
    page.locator("#status", has_text="Ready").wait_for()
    found = page.evaluate(
        """async (samples) => (await import("./features.js")).loudness(Float32Array.from(samples))""",
        hummed()[:3000].tolist(),
    )
    np.testing.assert_allclose(found, loudness_db(hummed()[:3000]), atol=1e-3)
    page.click("#play")
    page.locator("#status[data-kind]", has_text=re.compile("ready to be heard|did not")).wait_for(timeout=120_000)
    assert "ready" in page.inner_text("#status")
    with page.expect_download() as download:
        page.click("#played a")
    played = tmp_path / "played.wav"
    played.write_bytes(Path(download.value.path()).read_bytes())
    sound, rate = read(played)
    assert len(sound) == pytest.approx(2 * rate, rel=1e-3)
    heard = analyze(sound, rate).cut(0.6, 1.4)
    assert np.median(heard.f0_hz) == pytest.approx(F0_HZ, rel=2e-3)
    assert heard.voiced.mean() > 0.9
    assert page.locator("audio:visible").count() == 3
    assert not faults(page)
    page.close()


@pytest.mark.parametrize(
    ("query", "words"),
    [("", "Which clip"), ("?clip=none.wav", "clip is not there"), ("?clip=broken.wav", "cannot be used")],
)
def test_what_the_page_cannot_use_is_told(query: str, words: str, browser, address: str, log) -> None:
    page = browser.new_page()
    page.goto(address + query)
    page.locator("#status[data-kind=problem]", has_text=words).wait_for()
    assert page.is_disabled("#play")
    page.close()
    log.clear()  # that a file is missing is an error of the browser's
