"""`retimbre room match` and `retimbre room dry`, and --room like:REF of the commands that play."""

import json
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import scipy.signal
import soundfile as sf
from rooms.files import RATE, SMALL, contents, lay_out, said

from retimbre.cli import main
from retimbre.rooms import library
from retimbre.rooms.bands import OCTAVE_BANDS_HZ
from retimbre.rooms.room import Room


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lay_out()
    return tmp_path


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


def test_what_is_too_loud_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["room", "match", "voice.wav", "--room", "room.json", "--source-room", "none", "--gain-db"]
    assert main([*words, "30", "-o", "loud.wav"]) == 0
    gain_db = capsys.readouterr().err.rsplit("samples clipped; try --gain-db ", 1)[1].strip()
    assert main([*words, gain_db, "-o", "right.wav"]) == 0
    assert "clipped" not in capsys.readouterr().err
    assert 0.9 < np.abs(sf.read("right.wav")[0]).max() <= 1


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
        (("match", "small.wav", "--room", "voice.wav", "-o", "out.wav"), "voice: this does not look like an impulse"),
        (("match", "small.wav", "--room", "like:ref.wav", "-o", "ref.wav", "--force"), "ref.wav: is also an input"),
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
