import copy
import json
import math
import pickle
import re
import struct
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from retimbre import instrument as module
from retimbre.controls import Controls
from retimbre.errors import RetimbreError
from retimbre.instrument import Instrument, Player, SynthParams, load, shipped, synthesize

DOCS = Path(__file__).parents[1] / "docs" / "instrument-file.md"
CARD = {
    "format": "retimbre instrument",
    "format_version": 1,
    "name": "Prüfling",
    "description": "random",
    "license": "CC0-1.0",
    "sources": [],
    "synthesis": {"frame_rate": 200, "harmonics": 20, "noise_band_hz": [50.0, 400.0, 1500.0, 5000.0, 12000.0]},
    "network": {"kind": "causal convolution", "channels": 16, "layers": 3, "pitches": 5},
    "pitch": {"centre": 60.0, "low": 36.0, "high": 84.0},
    "loudness": {"centre": -30.0, "low": -60.0, "high": -10.0, "quantiles": [-60.0 + place for place in range(51)]},
}


def random_weights(card: dict = CARD) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    shapes = module.Network.from_card(card).shapes
    weights = {
        name: (0.5 * rng.standard_normal(shape) / math.sqrt(math.prod(shape[:-1]))).astype(np.float32)
        for name, shape in shapes.items()
    }
    weights["output.bias"] -= 4  # as soft as an instrument
    return weights


@pytest.fixture
def instrument() -> Instrument:
    return Instrument(copy.deepcopy(CARD), random_weights())


def controls(frames: int = 120, loudness_db: float | None = None) -> Controls:
    rng = np.random.default_rng(6)
    loudness = rng.uniform(-50, -15, frames) if loudness_db is None else np.full(frames, loudness_db)
    return Controls(rng.uniform(100, 700, frames), rng.uniform(0.3, 1, frames), loudness)


def rms_db(audio) -> float:
    return float(10 * np.log10(np.mean(np.square(audio, dtype=np.float64)) + 1e-30))


# --- the file ----------------------------------------------------------------------------------------------------


def test_what_is_saved_is_loaded_to_the_bit(instrument, tmp_path):
    instrument.save(tmp_path / "a.safetensors")
    found = load(tmp_path / "a.safetensors")
    assert found.card == CARD and found.name == "Prüfling" and found.network == instrument.network
    assert list(found.weights) == list(instrument.weights)
    for name, weight in instrument.weights.items():
        assert found.weights[name].dtype == np.float32
        np.testing.assert_array_equal(found.weights[name], weight)
    np.testing.assert_array_equal(found.play(controls(), 48000), instrument.play(controls(), 48000))


def test_the_same_instrument_makes_the_same_bytes(instrument, tmp_path):
    paths = [tmp_path / f"{number}.safetensors" for number in range(4)]
    instrument.save(paths[0])
    instrument.save(paths[1])
    load(paths[0]).save(paths[2])
    again = [sys.executable, "-c", f"import retimbre; retimbre.load({str(paths[0])!r}).save({str(paths[3])!r})"]
    subprocess.run(again, check=True)  # another process, another hash seed
    assert len({path.read_bytes() for path in paths}) == 1


def test_saving_does_not_replace_a_file_unasked(instrument, tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_text("mine")
    with pytest.raises(RetimbreError, match=re.escape(str(path))):
        instrument.save(path)
    assert path.read_text() == "mine"
    instrument.save(path, overwrite=True)
    assert load(path).card == CARD
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.safetensors"], "leaves something behind"


def test_the_ten_lines_of_the_documentation_read_it_without_retimbre(instrument, tmp_path):
    """Exactly the code that docs/instrument-file.md prints, with json, struct and NumPy alone."""
    instrument.save(tmp_path / "cello.safetensors")
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.S)
    assert {word for line in re.findall(r"^import (.*)$", code, flags=re.M) for word in line.split(", ")} <= {
        "json",
        "struct",
        "numpy as np",
    }
    code += "\nnp.savez('read.npz', **weights)\nopen('card.json', 'w', encoding='utf-8').write(json.dumps(card))\n"
    subprocess.run([sys.executable, "-I", "-W", "ignore", "-c", code], cwd=tmp_path, check=True, capture_output=True)
    assert json.loads((tmp_path / "card.json").read_text(encoding="utf-8")) == CARD
    with np.load(tmp_path / "read.npz") as read:
        assert set(read) == set(instrument.weights)
        for name, weight in instrument.weights.items():
            np.testing.assert_array_equal(read[name], weight)


