"""Rooms by name and by file, and recordings placed in them."""

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile as sf
from rooms.halls import RATE, hall

from retimbre.errors import RetimbreError
from retimbre.rooms import library
from retimbre.rooms.measured import MeasuredRoom
from retimbre.rooms.place import place_file
from retimbre.rooms.room import Room

HALL = hall(0.5, 0.0)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def click(rate: int = RATE, seconds: float = 0.1, level: float = 0.2) -> None:
    sound = np.zeros(round(seconds * rate))
    sound[0] = level
    sf.write("click.wav", sound, rate, subtype="FLOAT")


# Shipped rooms


def test_shipped_rooms_say_whose_they_are() -> None:
    assert len(library.shipped()) >= 8 and "hall" in library.shipped()
    for name in library.shipped():
        said = library.about(name)
        assert said["name"] == name and said["description"] and said["fitted_to"] and said["author"]
        assert said["license"] in ("CC0 1.0", "CC BY 3.0", "CC BY 4.0", "public domain")


@pytest.mark.parametrize("name", ("studio", "hall"))
def test_shipped_rooms_measure_as_their_files_say(name: str) -> None:
    room, said = library.find(name), library.about(name)
    middle = [row for row in room.report().octaves if row.band_hz in (500, 1000)]
    assert np.mean([row.t30_s for row in middle]) == pytest.approx(said["mid_t30_s"], rel=0.02)
    assert np.mean([row.c80_db for row in middle]) == pytest.approx(said["mid_c80_db"], abs=0.15)


# Names and files


def test_a_room_comes_back_from_its_file() -> None:
    room = HALL.scale(decay=1.2, distance=0.5)
    library.save(room, Path("mine.json"))
    assert library.find("mine.json") == room
    with pytest.raises(RetimbreError, match="exists already"):
        library.save(HALL, Path("mine.json"))


@pytest.mark.parametrize(
    ("wish", "says"),
    (
        ("hal", "did you mean hall"),
        ("Church", "did you mean church"),
        ("zzz", "there are none, own, ballroom"),
        ("gone.wav", "there is no such file"),
        ("gone.json", "there is no such file"),
        ("rir.m4a", "there is no such file"),
    ),
)
def test_a_name_that_is_not_known_is_told(wish: str, says: str) -> None:
    with pytest.raises(RetimbreError, match=says) as error:
        library.find(wish, others=("none", "own"))
    assert str(error.value).startswith(f"{wish}:")


@pytest.mark.parametrize(
    "text",
    (
        "",
        "[]",
        "3",
        "null",
        "{",
        "{}",
        "[" * 100_000,
        '{"band_hz": 5}',
        json.dumps(HALL.to_json() | {"decay_s": ["long"] * 7}),
        json.dumps(HALL.to_json() | {"decay_s": [1e999] * 7}),
        json.dumps(HALL.to_json() | {"seed": 1e300}),
        json.dumps(HALL.to_json() | {"length_s": None}),
        json.dumps(HALL.to_json() | {"second_decay_s": None}),
        json.dumps(HALL.to_json() | {"level_db": [31] * 7}),
        " " * 2_000_000,
    ),
)
def test_what_is_no_room_is_refused_by_name(text: str) -> None:
    Path("bad.json").write_text(text, encoding="utf-8")
    with pytest.raises(RetimbreError, match=r"bad\.json: is (no room|too large)") as error:
        library.find("bad.json")
    assert "\n" not in str(error.value) and len(str(error.value)) < 250


def test_a_name_steers_no_terminal() -> None:
    text = json.dumps(HALL.to_json() | {"name": "vault\x1b[31m\n\u202e"})
    Path("named.json").write_text(text, encoding="utf-8-sig")  # with the mark that Windows editors write
    assert library.find("named.json").name == "vault[31m"


def test_bytes_that_are_no_text_are_refused() -> None:
    Path("bad.json").write_bytes(bytes(range(256)))
    with pytest.raises(RetimbreError, match=r"bad\.json: is no room"):
        library.find("bad.json")


# Measured responses


@pytest.mark.parametrize("rate", (44_100, 48_000, 96_000))
def test_a_measured_response_keeps_its_figures_at_any_rate(rate: int) -> None:
    sf.write("rir.wav", np.concatenate([np.zeros(700), 0.3 * HALL.to_rir(RATE)]), RATE, subtype="FLOAT")
    room = library.find("rir.wav")
    assert isinstance(room, MeasuredRoom)
    response = room.to_rir(rate)
    assert np.abs(response).argmax() == pytest.approx(rate / 1000, abs=2), "at most a millisecond before the sound"
    one, two = HALL.report().octaves, MeasuredRoom(response[:, None], rate).report().octaves
    for a, b in zip(one[1:], two[1:], strict=True):
        assert (b.t30_s, b.c80_db) == pytest.approx((a.t30_s, a.c80_db), rel=0.03, abs=0.1)


