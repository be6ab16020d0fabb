"""Live voicing: a pitched sound is known in its first frames, noise is not taken for one, and what is carried."""

from pathlib import Path

import numpy as np
import pytest

from retimbre import audio as audio_file
from retimbre.engine import FRAME_RATE, Analyzer
from tests.engine.signals import cents

RATE = 16000
SOURCES = Path(__file__).parents[2] / "../shared/audio/sources"


def live(audio):
    """f0_hz, periodicity, loudness_db of every frame."""
    return Analyzer(RATE, False).process(np.asarray(audio, np.float32)).T


def sudden(f0_hz: float, seed: int):
    """A tone that starts at frame 100 within 2 ms, in noise 46 dB below it."""
    rng = np.random.default_rng(seed)
    t = np.arange(RATE) / RATE
    tone = sum(np.sin(2 * np.pi * (k * f0_hz * t + rng.random())) / k**1.3 for k in range(1, int(7000 / f0_hz) + 1))
    tone *= 0.2 / tone.std() * np.clip((t - 0.5) / 0.002, 0, 1)
    return tone + 1e-3 * rng.standard_normal(RATE)


def test_a_sudden_tone_is_voiced_by_its_second_frame():
    """10 ms after its start: of 82 Hz that is less than a period."""
    pitches = (82, 110, 147, 220, 330, 440, 660, 880)
    voiced = np.array([live(sudden(f0_hz, seed))[1] >= 0.5 for f0_hz in pitches for seed in range(4)])
    assert voiced[:, 50:100].mean() < 0.01
    assert voiced[:, 102].mean() >= 0.9 and voiced[:, 112:].all()


@pytest.mark.parametrize("f0_hz", (880, 1760, 2600))
def test_a_clear_period_keeps_a_high_tone_voiced(f0_hz):
    for seed in range(3):
        assert (live(sudden(f0_hz, seed))[1, 102:] >= 0.5).all(), seed


