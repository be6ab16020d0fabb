"""A part becomes controls: on time, at pitch, within the dynamics of the instrument."""

import copy

import numpy as np
import pytest

from retimbre.engine import FRAME_RATE, Keyboard
from retimbre.instrument import Instrument, load
from retimbre.midi.notes import Note
from retimbre.midi.perform import keys_hz, manner, perform
from retimbre.midi.score import Part
from tests.midi.files import TUNE


def part(*notes: Note, controllers: tuple = (), mpe: bool = False) -> Part:
    return Part(1, 1, "", notes, controllers, mpe)


def with_articulation(value: object) -> Instrument:
    cello = load("cello")
    card = copy.deepcopy(cello.card)
    card["articulation"] = value
    return Instrument(card, cello.weights)


def test_each_note_sounds_at_its_time_at_its_pitch():
    controls = perform(part(*TUNE), {"irregularity": 0})
    for note in TUNE:
        middle = round((note.start_s + note.end_s) / 2 * FRAME_RATE)
        assert controls.voiced[middle]
        assert abs(1200 * np.log2(controls.f0_hz[middle] / (440 * 2 ** ((note.key - 69) / 12)))) < 13  # vibrato
    first = round(TUNE[0].start_s * FRAME_RATE)
    assert not controls.voiced[:first].any() and controls.voiced[first]
    assert controls.f0_hz[0] == controls.f0_hz[first]  # before the first note its pitch is known


def test_the_last_note_fades_and_silence_follows_as_long_as_asked():
    for tail_s in (0.1, 2.5):
        controls = perform(part(Note(0, 1, 60, 64)), {"release_s": 0.05}, tail_s)
        assert not controls.voiced[-round(tail_s * FRAME_RATE) :].any()
        assert 1 + 0.1 < controls.seconds < 1 + 0.4 + tail_s


def test_a_pedal_that_is_never_lifted_does_not_sound_for_ever():
    pedal = ((0.5, 0xB0, 64, 127),)
    assert perform(part(Note(0, 1, 60, 64), controllers=pedal), {}).seconds < 2


def test_an_mpe_part_bends_each_note_by_its_own_channel():
    notes = Note(0, 1, 60, 64, channel=1), Note(1, 2, 60, 64, channel=2)
    controls = perform(
        part(*notes, controllers=((0.0, 0xE2, 0, 80),), mpe=True), {"irregularity": 0, "vibrato_cents": 0}
    )
    ratio = controls.f0_hz[300] / controls.f0_hz[100]
    assert 12 * np.log2(ratio) == pytest.approx(48 * (80 * 128 - 8192) / 8191, abs=0.01)


@pytest.mark.parametrize("articulation", [None, "loud", {}, {"attack_s": "x", "loudness_db": [1, None, float("nan")]}])
def test_a_card_that_tells_nothing_leaves_the_defaults_and_the_instruments_own_dynamics(articulation: object):
    settings = manner(with_articulation(articulation))
    assert set(settings) == {"loudness_soft_db", "loudness_middle_db", "loudness_loud_db"}
    quantiles = load("cello").card["loudness"]["quantiles"]
    assert (
        quantiles[0]
        < settings["loudness_soft_db"]
        < settings["loudness_middle_db"]
        < settings["loudness_loud_db"]
        < quantiles[-1]
    )


def test_what_a_card_tells_is_followed_within_reason():
    told = {"attack_s": 0.07, "release_s": 1e9, "vibrato_hz": 6, "vibrato_cents": -3, "loudness_db": [-40, -20, -19]}
    settings = manner(with_articulation(told))
    assert settings["attack_s"] == 0.07 and settings["release_s"] == 1 and settings["vibrato_cents"] == 0
    levels = [settings[f"loudness_{name}_db"] for name in ("soft", "middle", "loud")]
    assert levels == [-40, -20, -17]  # one loudness is no dynamics
    assert Keyboard(**settings).settings["vibrato_hz"] == 6


def test_pitches_count_by_how_long_they_are_held():
    found = keys_hz(part(Note(0, 1, 69, 64), Note(1, 1.1, 81, 64)))
    assert np.median(found) == 440 and found[-1] == 880
