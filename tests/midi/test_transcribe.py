"""Notes are found where a person would write them, and nowhere else."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retimbre.analysis import analyze
from retimbre.controls import FRAME_RATE, Controls
from retimbre.errors import RetimbreError
from retimbre.instrument import load
from retimbre.midi.notes import Note
from retimbre.midi.perform import manner, perform
from retimbre.midi.score import Part, read_parts
from retimbre.midi.transcribe import transcribe
from retimbre.midi.write import write_notes
from tests.midi.files import TUNE


def curve(midi: np.ndarray, loudness_db: float | np.ndarray = -20.0, voiced: bool | np.ndarray = True) -> Controls:
    """Controls of a pitch curve in semitones, between a tenth of a second of silence on either side."""
    n = len(midi)
    f0_hz = np.pad(440 * 2 ** ((midi - 69) / 12), 20, mode="edge")
    periodicity = np.pad(np.broadcast_to(voiced, n).astype(float), 20)
    return Controls(f0_hz, periodicity, np.pad(np.broadcast_to(loudness_db, n), 20, constant_values=-100.0))


def seconds(count: float) -> np.ndarray:
    return np.arange(round(count * FRAME_RATE)) / FRAME_RATE


@pytest.mark.parametrize("depth", (0.3, 0.6, 1.0))
@pytest.mark.parametrize("rate_hz", (4.5, 7))
def test_vibrato_makes_no_notes(depth: float, rate_hz: float):
    t = seconds(2)
    swell = np.minimum(1, 4 * np.minimum(t, 2 - t))
    (note,) = transcribe(curve(64 + depth * swell * np.sin(2 * np.pi * rate_hz * t)))
    assert note.key == 64 and note.end_s - note.start_s == pytest.approx(2, abs=0.02)


def test_half_steps_make_notes_and_slow_drift_does_not():
    t = seconds(0.2)
    steps = transcribe(curve(np.concatenate([key + 0 * t for key in (60, 61, 62, 61)])))
    assert [note.key for note in steps] == [60, 61, 62, 61]
    assert [note.start_s for note in steps] == pytest.approx([0.1, 0.3, 0.5, 0.7], abs=0.006)
    assert len(transcribe(curve(60 + 0.5 * seconds(2) / 2))) == 1


def test_a_singer_between_the_keys_is_not_torn_apart():
    rng = np.random.default_rng(0)
    wobble = np.interp(seconds(3), np.linspace(0, 3, 30), rng.normal(0, 0.12, 30))
    assert len(transcribe(curve(60.5 + wobble))) == 1


def test_the_same_pitch_struck_again_is_two_notes_and_tremolo_is_one():
    t = seconds(1)
    dip = -20 - 14 * np.exp(-(((t - 0.5) / 0.02) ** 2))
    struck = transcribe(curve(60 + 0 * t, dip))
    assert len(struck) == 2 and struck[1].start_s == pytest.approx(0.6, abs=0.011)
    assert len(transcribe(curve(60 + 0 * t, -20 + 3 * np.sin(2 * np.pi * 5 * t)))) == 1


def test_a_rest_parts_notes_and_the_octave_of_an_attack_does_not():
    t = seconds(0.4)
    voiced = np.concatenate([t >= 0, t < 0, t >= 0])
    assert len(transcribe(curve(np.full(240, 60.0), voiced=voiced))) == 2
    blip = np.where(t < 0.03, 72.0, 60.0)
    (note,) = transcribe(curve(blip))
    assert note.key == 60


def test_louder_is_faster():
    t = seconds(0.4)
    levels = [-40, -30, -20]
    loudness = np.concatenate([level + 0 * t for level in levels])
    voiced = np.concatenate([t < 0.3] * 3)
    first, second, third = (note.velocity for note in transcribe(curve(np.full(240, 60.0), loudness, voiced)))
    assert first < second < third <= 110


@given(st.lists(st.tuples(st.floats(0, 2e4), st.floats(0, 1), st.floats(-110, 10)), min_size=1, max_size=300))
def test_notes_never_overlap_and_are_whole(rows: list[tuple[float, float, float]]):
    notes = transcribe(Controls(*(np.array(column) for column in zip(*rows, strict=True))))
    for one, other in pairwise(notes):
        assert one.end_s <= other.start_s
    assert all(note.start_s < note.end_s and 0 <= note.key <= 127 and 1 <= note.velocity <= 127 for note in notes)


@pytest.mark.parametrize("name", ("violin", "trombone"))
def test_notes_played_and_heard_are_the_same_notes(name: str):
    instrument = load(name)
    shift = 12 * round((instrument.network.pitch.centre - 72) / 12)
    tune = [Note(note.start_s, note.end_s, note.key + shift, note.velocity) for note in TUNE]
    music = instrument.play(perform(Part(1, 1, "", tuple(tune), ()), manner(instrument)), 48_000)
    found = transcribe(analyze(music, 48_000))
    assert [note.key for note in found] == [note.key for note in tune]
    np.testing.assert_allclose([note.start_s for note in found], [note.start_s for note in tune], atol=0.03)
    assert np.corrcoef([note.velocity for note in found], [note.velocity for note in tune])[0, 1] > 0.7


# Files


def bends(path: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Times, values in semitones, and the range that the file sets."""
    (part,) = read_parts(path)
    semitones = next(event[3] for event in part.controllers if event[1:3] == (0xB0, 6))
    rows = np.array([(event[0], event[2] | event[3] << 7) for event in part.controllers if event[1] == 0xE0])
    return rows[:, 0], (rows[:, 1] - 8192) / 8191 * semitones, semitones


