"""Files that are dropped: whatever they hold, the page says what they are and plays on."""

import json
import struct
from base64 import b64encode
from pathlib import Path

import numpy as np
import safetensors.numpy

from retimbre.instrument import load, write_file
from tests.browser.driver import drop, record, says
from tests.browser.sounds import level_db, wav

MARKUP = "<img src=x onerror=alert(1)><b>bold"


def cello(folder: Path, change=lambda card, weights: None) -> bytes:
    """The cello's file, changed."""
    instrument = load("cello")
    card, weights = json.loads(json.dumps(instrument.card)), dict(instrument.weights)
    change(card, weights)
    path = folder / "changed.safetensors"
    write_file(path, card, weights, overwrite=True)
    return path.read_bytes()


def not_a_number(card: dict, weights: dict) -> None:
    weights["output.bias"] = np.full_like(weights["output.bias"], np.nan)


def another_shape(card: dict, weights: dict) -> None:
    weights["input.bias"] = np.zeros(7, np.float32)


def half_precision(card: dict, weights: dict) -> None:
    weights["input.bias"] = weights["input.bias"].astype(np.float16)


def too_wide(card: dict, weights: dict) -> None:
    card["network"]["channels"] = 4096


def newer(card: dict, weights: dict) -> None:
    card["format_version"] = 2


def test_hostile_instruments_are_refused_and_the_sound_goes_on(page, tmp_path: Path) -> None:
    page.click("#example")
    page.wait_for_selector("#record:enabled")
    whole = cello(tmp_path)
    gap = safetensors.numpy.save({"a": np.zeros(4, np.float32)}, {"card": "{}"}).replace(b"[0,16]", b"[4,20]")
    hostile = {
        "damaged (it is cut short": whole[:50_000],
        "damaged (its header is longer": struct.pack("<Q", 2**62) + whole[8:],
        "damaged (it is too short": b"",
        "damaged (its header cannot be read": struct.pack("<Q", 4) + b"\xff\xfe{]" + bytes(9),
        "damaged (its tensors overlap or leave gaps": gap,
        "no retimbre card": safetensors.numpy.save({"a": np.zeros(4, np.float32)}),
        "holds NaN": cello(tmp_path, not_a_number),
        "should be [96], is [7]": cello(tmp_path, another_shape),
        "should be float32, is F16": cello(tmp_path, half_precision),
        "outside what the engine can run": cello(tmp_path, too_wide),
        "use a newer retimbre": cello(tmp_path, newer),
    }
    for reason, data in hostile.items():
        said = drop(page, "bad.safetensors", data)
        assert said.startswith("bad.safetensors: it ")
        assert reason in said
        assert page.get_attribute("#status", "data-kind") == "problem"
    assert page.locator("[name=instrument]:checked").count() == 1
    sound, _ = record(page, 1.0)
    assert level_db(sound) > -50


def test_names_are_text(page, tmp_path: Path) -> None:
    """Markup in a card, and in a file's name, is shown and does nothing."""

    def named(card: dict, weights: dict) -> None:
        card["name"] = card["description"] = MARKUP

    assert drop(page, f"{MARKUP}.safetensors", cello(tmp_path, named)).endswith("is chosen.")
    assert MARKUP in page.inner_text("#about")
    assert MARKUP in drop(page, f"{MARKUP}.txt", b"")
    assert page.locator("main img, main b:not(.bar b), footer img").count() == 0


def test_an_instrument_that_breaks_the_engine_is_silent_and_the_next_one_plays(page, tmp_path: Path) -> None:
    """Weights that are numbers, but such that no network can add them up."""

    def huge(card: dict, weights: dict) -> None:
        card["name"] = "huge"
        for name, weight in weights.items():
            weights[name] = np.where(weight < 0, -3e38, 3e38).astype(np.float32)

    page.click("#example")
    page.wait_for_selector("#record:enabled")
    drop(page, "huge.safetensors", cello(tmp_path, huge))
    says(page, "The engine stopped")
    page.locator(".choice", has_text="flute").click()
    sound, _ = record(page, 1.5)
    assert level_db(sound) > -50


def test_what_is_no_sound_is_refused(page) -> None:
    for name, on in (("note.txt", "main"), ("voice.wav", "main"), ("room.wav", "#room-panel legend")):
        assert drop(page, name, b"Not a sound, nor an instrument.", on).startswith(f"{name}: ")
        page.locator("#status[data-kind=problem]").wait_for()


def test_a_room_of_ones_own(page, tmp_path: Path) -> None:
    """A measured response is placed with its direct sound first and as loud as the dry instrument, at any rate."""
    rate, decay_s = 44_100, 0.8
    time_s = np.arange(rate) / rate
    response = 0.2 * np.random.default_rng(5).standard_normal(rate) * 10 ** (-3 * time_s / decay_s) * 0.05
    response[0] = 0.2
    late = np.concatenate([np.zeros(441), response])
    data = wav(tmp_path / "hall.wav", late, rate).read_bytes()
    assert drop(page, "hall.wav", data, on="#room-panel legend") == "hall is chosen."
    taps = page.evaluate(
        """async (data) => {
            const { readRoom } = await import(new URL("room.js", location.href));
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            const room = await readRoom(bytes.buffer, { own: true });
            return Array.from(await room.at(48_000));
        }""",
        b64encode(data).decode(),
    )
    energy = np.square(taps)
    assert np.argmax(energy) < 10  # 0.2 ms
    assert abs(energy[:120].sum() - 1) < 1e-3  # 2.5 ms
    decay = np.log10(energy[4800:34_800].reshape(-1, 100).mean(axis=1))
    slope = np.polyfit(np.arange(300) * 100 / 48_000, 10 * decay, 1)[0]
    assert abs(-60 / slope - decay_s) < 0.05
