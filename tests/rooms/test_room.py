import json
import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.signal
import torch
from rooms.halls import hall

from retimbre.dsp import decaying_noise
from retimbre.engine import resample
from retimbre.rooms.bands import OCTAVE_BANDS_HZ, band_noise, coloured_click
from retimbre.rooms.room import Room, taps

HALL = Room((500.0, 4000.0), (1.2, 0.4), (-6.0, -12.0), 2.0, seed=3, name="hall")
VAULT = Room(
    OCTAVE_BANDS_HZ,
    (1.5,) * 7,
    (3.0,) * 7,
    2.0,
    seed=5,
    name="vault",
    predelay_s=0.02,
    second_decay_s=(0.3,) * 7,
    second_level_db=(6.0,) * 7,
    gain_db=-6.0,
)


def decay_s(response: np.ndarray, rate: int, low_hz: float, high_hz: float) -> float:
    """T30 by Schroeder's backward integration, in a band."""
    band = scipy.signal.sosfilt(scipy.signal.butter(6, (low_hz, high_hz), "band", fs=rate, output="sos"), response)
    left_db = 10 * np.log10(np.cumsum(band[::-1] ** 2)[::-1])
    left_db -= left_db[0]
    fitted = (left_db < -5) & (left_db > -35)
    return -60 / np.polyfit(np.flatnonzero(fitted) / rate, left_db[fitted], 1)[0]


def test_a_room_comes_back_from_a_card() -> None:
    for room in (HALL, VAULT):
        assert Room.from_json(json.loads(json.dumps(room.to_json()))) == room
    assert set(HALL.to_json()) == {"band_hz", "decay_s", "level_db", "length_s", "seed", "name"}, "as older cards hold"


@pytest.mark.parametrize("rate", (16_000, 44_100, 48_000, 96_000))
def test_the_response_decays_and_weighs_as_the_numbers_say(rate: int) -> None:
    answer = HALL.to_rir(rate)
    assert answer[0] == pytest.approx(1, abs=0.05)
    answer[0] -= 1
    assert len(answer) == math.ceil(2 * rate)
    assert decay_s(answer, rate, 150, 450) == pytest.approx(1.2, rel=0.08)
    assert decay_s(answer, rate, 4500, 7500) == pytest.approx(0.4, rel=0.08)
    power = np.abs(np.fft.rfft(answer)) ** 2  # a gain of frequency, whatever the rate
    hz = np.fft.rfftfreq(len(answer), 1 / rate)
    for low_hz, high_hz, level_db in ((50, 450, -6), (4500, 7500, -12)):
        inside = (hz > low_hz) & (hz < high_hz)
        assert 10 * np.log10(power[inside].mean()) == pytest.approx(level_db, abs=0.7)


def test_two_parts_add_up_to_the_closed_form() -> None:
    """Energies 2 and 4 that fall by 60 dB in 1.5 and 0.3 s, from 20 ms after a direct sound of energy 1."""
    response = VAULT.to_rir()
    gain = 10 ** (VAULT.gain_db / 20)
    assert response[0] == pytest.approx(gain)
    assert not response[1:960].any() and response[961:1100].any()
    found = VAULT.report().broadband
    energy, rate = 10 ** (np.array([3.0, 6.0]) / 10), 6 * math.log(10) / np.array([1.5, 0.3])
    late = energy @ np.exp(-rate * 0.06)
    assert found.c80_db == pytest.approx(10 * math.log10((1 + energy.sum() - late) / late), abs=0.3)
    assert found.drr_db == pytest.approx(-10 * math.log10(energy.sum()), abs=0.3)
    assert np.square(response).sum() == pytest.approx(gain**2 * (1 + energy.sum()), rel=0.05)
    t = np.arange(0, 2, 1e-3)
    left_db = 10 * np.log10(energy @ np.exp(-rate[:, None] * t)) - 10 * np.log10(1 + energy.sum())
    for time_s, top_db, bottom_db in ((found.t20_s, -5, -25), (found.t30_s, -5, -35)):
        inside = (left_db < top_db) & (left_db > bottom_db)
        assert time_s == pytest.approx(-60 / np.polyfit(t[inside], left_db[inside], 1)[0], rel=0.03)


