"""An example: the right note, as loud as before, in the room that was asked for."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from retimbre import audio
from retimbre.analysis import analyze
from retimbre.controls import Controls
from retimbre.errors import RetimbreError
from retimbre.gallery.render import LONGEST_S, LOUD_DB, PEAK, RINGING_S, render
from retimbre.midi.notes import Note
from retimbre.midi.write import write_notes
from retimbre.training.independent import pitch
from tests.gallery.sounds import RATE, tone, wish


def made(folder: Path, name: str = "one", **changes) -> tuple[np.ndarray, np.ndarray]:
    """Both sounds of an example."""
    one = render(wish(folder, **changes), folder, name)
    assert sorted(one.files) == sorted(path.name for path in folder.glob(f"{name}_*"))
    before, rate = audio.read(folder / one.before)
    after, other = audio.read(folder / one.after)
    assert rate == other == RATE
    return before, after


def key_of(sound: np.ndarray) -> float:
    """The middle pitch that an independent tracker hears, as a MIDI number."""
    heard = pitch(sound, RATE)
    return float(np.median(69 + 12 * np.log2(heard.f0_hz[heard.voiced] / 440)))


def loud_db(sound: np.ndarray) -> float:
    return float(np.percentile(analyze(sound, RATE).loudness_db, 95))


def test_the_note_is_played_and_both_sounds_are_equally_loud(tmp_path: Path) -> None:
    before, after = made(tmp_path)
    assert key_of(after) == pytest.approx(57, abs=0.2)
    assert loud_db(before) == pytest.approx(loud_db(after), abs=1)
    assert (
        loud_db(after) <= LOUD_DB + 0.5 and np.abs(after).max() <= PEAK + 0.03
    )  # which the coding may exceed a little


def test_octave_and_semitones_move_it(tmp_path: Path) -> None:
    _, after = made(tmp_path, octave=-1, semitones=2.0)
    assert key_of(after) == pytest.approx(47, abs=0.2)


def test_a_room_rings_on(tmp_path: Path) -> None:
    before, after = made(tmp_path, room="church")
    assert len(before) + 0.5 * RATE < len(after) <= len(before) + (RINGING_S + 0.01) * RATE


def test_a_sound_is_placed_as_it_is_where_nobody_plays(tmp_path: Path) -> None:
    before, after = made(tmp_path, instrument="", room="cellar")
    assert key_of(after) == pytest.approx(57, abs=0.2)
    rest = after[len(before) : len(before) + RATE]
    assert np.square(rest).mean() > 1e-4 * np.square(after).mean()


def test_a_score_is_played_in_the_place_of_what_is_heard(tmp_path: Path) -> None:
    write_notes([Note(0.1, 0.9, 50, 80)], tmp_path / "d.mid")
    _, after = made(tmp_path, score=tmp_path / "d.mid")
    assert key_of(after) == pytest.approx(50, abs=0.2)


def test_the_room_of_a_recording_is_not_played_along(tmp_path: Path) -> None:
    """After the note has ended there is less left of it than where its reverberation counts as playing."""
    render(wish(tmp_path, instrument="", room="church"), tmp_path, "wet")
    wet = tmp_path / "wet_after.ogg"
    _, after = made(tmp_path, source=wet, recorded_in="church")
    _, along = made(tmp_path, "along", source=wet)
    late = slice(round(1.1 * RATE), None)
    assert np.square(after[late]).sum() < 0.3 * np.square(along[late]).sum()


def test_only_the_beginning_of_a_long_sound_is_used(tmp_path: Path) -> None:
    before, _ = made(tmp_path, source=tone(tmp_path / "long.wav", seconds=LONGEST_S + 3))
    assert len(before) == LONGEST_S * RATE


def test_pictures_tell_what_was_heard_and_what_is_played(tmp_path: Path) -> None:
    one = render(wish(tmp_path, octave=-1), tmp_path, "one")
    assert one.told == {"before": "heard: A3", "after": "cello: A2"}
    picture = (tmp_path / one.pictures["after"]).read_text()
    heights = [float(path.split('d="M')[1].split("L")[0].split()[1]) for path in picture.split("<path")[1:]]
    heard, _, played = heights  # octaves are evenly high; the lines begin near each other in time
    assert played - heard == pytest.approx(100 / np.log2(16_000 / 40), abs=0.3)


@pytest.mark.parametrize(
    ("sound", "why"),
    [
        (np.zeros(RATE), "silent"),
        (np.ones(50), "too short"),
        (0.1 * np.random.default_rng(1).standard_normal(RATE), "no pitch"),
    ],
)
def test_what_cannot_be_played_says_why(tmp_path: Path, sound: np.ndarray, why: str) -> None:
    soundfile.write(tmp_path / "bad.wav", sound, RATE)
    with pytest.raises(RetimbreError, match=f"bad.wav: .*{why}"):
        render(wish(tmp_path, source=tmp_path / "bad.wav"), tmp_path, "one")
    assert not list(tmp_path.glob("one_*"))


def test_silence_is_no_pitch() -> None:
    from retimbre.gallery.render import _range

    still = np.zeros(10, np.float32)
    assert _range(Controls(still, still, still - 100)) == "no pitch"
