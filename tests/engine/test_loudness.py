"""Loudness against the analogue A curve (scipy, from the poles of IEC 61672-1) and against the clock."""

import numpy as np
import pytest
import scipy.signal

from retimbre.engine import Analyzer

POLES_HZ = (20.598997, 20.598997, 107.65265, 737.86223, 12194.217, 12194.217)


def a_curve_db(hz):
    poles = [-2 * np.pi * pole for pole in POLES_HZ]
    _, response = scipy.signal.freqs_zpk([0] * 4, poles, 1, worN=2 * np.pi * np.append(hz, 1000.0))
    decibels = 20 * np.log10(np.abs(response[:-1] / response[-1]))
    return decibels if np.ndim(hz) else float(decibels[0])


def loudness(audio, sample_rate: int, lookahead: bool = True):
    tail = np.zeros(sample_rate, np.float32)
    return Analyzer(sample_rate, lookahead).process(np.concatenate([np.float32(audio), tail]))[:, 2]


def sine(hz: float, sample_rate: int, seconds: float = 0.6):
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * sample_rate)) / sample_rate)


@pytest.mark.parametrize("sample_rate", (8000, 16000, 44100, 192000))
@pytest.mark.parametrize("lookahead", (True, False))
def test_full_scale_sine_at_1_khz_reads_minus_3_db(sample_rate, lookahead):
    level = loudness(sine(1000, sample_rate), sample_rate, lookahead)[20:100]
    np.testing.assert_allclose(level, 10 * np.log10(0.5), atol=0.05)


@pytest.mark.parametrize("sample_rate, highest_hz", ((16000, 7000), (44100, 6500), (48000, 6500), (8000, 3000)))
def test_a_curve(sample_rate, highest_hz):
    for hz in np.geomspace(40, highest_hz, 16):
        frames = loudness(sine(hz, sample_rate, 1.0), sample_rate)[30:170]
        measured = 10 * np.log10(np.mean(10 ** (frames / 10)))  # 30 ms hold a broken number of cycles
        assert abs(measured - (10 * np.log10(0.5) + a_curve_db(hz))) < 0.3, f"{hz:.0f} Hz"


def test_noise_against_the_spectrum():
    """Power of pink noise weighed bin by bin."""
    rng, n = np.random.default_rng(0), 4 * 16000
    hz = np.fft.rfftfreq(n, 1 / 16000)
    hz[0] = 1
    spectrum = rng.standard_normal(len(hz)) / np.sqrt(hz) * (hz > 30) * (hz < 7500)
    audio = np.fft.irfft(spectrum, n)
    audio *= 0.3 / audio.std()
    gain = 10 ** (a_curve_db(hz) / 20)
    expected = 10 * np.log10(np.mean(np.fft.irfft(np.fft.rfft(audio) * gain, n) ** 2))
    frames = loudness(audio, 16000)[10:790]
    assert abs(10 * np.log10(np.mean(10 ** (frames / 10))) - expected) < 0.2


@pytest.mark.parametrize("sample_rate", (16000, 44100, 48000))
@pytest.mark.parametrize("lookahead", (True, False))
def test_the_window_of_30_ms_is_centred_with_lookahead_and_past_without(sample_rate, lookahead):
    """A 2 kHz tone ends at frame 60: the share of its power inside the window, frame by frame."""
    tone = sine(2000, sample_rate, 0.6)
    tone[int(0.3 * sample_rate) :] = 0
    power = 10 ** (loudness(tone, sample_rate, lookahead) / 10)
    share = power[55:70] / power[20:40].mean()
    start = -3 if lookahead else 0  # the window of frame 60 + start is the last that is full
    expected = 1 - np.clip((np.arange(55, 70) - 60 - start) / 6, 0, 1)
    np.testing.assert_allclose(share, expected, atol=0.03)


@pytest.mark.parametrize("sample_rate", (16000, 44100, 48000))
def test_the_window_is_centred_on_the_start_of_a_tone_with_lookahead(sample_rate):
    tone = sine(2000, sample_rate, 0.6)
    tone[: int(0.3 * sample_rate)] = 0
    power = 10 ** (loudness(tone, sample_rate) / 10)
    expected = np.clip((np.arange(55, 70) - 57) / 6, 0, 1)
    np.testing.assert_allclose(power[55:70] / power[80:100].mean(), expected, atol=0.03)


@pytest.mark.parametrize("lookahead", (True, False))
def test_silence_reads_the_floor_and_a_tone_falls_to_it(lookahead):
    np.testing.assert_allclose(loudness(np.zeros(8000), 16000, lookahead), -100, atol=1e-4)
    level = loudness(0.5 * sine(440, 16000, 0.5), 16000, lookahead)
    np.testing.assert_allclose(level[160:190], -100, atol=0.01)


def test_level_follows_the_amplitude_down_to_the_floor():
    levels = [loudness(sine(1000, 16000, 0.3) * 10 ** (db / 20), 16000)[20:40].mean() for db in (0, -30, -60, -80)]
    np.testing.assert_allclose(levels, [-3.01, -33.01, -63.01, 10 * np.log10(10**-8.301 + 1e-10)], atol=0.05)


# --- live: a new sound is not averaged with the silence before it ------------------------------------------------


@pytest.mark.parametrize("hz", (110, 440, 2000))
@pytest.mark.parametrize("before_db", (-40, None))
def test_live_a_sudden_tone_is_at_its_level_in_two_frames(hz, before_db):
    """Averaged over 30 ms it would read 4.8 dB too low after 10 ms, and 7.8 dB after 5."""
    start = np.arange(48000) >= 24000
    audio = 0.3 * sine(hz, 48000, 1.0) * np.where(start, 1, 0 if before_db is None else 10 ** (before_db / 20))
    level = loudness(audio, 48000, lookahead=False)
    assert level[100] < level[180] - 20
    assert abs(level[102] - level[180]) < 1
    assert np.abs(level[102:180] - level[180]).max() < 1.5


def pulses(hz: float, seconds: float = 1.5):
    """Harmonics of equal strength, in phase: all the power of a period within a millisecond."""
    return sum(0.01 * np.cos(2 * np.pi * k * hz * np.arange(int(16000 * seconds)) / 16000) for k in range(1, 100))


@pytest.mark.parametrize("hz", (36, 41, 55, 73, 110, 220))
def test_live_the_pulses_of_a_low_note_are_no_onsets(hz):
    """Live and offline are the same 30 ms, 15 ms apart, wherever nothing begins; so are they when the note ends."""
    audio = np.concatenate([pulses(hz), np.zeros(4000)])
    live, offline = (loudness(audio, 16000, lookahead) for lookahead in (False, True))
    np.testing.assert_array_equal(live[40:340], offline[37:337])


@pytest.mark.parametrize("seed", range(3))
def test_live_noise_has_no_onsets(seed):
    audio = 0.1 * np.random.default_rng(seed).standard_normal(5 * 16000)
    live, offline = (loudness(audio, 16000, lookahead) for lookahead in (False, True))
    np.testing.assert_array_equal(live[40:1040], offline[37:1037])
