"""A tail is taken off, a tone and silence are left alone, and blocks of any size make the same samples."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.signal
from contract import check_contract, cuts
from hypothesis import given, settings
from rooms.halls import RATE, hall, playing, recorded

from retimbre.engine import Floats
from retimbre.rooms.dereverb import Dereverberator, suppress_late
from retimbre.rooms.room import Room

ROOM = hall(1.2, 0)


def level_db(sound: Floats, start_s: float, stop_s: float, sample_rate: int = RATE) -> float:
    part = sound[int(start_s * sample_rate) : int(stop_s * sample_rate)]
    return 10 * float(np.log10(np.square(part, dtype=np.float64).mean()))


def clicks() -> Floats:
    """Bursts of noise of 10 ms, one a second."""
    sound = np.zeros(4 * RATE, np.float32)
    noise = 0.3 * np.random.default_rng(1).standard_normal(RATE // 100)
    for at in range(RATE // 10, len(sound), RATE):
        sound[at : at + len(noise)] = noise
    return sound


def tone(seconds: float, hz: float = 440.0) -> Floats:
    t = np.arange(int(seconds * RATE)) / RATE
    return (0.1 * sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 8))).astype(np.float32)


def test_clicks_lose_their_tails_and_stay_themselves() -> None:
    wet = recorded(clicks(), ROOM)
    dry = suppress_late(wet, RATE, ROOM)
    for start in (1.1, 2.1):
        assert level_db(dry, start + 0.12, start + 0.5) < level_db(wet, start + 0.12, start + 0.5) - 8
        assert level_db(dry, start, start + 0.02) == pytest.approx(level_db(wet, start, start + 0.02), abs=1)


def test_more_strength_takes_off_more_and_none_nothing() -> None:
    wet = recorded(clicks(), ROOM)
    tails = [level_db(suppress_late(wet, RATE, ROOM, strength=strength), 1.25, 1.6) for strength in (0.0, 0.3, 1, 3)]
    assert tails == sorted(tails, reverse=True) and tails[0] - tails[-1] > 10
    np.testing.assert_allclose(suppress_late(wet, RATE, ROOM, strength=0), wet, atol=1e-6)


def test_nothing_is_turned_down_further_than_the_floor() -> None:
    wet = recorded(clicks(), ROOM)
    dry = suppress_late(wet, RATE, ROOM, strength=100, floor_db=-6)
    assert level_db(dry, 1.2, 2.0) == pytest.approx(level_db(wet, 1.2, 2.0) - 6, abs=0.5)


def test_a_steady_tone_in_a_room_keeps_its_level() -> None:
    room = hall(1.2, -6)
    wet = recorded(tone(3), room)
    assert level_db(suppress_late(wet, RATE, room), 1, 3) == pytest.approx(level_db(wet, 1, 3), abs=0.5)


def test_a_dry_tone_passes_though_its_room_is_mistaken() -> None:
    dry = tone(3)
    assert level_db(suppress_late(dry, RATE, hall(0.8, -6)), 1, 3) == pytest.approx(level_db(dry, 1, 3), abs=0.5)


def test_silence_stays_silent() -> None:
    assert not suppress_late(np.zeros(RATE, np.float32), RATE, ROOM).any()


def test_a_phrase_comes_nearer_to_its_early_sound() -> None:
    """Even music, from which little may be taken."""
    dry, response = playing(6), ROOM.to_rir(RATE)
    early = scipy.signal.oaconvolve(dry, response[: round(0.05 * RATE)])[: len(dry)]
    wet = recorded(dry, ROOM)

    def error_db(sound: Floats) -> float:
        fitted = (sound @ early) / (early @ early) * early
        return 10 * float(np.log10(np.square(sound - fitted).sum() / np.square(fitted).sum()))

    assert error_db(suppress_late(wet, RATE, ROOM)) < error_db(wet)


@pytest.mark.parametrize("sample_rate", (8_000, 44_100, 192_000))
def test_every_rate_keeps_length_and_time(sample_rate: int) -> None:
    sound = np.zeros(sample_rate, np.float32)
    sound[sample_rate // 2] = 1
    dry = suppress_late(sound, sample_rate, hall(0.5, -120))
    np.testing.assert_allclose(dry, sound, atol=1e-6)


def test_two_parts_of_one_decay_are_one() -> None:
    """Half the level twice is the level once."""
    one = hall(0.8, 0)
    half = tuple(value - 10 * np.log10(2) for value in one.level_db)
    two = Room(one.band_hz, one.decay_s, half, one.length_s, second_decay_s=one.decay_s, second_level_db=half)
    wet = recorded(clicks(), one)
    np.testing.assert_allclose(suppress_late(wet, RATE, two), suppress_late(wet, RATE, one), atol=1e-6)


def test_where_the_room_sounds_alone_more_is_taken_and_of_the_playing_no_more() -> None:
    room = hall(1.2, -6)
    wet = recorded(np.concatenate([tone(1), np.zeros(RATE, np.float32)]), room)
    plain, more = (suppress_late(wet, RATE, room, alone=factor, floor_db=-40, careful=False) for factor in (1, 4))
    assert level_db(more, 1.15, 1.6) < level_db(plain, 1.15, 1.6) - 3
    assert level_db(more, 0.2, 0.9) == pytest.approx(level_db(plain, 0.2, 0.9), abs=0.1)


def test_a_room_that_is_hardly_known_takes_off_less() -> None:
    """Errors of 7 dB and of two thirds of the decay time; those of clear speech, 2.5 dB and a fifth, change nothing."""
    wet = recorded(clicks(), ROOM)
    bands = len(ROOM.band_hz)
    speech, vague = (
        replace(ROOM, level_spread_db=(error_db,) * bands, decay_spread=(decay,) * bands)
        for error_db, decay in ((2.5, 0.2), (7.0, 0.67))
    )
    np.testing.assert_array_equal(suppress_late(wet, RATE, speech), suppress_late(wet, RATE, ROOM))
    known_db, vague_db = (level_db(suppress_late(wet, RATE, room), 1.25, 1.6) for room in (ROOM, vague))
    assert known_db + 1 < vague_db < level_db(wet, 1.25, 1.6) - 1


def test_what_is_dry_already_stays_as_it_is() -> None:
    """0.2 s at -12 dB: 50 ms after the direct sound 27 dB below it are left; at -20 dB, 35."""
    wet = recorded(clicks(), hall(0.2, -20))
    np.testing.assert_allclose(suppress_late(wet, RATE, hall(0.2, -20)), wet, atol=1e-6)
    nearly, roomy = (suppress_late(wet, RATE, hall(0.2, level)) for level in (-12, 0))
    change = [float(np.abs(dry - wet).max()) for dry in (nearly, roomy)]
    assert 0 < change[0] < change[1]


def test_blocks_of_any_size_make_the_same_samples() -> None:
    wet = recorded(clicks()[: 2 * RATE], ROOM)

    def process(start: int, stop: int, state: Dereverberator | None) -> tuple[Floats, Dereverberator]:
        state = state or Dereverberator(RATE, ROOM)
        out = state.process(wet[start:stop])
        return (np.concatenate([out, state.flush()]) if stop == len(wet) else out), state

    @given(cuts=cuts(len(wet)))
    @settings(max_examples=10, deadline=None)
    def check(cuts: list[int]) -> None:
        check_contract(process, len(wet), cuts, tolerance=1e-6)

    check()


def test_what_goes_in_comes_out_in_time() -> None:
    stream, went_in, came_out = Dereverberator(RATE, ROOM), 0, 0
    for block in np.array_split(clicks()[:RATE], 97):
        went_in, came_out = went_in + len(block), came_out + len(stream.process(block))
        assert went_in - came_out <= stream.latency_samples
