"""Timbre statistics: sounds of known spectra have known envelopes, and only timbre counts."""

from pathlib import Path

import numpy as np
import pytest

from retimbre import audio
from retimbre.controls import Controls
from retimbre.engine import resample
from retimbre.training.recording import make_recording
from retimbre.training.timbre import (
    BAND_EDGES,
    FLOOR_DB,
    Envelopes,
    centroid_slope,
    distance_db,
    envelopes,
    join,
    timbre,
)

RATE = 48_000
RECORDINGS = Path(__file__).parents[2] / "../shared/audio/train"


def note(midi: float, falloff: float, level_db: float = -20.0, seconds: float = 0.5, rate: int = RATE) -> Envelopes:
    """Harmonics that fall as 1 / k^falloff, and a hiss 80 dB below."""
    f0_hz = 440 * 2 ** ((midi - 69) / 12)
    t = np.arange(int(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * k * f0_hz * t + k) / k**falloff for k in range(1, int(0.45 * rate / f0_hz)))
    tone = tone + 1e-4 * np.random.default_rng(0).standard_normal(len(t))
    sound = resample((tone * 10 ** (level_db / 20)).astype(np.float32), rate, RATE)
    frames = len(sound) // 240 + 1
    controls = Controls(np.full(frames, f0_hz), np.ones(frames), np.full(frames, level_db))
    inside = np.arange(frames)
    return envelopes(sound, RATE, controls, (inside > 10) & (inside < frames - 11))


def melody(falloff: float, gain_db: float = 0.0, brightness: float = 0.0, rate: int = RATE) -> Envelopes:
    """Notes at four levels; `brightness` is how much less the harmonics fall for 10 dB more."""
    levels = np.array([-45, -35, -25, -15])
    steps = [(midi, level) for midi in (48, 55, 62, 69) for level in levels]
    parts = [note(m, falloff - brightness * (level + 30) / 10, level + gain_db, rate=rate) for m, level in steps]
    return join(parts)


def test_levels_are_those_of_the_harmonics() -> None:
    sound = note(57, 1.0)
    level_db = sound.level_db.mean(0)
    edges = BAND_EDGES[1:][np.isfinite(level_db)]
    assert edges[-1] * 220 <= 16_000 < 1.26 * 1.26 * edges[-1] * 220
    share = np.array(
        [sum(1 / k**2 for k in range(1, 80) if a < k <= b) for a, b in zip(BAND_EDGES, edges, strict=False)]
    )
    np.testing.assert_allclose(level_db[: len(edges)], 10 * np.log10(share / share.sum()), atol=0.3)


def test_the_centroid_is_the_mean_of_the_power_spectrum() -> None:
    k = np.arange(1, 73)  # up to 16 kHz
    np.testing.assert_allclose(note(57, 1.0).centroid, np.sum(1 / k) / np.sum(1 / k**2), rtol=0.01)


def test_a_band_without_sound_reads_the_floor() -> None:
    assert note(57, 8.0).level_db[:, 9].max() == pytest.approx(FLOOR_DB)


def test_the_same_sound_is_at_no_distance() -> None:
    sound = timbre(melody(1.0))
    assert distance_db(sound, sound) == 0


def test_gain_is_no_timbre() -> None:
    assert distance_db(timbre(melody(1.0, gain_db=-20)), timbre(melody(1.0))) == pytest.approx(0, abs=1e-3)


def test_distance_grows_with_the_difference_of_the_spectra() -> None:
    reference = timbre(melody(1.0))
    near, far = (distance_db(timbre(melody(falloff)), reference) for falloff in (1.2, 2.0))
    assert 0.5 < near < 0.5 * far


def test_notes_are_compared_with_the_nearest_pitch_and_loudness() -> None:
    """Where timbre changes with pitch, the wrong register would be far away."""
    reference = timbre(join([note(48, 0.5), note(72, 2.5)]))
    assert distance_db(timbre(note(50, 0.5)), reference) < 1
    assert distance_db(timbre(note(70, 2.5)), reference) < 1
    assert distance_db(timbre(note(50, 2.5)), reference) > 8


def test_what_a_low_sample_rate_cannot_hold_is_not_compared() -> None:
    assert distance_db(timbre(melody(1.0, rate=16_000)), timbre(melody(1.0))) < 1
    assert distance_db(timbre(melody(1.0)), timbre(melody(1.0, rate=16_000))) < 1


def test_the_slope_is_that_of_the_centroids() -> None:
    def centroid(falloff: float) -> float:
        k = np.arange(1, 40)
        return float(np.log2(np.sum(k ** (1 - 2 * falloff)) / np.sum(k ** (-2 * falloff))))

    measured = centroid_slope(melody(2.0, brightness=0.2))
    levels = np.array([-45, -35, -25, -15])
    expected = np.polyfit(levels / 10, [centroid(2.0 - 0.2 * (level + 30) / 10) for level in levels], 1)[0]
    assert measured == pytest.approx(expected, rel=0.1) and measured > 0.05
    assert centroid_slope(melody(1.5)) == pytest.approx(0, abs=0.01)


def test_one_level_tells_no_slope() -> None:
    assert np.isnan(centroid_slope(note(57, 1.0)))


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="needs the recordings in ../shared/audio/train")
def test_halves_of_an_instrument_are_nearer_than_other_instruments() -> None:
    def half(instrument: str, start: int) -> Envelopes:
        parts = []
        for path in sorted((RECORDINGS / instrument).glob("*_[pf]_sus*.flac"))[start::2][:14]:
            samples, rate = audio.read(path)
            one = make_recording(path, samples[: 3 * rate], rate)
            parts.append(envelopes(one.audio, RATE, one.controls, one.controls.voiced & one.sounding))
        return join(parts)

    cello, rest = half("cello", 0), timbre(half("cello", 1))
    own = distance_db(timbre(cello), rest)
    assert own < 5
    for other in ("sax_alto", "sax_baritone"):
        assert distance_db(timbre(half(other, 0)), rest) > 1.5 * own
