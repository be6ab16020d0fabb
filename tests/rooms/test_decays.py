"""A room is found in playing without a rest, and taken out of it."""

from functools import lru_cache

import numpy as np
import pytest
from rooms.halls import RATE, hall, playing, recorded

from retimbre.analysis import analyze
from retimbre.errors import RetimbreError
from retimbre.rooms.decays import estimate, find_notes
from retimbre.rooms.dereverb import dry_controls, suppress_late


@lru_cache
def dry() -> np.ndarray:
    return playing(24)


@pytest.mark.parametrize(("decay_s", "level_db"), ((0.5, -4), (1.6, -9)))
def test_decay_and_level_are_heard_in_the_playing(decay_s: float, level_db: float) -> None:
    wet = recorded(dry(), hall(decay_s, level_db))
    room = estimate([(wet, analyze(wet, RATE))], RATE, "hall")
    found_s, found_db = (np.array(values)[2:] for values in (room.decay_s, room.level_db))  # bands that are played
    assert np.median(found_s) == pytest.approx(decay_s, rel=0.1)
    assert np.abs(found_s / decay_s - 1).max() < 0.25
    assert np.median(found_db) == pytest.approx(level_db, abs=2)


def test_a_sound_without_notes_has_no_room() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    with pytest.raises(RetimbreError, match="cave: too few notes"):
        estimate([(noise, analyze(noise, RATE))], RATE, "cave")


def test_notes_are_found_where_they_are() -> None:
    t = np.arange(RATE) / RATE
    tone = sum(np.sin(2 * np.pi * 330 * k * t) / k for k in range(1, 8)) * (t < 0.5)
    (note,) = find_notes(analyze(0.2 * tone.astype(np.float32), RATE), 100)
    assert note.f0_hz == pytest.approx(330, rel=1e-3)
    assert note.start == pytest.approx(0, abs=4) and note.stop == pytest.approx(50, abs=2)


def test_a_tail_falls_faster_and_a_steady_tone_stays() -> None:
    room, t = hall(1.6, -9), np.arange(4 * RATE) / RATE
    tone = 0.1 * sum(np.sin(2 * np.pi * 300 * k * t) / k for k in range(1, 12)) * (t < 2)
    wet = recorded(tone.astype(np.float32), room)
    steady, tail = slice(int(0.5 * RATE), int(1.9 * RATE)), slice(int(2.1 * RATE), int(2.5 * RATE))
    suppressed = suppress_late(wet, RATE, room, floor_db=-20, careful=False, window_s=0.04)
    gain_db = {
        name: 10 * np.log10(np.square(suppressed[part]).mean() / np.square(wet[part]).mean())
        for name, part in (("steady", steady), ("tail", tail))
    }
    assert abs(gain_db["steady"]) < 1
    assert gain_db["tail"] < -10
    unlike = np.linalg.norm(suppressed[steady] - wet[steady]) / np.linalg.norm(wet[steady])
    assert unlike < 0.15, "no delay, and the tone itself"


def test_a_dry_sound_in_no_room_passes() -> None:
    nearly_dry = hall(0.3, -60)
    passed = suppress_late(dry()[: 5 * RATE], RATE, nearly_dry)
    np.testing.assert_allclose(passed, dry()[: 5 * RATE], atol=0.01 * np.abs(dry()).max())


def test_the_controls_are_those_of_the_dry_sound() -> None:
    room = hall(1.6, -9)
    wet = recorded(dry(), room)
    truth, heard, dried = analyze(dry(), RATE), analyze(wet, RATE), dry_controls(wet, RATE, room)
    rest, note = truth.loudness_db < -65, (truth.loudness_db > -35) & truth.voiced
    assert np.median(heard.loudness_db[rest]) > np.median(dried.loudness_db[rest]) + 15
    assert np.abs(dried.loudness_db - truth.loudness_db)[note].mean() < 1.5
    wrong = [np.abs(np.log2(one.f0_hz / truth.f0_hz))[note] > 0.05 for one in (heard, dried)]
    assert wrong[1].mean() < 0.6 * wrong[0].mean()
