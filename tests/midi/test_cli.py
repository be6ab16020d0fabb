"""`retimbre play` and `retimbre analyze --midi`: what they write and say."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from retimbre import audio
from retimbre.cli import main
from retimbre.instrument import load
from retimbre.midi.notes import Note
from retimbre.midi.perform import manner, perform
from retimbre.midi.score import read_parts
from tests.midi.files import TUNE, save

BASS = [Note(t, t + 0.4, 43, 90, channel=1) for t in range(4)]
CHORDS = [Note(t / 2, t / 2 + 0.4, key, 80, channel=2) for t in range(5) for key in (60, 64, 67)]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_file_of_one_part_is_played_and_said_in_one_line(capsys: pytest.CaptureFixture[str]):
    before = save(Path("song.mid"), TUNE).read_bytes()
    assert main(["play", "song.mid", "--with", "violin", "-o", "out.wav"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("out.wav: 11 notes, 5.") and said.out.count("\n") == 1 and said.err == ""
    info = sf.info("out.wav")
    assert info.samplerate == 48_000 and info.duration == pytest.approx(TUNE[-1].end_s + 0.5, abs=0.3)
    assert {path.name for path in Path().iterdir()} == {"song.mid", "out.wav"} and Path(
        "song.mid"
    ).read_bytes() == before


def test_it_is_what_python_gives():
    save(Path("song.mid"), TUNE)
    main(["play", "song.mid", "--with", "violin", "-o", "out.wav", "--seed", "3", "--octave", "0"])
    violin = load("violin")
    controls = perform(read_parts(Path("song.mid"))[0], {**manner(violin), "seed": 3})
    np.testing.assert_allclose(audio.read("out.wav")[0], violin.play(controls, seed=3), atol=2e-7)


def test_of_many_parts_it_says_which_it_plays_and_how_to_choose(capsys: pytest.CaptureFixture[str]):
    save(Path("song.mid"), BASS, TUNE)
    assert main(["play", "song.mid", "--with", "violin", "-o", "out.wav"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "11 notes of track 2, channel 1" in said[0] and said[1] == "others: --track 1 --channel 2 (4 notes)"
    found = report(capsys, "play", "song.mid", "--with", "cello", "-o", "bass.wav", "--track", "1")
    assert (found["track"], found["channel"], found["notes"], found["octave"]) == (1, 2, 4, 0)


def test_chords_lose_notes_and_this_is_said(capsys: pytest.CaptureFixture[str]):
    save(Path("song.mid"), CHORDS)
    assert main(["play", "song.mid", "--with", "flute:0.5,violin:0.5", "-o", "out.wav"]) == 0
    assert "song.mid: 67 % of the notes are lost" in capsys.readouterr().err


def test_a_tune_out_of_range_moves_by_octaves_unless_told(capsys: pytest.CaptureFixture[str]):
    save(Path("song.mid"), TUNE)
    play = ["play", "song.mid", "--with", "male_voice", "--force", "-o", "out.wav"]
    assert report(capsys, *play)["octave"] == -2
    found = report(capsys, *play, "--octave", "1")
    assert found["octave"] == 1 and "outside the range" in found["warnings"][0]


def test_semitones_move_the_pitch(capsys: pytest.CaptureFixture[str]):
    save(Path("song.mid"), [Note(0, 1, 60, 80)])
    for name, semitones in (("a.wav", "0"), ("b.wav", "7")):
        report(capsys, "play", "song.mid", "--with", "cello", "-o", name, "--octave", "0", "--semitones", semitones)
    low, high = (report(capsys, "analyze", name)["median_f0_hz"] for name in ("a.wav", "b.wav"))
    assert 12 * np.log2(high / low) == pytest.approx(7, abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["noise.mid", "-o", "out.wav"], "noise.mid: is not a MIDI file"),
        (["empty.mid", "-o", "out.wav"], "empty.mid: holds no notes"),
        (["none.mid", "-o", "out.wav"], "none.mid: cannot be read"),
        (["song.mid", "-o", "out.wav", "--track", "7"], "no notes at --track 7; there are track 1, channel 1: 11"),
        (["song.mid", "-o", "song.mid", "--force"], "song.mid: is also an input"),
        (["song.mid", "-o", "out.wav", "--rate", "5"], "--rate 5"),
        (["song.mid", "-o", "there.wav"], "there.wav: exists already"),
    ],
)
def test_what_cannot_be_played_is_one_line_and_leaves_nothing(
    arguments: list[str], what: str, capsys: pytest.CaptureFixture[str]
):
    save(Path("song.mid"), TUNE), save(Path("empty.mid"), [])
    Path("noise.mid").write_bytes(bytes(range(256)))
    Path("there.wav").write_bytes(b"mine")
    before = {path: path.read_bytes() for path in Path().iterdir()}
    assert main(["play", *arguments, "--with", "cello"]) == 2
    error = capsys.readouterr().err
    assert what in error and error.count("\n") == 1
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_a_recording_becomes_a_midi_file_that_plays_the_same_notes(capsys: pytest.CaptureFixture[str]):
    save(Path("song.mid"), TUNE)
    report(capsys, "play", "song.mid", "--with", "violin", "-o", "out.wav")
    assert report(capsys, "analyze", "out.wav", "--midi", "heard.mid")["notes"] == len(TUNE)
    (heard,) = read_parts(Path("heard.mid"))
    assert [note.key for note in heard.notes] == [note.key for note in TUNE]
    np.testing.assert_allclose([n.start_s for n in heard.notes], [n.start_s for n in TUNE], atol=0.03)


def test_analyze_refuses_a_midi_file_it_may_not_write_before_it_works(capsys: pytest.CaptureFixture[str]):
    sf.write("a.wav", np.zeros(4800), 48_000)
    Path("b.mid").write_bytes(b"mine")
    for path, what in (("b.mid", "exists already"), ("c.txt", "MIDI files end in .mid")):
        assert main(["analyze", "a.wav", "--midi", path]) == 2
        assert what in capsys.readouterr().err
    assert Path("b.mid").read_bytes() == b"mine"
