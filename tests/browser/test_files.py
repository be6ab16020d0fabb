"""Files that are dropped: whatever they hold, the page says what they are and plays on."""

import json
import struct
from base64 import b64decode, b64encode
from pathlib import Path

import numpy as np
import safetensors.numpy

from retimbre.instrument import load, write_file
from retimbre.rooms.library import to_text
from retimbre.rooms.measured import MeasuredRoom
from retimbre.rooms.room import Room
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


def response_of(page, data: bytes, rate: int) -> np.ndarray:
    """What the page makes of a room's file, [taps]."""
    text = page.evaluate(
        """async ([data, rate]) => {
            const { readRoom } = await import(new URL("room.js", location.href));
            const room = await readRoom(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer, { own: true });
            const bytes = new Uint8Array((await room.at(rate)).slice().buffer);
            return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
        }""",
        [b64encode(data).decode(), rate],
    )
    return np.frombuffer(b64decode(text), "<f4")


def test_a_room_of_ones_own_is_that_of_python(page, tmp_path: Path) -> None:
    """A measured response, whatever silence comes before it and however loud it is."""
    rate = 48_000
    time_s = np.arange(rate) / rate
    response = 0.02 * np.random.default_rng(5).standard_normal(rate) * 10 ** (-3 * time_s / 0.8)
    response[0] = 0.4
    path = wav(tmp_path / "hall.wav", np.concatenate([np.zeros(500), response]), rate)
    assert drop(page, "hall.wav", path.read_bytes(), "#room-panel legend") == "hall is chosen."
    taps, expected = response_of(page, path.read_bytes(), rate), MeasuredRoom.load(path).to_rir(rate)
    assert len(taps) == len(expected)
    assert np.abs(taps - expected).max() < 0.002 * expected.max()


COLOURED = Room(
    (125.0, 500.0, 2000.0),
    decay_s=(0.9, 0.7, 0.4),
    level_db=(-3.0, -5.0, -8.0),
    length_s=0.75,
    seed=7,
    name="my hall",
    predelay_s=0.012,
    second_decay_s=(0.1, 0.08, 0.05),
    second_level_db=(-6.0, -4.0, -2.0),
    gain_db=-2.5,
    colour_db=(-4.0, 0.0, 3.0),
    decay_spread=(0.1, 0.1, 0.1),
    level_spread_db=(1.0, 1.0, 1.0),
)
PLAIN = Room((1000.0,), (0.3,), (0.0,), length_s=0.2)


def test_a_room_of_numbers_is_that_of_python(page) -> None:
    data = to_text(COLOURED.to_json()).encode()
    assert drop(page, "room.json", data) == "my hall is chosen."
    for room in (COLOURED, PLAIN):
        for rate in (48_000, 44_100, 96_000):
            taps, expected = response_of(page, to_text(room.to_json()).encode(), rate), room.to_rir(rate)
            assert len(taps) == len(expected)
            assert np.abs(taps - expected).max() < 1e-4 * np.abs(expected).max()


def test_rooms_of_no_sane_numbers_are_refused(page) -> None:
    good = COLOURED.to_json()
    hostile = {
        "it is no room": b"{",
        "it is too large": b"{" + b" " * 2_000_000,
        "length_s must lie": json.dumps(good | {"length_s": 1e9}).encode(),
        "decay_s must be numbers": json.dumps(good | {"decay_s": [1, 0, 1]}).encode(),
        "that rise": json.dumps(good | {"band_hz": [500, 125, 2000]}).encode(),
        "for each band": json.dumps(good | {"level_db": [0]}).encode(),
        "colour_db must be numbers": json.dumps(good | {"colour_db": "loud"}).encode(),
        "seed must lie": json.dumps(good | {"seed": None}).encode().replace(b"null", b"-1"),
    }
    for reason, data in hostile.items():
        said = drop(page, "bad.json", data)
        assert said.startswith("bad.json: it ") and reason in said
    assert page.locator("[name=room]:checked").count() == 1