@pytest.mark.parametrize("decay_s", (0.4, 1.6))
def test_a_room_measures_as_its_numbers_say(decay_s: float) -> None:
    found = hall(decay_s, 3.0).report().broadband
    assert found.t30_s == pytest.approx(decay_s, rel=0.05)
    rate = 6 * math.log(10) / decay_s
    late = 10**0.3 * math.exp(-0.08 * rate)
    assert found.c80_db == pytest.approx(10 * math.log10((1 + 10**0.3 - late) / late), abs=0.5)


def test_two_ears_share_the_direct_sound_and_nothing_else() -> None:
    left, right = VAULT.to_rir(channels=2).T
    np.testing.assert_array_equal(left, VAULT.to_rir())
    assert left[0] == right[0]
    tails = left[1:], right[1:]
    assert np.square(tails[0]).sum() == pytest.approx(np.square(tails[1]).sum(), rel=0.05)
    correlation = scipy.signal.correlate(*tails, method="fft") / np.square(tails[0]).sum()
    assert np.abs(correlation[len(tails[0]) - 48 : len(tails[0]) + 48]).max() < 0.1  # within a millisecond


def test_scaling_lengthens_and_moves_away() -> None:
    far, near = VAULT.scale(distance=2), VAULT
    np.testing.assert_allclose(far.to_rir()[1:], near.to_rir()[1:], atol=1e-6)
    assert far.to_rir()[0] == pytest.approx(near.to_rir()[0] / 2)
    longer = hall(0.8, 3.0).scale(decay=1.5)
    assert longer.report().broadband.t30_s == pytest.approx(1.2, rel=0.05)
    assert VAULT.scale().to_json() == VAULT.to_json()
    with pytest.raises(ValueError, match="above 0"):
        VAULT.scale(decay=0)


def test_between_two_rooms_lie_others() -> None:
    small, large = hall(0.5, -3.0), VAULT
    half = small.blend(large)
    assert half.decay_s == pytest.approx([math.sqrt(0.5 * 1.5)] * 7)
    assert half.level_db == pytest.approx([0.0] * 7) and half.predelay_s == pytest.approx(0.01)
    for share, room in ((0, small), (1, large)):
        np.testing.assert_allclose(small.blend(large, share).decay_s, room.decay_s)
        np.testing.assert_allclose(small.blend(large, share).level_db, room.level_db)
    np.testing.assert_allclose(small.blend(HALL, 1).decay_s, HALL.at(small.band_hz)[0])
    with pytest.raises(ValueError, match="between 0 and 1"):
        small.blend(large, 1.5)


def test_a_coloured_room_colours_the_click_and_the_answer() -> None:
    colour_db = (6.0, 4.0, 2.0, 0.0, -4.0, -8.0, -20.0)
    plain, room = replace(VAULT, gain_db=0.0), replace(VAULT, gain_db=0.0, colour_db=colour_db)
    assert Room.from_json(json.loads(json.dumps(room.to_json()))) == room
    for rate in (16_000, 48_000):
        click, answer = room.to_rir(rate)[: round(0.02 * rate)], room.answer(rate)
        gain_db = 20 * np.log10(np.abs(np.fft.rfft(click, 1 << 16)))
        hz = np.fft.rfftfreq(1 << 16, 1 / rate)
        inside = (hz > 250) & (hz < 6500)
        np.testing.assert_allclose(
            10 ** (gain_db[inside] / 20),
            np.interp(np.log2(hz[inside]), np.log2(OCTAVE_BANDS_HZ), 10 ** (np.array(colour_db) / 20)),
            rtol=0.03,
        )
        ratio = np.abs(np.fft.rfft(answer)) ** 2, np.abs(np.fft.rfft(plain.answer(rate))) ** 2
        hz = np.fft.rfftfreq(len(answer), 1 / rate)
        for centre, db in zip(OCTAVE_BANDS_HZ[:6], colour_db[:6], strict=True):
            near = (hz > 0.97 * centre) & (hz < 1.03 * centre)
            assert 10 * np.log10(ratio[0][near].mean() / ratio[1][near].mean()) == pytest.approx(db, abs=0.3)


