"""Outside what it was trained on an instrument stays itself: no silence, no whistle, no burst of noise, no jump."""

import numpy as np
import pytest

from retimbre import Controls
from retimbre.instrument import load, shipped

PER_SEMITONE = 32  # frames: as long as the network remembers


@pytest.fixture(params=shipped())
def instrument(request):
    return load(request.param)


def sweep(instrument, loudness_db):
    """MIDI pitch from two octaves below the range to two above, and what the instrument plays at one loudness.

    Returns:
        Pitch, level in dB, share of the harmonics in the power, spectral centroid of the harmonics over f0; [frames].
    """
    pitch = instrument.card["pitch"]
    midi = np.arange(pitch["low"] - 24, min(pitch["high"] + 24, 127), 1 / PER_SEMITONE)
    f0_hz = 440 * 2 ** ((midi - 69) / 12)
    params = instrument.decode(Controls(f0_hz, np.ones_like(midi), np.full_like(midi, loudness_db)))
    order = np.arange(1, params.harmonic_amplitudes.shape[1] + 1)
    # Above the range, those that sound at its edge: what leaves at Nyquist further up is no matter of the network's.
    heard_hz = np.minimum(f0_hz, 440 * 2 ** ((pitch["high"] - 69) / 12))
    audible = np.clip((24_000 - heard_hz[:, None] * order) / 2400, 0, 1)
    power = (params.harmonic_amplitudes * audible) ** 2 / 2
    tone = power.sum(1)
    bands_hz = params.noise_band_hz
    noise = params.noise_magnitudes**2 @ (np.gradient(bands_hz) / 24_000)
    return midi, 10 * np.log10(tone + noise), tone / (tone + noise), (power @ order) / tone


def loudnesses(instrument):
    quantiles = instrument.card["loudness"]["quantiles"]
    return quantiles[0] - 20, quantiles[5], quantiles[25], quantiles[45], quantiles[50] + 20


def test_beyond_the_range_nothing_new_happens(instrument):
    pitch = instrument.card["pitch"]
    for loudness_db in loudnesses(instrument):
        midi, level_db, share, centroid = sweep(instrument, loudness_db)
        assert np.isfinite(level_db).all()
        # A semitone beyond its edges the network has forgotten all else: the spectrum over f0 stays what it was there.
        for beyond in (midi < pitch["low"] - 1, midi > pitch["high"] + 1):
            assert np.ptp(level_db[beyond]) < 3
            assert np.ptp(share[beyond]) < 0.1 and np.ptp(np.log2(centroid[beyond])) < 0.3
            edge = np.argmin(np.abs(midi - np.clip(midi[beyond].mean(), pitch["low"], pitch["high"])))
            assert abs(level_db[beyond].mean() - level_db[edge]) < 3 and abs(share[beyond].mean() - share[edge]) < 0.2


def test_pitch_changes_the_sound_without_steps(instrument):
    # Within a semitone a body resonance may lift a harmonic by several dB; a tenth of that in a tenth of a semitone.
    for loudness_db in loudnesses(instrument)[1:4]:
        _, level_db, share, centroid = sweep(instrument, loudness_db)
        steps = [np.abs(np.diff(curve)).max() * PER_SEMITONE for curve in (level_db, share, np.log2(centroid))]
        assert steps[0] < 20 and steps[1] < 0.6 and steps[2] < 6, (loudness_db, steps)  # for each semitone
        across = [np.abs(curve[PER_SEMITONE:] - curve[:-PER_SEMITONE]).max() for curve in (level_db, share)]
        assert across[0] < 9 and across[1] < 0.2, (loudness_db, across)


def test_louder_is_louder(instrument):
    quantiles = instrument.card["loudness"]["quantiles"]
    at = np.arange(quantiles[0] - 30, quantiles[50] + 10, 0.5)
    for midi in np.linspace(instrument.card["pitch"]["quantiles"][5], instrument.card["pitch"]["quantiles"][45], 5):
        f0_hz = np.full_like(at, 440 * 2 ** ((midi - 69) / 12))
        level_db = []
        for loudness_db in at:  # steady notes: the network's memory must not smear the curve
            controls = Controls(f0_hz[:1].repeat(40), np.ones(40), np.full(40, loudness_db))
            params = instrument.decode(controls)
            level_db.append(10 * np.log10((params.harmonic_amplitudes[-1] ** 2).sum()))
        rise = np.diff(level_db) / 0.5
        assert rise.min() > -1 and rise.max() < 4  # dB per dB
        assert level_db[-1] - level_db[0] > 20