@pytest.mark.parametrize(("depth", "semitones"), ((0.4, 2), (2.5, 3)))
def test_a_file_keeps_the_vibrato_as_bends_of_a_range_that_holds_it(tmp_path: Path, depth: float, semitones: int):
    t = seconds(2)
    controls = curve(60.2 + depth * np.sin(2 * np.pi * 5 * t))
    note = Note(0.1, 2.1, 60, 64)
    write_notes([note], tmp_path / "a.mid", controls)
    times, values, found = bends(tmp_path / "a.mid")
    assert found == semitones
    middle = (times > 0.2) & (times < 2)
    expected = 0.2 + depth * np.sin(2 * np.pi * 5 * (times[middle] - 0.1))
    np.testing.assert_allclose(values[middle], expected, atol=0.02 + depth * 2 * np.pi * 5 * 0.0006)  # ticks


def test_a_file_read_again_holds_the_same_notes(tmp_path: Path):
    write_notes(TUNE, tmp_path / "a.mid")
    (part,) = read_parts(tmp_path / "a.mid")
    assert [(n.key, n.velocity) for n in part.notes] == [(n.key, n.velocity) for n in TUNE]
    np.testing.assert_allclose([n.start_s for n in part.notes], [n.start_s for n in TUNE], atol=6e-4)
    assert part.lost_share() == 0


def test_a_file_is_not_replaced_unasked_nor_written_under_another_name(tmp_path: Path):
    write_notes(TUNE, tmp_path / "a.mid")
    for path, what in ((tmp_path / "a.mid", "exists"), (tmp_path / "a.wav", r"MIDI files end in .mid; name it a.mid")):
        with pytest.raises(RetimbreError, match=what):
            write_notes(TUNE, path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mid"]


def test_silence_is_an_empty_file_of_no_notes(tmp_path: Path):
    controls = Controls(np.zeros(9), np.zeros(9), np.full(9, -100.0))
    assert transcribe(controls) == []
    write_notes([], tmp_path / "a.mid", controls)
    with pytest.raises(RetimbreError, match="holds no notes"):
        read_parts(tmp_path / "a.mid")