def test_a_measured_response_is_as_loud_as_the_dry_sound() -> None:
    """Whatever level it was recorded at: pink noise keeps its power."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(10 * RATE))
    hz = np.fft.rfftfreq(10 * RATE, 1 / RATE)
    inside = (hz > 88) & (hz < 5657)
    pink = np.fft.irfft(spectrum * inside / np.sqrt(np.maximum(hz, 1)))
    for level in (1e-3, 1.0):
        response = MeasuredRoom(np.float32(level) * HALL.to_rir(RATE)[:, None], RATE).to_rir(RATE)
        wet = scipy.signal.fftconvolve(pink, response)
        assert 10 * np.log10(np.square(wet).sum() / np.square(pink).sum()) == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("rate", (8000, 192_000))
def test_a_response_of_one_sample_changes_nothing(rate: int) -> None:
    room = MeasuredRoom(np.full((1, 1), 0.01, np.float32), rate)
    np.testing.assert_allclose(room.to_rir(rate), [1], rtol=1e-3)


def test_a_recording_in_place_of_a_response_is_told() -> None:
    sf.write("song.wav", 0.1 * np.sin(2 * np.pi * 440 / RATE * np.arange(RATE)), RATE)
    sf.write("rir.wav", 0.5 * HALL.to_rir(RATE), RATE, subtype="FLOAT")
    told: list[str] = []
    for wish in ("rir.wav", "song.wav", "hall"):
        library.find(wish, tell=told.append)
    (line,) = told
    assert line.startswith("song.wav: is played as an impulse response") and line.endswith("like:song.wav")


def test_channels_of_a_measured_response() -> None:
    both = HALL.to_rir(RATE, channels=2)
    sf.write("stereo.wav", 0.3 * both, RATE, subtype="FLOAT")
    room = library.find("stereo.wav")
    left, right = room.to_rir(RATE, 2).T
    scale = left[np.abs(left).argmax()]
    for ear, true in ((left, both[:, 0]), (right, both[:, 1])):
        np.testing.assert_allclose(ear[np.abs(left).argmax() :] / scale * both[0, 0], true, atol=1e-5)
    one = MeasuredRoom(both[:, :1], RATE).to_rir(RATE, 2)
    np.testing.assert_array_equal(one[:, 0], one[:, 1])


def test_a_recording_is_no_response() -> None:
    sf.write("song.wav", 0.1 * np.ones(31 * 8000), 8000)
    with pytest.raises(RetimbreError, match=r"song\.wav: lasts 31 s"):
        library.find("song.wav")
    sf.write("silent.wav", np.zeros(8000), 8000)
    with pytest.raises(RetimbreError, match=r"silent\.wav: the impulse response is silent"):
        library.find("silent.wav")


def test_what_is_saved_as_a_file_is_the_room() -> None:
    HALL.save_wav(Path("out.wav"), channels=2)
    saved, rate = sf.read("out.wav")
    response = HALL.to_rir(rate, channels=2)
    np.testing.assert_allclose(saved, response / np.abs(response).max(), atol=1e-6)
    assert sf.info("out.wav").subtype == "FLOAT"


# Recordings in rooms


@pytest.mark.parametrize("channels", (1, 2))
@pytest.mark.parametrize("rate", (44_100, 48_000))
def test_a_recording_is_convolved_and_rings_on(channels: int, rate: int) -> None:
    sound = 0.05 * np.random.default_rng(0).standard_normal(rate)
    sf.write("in.wav", sound, rate, subtype="FLOAT")
    report = place_file(Path("in.wav"), Path("out.wav"), HALL, channels=channels, gain_db=-6)
    placed = sf.read("out.wav", always_2d=True)[0]
    response = HALL.to_rir(rate, channels=2)[:, :channels]
    expected = 10 ** (-6 / 20) * scipy.signal.fftconvolve(sound[:, None], response, axes=0)
    assert placed.shape == expected.shape
    np.testing.assert_allclose(placed, expected, atol=1e-5)
    assert report["peak_db"] == pytest.approx(20 * np.log10(np.abs(expected).max()), abs=0.06)
    assert report["room"] == "hall" and report["channels"] == channels


def test_an_input_is_not_overwritten() -> None:
    click()
    before = Path("click.wav").read_bytes()
    with pytest.raises(RetimbreError, match="is also an input"):
        place_file(Path("click.wav"), Path("click.wav"), HALL, overwrite=True)
    assert Path("click.wav").read_bytes() == before and [path.name for path in Path().iterdir()] == ["click.wav"]


def test_clipping_is_told_with_a_remedy() -> None:
    click(level=1.0)
    report = place_file(Path("click.wav"), Path("out.wav"), HALL, gain_db=6)
    assert report["clipped_samples"] > 0
    again = place_file(Path("click.wav"), Path("again.wav"), HALL, gain_db=report["suggested_gain_db"])
    assert again["clipped_samples"] == 0 and -1 < again["peak_db"] < 0


def test_room_json_is_read_without_what_later_versions_added() -> None:
    old = {key: HALL.to_json()[key] for key in ("band_hz", "decay_s", "level_db", "length_s", "seed", "name")}
    assert Room.from_json(old) == HALL and Room.from_json(old | {"absorption": "plaster"}) == HALL
