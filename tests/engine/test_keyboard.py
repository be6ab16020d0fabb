"""The keyboard plays what MIDI says: pitches, priorities, dynamics and ornaments, as a player would."""

import numpy as np
import pytest
from contract import check_contract
from hypothesis import given
from hypothesis import strategies as st

from retimbre.engine import FRAME_RATE, Floats, Keyboard
from tests.engine.signals import block_cuts

EXACT = {"irregularity": 0, "vibrato_cents": 0}
A4 = 69
Message = tuple[int, int, int]


def on(key: int = A4, velocity: int = 64, channel: int = 0) -> Message:
    return 0x90 + channel, key, velocity


def off(key: int = A4, channel: int = 0) -> Message:
    return 0x80 + channel, key, 0


def control(number: int, value: int, channel: int = 0) -> Message:
    return 0xB0 + channel, number, value


def bend(share: float, channel: int = 0) -> Message:
    value = 8192 + round(share * (8191 if share > 0 else 8192))
    return 0xE0 + channel, value & 127, value >> 7


def registered(number: int, value: int, fine: int | None = None, channel: int = 0) -> list[Message]:
    """Data entry to a registered parameter number."""
    messages = [control(101, 0, channel), control(100, number, channel), control(6, value, channel)]
    return messages if fine is None else [*messages, control(38, fine, channel)]


def play(*script: Message | list[Message] | float, keyboard: Keyboard | None = None, **settings: float) -> Floats:
    """Messages, and in between seconds to go on: all frames."""
    keyboard, frames = keyboard or Keyboard(**settings), [np.empty((0, 3), np.float32)]
    for step in script:
        if isinstance(step, float):
            frames.append(keyboard.process(round(step * FRAME_RATE)))
        else:
            for message in step if isinstance(step, list) else [step]:
                keyboard.event(*message)
    return np.concatenate(frames)


def hz(key: float) -> float:
    return 440 * 2 ** ((key - 69) / 12)


def cents(f0_hz: Floats, key: float) -> Floats:
    return 1200 * np.log2(f0_hz / hz(key))


def test_before_the_first_note_there_is_silence_without_a_pitch():
    np.testing.assert_array_equal(play(0.1), np.tile(np.float32([0, 0, -100]), (20, 1)))


@pytest.mark.parametrize("key", (0, 21, 60, 69, 108, 127))
def test_a_key_is_its_pitch_in_equal_temperament(key: int):
    frames = play(on(key), 0.3, **EXACT)
    np.testing.assert_allclose(frames[:, 0], hz(key), rtol=1e-6)
    np.testing.assert_array_equal(frames[:, 1], 1)


def test_silence_after_a_note_carries_its_pitch():
    frames = play(on(), 0.3, off(), 1.0, **EXACT)
    np.testing.assert_allclose(frames[-1], [440, 0, -100])


@pytest.mark.parametrize("semitones", (-2, -0.5, 1, 2))
def test_the_bend_reaches_two_semitones(semitones: float):
    frames = play(on(), 0.3, bend(semitones / 2), 0.2, **EXACT)
    assert frames[-1, 0] / frames[50, 0] == pytest.approx(2 ** (semitones / 12), abs=2e-5)


@pytest.mark.parametrize(("whole", "fine", "semitones"), ((12, None, 12), (24, 0, 24), (3, 50, 3.5), (0, 0, 0)))
def test_registered_parameter_0_sets_the_range_of_the_bend(whole: int, fine: int | None, semitones: float):
    frames = play(registered(0, whole, fine), on(), bend(1), 0.2, **EXACT)
    assert frames[-1, 0] == pytest.approx(hz(A4 + semitones), rel=1e-6)


def test_data_entry_to_other_parameters_changes_nothing():
    other = [control(99, 0), control(98, 0), control(6, 12), control(101, 127), control(100, 127), control(6, 12)]
    assert play(other, on(), bend(1), 0.2, **EXACT)[-1, 0] == pytest.approx(hz(A4 + 2), rel=1e-6)


@given(st.lists(st.tuples(st.integers(48, 72), st.booleans()), max_size=24))
def test_the_last_key_still_held_sounds(presses: list[tuple[int, bool]]):
    keyboard, held = Keyboard(**EXACT), []
    for key, down in presses:
        held = [other for other in held if other != key] + [key] * down
        frames = play(on(key) if down else off(key), 0.15, keyboard=keyboard)
        if held:
            assert frames[-1, 1] == 1 and frames[-1, 0] == pytest.approx(hz(held[-1]), rel=1e-5)
        else:
            assert play(0.5, keyboard=keyboard)[-1, 1] == 0


