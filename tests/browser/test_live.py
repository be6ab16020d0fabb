"""Sounds go into the page, and what it records is listened to."""

from pathlib import Path

import numpy as np

from tests.browser.driver import Log, choose_input, record, says, start
from tests.browser.sounds import NOTE_S, TUNE, chord, hummed, keys_heard, level_db, spoken, wav

RATE = 48_000


def test_a_hummed_tune_comes_back_on_the_cello(launch, address: str, tmp_path: Path) -> None:
    """Through a microphone."""
    microphone = wav(tmp_path / "microphone.wav", hummed(RATE), RATE)
    with launch(microphone) as browser:
        page = browser.new_page()
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


BROKEN = {
    "too old": "WebAssembly.validate = () => false",
    "switched off": "delete window.WebAssembly",
    "AudioWorklet": "delete window.AudioWorkletNode",
    "https://": "Object.defineProperty(window, 'isSecureContext', { value: false })",
}


def test_a_browser_that_cannot_play_is_told_why(page) -> None:
    ask = """async () => (await import(new URL("problems.js", location.href))).missing(new ArrayBuffer(8))"""
    for words, fault in BROKEN.items():  # each is asked for before the one above it
        page.evaluate(fault)
        assert words in page.evaluate(ask)


def test_once_loaded_the_page_needs_no_server(browser, address: str, log: Log) -> None:
    """All instruments and rooms come in the background; then the network may go."""
    page = browser.new_page()
    page.goto(address)
    says(page, "Ready")
    for last in ("instruments/violin.safetensors", "rooms/tunnel.wav"):
        for _ in range(100):
            loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
            if any(name.endswith(last) for name in loaded):
                break
            page.wait_for_timeout(100)
    page.wait_for_timeout(300)
    page.context.set_offline(True)
    page.locator(".choice", has_text="violin").click()
    page.locator(".choice", has_text="tunnel").click()
    start(page, "Listening")
    page.click("#start")
    says(page, "Stopped")
    choose_input(page, "file")
    start(page, "Playing")
    sound, _ = record(page, 1.5)
    assert level_db(sound) > -50
    page.context.close()
    log.errors[:] = [error for error in log.errors if "icon.svg" not in error]  # the tab's, which the browser asks for


HOWL = """async ({ kind }) => {
    const { HowlWatch } = await import(new URL("howl.js", location.href));
    const watch = new HowlWatch(), down = [];
    for (let step = 0; step < 3600; step++) { // a minute
        const time = step / 60;
        // A loop grows, or sustains itself, and follows the output; a player holds a note, or sings phrases.
        const rising = Math.min(-6, -60 + step / 5), sung = time % 3 > 2.7 ? -70 : -20;
        const levels = { rising, sustained: -12, held: -12, sung };
        const follows = kind === "rising" || kind === "sustained";
        const late = down.at(-20) ?? 1; // 0.33 s
        const hz = kind === "sung" ? 220 * 2 ** (Math.floor(3 * time) % 5 / 12) : 220;
        down.push(watch.step(time, hz, 1, levels[kind] + (follows ? 20 * Math.log10(late) : 0)));
    }
    return [watch.found, down.filter((gain) => gain < 1).length / 60];
}"""


def test_feedback_is_turned_down_and_players_are_not(resting) -> None:
    for kind in ("rising", "sustained"):
        assert resting.evaluate(HOWL, {"kind": kind})[0]
    found, down_s = resting.evaluate(HOWL, {"kind": "held"})
    assert not found
    assert down_s < 4  # of a note that is held for a minute
    assert resting.evaluate(HOWL, {"kind": "sung"}) == [False, 0]