# --- files that are not instruments, or are made to hurt ---------------------------------------------------------


def packed(weights: dict, card: object = CARD, **metadata: str) -> bytes:
    text = card if isinstance(card, str) else json.dumps(card)
    return safetensors.numpy.save(weights, {"card": text, **metadata})


def changed(path: str, value: object = None, *, remove: bool = False) -> dict:
    """The card with one entry set or removed; the path is written with dots."""
    card = copy.deepcopy(CARD)
    *folders, key = path.split(".")
    place = card
    for folder in folders:
        place = place[folder]
    if remove:
        del place[key]
    else:
        place[key] = value
    return card


def raw(header: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def good() -> bytes:
    return packed(random_weights())


def with_weight(name: str, value: np.ndarray | None) -> bytes:
    weights = random_weights()
    if value is None:
        del weights[name]
    else:
        weights[name] = value
    return packed(weights)


def with_dtype(code: str, size: int) -> bytes:
    """Every weight of another type."""
    header, at = {"__metadata__": {"card": json.dumps(CARD)}}, 0
    for name, shape in module.Network.from_card(CARD).shapes.items():
        end = at + math.prod(shape) * size
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [at, end]}
        at = end
    return raw(json.dumps(header).encode(), bytes(at))


BIAS = "input.bias"
NO_CARD = safetensors.numpy.save({"a": np.zeros(3, np.float32)})
CODE = b"cos\nsystem\n(S'touch owned'\ntR."
HOSTILE = {
    "empty": b"",
    "seven bytes": b"1234567",
    "eight bytes": b"12345678",
    "zeros": bytes(4096),
    "header of 2^60 bytes": raw(b"{}", length=2**60),
    "header of 2^64 - 1 bytes": raw(b"{}", length=2**64 - 1),
    "header beyond the end": raw(b"{}", length=3),
    "header of no JSON": raw(b"{not json at all}"),
    "header is a list": raw(b"[1, 2, 3]"),
    "header not UTF-8": raw(b"\xff\xfe\x00{}"),
    "header nested deep": raw(b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "data cut off": good()[:-100],
    "data beyond the end": good() + b"more",
    "offsets overlap": raw(
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}',
        bytes(12),
    ),
    "offsets run backwards": raw(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}', bytes(8)),
    "shape of 2^62": raw(b'{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}', bytes(8)),
    "no card": NO_CARD,
    "card not JSON": packed(random_weights(), "{"),
    "card is a number": packed(random_weights(), "3"),
    "card is null": packed(random_weights(), "null"),
    "card is a list": packed(random_weights(), "[]"),
    "card nested deep": packed(random_weights(), "[" * 100_000),
    "card with a number of 5000 digits": packed(random_weights(), '{"format_version": ' + "9" * 5000 + "}"),
    "newer version": packed(random_weights(), changed("format_version", 2)),
    "version is a text": packed(random_weights(), changed("format_version", "1")),
    "version 0": packed(random_weights(), changed("format_version", 0)),
    "weight missing": with_weight(BIAS, None),
    "weight of wrong shape": with_weight(BIAS, np.zeros(17, np.float32)),
    "weight transposed": with_weight("output.weight", np.ascontiguousarray(random_weights()["output.weight"].T)),
    "weight NaN": with_weight(BIAS, np.full(16, np.nan, np.float32)),
    "weight infinite": with_weight(BIAS, np.full(16, np.inf, np.float32)),
    "weight beyond float32": with_weight(BIAS, np.full(16, 1e300)),
    "weight complex": with_weight(BIAS, np.full(16, 1j, np.complex64)),
    "weights of integers": with_dtype("I32", 4),
    "weights of truth values": with_dtype("BOOL", 1),
    "weights of bfloat16": with_dtype("BF16", 2),
    "weights of half floats": with_dtype("F16", 2),
    "weights of quarter floats": with_dtype("F8_E4M3", 1),
    "weights of doubles": with_dtype("F64", 8),
    "channels 10^9": packed(random_weights(), changed("network.channels", 10**9)),
    "channels 10^400": packed(random_weights(), changed("network.channels", 10**400)),
    "channels 1e999": packed(random_weights(), json.dumps(CARD).replace('"channels": 16', '"channels": 1e999')),
    "channels NaN": packed(random_weights(), changed("network.channels", math.nan)),
    "channels negative": packed(random_weights(), changed("network.channels", -16)),
    "channels no multiple of 8": packed(random_weights(), changed("network.channels", 12)),
    "channels a list": packed(random_weights(), changed("network.channels", [16])),
    "layers 10^9": packed(random_weights(), changed("network.layers", 10**9)),
    "layers 0": packed(random_weights(), changed("network.layers", 0)),
    "harmonics 10^9": packed(random_weights(), changed("synthesis.harmonics", 10**9)),
    "unknown network": packed(random_weights(), changed("network.kind", "transformer")),
    "other frame rate": packed(random_weights(), changed("synthesis.frame_rate", 250)),
    "bands fall": packed(random_weights(), changed("synthesis.noise_band_hz", [50, 400, 300, 5000, 12000])),
    "bands repeat": packed(random_weights(), changed("synthesis.noise_band_hz", [50, 400, 400, 5000, 12000])),
    "bands equal in float32": packed(random_weights(), changed("synthesis.noise_band_hz", [50, 400, 400.000001, 5e3])),
    "bands negative": packed(random_weights(), changed("synthesis.noise_band_hz", [-50, 400, 500, 5000, 12000])),
    "bands infinite": packed(random_weights(), changed("synthesis.noise_band_hz", [50, 400, 500, 5000, math.inf])),
    "bands beyond float32": packed(random_weights(), changed("synthesis.noise_band_hz", [50, 400, 500, 5000, 1e300])),
    "bands of 10^400 Hz": packed(random_weights(), changed("synthesis.noise_band_hz", [50, 400, 500, 5000, 10**400])),
    "no bands": packed(random_weights(), changed("synthesis.noise_band_hz", [])),
    "a hundred thousand bands": packed(random_weights(), changed("synthesis.noise_band_hz", list(range(100_000)))),
    "bands are texts": packed(random_weights(), changed("synthesis.noise_band_hz", ["a", "b", "c", "d", "e"])),
    "pitch NaN": packed(random_weights(), changed("pitch.centre", math.nan)),
    "pitch beyond float32": packed(random_weights(), changed("pitch.centre", 1e300)),
    "loudness is null": packed(random_weights(), changed("loudness", None)),
    "a text file": b"This is a text file that somebody renamed to .safetensors.\n" * 20,
    "a zip": b"PK\x03\x04" + bytes(200),
    "a pickle": pickle.dumps({"weights": [1.0, 2.0]}),
    "a pickle that runs": CODE,
    "a pickle behind a header": raw(b"{}" + CODE),
} | {
    f"card without {path}": packed(random_weights(), changed(path, remove=True))
    for path in (
        *("format_version", "name", "synthesis", "synthesis.frame_rate", "synthesis.harmonics"),
        *("synthesis.noise_band_hz", "network", "network.kind", "network.channels", "network.layers", "pitch"),
        *("pitch.centre", "pitch.low", "pitch.high", "loudness", "loudness.low"),
    )
}