def test_velocity_is_loudness_along_two_straight_lines():
    levels = {"loudness_soft_db": -50, "loudness_middle_db": -30, "loudness_loud_db": -12}
    found = [play(on(velocity=velocity), 1.0, **EXACT, **levels)[-1, 2] for velocity in range(1, 128)]
    np.testing.assert_allclose(found, np.interp(np.arange(1, 128), (1, 64, 127), (-50, -30, -12)), atol=0.01)


def crossing_s(loudness_db: Floats, below_db: float) -> float:
    """When the curve first rises above so much below its end, in seconds."""
    over = loudness_db - (loudness_db[-1] - below_db)
    frame = int(np.argmax(over > 0))
    return (frame - over[frame] / (over[frame] - over[frame - 1])) / FRAME_RATE


@pytest.mark.parametrize("attack_s", (0.03, 0.06, 0.2))
def test_attack_and_release_last_as_long_as_told(attack_s: float):
    frames = play(on(velocity=64), 3.0, off(), 2.0, attack_s=attack_s, release_s=attack_s, **EXACT)
    rise, fall = frames[:600, 2], frames[600:, 2]
    assert crossing_s(rise, 3) - crossing_s(rise, 20) == pytest.approx(attack_s, rel=0.1, abs=0.004)
    fall = fall[: np.argmax(fall <= rise[-1] - 20)]
    slope = (fall[0] - fall[-1]) / (len(fall) - 1) * FRAME_RATE
    assert 17 / slope == pytest.approx(attack_s, rel=0.02)


def test_a_slur_glides_without_an_attack():
    frames = play(on(60), 0.5, on(67), 0.02, off(60), 0.5, glide_s=0.06, **EXACT)
    np.testing.assert_allclose(frames[100:, 2], frames[99, 2], atol=0.1)
    moving = frames[(cents(frames[:, 0], 60) > 1) & (cents(frames[:, 0], 67) < -1), 0]
    assert (np.diff(moving) > 0).all() and len(moving) / FRAME_RATE == pytest.approx(0.06, abs=0.015)


@pytest.mark.parametrize("key", (60, 67))
def test_detached_notes_are_parted_by_a_dip_where_the_pitch_changes(key: int):
    frames = play(on(60), 0.5, off(60), on(key), 0.5, **EXACT)
    lowest = int(np.argmin(frames[50:150, 2])) + 50
    assert frames[99, 2] - frames[lowest, 2] > 12 and 100 <= lowest <= 104
    np.testing.assert_allclose(frames[: lowest - 1, 0], hz(60), rtol=1e-6)
    np.testing.assert_allclose(frames[lowest + 1 :, 0], hz(key), rtol=1e-6)


def test_the_first_frame_after_silence_has_the_new_pitch():
    frames = play(on(50), 0.3, off(50), 1.0, on(70), 0.1, **EXACT)
    first = int(np.flatnonzero(frames[:, 1])[-20])
    assert frames[first - 1, 2] == -100 and frames[first, 0] == pytest.approx(hz(70), rel=1e-6)


@pytest.mark.parametrize("rate_hz", (4.0, 5.5, 7.0))
def test_vibrato_sets_in_late_at_its_rate_and_depth(rate_hz: float):
    settings = {"vibrato_hz": rate_hz, "vibrato_cents": 30, "vibrato_delay_s": 0.5, "irregularity": 0}
    curve = cents(play(on(), 6.0, **settings)[:, 0], A4)
    assert np.abs(curve[:100]).max() < 0.01
    late = curve[400:1200]
    spectrum = np.abs(np.fft.rfft(late * np.hanning(800), 8000))
    assert np.argmax(spectrum) * FRAME_RATE / 8000 == pytest.approx(rate_hz, abs=0.05)
    assert np.abs(late).max() == pytest.approx(30, abs=1)


def test_the_modulation_wheel_adds_vibrato_at_once():
    settings = {"modulation_cents": 80, "vibrato_cents": 0, "irregularity": 0}
    assert np.abs(cents(play(control(1, 127), on(), 0.4, **settings)[:, 0], A4)).max() == pytest.approx(80, abs=2)


