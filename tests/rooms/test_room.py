import json
import math

import numpy as np
import pytest
import scipy.signal
import torch

from retimbre.dsp import decaying_noise
from retimbre.engine import resample
from retimbre.rooms.room import OCTAVE_BANDS_HZ, Room, band_noise, taps

HALL = Room((500.0, 4000.0), (1.2, 0.4), (-6.0, -12.0), 2.0, seed=3, name="hall")


def decay_s(response: np.ndarray, rate: int, low_hz: float, high_hz: float) -> float:
    """T30 by Schroeder's backward integration, in a band."""
    band = scipy.signal.sosfilt(scipy.signal.butter(6, (low_hz, high_hz), "band", fs=rate, output="sos"), response)
    left_db = 10 * np.log10(np.cumsum(band[::-1] ** 2)[::-1])
    left_db -= left_db[0]
    fitted = (left_db < -5) & (left_db > -35)
    return -60 / np.polyfit(np.flatnonzero(fitted) / rate, left_db[fitted], 1)[0]


def test_a_room_comes_back_from_a_card() -> None:
    assert Room.from_json(json.loads(json.dumps(HALL.to_json()))) == HALL


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


def test_it_is_the_response_that_is_trained() -> None:
    noise = torch.from_numpy(band_noise(taps(2.0) - 1, HALL.band_hz, HALL.seed))
    trained = decaying_noise(noise, torch.tensor(HALL.decay_s), torch.tensor(HALL.level_db), 48_000)
    np.testing.assert_allclose(HALL.answer(48_000), trained, atol=1e-6)
    np.testing.assert_allclose(HALL.answer(24_000), 2 * resample(HALL.answer(48_000), 48_000, 24_000), atol=1e-6)


def test_bands_sum_to_white_noise() -> None:
    bands = band_noise(48_000, OCTAVE_BANDS_HZ, 5)
    noise = bands.sum(axis=0)
    assert noise.std() == pytest.approx(1, abs=0.02)
    spectrum = np.abs(np.fft.rfft(noise)) ** 2 / len(noise)
    assert spectrum[:12_000].mean() == pytest.approx(spectrum[12_000:].mean(), rel=0.05)
    power = np.abs(np.fft.rfft(bands)) ** 2
    assert (power[3, 2000:] < 1e-9 * power[3].max()).all(), "the band of 1 kHz reaches to its neighbour's centre"


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
    ),
)
def test_what_no_room_is_is_refused(changes: dict) -> None:
    with pytest.raises((ValueError, TypeError)):
        Room.from_json(HALL.to_json() | changes)