def test_the_file_that_the_hostile_ones_are_made_from_is_good(tmp_path):
    (tmp_path / "good.safetensors").write_bytes(good())
    assert load(tmp_path / "good.safetensors").card == CARD


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_one_line_that_names_them(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "some instrument.safetensors"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(RetimbreError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message and len(message) < len(str(path)) + 300
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name], "opening the file ran something"


def test_messages_say_what_is_wrong(tmp_path):
    path = tmp_path / "x.safetensors"
    for name, reason in (
        ("no card", "no retimbre card"),
        ("newer version", "format version 2"),
        ("weight of wrong shape", r"input.bias should be \(16,\), is \(17,\)"),
        ("weight NaN", "input.bias holds NaN"),
        ("card without pitch.low", "lacks 'low'"),
    ):
        path.write_bytes(HOSTILE[name])
        with pytest.raises(RetimbreError, match=reason):
            load(path)


def test_a_file_beyond_64_mb_is_refused_unread(tmp_path):
    path = tmp_path / "big.safetensors"
    with path.open("wb") as file:
        file.write(good())
        file.truncate((64 << 20) + 1)
    with pytest.raises(RetimbreError, match=re.escape(str(path))):
        load(path)


def test_random_bytes_and_flipped_bits_never_escape_as_another_error(tmp_path):
    rng, path = np.random.default_rng(0), tmp_path / "x.safetensors"
    data = np.frombuffer(good(), np.uint8)
    header = 8 + struct.unpack("<Q", data[:8].tobytes())[0]
    for _ in range(150):
        spoilt = data.copy()
        places = rng.integers(0, header, rng.integers(1, 6))
        spoilt[places] ^= (1 << rng.integers(0, 8, len(places))).astype(np.uint8)
        path.write_bytes(spoilt.tobytes())
        try:
            load(path).play(controls(3, -20), 16000)
        except RetimbreError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)