@pytest.mark.parametrize(("number", "rest"), ((11, 127), (7, 100)))
def test_expression_and_volume_follow_the_square_of_the_square(number: int, rest: int):
    loud, soft = (play(control(number, value), on(), 1.0, **EXACT)[-1, 2] for value in (rest, rest // 2))
    assert loud - soft == pytest.approx(40 * np.log10(rest / (rest // 2)), abs=0.05)
    assert play(control(number, 0), on(), 1.0, **EXACT)[-1, 2] < -90


def test_pressure_leads_to_the_loudest():
    levels = [play(on(velocity=40), (0xD0, value, 0), 1.0, **EXACT)[-1, 2] for value in range(0, 128, 16)]
    assert (np.diff(levels) > 0.5).all()
    assert play(on(velocity=40), (0xD0, 127, 0), 1.0, **EXACT)[-1, 2] == pytest.approx(-14, abs=0.05)


def test_the_pedal_holds_what_the_finger_let_go():
    frames = play(control(64, 127), on(), 0.3, off(), 0.5, control(64, 0), 1.0, **EXACT)
    assert frames[159, 2] == pytest.approx(-27, abs=0.1) and frames[-1, 1] == 0


def test_all_sound_off_is_quick_and_all_notes_off_is_a_release():
    script = on(60), on(64), 0.5
    assert play(*script, control(120, 0), 0.05)[-1, 1] == 0
    released = play(*script, control(123, 0), 2.0, release_s=0.3)
    assert released[105, 1] == 1 and released[-1, 1] == 0


@pytest.mark.parametrize("told", (True, False))
def test_in_an_mpe_zone_each_finger_bends_its_own_note(told: bool):
    keyboard = Keyboard(**EXACT) if told else Keyboard(**EXACT, mpe=1)
    zone = registered(6, 15) if told else []
    play(zone, on(60, channel=1), bend(0.25, channel=2), 0.2, keyboard=keyboard)
    assert play(0.1, keyboard=keyboard)[-1, 0] == pytest.approx(hz(60), rel=1e-6)
    assert play(bend(0.25, channel=1), 0.1, keyboard=keyboard)[-1, 0] == pytest.approx(hz(72), rel=1e-4)
    both = play(bend(-1, channel=0), 0.1, keyboard=keyboard)[-1, 0]  # the whole instrument: 2 semitones
    assert both == pytest.approx(hz(70), rel=1e-4)
    other = play(on(50, channel=2), 0.3, keyboard=keyboard)[-1, 0]
    assert other == pytest.approx(hz(50 + 12 - 2), rel=1e-4)


def test_after_an_mpe_zone_is_dissolved_bends_are_ordinary():
    frames = play(registered(6, 15), registered(6, 0), on(60, channel=1), bend(1, channel=1), 0.2, **EXACT)
    assert frames[-1, 0] == pytest.approx(hz(62), rel=1e-6)


def test_the_same_seed_plays_the_same_and_another_differently_but_never_far():
    first, again, other = (play(on(), 3.0, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert 1 < np.abs(cents(first[:, 0], A4) - cents(other[:, 0], A4)).max() < 60
    assert 0.1 < np.abs(first[40:, 2] - other[40:, 2]).max() < 4


messages = st.one_of(
    st.tuples(st.integers(0x80, 0x9F), st.integers(40, 60), st.integers(0, 127)),
    st.tuples(st.just(0xB0), st.sampled_from((1, 6, 7, 11, 38, 64, 100, 101, 120, 121, 123)), st.integers(0, 127)),
    st.tuples(st.integers(0xA0, 0xEF), st.integers(0, 127), st.integers(0, 127)),
    st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(-9, 300), st.integers(-9, 300)),
)


@given(st.lists(st.tuples(messages, st.integers(0, 30)), max_size=40), st.lists(st.floats(width=32), max_size=14))
def test_whatever_comes_there_are_controls_without_cliffs(script: list[tuple[Message, int]], settings: list[float]):
    keyboard = Keyboard(**dict(zip(Keyboard.SETTINGS, settings, strict=False)))
    frames = play(*(step for message, n in script for step in (message, n / FRAME_RATE)), 0.1, keyboard=keyboard)
    assert np.isfinite(frames).all() and ((frames[:, 0] == 0) | ((frames[:, 0] >= 8) & (frames[:, 0] <= 20000))).all()
    assert set(frames[:, 1]) <= {0, 1} and frames[:, 2].min() >= -100 and frames[:, 2].max() <= 12
    sounding = frames[:, 1] == 1
    assert (frames[~sounding, 2] == -100).all()
    inside = sounding[1:] & sounding[:-1]
    assert np.abs(np.diff(frames[:, 2]))[inside].max(initial=0) < 12.001


@given(block_cuts(200))
def test_blocks_change_nothing(cuts: list[int]):
    def process(start: int, stop: int, state: Keyboard | None) -> tuple[Floats, Keyboard]:
        if state is None:
            state = Keyboard()
            play([on(60), on(64)], keyboard=state)
        return state.process(stop - start).T, state

    check_contract(process, 200, cuts, tolerance=0)


def test_an_unknown_setting_is_refused():
    with pytest.raises(ValueError, match="no setting reverb"):
        Keyboard(reverb=1)
