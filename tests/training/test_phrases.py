import numpy as np
import pytest

from retimbre import analyze
from retimbre.training import phrases
from retimbre.training.recording import SAMPLE_RATE, make_recording


def note(f0_hz, seconds=2.0, level=0.1, harmonics=8):
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    audio = np.sum([np.sin(2 * np.pi * k * f0_hz * t) / k for k in range(1, harmonics + 1)], axis=0)
    return (level * audio).astype(np.float32)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    path = tmp_path_factory.mktemp("none")
    pitches = (48, 52, 55, 60)
    return [make_recording(path / str(m), note(440 * 2 ** ((m - 69) / 12)), SAMPLE_RATE) for m in pitches]


@pytest.mark.parametrize(("hz", "limit_db"), ((100, -75), (5000, -75), (18000, -65)))
def test_a_warped_sine_is_a_sine_of_the_other_pitch(hz, limit_db):
    sine = np.sin(2 * np.pi * hz * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    place = 1000.25 + 1.07 * np.arange(40_000)
    error = phrases.warp(sine, place) - np.sin(2 * np.pi * hz * place / SAMPLE_RATE)
    assert 10 * np.log10(np.mean(error**2) / 0.5) < limit_db


def test_there_is_silence_beyond_the_ends():
    warped = phrases.warp(np.ones(100, np.float32), np.array([-1e6, -40.0, 50.0, 140.0, 1e6]))
    np.testing.assert_allclose(warped, [0, 0, 1, 0, 0], atol=1e-3)


def test_a_glide_is_no_single_note(tmp_path):
    t = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    glide = np.sin(2 * np.pi * 200 * t * (1 + 0.25 * t)).astype(np.float32)
    assert phrases.single_note(make_recording(tmp_path / "glide", 0.1 * glide, SAMPLE_RATE)) is None


def test_notes_keep_their_pitch_and_level(recordings):
    for recording, midi in zip(recordings, (48, 52, 55, 60), strict=True):
        found = phrases.single_note(recording)
        assert found and abs(found.midi - midi) < 0.05
        assert len(found.audio) == pytest.approx(2 * SAMPLE_RATE, rel=0.05)


def test_without_its_parts_practice_repeats_the_notes(recordings):
    plain = phrases.Practice(shift=0, joins=0, vibrato=0)
    for phrase in phrases.practise(recordings, 3.0, 1, plain):
        sounding = phrase.controls.voiced & (phrase.controls.loudness_db > -35)
        midi = 69 + 12 * np.log2(phrase.controls.f0_hz[sounding] / 440)
        assert np.percentile(np.abs(midi[:, None] - (48, 52, 55, 60)).min(1), 98) < 0.4  # drift


def test_phrases_move_between_the_notes_at_their_level(recordings):
    made = phrases.practise(recordings, share=6.0, seed=1)
    midi, joined = [], 0
    for phrase in made:
        controls = phrase.controls
        sounding = controls.voiced & (controls.loudness_db > -35)
        midi.append(69 + 12 * np.log2(controls.f0_hz[sounding] / 440))
        joined += np.count_nonzero(np.abs(np.diff(midi[-1])) > 0.02)
    found = np.concatenate(midi)
    # sampled at 48, 52, 55 and 60; played at every pitch from a little below to a little above
    assert np.percentile(found, 1) > 46 and np.percentile(found, 99) < 62
    filled = np.histogram(found, np.arange(48, 60.5, 0.5))[0]
    assert (filled > 0).all()
    assert joined > 100  # glides and vibrato
    # A note is as loud as it was recorded: quantiles of the loudness stay.
    loud = np.concatenate([phrase.controls.loudness_db for phrase in made])
    whole = np.median([np.percentile(recording.controls.loudness_db, 80) for recording in recordings])
    assert abs(np.percentile(loud, 80) - whole) < 2


def test_the_same_seed_makes_the_same_phrases(recordings):
    first, again, other = (phrases.practise(recordings, 0.5, seed)[0].audio for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert len(first) != len(other) or (first != other).any()


def test_playing_needs_no_phrases(tmp_path):
    t = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    f0_hz = 220 * 2 ** (np.floor(3 * t) % 5 / 6)
    melody = 0.1 * np.sin(2 * np.pi * np.cumsum(f0_hz) / SAMPLE_RATE).astype(np.float32)
    assert analyze(melody, SAMPLE_RATE).voiced.mean() > 0.9
    assert phrases.practise([make_recording(tmp_path / "melody", melody, SAMPLE_RATE)], 1.0, 0) == []