# --- names and paths ---------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(monkeypatch):
    monkeypatch.setattr(module, "shipped", lambda: ["bassoon", "cello", "flute"])


@pytest.mark.parametrize("asked, near", (("celo", "cello"), ("Cello", "cello"), ("flutes", "flute")))
def test_an_unknown_name_suggests_the_nearest(shelf, asked, near):
    with pytest.raises(RetimbreError, match=rf"^{asked}: .*did you mean {near}\?"):
        load(asked)


def test_a_name_like_no_other_gets_the_list(shelf):
    with pytest.raises(RetimbreError, match="bassoon, cello, flute"):
        load("xylophone")


@pytest.mark.parametrize("text", ("nowhere.safetensors", "folder/cello"))
def test_a_path_to_nothing_is_named(text):
    with pytest.raises(RetimbreError, match=rf"^{re.escape(text)}: no such instrument file"):
        load(text)


def test_a_folder_is_named(tmp_path):
    folder = tmp_path / "cello.safetensors"
    folder.mkdir()
    with pytest.raises(RetimbreError, match=re.escape(str(folder))):
        load(folder)


def test_shipped_instruments_open_by_name_and_play():
    for name in module.shipped():
        audio = load(name).play(Controls([220.0] * 60, [1.0] * 60, [-20.0] * 60), 48000)
        assert np.isfinite(audio).all() and -60 < rms_db(audio) < 0, name


# --- playing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample_rate", (16000, 22050, 44100, 48000))
def test_length_is_that_of_the_definition(instrument, sample_rate):
    for frames in (1, 2, 3, 40, 201):
        samples = len(instrument.play(controls(frames), sample_rate))
        assert (samples - 1) * 200 < (frames - 1) * sample_rate <= samples * 200 or (frames, samples) == (1, 0)


def test_silence_in_is_silence_out(instrument):
    loud, quiet = (rms_db(instrument.play(controls(120, db), 48000)) for db in (-20, -100))
    assert loud > -60 and quiet < -80


def test_below_the_trained_range_the_level_falls_decibel_for_decibel(instrument):
    at_low, below = (rms_db(instrument.play(controls(200, db), 48000)) for db in (-60, -85))
    assert abs(at_low - below - 25) < 0.01


def test_outside_the_trained_range_the_timbre_stays(instrument):
    """Clamped inputs: a note above the range has the amplitudes of the highest, at its own pitch."""

    def decode(hz, db):
        return instrument.decode(Controls([hz] * 30, [1.0] * 30, [db] * 30))

    highest_hz = 440 * 2 ** ((84 - 69) / 12)
    inside, above = decode(highest_hz, -10), decode(2 * highest_hz, 3)
    np.testing.assert_allclose(above.harmonic_amplitudes, inside.harmonic_amplitudes, rtol=1e-4)
    np.testing.assert_allclose(above.f0_hz, 2 * inside.f0_hz)


