"""`retimbre room`, and --room of the commands that play."""

import json
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import scipy.signal
import soundfile as sf

from retimbre.cli import main
from retimbre.rooms import library
from retimbre.rooms.bands import OCTAVE_BANDS_HZ
from retimbre.rooms.room import Room

RATE = 48_000
SMALL = Room(OCTAVE_BANDS_HZ, (0.4,) * 7, (0.0,) * 7, 0.45, seed=2, name="small", gain_db=-3)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    t = np.arange(RATE) / RATE
    voice = 0.1 * sum(np.sin(2 * np.pi * 330 * k * t) / k for k in range(1, 8)) * (t < 0.5)
    sf.write("voice.wav", voice, RATE, subtype="FLOAT")
    sf.write("rir.wav", np.concatenate([np.zeros(960), 0.5 * SMALL.to_rir(RATE)]), RATE, subtype="FLOAT")
    library.save(SMALL, Path("room.json"))
    return tmp_path


def contents() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*"))}


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_shipped_rooms_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "room", "list").splitlines()
    assert sorted(line.split()[0] for line in lines) == library.shipped()
    rows = json.loads(said(capsys, "room", "list", "--json"))
    times = [row["mid_t30_s"] for row in rows]
    assert times == sorted(times) and [row["name"] for row in rows] == [line.split()[0] for line in lines]


@pytest.mark.parametrize("room", ("rir.wav", "room.json"))
def test_figures_are_printed(room: str, capsys: pytest.CaptureFixture[str]) -> None:
    figures = json.loads(said(capsys, "room", "measure", room, "--json"))
    assert figures["broadband"]["t30_s"] == pytest.approx(0.4, rel=0.05)
    assert figures["broadband"]["drr_db"] == pytest.approx(0, abs=1)
    assert [row["band_hz"] for row in figures["octaves"]] == list(OCTAVE_BANDS_HZ)
    assert figures["start_s"] == pytest.approx(0.02 if room == "rir.wav" else 0, abs=1e-3)
    table = said(capsys, "room", "measure", room)
    (line,) = (line for line in table.splitlines() if line.startswith("broadband "))
    assert float(line.split()[3]) == round(figures["broadband"]["t30_s"], 2)


