"""The synthesiser against the closed forms of docs/definitions.md, in float64, and against what noise must be."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.signal

from retimbre.engine import FRAME_RATE, Synth, white_noise
from tests.engine.signals import error_db, smooth

BAND_HZ = np.float32([0, 20000])
rates = pytest.mark.parametrize("sample_rate", (48000, 44100))


def play(f0_hz, amplitudes, sample_rate: int):
    """Harmonics alone."""
    rows = np.column_stack([f0_hz, amplitudes, np.zeros((len(f0_hz), 2))]).astype(np.float32)
    return Synth(sample_rate, amplitudes.shape[1], BAND_HZ).process(rows, noise_gain=0)


def intervals(f0_hz):
    """Pitch at the beginning and the end of each interval."""
    before, after = np.float32(f0_hz[:-1]), np.float32(f0_hz[1:])
    jumps = (after > np.float32(1.03) * before) | (before > np.float32(1.03) * after)
    return np.float64(np.where(jumps, after, before)), np.float64(after)


def sine_bank(f0_hz, amplitudes, sample_rate: int):
    """Every sine by itself, as docs/definitions.md writes it."""
    f0_hz, amplitudes = np.float64(np.float32(f0_hz)), np.float64(np.float32(amplitudes))
    orders = np.arange(1, amplitudes.shape[1] + 1)
    fade = np.clip((sample_rate / 2 - f0_hz[:, None] * orders) / (0.05 * sample_rate), 0, 1)
    amplitudes = amplitudes * fade
    begin, end = intervals(f0_hz)
    at_frame = np.concatenate([[0], np.cumsum((begin + end) / 400)])
    n = np.arange(-(-(len(f0_hz) - 1) * sample_rate // 200))
    i = 200 * n // sample_rate
    w = 200 * n / sample_rate - i
    phase = at_frame[i] + (begin[i] * w + (end[i] - begin[i]) * w**2 / 2) / 200
    a = (1 - w)[:, None] * amplitudes[i] + w[:, None] * amplitudes[i + 1]
    return np.sum(a * np.sin(2 * np.pi * (phase[:, None] * orders % 1)), axis=1)


# --- harmonics ---------------------------------------------------------------------------------------------------


@rates
@pytest.mark.parametrize("harmonics", (1, 8, 61, 100))
def test_oscillator_is_a_bank_of_sines(sample_rate, harmonics):
    rng, frames = np.random.default_rng(harmonics), 160
    f0_hz = np.exp2(smooth(rng, frames, np.log2(40), np.log2(1500)))
    amplitudes = rng.uniform(0.2, 1, (frames, harmonics)) / np.arange(1, harmonics + 1)
    assert error_db(play(f0_hz, amplitudes, sample_rate), sine_bank(f0_hz, amplitudes, sample_rate)) < -60


@rates
def test_harmonics_90_db_below_the_strongest_still_sound(sample_rate):
    f0_hz, amplitudes = np.full(60, 110.0), np.full((60, 60), 10 ** (-90 / 20))
    amplitudes[:, 0] = 1
    strongest = amplitudes * (np.arange(60) == 0)
    faint = play(f0_hz, amplitudes, sample_rate).astype(np.float64) - play(f0_hz, strongest, sample_rate)
    assert error_db(faint, sine_bank(f0_hz, amplitudes - strongest, sample_rate)) < -35


@rates
def test_phase_is_right_after_ten_minutes(sample_rate):
    """One part in 10^7 of a hertz would be a radian off by then."""
    rng, frames = np.random.default_rng(0), 10 * 60 * FRAME_RATE
    f0_hz = np.float32(200 + 12 * rng.random(frames))  # half of the steps glide, half jump
    amplitudes = np.float32([0.5, 0.3])
    synth = Synth(sample_rate, 2, BAND_HZ)
    silent = np.zeros((2000, synth.noise_length), np.float32)
    written, end = 0, np.empty(0, np.float32)
    for at in range(0, frames, 2000):
        rows = np.column_stack([f0_hz[at : at + 2000], np.tile([*amplitudes, 0, 0], (2000, 1))]).astype(np.float32)
        end = synth.process(rows, noise=silent)
        written += len(end)
    n = written - len(end) + np.arange(len(end))
    assert written == -(-(frames - 1) * sample_rate // 200)
    first, last = intervals(f0_hz)
    at_frame = np.concatenate([[0], np.cumsum((np.longdouble(first) + last) / 400)])
    i = 200 * n // sample_rate
    w = 200 * n / sample_rate - i
    phase = np.float64(at_frame[i] % 1) + (first[i] * w + (last[i] - first[i]) * w**2 / 2) / 200
    expected = sum(a * np.sin(2 * np.pi * k * phase) for k, a in enumerate(np.float64(amplitudes), 1))
    assert error_db(end, expected) < -80


@pytest.mark.parametrize("sample_rate", (16000, 44100, 48000, 96000))
def test_nothing_sounds_above_nyquist(sample_rate):
    """A rising tone whose harmonics would fold back: all that sounds lies on its harmonics."""
    silent = play(np.full(40, 0.51 * sample_rate), np.ones((40, 4)), sample_rate)
    assert np.abs(silent).max() == 0
    f0_hz = 0.11 * sample_rate  # harmonics at .11, .22, .33, .44 of the rate; the others would fold to .45, .34, ...
    audio = play(np.full(81, f0_hz), np.ones((81, 12)), sample_rate)[sample_rate // 50 :]
    power = np.abs(np.fft.rfft(audio * np.blackman(len(audio)))) ** 2
    hz = np.fft.rfftfreq(len(audio), 1 / sample_rate)
    off = np.all([np.abs(hz - k * f0_hz) > 50 for k in (1, 2, 3, 4)], axis=0)
    assert 10 * np.log10(power[off].max() / power.max()) < -55


def test_gains_scale_the_two_halves():
    rng = np.random.default_rng(0)
    rows = np.float32(np.column_stack([np.full(50, 220), rng.random((50, 4)), rng.random((50, 2))]))

    def sound(**gains):
        return Synth(48000, 4, BAND_HZ).process(rows, seed=1, **gains).astype(np.float64)

    tone, breath = sound(noise_gain=0.0), sound(harmonic_gain=0.0)
    np.testing.assert_allclose(sound(harmonic_gain=0.25, noise_gain=3), 0.25 * tone + 3 * breath, atol=1e-5)


# --- noise -------------------------------------------------------------------------------------------------------


def breath(magnitudes, sample_rate: int, frames: int = 2001, band_hz=BAND_HZ, seed: int = 0):
    rows = np.zeros((frames, 2 + len(band_hz)), np.float32)
    rows[:, 2:] = magnitudes
    return Synth(sample_rate, 1, band_hz).process(rows, seed=seed)


@pytest.mark.parametrize("sample_rate", (16000, 44100, 48000, 96000, 192000))
def test_flat_magnitudes_make_white_noise_of_that_rms(sample_rate):
    audio = breath(0.3, sample_rate, 8001 if sample_rate < 50000 else 2001)
    assert abs(20 * np.log10(audio.std() / 0.3)) < 0.05, "the variance depends on the rate"
    hz, density = scipy.signal.welch(audio, sample_rate, nperseg=1024)
    edges = np.linspace(0, sample_rate / 2, 17)
    expected = 0.3**2 / (sample_rate / 2)
    for low, high in pairwise(edges):
        band = (hz >= max(low, 3 * hz[1])) & (hz < min(high, hz[-3]))
        assert abs(10 * np.log10(density[band].mean() / expected)) < 0.5, f"{low:.0f} Hz"


@rates
def test_band_level_follows_the_magnitude(sample_rate):
    band_hz = np.float32([0, 1000, 2000, 6000, 7000, 20000])
    audio = breath([0.001, 0.001, 0.1, 0.1, 0.02, 0.02], sample_rate, band_hz=band_hz)
    hz, density = scipy.signal.welch(audio, sample_rate, "hann", 2048)
    for low, high, magnitude in ((2300, 5700, 0.1), (7400, 19000, 0.02)):
        level = density[(hz > low) & (hz < high)].mean() * sample_rate / 2
        assert abs(10 * np.log10(level / magnitude**2)) < 0.3
    stop = density[(hz > 200) & (hz < 700)].mean() * sample_rate / 2
    assert 10 * np.log10(stop / 0.1**2) < -35, "the cross-fade leaks"
    slope = np.interp(1500, band_hz, [0.001, 0.001, 0.1, 0.1, 0.02, 0.02])  # linear in Hz, not in dB
    middle = density[(hz > 1400) & (hz < 1600)].mean() * sample_rate / 2
    assert abs(10 * np.log10(middle / slope**2)) < 1


@pytest.mark.parametrize("sample_rate", (16000, 44100, 48000))
@pytest.mark.parametrize("magnitudes", ([0.3, 0.3], [0.5, 0.0]))
def test_a_constant_spectrum_sounds_constant(sample_rate, magnitudes):
    """No modulation at the frame rate or its harmonics: power against the place between frames."""
    audio = breath(magnitudes, sample_rate, 4001).astype(np.float64)
    power, n = audio**2 / np.mean(audio**2), np.arange(len(audio))
    for harmonic in (1, 2, 3):
        depth = 2 * abs(np.mean(power * np.exp(-2j * np.pi * harmonic * 200 * n / sample_rate)))
        assert depth < 0.02, f"{harmonic * 200} Hz"


@rates
def test_the_level_between_two_frames_is_between_theirs(sample_rate):
    """Power fades with cos^2 from one magnitude to the next."""
    frames, silent = 4000, slice(0, None, 2)
    rows = np.ones((frames, 4), np.float32) * [0, 0, 0.2, 0.2]
    rows[silent, 2:] = 0
    audio = Synth(sample_rate, 1, BAND_HZ).process(rows.astype(np.float32), seed=2)
    position = 200 * np.arange(len(audio)) / sample_rate
    loud = np.abs((position + 1) % 2 - 1)  # 1 on the loud frames, 0 on the silent ones
    for middle in (0.1, 0.3, 0.5, 0.7, 0.9):
        measured = np.mean(audio[np.abs(loud - (1 - middle)) < 0.05] ** 2) / 0.2**2
        assert abs(measured - np.cos(np.pi * middle / 2) ** 2) < 0.03


# --- the white numbers -------------------------------------------------------------------------------------------


def test_noise_fill_is_white_with_unit_variance():
    noise = white_noise(7, 0, 2000, 512).astype(np.float64)
    assert abs(noise.mean()) < 0.003 and abs(noise.var() - 1) < 0.005 and np.abs(noise).max() <= np.sqrt(3) + 1e-6
    histogram, _ = np.histogram(noise, 20, (-np.sqrt(3), np.sqrt(3)))
    assert np.abs(histogram / noise.size * 20 - 1).max() < 0.02, "not uniform"
    flat = noise.ravel()
    spectrum = np.abs(np.fft.fft(flat)) ** 2 / flat.size
    correlation = np.fft.ifft(spectrum).real
    assert np.abs(correlation[1:3000]).max() < 5.5 / np.sqrt(flat.size), "neighbours or frames are correlated"
    across = noise.T @ noise / len(noise) - np.eye(512)
    assert np.abs(across).max() < 6 / np.sqrt(len(noise)), "places are correlated"


def test_noise_fill_depends_on_seed_and_frame_alone():
    whole = white_noise(11, 0, 40, 256)
    np.testing.assert_array_equal(white_noise(11, 17, 9, 256), whole[17:26])
    np.testing.assert_array_equal(white_noise(11, 0, 40, 128), whole[:, :128])
    for seed in (0, 10, 12, 2**31, 2**32 - 1):
        other = white_noise(seed, 0, 40, 256)
        correlation = np.mean(whole.astype(np.float64) * other)
        assert abs(correlation) < 5 / np.sqrt(other.size), f"seed {seed} resembles seed 11"
    assert abs(np.corrcoef(whole[:-1].ravel(), whole[1:].ravel())[0, 1]) < 0.05


def test_noise_fill_against_the_published_hash():
    """lowbias32 (Chris Wellons) in Python's integers."""

    def hashed(x: int) -> int:
        x &= 0xFFFFFFFF
        x = ((x ^ (x >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
        x = ((x ^ (x >> 15)) * 0x846CA68B) & 0xFFFFFFFF
        return x ^ (x >> 16)

    for seed, frame in ((0, 0), (1, 5), (2**32 - 1, 70000)):
        row = hashed(hashed(seed + 0x9E3779B9) ^ frame)
        bits = np.array([hashed(row + place) >> 8 for place in range(64)])
        expected = (bits * 2.0**-23 - 1) * np.sqrt(3)
        np.testing.assert_allclose(white_noise(seed, frame, 1, 64)[0], expected, atol=1e-6)


def test_the_synth_uses_noise_fill_for_its_seed():
    rows = np.full((30, 4), 0.1, np.float32)
    synth = Synth(48000, 1, BAND_HZ)
    noise = white_noise(3, 0, 30, synth.noise_length)
    np.testing.assert_array_equal(synth.process(rows, seed=3), Synth(48000, 1, BAND_HZ).process(rows, noise=noise))
