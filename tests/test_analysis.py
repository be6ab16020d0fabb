import numpy as np
import pytest

from retimbre.analysis import ANTICIPATION_FRAMES, analyze, analyze_blocks, carry_pitch


def tone(hz: float, sample_rate: int, samples: int):
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(samples) / sample_rate)).astype(np.float32)


@pytest.mark.parametrize("lookahead", (True, False))
@pytest.mark.parametrize("sample_rate", (8000, 22050, 44100, 48000))
def test_frames_span_the_sound(sample_rate, lookahead):
    """One frame before the first sample, one every 5 ms, and one at or after the end."""
    for samples in (1, 79, 80, 81, 220, 221, 5000, sample_rate):
        frames = len(analyze(tone(300, sample_rate, samples), sample_rate, lookahead=lookahead))
        assert (frames - 2) * sample_rate < 200 * samples <= (frames - 1) * sample_rate


@pytest.mark.parametrize("lookahead", (True, False))
def test_what_is_measured_is_what_sounds(lookahead):
    controls = analyze(tone(440, 48000, 48000), 48000, lookahead=lookahead)
    inner = slice(15, 185)
    assert controls.voiced[inner].all()
    np.testing.assert_allclose(controls.f0_hz[inner], 440, rtol=1e-3)
    a_curve_db = -4.18  # at 440 Hz, IEC 61672-1
    np.testing.assert_allclose(controls.loudness_db[inner], 20 * np.log10(0.3) - 3.01 + a_curve_db, atol=0.3)


def test_blocks_are_as_good_as_the_whole():
    audio = tone(200, 44100, 30000) * np.linspace(0, 1, 30000, dtype=np.float32)
    whole = analyze(audio, 44100)
    blocks = analyze_blocks(np.array_split(audio, [1, 2, 700, 20000]), 44100)
    for name in ("f0_hz", "periodicity", "loudness_db"):
        np.testing.assert_array_equal(getattr(blocks, name), getattr(whole, name))


def test_silence_has_no_pitch_and_the_floor_for_loudness():
    controls = analyze(np.zeros(8000), 16000)
    assert not controls.voiced.any() and (controls.f0_hz == 0).all()
    np.testing.assert_allclose(controls.loudness_db, -100, atol=1e-4)


def test_pitch_is_carried_through_a_pause_and_anticipates_the_next_note():
    audio = np.concatenate([tone(300, 16000, 8000), np.zeros(8000, np.float32), tone(500, 16000, 8000)])
    controls = analyze(audio, 16000)
    assert 80 < (~controls.voiced[90:210]).sum() <= 100
    onset = 150 + int(np.flatnonzero(controls.voiced[150:])[0])
    np.testing.assert_allclose(controls.f0_hz[10 : onset - ANTICIPATION_FRAMES], 300, rtol=0.02)
    np.testing.assert_allclose(controls.f0_hz[onset - ANTICIPATION_FRAMES : 290], 500, rtol=0.02)


@pytest.mark.parametrize(
    "audio, message",
    (
        (np.array([0, np.nan, 0]), "NaN"),
        (np.array([0, np.inf]), "infinite"),
        (np.zeros((2, 100)), r"mono.*\(2, 100\)"),
        (np.zeros((100, 1)), "mono"),
        (np.zeros(0), r"shape \(0,\)"),
        (np.float32(0.5), "mono"),
    ),
)
def test_what_cannot_be_analysed_is_refused(audio, message):
    with pytest.raises(ValueError, match=message):
        analyze(audio, 48000)


@pytest.mark.parametrize("sample_rate", (0, 7999, 192001))
def test_rates_out_of_range_are_refused(sample_rate):
    with pytest.raises(ValueError, match=rf"{sample_rate} Hz is outside 8000 to 192000 Hz"):
        analyze(np.zeros(100), sample_rate)


def carried(f0_hz, *arguments):
    return carry_pitch(np.array(f0_hz, np.float32), *arguments).tolist()


def test_carry_pitch_fills_a_gap_from_before_and_its_end_from_after():
    assert carried([5, 0, 0, 0, 7], 0) == [5, 5, 5, 5, 7]
    assert carried([5, 0, 0, 0, 7], 1) == [5, 5, 5, 7, 7]
    assert carried([5, 0, 0, 0, 7], 2) == [5, 5, 7, 7, 7]
    assert carried([5, 0, 7], 4) == [5, 7, 7]


def test_carry_pitch_at_the_ends():
    assert carried([5, 0, 0, 0, 0, 0, 0], 4) == [5] * 7
    assert carried([0, 0, 0, 0, 0, 0, 7], 4) == [7] * 7


def test_carry_pitch_knows_nothing_where_nothing_is_known():
    assert carried([0, 0, 0], 4) == [0, 0, 0]
    assert carried([], 4) == []


def test_carry_pitch_against_the_rule_frame_by_frame():
    rng = np.random.default_rng(0)
    f0_hz = np.where(rng.random(400) < 0.7, 0, rng.uniform(50, 900, 400)).astype(np.float32)
    for anticipation in (0, 1, ANTICIPATION_FRAMES):
        filled = carry_pitch(f0_hz, anticipation)
        np.testing.assert_array_equal(filled[f0_hz > 0], f0_hz[f0_hz > 0])
        for frame in np.flatnonzero(f0_hz == 0):
            ahead = f0_hz[frame : frame + anticipation + 1]
            behind = f0_hz[:frame][f0_hz[:frame] > 0]
            source = ahead[ahead > 0][0] if ahead.any() else behind[-1] if len(behind) else f0_hz[f0_hz > 0][0]
            assert filled[frame] == source