def test_a_picture_shows_the_decay(capsys: pytest.CaptureFixture[str]) -> None:
    """Its curves are darker and stronger in colour than all the rest."""
    said(capsys, "room", "measure", "rir.wav", "--picture", "room.png")
    picture = matplotlib.image.imread("room.png")[..., :3]
    blue = (picture[..., 2] - picture[..., 0]) > 0.4
    height, width = blue.shape
    panels = blue[int(0.1 * height) : int(0.45 * height), : width // 4]
    rows = [np.flatnonzero(panels[:, column]) for column in range(width // 4)]
    places = [(column, row.mean()) for column, row in enumerate(rows) if row.size]
    slope = np.polyfit(*np.array(places).T, 1)
    assert slope[0] > 0, "it falls from left to right"
    assert np.corrcoef(np.array(places).T)[0, 1] > 0.98, "in a line"


@pytest.mark.parametrize("room", ("rir.wav", "room.json"))
def test_a_recording_is_placed(room: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(
        said(capsys, "room", "apply", "voice.wav", "--room", room, "-o", "out.wav", "--stereo", "--json")
    )
    voice, placed = sf.read("voice.wav")[0], sf.read("out.wav")[0]
    assert placed.shape[1] == report["channels"] == 2 and report["clipped_samples"] == 0
    response = library.find(room).to_rir(RATE, 2)
    expected = scipy.signal.fftconvolve(voice[:, None], response, axes=0)
    np.testing.assert_allclose(placed, expected, atol=1e-5)
    apart = np.abs(placed[:, 0] - placed[:, 1]).max() > 0.01
    assert apart == (room == "room.json"), "a response of one channel is the same in both ears"


def test_a_room_is_changed_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "room", "save", "room.json", "-o", "longer.json", "--decay", "1.5", "--distance", "2")
    assert library.load(Path("longer.json")) == SMALL.scale(decay=1.5, distance=2)
    said(capsys, "room", "save", "room.json", "-o", "longer.wav", "--decay", "1.5", "--rate", "44100")
    figures = json.loads(said(capsys, "room", "measure", "longer.wav", "--json"))
    assert figures["broadband"]["t30_s"] == pytest.approx(0.6, rel=0.05)
    assert sf.info("longer.wav").samplerate == 44_100


def test_a_response_becomes_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "room", "save", "rir.wav", "-o", "fitted.json")
    fitted, true = library.load(Path("fitted.json")).report().broadband, SMALL.report().broadband
    assert fitted.t30_s == pytest.approx(true.t30_s, rel=0.1)
    assert fitted.c80_db == pytest.approx(true.c80_db, abs=1)


@pytest.mark.parametrize("command", ("transfer", "render"))
@pytest.mark.parametrize("room", ("rir.wav", "room.json", "studio"))
def test_an_instrument_plays_in_any_room(command: str, room: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["transfer", "voice.wav", "--to", "flute"]
    if command == "render":
        said(capsys, "analyze", "voice.wav", "-o", "voice.csv")
        words = ["render", "voice.csv", "--with", "flute"]
    said(capsys, *words, "-o", "dry.wav")
    report = json.loads(said(capsys, *words, "-o", "wet.wav", "--room", room, "--json"))
    assert report["room"] == Path(room).stem.replace("room", "small")
    dry, wet = sf.read("dry.wav")[0], sf.read("wet.wav")[0]
    expected = scipy.signal.fftconvolve(dry, library.find(room).to_rir(RATE))[: len(dry)]
    np.testing.assert_allclose(wet, expected, atol=2e-5)


@pytest.mark.parametrize(
    ("arguments", "names"),
    (
        (("apply", "voice.wav", "--room", "hal", "-o", "out.wav"), "hal: there is no such room; did you mean hall"),
        (("apply", "voice.wav", "--room", "gone.json", "-o", "out.wav"), "gone.json: there is no such file"),
        (("apply", "gone.wav", "--room", "hall", "-o", "out.wav"), "gone.wav: there is no such file"),
        (("apply", "voice.wav", "--room", "hall", "-o", "out.txt"), "out.txt: "),
        (("apply", "voice.wav", "--room", "hall", "-o", "voice.wav", "--force"), "voice.wav: is also an input"),
        (("apply", "voice.wav", "--room", "rir.wav", "-o", "rir.wav", "--force"), "rir.wav: is also an input"),
        (("apply", "voice.wav", "--room", "rir.wav", "-o", "out.wav", "--decay", "2"), "rir.wav: a measured response"),
        (("apply", "voice.wav", "--room", "tunnel", "-o", "out.wav", "--distance", "10"), "--decay, --distance: "),
        (("measure", "noise.wav"), "noise.wav: "),
        (("measure", "rir.wav", "--picture", "room.gif"), "room.gif: pictures"),
        (("save", "noise.wav", "-o", "out.json"), "noise.wav: "),
        (("save", "room.json", "-o", "room.json", "--force"), "room.json: is also an input"),
        (("save", "rir.wav", "-o", "out.json", "--stereo"), "out.json: numbers have no channels"),
        (("save", "hall", "-o", "out.wav", "--rate", "100"), "--rate 100: "),
    ),
)
def test_what_cannot_be_done_is_said_in_a_line(
    arguments: tuple[str, ...], names: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "noise.wav" in arguments:
        hiss = np.random.default_rng(0).standard_normal(1500 if arguments[0] == "measure" else RATE)
        sf.write("noise.wav", 0.1 * hiss, RATE)
    before = contents()
    assert main(["room", *arguments]) == 2
    out, err = capsys.readouterr()
    assert err.startswith(f"retimbre: {names}") and err.count("\n") == 1 and not out
    assert contents() == before


@pytest.mark.parametrize("command", ("transfer", "render"))
def test_a_response_is_not_overwritten_by_what_is_played_in_it(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "analyze", "voice.wav", "-o", "voice.csv")
    before = contents()
    words = ["transfer", "voice.wav", "--to"] if command == "transfer" else ["render", "voice.csv", "--with"]
    assert main([*words, "flute", "-o", "rir.wav", "--room", "rir.wav", "--force"]) == 2
    assert "rir.wav: is also an input" in capsys.readouterr().err and contents() == before


def references() -> None:
    """Bursts in a room (ref.wav), in a smaller one (small.wav), and what is no good reference."""
    rng = np.random.default_rng(5)
    dry = np.zeros(12 * RATE)
    for at in np.arange(0.2, 11, 0.7):
        length = int(rng.uniform(0.05, 0.25) * RATE)
        start = int(at * RATE)
        dry[start : start + length] += 0.1 * rng.standard_normal(length) * np.hanning(length)
    room = Room(OCTAVE_BANDS_HZ, (1.2,) * 7, (0.0,) * 7, 1.5, seed=3, name="hall")
    wet = scipy.signal.oaconvolve(dry, room.to_rir(RATE))[: len(dry)]
    sf.write("ref.wav", wet, RATE)
    sf.write("small.wav", scipy.signal.oaconvolve(dry, SMALL.to_rir(RATE))[: len(dry)], RATE)
    sf.write("eight.wav", np.tile(dry[: 2 * RATE, None], (1, 8)), RATE)
    sf.write("silent.wav", np.zeros(5 * RATE), RATE)
    broken = dry[:RATE].astype(np.float32)
    broken[100] = np.nan
    sf.write("broken.wav", broken, RATE, subtype="FLOAT")


def test_the_room_of_one_recording_is_put_around_another(capsys: pytest.CaptureFixture[str]) -> None:
    references()
    words = ["room", "match", "small.wav", "--like", "ref.wav", "-o", "out.wav", "--stereo", "--picture", "out.png"]
    report = json.loads(said(capsys, *words, "--json"))
    low, high = report["estimate"]["t60_range_s"]
    assert low < report["estimate"]["t60_s"] < high
    placed, before = sf.read("out.wav")[0], sf.read("small.wav")[0]
    assert placed.shape[1] == 2 and len(placed) > len(before)
    assert matplotlib.image.imread("out.png").shape[2] >= 3
    pauses = [
        np.quantile(np.square(one[: 11 * RATE]).reshape(-1, 480).mean(axis=1), 0.2) for one in (before, placed[:, 0])
    ]
    assert pauses[1] > 3 * pauses[0], "its pauses ring"


def test_many_channels_are_one_source(capsys: pytest.CaptureFixture[str]) -> None:
    references()
    report = json.loads(said(capsys, "room", "match", "eight.wav", "--room", "room.json", "-o", "out.wav", "--json"))
    assert report["channels"] == 1 and sf.info("out.wav").channels == 1


def test_a_recording_loses_its_room(capsys: pytest.CaptureFixture[str]) -> None:
    references()
    said(capsys, "room", "dry", "small.wav", "--room", "room.json", "-o", "out.wav")
    before, after = (sf.read(name)[0] for name in ("small.wav", "out.wav"))
    assert len(before) == len(after)
    pauses = [np.quantile(np.square(one).reshape(-1, 480).mean(axis=1), 0.4) for one in (before, after)]
    assert pauses[1] < 0.5 * pauses[0]
    said(capsys, "room", "dry", "small.wav", "--room", "room.json", "-o", "same.wav", "--strength", "0")
    np.testing.assert_allclose(sf.read("same.wav")[0], before, atol=1e-5)


def test_an_instrument_plays_a_recording_without_its_room(capsys: pytest.CaptureFixture[str]) -> None:
    """After the note ends, its tail is no note."""
    voice = sf.read("voice.wav")[0]
    room = Room(OCTAVE_BANDS_HZ, (1.5,) * 7, (-3.0,) * 7, 1.6, seed=3, name="hall")
    library.save(room, Path("hall.json"))
    wet = scipy.signal.oaconvolve(np.pad(voice, (0, RATE)), room.to_rir(RATE))[: 2 * RATE]
    sf.write("wet.wav", wet, RATE)
    words = ("wet.wav", "-o", "out.wav", "--force")
    said(capsys, "transfer", *words, "--to", "flute")
    with_room = sf.read("out.wav")[0]
    said(capsys, "room", "dry", *words, "--with", "flute", "--room", "hall.json")
    without = sf.read("out.wav")[0]
    note, tail = slice(int(0.1 * RATE), int(0.45 * RATE)), slice(int(0.65 * RATE), int(1.2 * RATE))
    fall = [np.square(one[tail]).mean() / np.square(one[note]).mean() for one in (with_room, without)]
    assert fall[1] < 0.4 * fall[0]


def test_an_instrument_plays_in_the_room_of_a_recording(capsys: pytest.CaptureFixture[str]) -> None:
    references()
    words = ["transfer", "voice.wav", "--to", "flute", "-o", "wet.wav", "--room", "like:ref.wav", "--json"]
    assert json.loads(said(capsys, *words))["room"] == "ref"
    before = contents()
    assert main(["transfer", "voice.wav", "--to", "flute", "-o", "ref.wav", "--room", "like:ref.wav", "--force"]) == 2
    assert "ref.wav: is also an input" in capsys.readouterr().err and contents() == before


@pytest.mark.parametrize(
    ("arguments", "names"),
    (
        (("match", "silent.wav", "--room", "hall", "-o", "out.wav"), "silent.wav: is silent"),
        (("match", "silent.wav", "--like", "ref.wav", "-o", "out.wav"), "silent.wav: is silent"),
        (("match", "voice.wav", "--like", "silent.wav", "-o", "out.wav"), "silent.wav: "),
        (("match", "voice.wav", "--like", "gone.wav", "-o", "out.wav"), "gone.wav: there is no such file"),
        (("match", "broken.wav", "--room", "hall", "-o", "out.wav"), "broken.wav: a sample at"),
        (("match", "voice.wav", "--like", "broken.wav", "-o", "out.wav"), "broken.wav: "),
        (("match", "small.wav", "--like", "ref.wav", "-o", "ref.wav", "--force"), "ref.wav: is also an input"),
        (("match", "small.wav", "--like", "ref.wav", "-o", "small.wav", "--force"), "small.wav: is also an input"),
        (("match", "small.wav", "--room", "hall", "-o", "out.wav", "--source-room", "hal"), "hal: there is no such"),
        (("match", "small.wav", "--room", "hall", "-o", "out.wav", "--picture", "out.gif"), "out.gif: pictures"),
        (("dry", "silent.wav", "-o", "out.wav"), "silent.wav: "),
        (("dry", "broken.wav", "--room", "hall", "-o", "out.wav"), "broken.wav: a sample at"),
        (("dry", "small.wav", "--room", "hall", "-o", "small.wav", "--force"), "small.wav: is also an input"),
        (("dry", "small.wav", "--room", "hall", "-o", "out.wav", "--with", "kazoo"), "kazoo: "),
    ),
)
def test_what_cannot_be_matched_or_dried_is_said_in_a_line(
    arguments: tuple[str, ...], names: str, capsys: pytest.CaptureFixture[str]
) -> None:
    references()
    before = contents()
    assert main(["room", *arguments]) == 2
    out, err = capsys.readouterr()
    assert err.startswith(f"retimbre: {names}") and err.count("\n") == 1 and not out
    assert contents() == before
