"""`retimbre room`, and --room of the commands that play."""

import json
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import scipy.signal
import soundfile as sf
from rooms.files import RATE, SMALL, contents, lay_out, said
from rooms.sounds import in_room, syllables

from retimbre.cli import main
from retimbre.rooms import library
from retimbre.rooms.bands import OCTAVE_BANDS_HZ
from retimbre.rooms.simulate import even, render


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lay_out()
    return tmp_path


def test_shipped_rooms_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "room", "list").splitlines()
    assert sorted(line.split()[0] for line in lines) == library.shipped()
    rows = json.loads(said(capsys, "room", "list", "--json"))
    times = [row["mid_t30_s"] for row in rows]
    assert times == sorted(times) and [row["name"] for row in rows] == [line.split()[0] for line in lines]


def test_each_picture_of_a_room_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "room", "measure", "small", "--picture", "measured.png")
    said(capsys, "room", "apply", "voice.wav", "--room", "small", "-o", "there.wav", "--picture", "applied.png")
    said(capsys, "room", "dry", "voice.wav", "--room", "small", "-o", "drier.wav", "--picture", "dried.png")
    measured, *others = (matplotlib.image.imread(f"{name}.png") for name in ("measured", "applied", "dried"))
    assert all(np.array_equal(measured, other) for other in others)


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
    expected = scipy.signal.fftconvolve(dry, library.find(room).to_rir(RATE))
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
        (("apply", "voice.wav", "--room", "like:rir.wav", "-o", "rir.wav", "--force"), "rir.wav: is also an input"),
        (("apply", "voice.wav", "--room", "rir.wav", "-o", "out.wav", "--decay", "2"), "rir.wav: a measured response"),
        (("apply", "voice.wav", "--room", "tunnel", "-o", "out.wav", "--distance", "10"), "--decay, --distance: "),
        (("measure", "noise.wav"), "noise.wav: "),
        (("measure", "rir.wav", "--picture", "room.gif"), "room.gif: pictures"),
        (("save", "noise.wav", "-o", "out.json"), "noise.wav: "),
        (("save", "room.json", "-o", "room.json", "--force"), "room.json: is also an input"),
        (("save", "like:rir.wav", "-o", "rir.wav", "--force"), "rir.wav: is also an input"),
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


@pytest.mark.parametrize(
    ("command", "room"),
    (("transfer", "rir.wav"), ("render", "rir.wav"), ("play", "rir.wav"), ("play", "like:rir.wav")),
)
def test_a_response_is_not_overwritten_by_what_is_played_in_it(
    command: str, room: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "analyze", "voice.wav", "-o", "voice.csv", "--midi", "voice.mid")
    before = contents()
    inputs = {"transfer": ("voice.wav", "--to"), "render": ("voice.csv", "--with"), "play": ("voice.mid", "--with")}
    assert main([command, *inputs[command], "flute", "-o", "rir.wav", "--room", room, "--force"]) == 2
    assert "rir.wav: is also an input" in capsys.readouterr().err and contents() == before


@pytest.fixture
def talk() -> np.ndarray:
    """Ten seconds of somebody in a hall, as talk.wav."""
    rng = np.random.default_rng(0)
    response = render(even(1.2, 0), rng)
    sound = in_room(syllables(rng, 10), response, rng)
    sf.write("talk.wav", sound, 16_000, subtype="FLOAT")
    sf.write("hall.wav", 0.5 * response / np.abs(response).max(), 16_000, subtype="FLOAT")
    return sound


def test_a_room_is_heard(talk: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "room", "estimate", "talk.wav", "-o", "hall.json", "--rir", "heard.wav")
    estimate = json.loads(said(capsys, "room", "estimate", "talk.wav", "--json", "--compare", "hall.wav"))
    low, high = estimate["t60_range_s"]
    assert low < estimate["t60_s"] < high and low < 1.2 < high
    assert estimate["measured"]["t60_s"] == pytest.approx(1.2, rel=0.1)
    assert f"T60  {estimate['t60_s']:5.2f} s" in told
    room, (response, rate) = library.load(Path("hall.json")), sf.read("heard.wav")
    assert room.name == "talk" and min(room.decay_spread) > 0
    assert rate == 48_000 and np.corrcoef(response, room.to_rir(48_000))[0, 1] > 0.999
    said(capsys, "room", "apply", "voice.wav", "--room", "hall.json", "-o", "out.wav")


def test_which_channels_were_heard_is_told(talk: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    sf.write("two.wav", np.stack([talk, 0.9 * talk], axis=1), 16_000, subtype="FLOAT")
    sf.write("left.wav", np.stack([talk, 0 * talk], axis=1), 16_000, subtype="FLOAT")
    assert "the mean of 2 channels" in said(capsys, "room", "estimate", "two.wav")
    assert "channel 1 of 2" in said(capsys, "room", "estimate", "left.wav")


def test_the_picture_shows_both_decays(talk: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "room", "estimate", "talk.wav", "--compare", "hall.wav", "--picture", "both.png")
    picture = matplotlib.image.imread("both.png")[..., :3]
    blue, red = (picture[..., 2] - picture[..., 0]) > 0.4, (picture[..., 0] - picture[..., 2]) > 0.4
    assert blue.sum() > 1000 and red.sum() > 1000
    apart = picture[..., 2] - picture[..., 0]
    pale = (apart > 0.05) & (apart < 0.25)
    below = pale[pale.shape[0] // 2 :].sum(axis=0).reshape(4, -1).sum(axis=1)  # in each panel
    assert below[1] > 5 * max(below[[0, 2, 3]]), "the range of the decay times is shaded"


@pytest.mark.parametrize(
    "arguments, reason",
    (
        (("nothing.wav",), "no such file"),
        (("rir.wav",), "too short"),
        (("talk.wav", "-o", "talk.wav"), "also an input"),
        (("talk.wav", "-o", "room.json"), "exists"),
        (("talk.wav", "-o", "new.wav"), "--rir"),
        (("talk.wav", "--rir", "talk.wav", "--force"), "also an input"),
        (("talk.wav", "--picture", "new.txt"), "png"),
        (("talk.wav", "-o", "new.json", "--compare", "nothing.wav"), "no such file"),
    ),
)
def test_no_estimate_leaves_everything_as_it_was(
    talk: np.ndarray, arguments: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents()
    assert main(["room", "estimate", *arguments]) == 2
    error = capsys.readouterr().err
    assert reason in error and len(error.strip().splitlines()) == 1
    assert contents() == before