def test_voicing_fades_the_harmonics_and_not_the_noise(instrument):
    def decode(periodicity):
        return instrument.decode(Controls([200.0] * 30, [periodicity] * 30, [-20.0] * 30))

    full = decode(1.0)
    for periodicity, weight in ((0.3, 0), (0.4, 0), (0.45, 0.25), (0.5, 0.5), (0.6, 1), (0.9, 1)):
        part = decode(periodicity)
        np.testing.assert_allclose(part.harmonic_amplitudes, weight * full.harmonic_amplitudes, rtol=1e-4, atol=1e-8)
        np.testing.assert_array_equal(part.noise_magnitudes, full.noise_magnitudes)
    unknown = instrument.decode(Controls([0.0] * 30, [1.0] * 30, [-20.0] * 30))
    assert not unknown.harmonic_amplitudes.any() and unknown.noise_magnitudes.max() > 0


def test_the_seed_chooses_the_noise_and_nothing_else(instrument):
    first, again, other = (instrument.play(controls(), 48000, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-4
    params = instrument.decode(controls())
    tone = SynthParams(
        params.f0_hz, params.harmonic_amplitudes, np.zeros_like(params.noise_magnitudes), params.noise_band_hz
    )
    harmonics = synthesize(tone, 48000).astype(np.float64)
    breaths = [audio - harmonics for audio in (first, other)]
    assert abs(np.corrcoef(breaths)[0, 1]) < 0.1 and np.corrcoef(first - harmonics, again - harmonics)[0, 1] > 0.999
    assert abs(rms_db(breaths[0]) - rms_db(breaths[1])) < 1


def test_playing_is_decoding_and_synthesizing(instrument):
    np.testing.assert_array_equal(
        instrument.play(controls(), 44100, seed=2), synthesize(instrument.decode(controls()), 44100, seed=2)
    )


def test_a_player_makes_the_same_sound_in_blocks(instrument):
    whole, player = controls(), Player(instrument, 44100, seed=8)
    cuts = [0, 1, 2, 30, 31, 97, 120]
    rows = (whole.f0_hz, whole.periodicity, whole.loudness_db)
    blocks = [Controls(*(row[a:b] for row in rows)) for a, b in pairwise(cuts)]
    np.testing.assert_array_equal(
        np.concatenate([player.process(block) for block in blocks]), instrument.play(whole, 44100, seed=8)
    )


def test_controls_at_another_rate_are_resampled(instrument):
    slow = Controls([220.0] * 41, [1.0] * 41, [-20.0] * 41, frame_rate=100)
    audio = instrument.play(slow, 48000)
    np.testing.assert_array_equal(audio, instrument.play(Controls([220.0] * 81, [1.0] * 81, [-20.0] * 81), 48000))


@pytest.mark.parametrize("name", shipped())
def test_shipped_instruments_say_what_they_are_and_where_from(name):
    card = load(name).card
    assert card["name"] == name and card["description"] and card["license"]
    assert card["sources"] and all({"what", "author", "license"} <= set(source) for source in card["sources"])
    assert len(card["pitch"]["quantiles"]) == len(card["loudness"]["quantiles"]) == 51


ROOM = {
    "band_hz": [500, 2000],
    "decay_s": [1.0, 0.5],
    "level_db": [-8, -10],
    "length_s": 1.0,
    "seed": 0,
    "name": "hall",
}


def test_a_card_tells_of_its_room(tmp_path):
    assert Instrument(copy.deepcopy(CARD), random_weights()).room is None
    Instrument(CARD | {"room": ROOM}, random_weights()).save(tmp_path / "a.safetensors")
    room = load(tmp_path / "a.safetensors").room
    assert room.to_json() == ROOM and room.at(500) == (1.0, -8)


@pytest.mark.parametrize("room", (ROOM | {"length_s": 1e9}, ROOM | {"decay_s": [1.0, 1e300]}, {}, 3, []))
def test_a_hostile_room_is_refused(room, tmp_path):
    path = tmp_path / "a.safetensors"
    data = safetensors.numpy.save(random_weights(), {"card": json.dumps(CARD | {"room": room})})
    path.write_bytes(data)
    with pytest.raises(RetimbreError, match=r"a\.safetensors: is damaged"):
        load(path)