@pytest.mark.parametrize("f0_hz, limit_ms", ((65, 50), (110, 25), (220, 20), (440, 15), (880, 10)))
def test_the_pitch_of_a_sudden_tone_is_right_in_time(f0_hz, limit_ms):
    for seed in range(5):
        right = np.abs(cents(live(sudden(f0_hz, seed))[0], f0_hz)) < 50
        assert right[100 + limit_ms // 5 :].all(), seed


def test_before_the_first_pitch_is_known_there_is_none():
    """0 Hz, never a guess, however sure it is; a player may put a pitch of its own there."""
    f0_hz, periodicity, _ = live(sudden(82, 1))
    begun = 100 + int(np.argmax(periodicity[100:] >= 0.5))
    assert begun <= 104 and (f0_hz[: begun + 1] == 0).all()


def test_between_notes_the_last_pitch_stays():
    audio = np.concatenate([sudden(220, 0), np.zeros(RATE // 2), sudden(330, 1)])
    audio += 1e-3 * np.random.default_rng(2).standard_normal(len(audio))
    f0_hz, periodicity, _ = live(audio)
    assert np.abs(cents(f0_hz[110:400], 220)).max() < 50
    assert np.abs(cents(f0_hz[404:], 330)).max() < 50
    assert (periodicity[215:395] < 0.5).all()


def shaped(low_hz: float, high_hz: float, samples: int, seed: int):
    """Noise within a band, peak 0.3, that swells and fades."""
    hz = np.fft.rfftfreq(samples, 1 / RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    noise = np.fft.irfft(spectrum * ((hz > low_hz) & (hz < high_hz)), samples) * np.hanning(samples)
    return 0.3 * noise / np.abs(noise).max()


@pytest.mark.parametrize(
    "low_hz, high_hz, seconds", ((4000, 7500, 0.08), (2500, 7000, 0.2), (600, 3500, 0.4), (100, 7900, 0.02))
)
def test_sibilants_breaths_and_bursts_are_unvoiced(low_hz, high_hz, seconds):
    audio = 1e-4 * np.random.default_rng(0).standard_normal(5 * RATE)
    for number, start in enumerate(range(RATE // 2, 4 * RATE, RATE // 2)):
        event = shaped(low_hz, high_hz, int(seconds * RATE), number)
        audio[start : start + len(event)] += event
    assert (live(audio)[1] >= 0.5).mean() < 0.02


def test_clicks_have_no_pitch_and_are_over_in_a_frame():
    audio = 1e-4 * np.random.default_rng(0).standard_normal(5 * RATE)
    audio[8000::3210] += 0.5
    audio[9000::7001] -= 0.9
    f0_hz, periodicity, _ = live(audio)
    assert (f0_hz == 0).all()
    assert (periodicity >= 0.5).sum() <= len(audio[8000::3210]) + len(audio[9000::7001])


@pytest.mark.parametrize("f0_hz", (110, 220, 440))
def test_gaps_in_noise_30_db_below_the_notes_are_unvoiced(f0_hz):
    """A window of 16 ms sees clear periods in noise by chance."""
    rng = np.random.default_rng(round(f0_hz))
    t = np.arange(4 * RATE) / RATE
    note = sum(np.sin(2 * np.pi * k * f0_hz * t) / k for k in range(1, 10)) * ((t % 0.5) < 0.3)
    note *= 0.2 / note.std()
    _, periodicity, _ = live(note + 0.2 * 10**-1.5 * rng.standard_normal(len(t)))
    place = np.arange(len(periodicity)) / FRAME_RATE % 0.5
    assert (periodicity[(place > 0.05) & (place < 0.3)] >= 0.5).mean() > 0.99
    assert (periodicity[place > 0.34] >= 0.5).mean() < 0.02


@pytest.mark.parametrize("f0_hz", (98, 196, 392))
def test_a_note_that_dies_in_noise_does_not_leap(f0_hz):
    for seed in range(3):
        t = np.arange(2 * RATE) / RATE
        note = sum(np.sin(2 * np.pi * k * f0_hz * t) / k * np.exp(-t * (3 + k)) for k in range(1, 12))
        found, periodicity, _ = live(0.2 * note + 1e-3 * np.random.default_rng(seed).standard_normal(len(t)))
        heard = (periodicity >= 0.5) & (np.arange(len(found)) > 8)
        assert heard.sum() > 60 and np.abs(cents(found[heard], f0_hz)).max() < 80


def test_the_level_does_not_matter():
    audio = sudden(196, 3)
    loud, soft = live(audio), live(0.01 * audio)
    np.testing.assert_allclose(soft[0], loud[0], rtol=1e-3)
    np.testing.assert_allclose(soft[1, 110:], loud[1, 110:], atol=0.01)


@pytest.mark.parametrize("name", ("soprano_E4", "singing_female_sms"))
def test_sung_notes_do_not_end_with_a_leap(name):
    """Of half an octave and more, louder than 40 dB below the note, in the last 60 ms of its voicing."""
    path = SOURCES / f"{name}.flac"
    if not path.exists():
        pytest.skip(f"no recordings at {SOURCES}")
    sound, rate = audio_file.read(path)
    f0_hz, periodicity, loudness_db = Analyzer(rate, False).process(sound).T
    voiced = np.concatenate([[0], periodicity >= 0.5, [0]]).astype(int)
    starts, stops = np.flatnonzero(np.diff(voiced) == 1), np.flatnonzero(np.diff(voiced) == -1)
    long = stops - starts >= 8
    assert long.sum() >= 1
    for start, stop in zip(starts[long], stops[long], strict=True):
        leaps = np.abs(cents(f0_hz[start + 1 : stop], np.maximum(f0_hz[start : stop - 1], 1))) > 600
        loud = loudness_db[start + 1 : stop] > loudness_db[start:stop].max() - 40
        assert not (leaps & loud)[-12:].any()
