"""Sounds go into the page, and what it records is listened to."""

from pathlib import Path

import numpy as np

from tests.browser.driver import record, says, start, watch
from tests.browser.sounds import NOTE_S, TUNE, chord, hummed, keys_heard, level_db, spoken, wav

RATE = 48_000


def test_a_hummed_tune_comes_back_on_the_cello(launch, address: str, tmp_path: Path) -> None:
    """Through a microphone, with nothing asked of another host and nothing that the content policy forbids."""
    microphone = wav(tmp_path / "microphone.wav", hummed(RATE), RATE)
    with launch(microphone) as browser:
        page = browser.new_page()
        log = watch(page)
        page.goto(address)
        says(page, "Ready")
        start(page, "Listening")
        sound, rate = record(page, 1.5 * len(TUNE) * NOTE_S)
        page.screenshot(path=tmp_path / "page.png")
        assert page.inner_text("#latency").startswith("Delay ")
    assert rate in (44_100, 48_000)
    heard = keys_heard(sound, rate)
    nearest = np.abs(heard[:, None] - TUNE).min(axis=1)
    assert np.mean(nearest < 0.5) > 0.9
    assert {TUNE[n] for n in np.abs(heard[:, None] - TUNE).argmin(axis=1)[nearest < 0.5]} == set(TUNE)
    assert not log.errors
    assert log.hosts == {address.split("/")[2]}


def test_whatever_goes_in_nothing_bad_comes_out(page, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, 2 * RATE)
    sounds = {"silence": np.zeros(2 * RATE), "noise": noise, "chord": chord(RATE), "speech": spoken(RATE)}
    for kind, sound in sounds.items():
        page.set_input_files("#sound-file", wav(tmp_path / f"{kind}.wav", sound, RATE))
        says(page, f"{kind}.wav: press Start.")
        start(page, "Playing")
        heard, _ = record(page, 1.2)
        page.click("#start")
        says(page, "Stopped")
        assert len(heard) > RATE // 2
        assert np.abs(heard).max() <= 1
        if kind == "silence":
            assert level_db(heard) < -60
        elif kind in ("chord", "speech"):
            assert level_db(heard) > -50


def test_microphone_that_is_not_allowed_is_explained(browser, address: str) -> None:
    page = browser.new_page()
    page.add_init_script("""navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException("Permission denied", "NotAllowedError");
    };""")
    page.goto(address)
    says(page, "Ready")
    page.click("#start")
    page.click("#headphones-on")
    says(page, "allow the microphone")
    assert page.inner_text("#start-text") == "Start"
    page.close()


def test_unplugged_microphone_is_explained(browser, address: str) -> None:
    page = browser.new_page()
    page.add_init_script("""const open = MediaDevices.prototype.getUserMedia;
        MediaDevices.prototype.getUserMedia = async function (...wishes) {
            return (window.heard = await open.apply(this, wishes));
        };""")
    page.goto(address)
    says(page, "Ready")
    start(page, "Listening")
    page.evaluate("window.heard.getTracks()[0].dispatchEvent(new Event('ended'))")
    says(page, "unplugged")
    page.close()


HOWL = """async ({ feedback }) => {
    const { HowlWatch } = await import(new URL("howl.js", location.href));
    const watch = new HowlWatch();
    let level = -40, gain = 1, least = 1;
    for (let step = 0; step < 600 && !watch.found; step++) { // ten seconds
        // A loop whose gain is above one grows by 12 dB a second up to the limiter, and follows the output down.
        level = feedback ? Math.min(-6, level + 0.2) : Math.min(-12, -40 + step / 6);
        const heard = feedback ? level + 20 * Math.log10(gain) : level;
        gain = watch.step(step / 60, 440, 1, heard, 0.9);
        least = Math.min(least, gain);
    }
    return [watch.found, gain, least];
}"""


def test_feedback_is_turned_down_and_a_crescendo_is_not(page) -> None:
    found, gain, least = page.evaluate(HOWL, {"feedback": True})
    assert found
    assert gain == least == 0.25  # 12 dB down
    found, gain, _ = page.evaluate(HOWL, {"feedback": False})
    assert not found
    assert gain == 1