def test_the_coloured_click_has_minimum_phase() -> None:
    """No filter of the same magnitude has more of its energy in its first samples; scipy finds the same one."""
    click = coloured_click(OCTAVE_BANDS_HZ, (6.0, 4.0, 2.0, 0.0, -4.0, -8.0, -20.0), 48_000)
    roots = np.fft.irfft(np.abs(np.fft.rfft(click, 1 << 15)) ** 2)
    linear = np.roll(roots, 1 << 13)[: 1 << 14]
    same = scipy.signal.minimum_phase(linear, n_fft=1 << 18)
    np.testing.assert_allclose(click[:200], same[:200], atol=2e-3 * np.abs(click).max())


def test_at_tells_what_dominates_after_50_ms() -> None:
    """Of energies 2 and 4 that fall in 1.5 and 0.3 s, from 20 ms after the direct sound on."""
    decay_s, level_db = VAULT.at(1000.0)
    energy, rate = 10 ** (np.array([3.0, 6.0]) / 10), 6 * math.log(10) / np.array([1.5, 0.3])
    left = energy * np.exp(-rate * 0.03)
    centre_s = (left / rate).sum() / left.sum()  # of what comes after 50 ms
    assert decay_s == pytest.approx(6 * math.log(10) * centre_s)
    assert 10 * np.log10(left.sum()) == pytest.approx(level_db - 60 * 0.05 / decay_s)
    np.testing.assert_allclose(HALL.at(HALL.band_hz), (HALL.decay_s, HALL.level_db))


def test_it_is_the_response_that_is_trained() -> None:
    noise = torch.from_numpy(band_noise(taps(2.0) - 1, HALL.band_hz, HALL.seed))
    trained = decaying_noise(noise, torch.tensor(HALL.decay_s), torch.tensor(HALL.level_db), 48_000)
    np.testing.assert_allclose(HALL.answer(48_000), trained, atol=1e-6)
    np.testing.assert_allclose(HALL.answer(24_000), 2 * resample(HALL.answer(48_000), 48_000, 24_000), atol=1e-6)


def test_bands_sum_to_white_noise() -> None:
    bands = band_noise(2**16, OCTAVE_BANDS_HZ, 5)
    noise = bands.sum(axis=0)
    assert noise.std() == pytest.approx(1, abs=0.02)
    spectrum = np.abs(np.fft.rfft(noise)) ** 2 / len(noise)
    assert spectrum[:16_000].mean() == pytest.approx(spectrum[16_000:].mean(), rel=0.05)
    power = np.abs(np.fft.rfft(bands)) ** 2
    assert (power[3, round(2000 * 2**16 / 48_000) + 1 :] < 1e-9 * power[3].max()).all(), (
        "the band of 1 kHz reaches to its neighbour's centre"
    )


@pytest.mark.parametrize(
    "changes",
    (
        {"decay_s": [0.5, float("nan")]},
        {"decay_s": [0.5, 1e9]},
        {"decay_s": [0.5]},
        {"decay_s": 0.5},
        {"level_db": [float("inf"), 0]},
        {"level_db": [200, 0]},
        {"band_hz": [4000, 500]},
        {"band_hz": [], "decay_s": [], "level_db": []},
        {"band_hz": [*range(1, 200)], "decay_s": [1] * 199, "level_db": [0] * 199},
        {"length_s": 1e6},
        {"length_s": float("nan")},
        {"seed": -1},
        {"seed": None},
        {"seed": float("inf")},
        {"predelay_s": -0.1},
        {"predelay_s": 1.999},
        {"predelay_s": float("nan")},
        {"gain_db": float("inf")},
        {"colour_db": [1.0]},
        {"colour_db": [float("nan"), 0.0]},
        {"decay_spread": [0.1]},
        {"level_spread_db": [-1.0, 0.0]},
        {"second_decay_s": [1.0]},
        {"second_decay_s": [1.0, 1.0]},
        {"second_decay_s": [1.0, 0.0], "second_level_db": [0, 0]},
        {"second_decay_s": [1.0, 1.0], "second_level_db": [0, float("nan")]},
    ),
)
def test_what_no_room_is_is_refused(changes: dict) -> None:
    with pytest.raises((ValueError, TypeError, OverflowError)):
        Room.from_json(HALL.to_json() | changes)
