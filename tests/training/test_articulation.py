"""What is measured of the manner of playing is what was played."""

from pathlib import Path

import numpy as np
import pytest

from retimbre.engine import FRAME_RATE, Keyboard
from retimbre.instrument import load
from retimbre.midi.notes import Note
from retimbre.midi.perform import manner, perform
from retimbre.midi.score import Part
from retimbre.training.articulation import measure_articulation
from retimbre.training.recording import HOP, SAMPLE_RATE, Recording, make_recording


def recordings(length_s: float = 1.6, velocities: tuple[int, ...] = (64,) * 5, **settings: float) -> list[Recording]:
    """Controls as the keyboard plays them, a note each."""
    found = []
    for place, velocity in enumerate(velocities):
        notes = (Note(0.5, 0.5 + length_s, 60 + place, velocity),)
        controls = perform(Part(1, 1, "", notes, ()), {"irregularity": 0, **settings}, 0.5)
        found.append(Recording(Path(), np.zeros(HOP * (len(controls) - 1), np.float32), controls))
    return found


@pytest.mark.parametrize(("attack_s", "release_s"), ((0.03, 0.3), (0.07, 0.05), (0.15, 0.1)))
def test_attacks_and_releases(attack_s: float, release_s: float):
    found = measure_articulation(recordings(attack_s=attack_s, release_s=release_s))
    assert found["attack_s"] == pytest.approx(attack_s, rel=0.1, abs=0.006)
    assert found["release_s"] == pytest.approx(release_s, rel=0.05)


@pytest.mark.parametrize(("hz", "cents"), ((4.5, 40), (6.5, 12)))
def test_vibrato(hz: float, cents: float):
    found = measure_articulation(recordings(3.0, vibrato_hz=hz, vibrato_cents=cents, vibrato_delay_s=0))
    assert found["vibrato_hz"] == pytest.approx(hz, abs=0.15)
    assert found["vibrato_cents"] == pytest.approx(cents, rel=0.15)


def test_a_straight_tone_has_no_vibrato_and_short_notes_say_nothing_of_it():
    straight = measure_articulation(recordings(3.0, vibrato_cents=0))
    assert straight["vibrato_cents"] == 0 and "vibrato_hz" not in straight
    assert "vibrato_cents" not in measure_articulation(recordings(0.4))


def test_levels_are_those_of_the_notes():
    found = measure_articulation(recordings(velocities=(1, 1, 64, 127, 127)))
    levels = Keyboard().settings
    expected = [levels[f"loudness_{name}_db"] for name in ("soft", "middle", "loud")]
    assert found["loudness_db"] == pytest.approx(expected, abs=0.5)


def test_a_sound_that_was_cut_off_tells_no_release():
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tones = [0.1 * np.sin(2 * np.pi * hz * time) * np.minimum(1, time / 0.1) for hz in (300, 400, 500)]
    found = measure_articulation([make_recording(Path(), tone.astype(np.float32), SAMPLE_RATE) for tone in tones])
    assert "release_s" not in found and 0.03 < found["attack_s"] < 0.1


def test_nothing_is_claimed_of_nothing():
    controls = recordings()[0].controls.cut(0, 0.3)  # silence
    assert measure_articulation([Recording(Path(), np.zeros(HOP, np.float32), controls)]) == {}
    assert measure_articulation([]) == {}


def test_the_shipped_violin_is_bowed_with_vibrato_and_the_trombone_blown_without():
    violin, trombone = manner(load("violin")), manner(load("trombone"))
    assert 5 < violin["vibrato_hz"] < 6.5 and 5 < violin["vibrato_cents"] < 40 and trombone["vibrato_cents"] == 0
    assert all(0.02 < one["attack_s"] < 0.15 and 1 / FRAME_RATE < one["release_s"] < 0.3 for one in (violin, trombone))
