"""The engine sounds like what was trained: the same numbers into C and into PyTorch give the same sound."""

import numpy as np
import pytest
import torch

from retimbre.dsp import filtered_noise, harmonic_oscillator
from retimbre.engine import Synth
from retimbre.instrument import Instrument
from retimbre.training.decoder import Decoder
from retimbre.training.model import render
from tests.engine.signals import NETWORK, error_db, random_weights, wandering_controls

FRAMES = 500
RATES = (16000, 44100, 48000, 96000)
PARITY_DB = -80
rates = pytest.mark.parametrize("sample_rate", RATES)


def card() -> dict:
    ranges = {
        key: {"centre": r.centre, "low": r.low, "high": r.high, "quantiles": np.linspace(r.low, r.high, 51).tolist()}
        for key, r in (("pitch", NETWORK.pitch), ("loudness", NETWORK.loudness))
    }
    synthesis = {"frame_rate": 200, "harmonics": NETWORK.harmonics, "noise_band_hz": list(NETWORK.noise_band_hz)}
    sizes = {"channels": NETWORK.channels, "layers": NETWORK.layers, "pitches": NETWORK.pitches}
    network = {"kind": "causal convolution", **sizes}
    return {"format_version": 1, "name": "random", "synthesis": synthesis, "network": network, **ranges}


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    return Instrument(card(), random_weights())


@pytest.fixture(scope="module")
def trained() -> Decoder:
    decoder = Decoder(NETWORK)
    decoder.load(random_weights())
    return decoder


@pytest.fixture(scope="module")
def controls() -> np.ndarray:
    return wandering_controls(FRAMES)


@pytest.fixture(scope="module")
def rows(instrument, controls) -> np.ndarray:
    return instrument.decoder().process(controls)


def white(sample_rate: int, frames: int = FRAMES) -> np.ndarray:
    length = Synth(sample_rate, 1, np.float32([0, 1])).noise_length
    return np.random.default_rng(sample_rate).standard_normal((frames, length)).astype(np.float32)


def test_material_reaches_every_branch(controls, rows):
    f0_hz, periodicity, loudness_db = controls.T
    assert f0_hz.max() > 1900 and f0_hz[f0_hz > 0].min() < 55 and (f0_hz == 0).sum() == 19
    assert (periodicity < 0.4).any() and (abs(periodicity - 0.5) < 0.1).any() and (periodicity > 0.6).any()
    assert (loudness_db < NETWORK.loudness.low - 20).any() and (loudness_db > NETWORK.loudness.high).any()
    decoded = rows[(loudness_db > -20) & (periodicity > 0.6) & (f0_hz > 0), 1:]
    assert np.ptp(20 * np.log10(np.percentile(decoded, [10, 90]))) > 30, "the amplitudes hardly differ"


def test_decoder(trained, controls, rows):
    with torch.no_grad():
        harmonics, magnitudes, _ = trained(torch.from_numpy(controls)[None])
    split = 1 + NETWORK.harmonics
    np.testing.assert_array_equal(rows[:, 0], controls[:, 0])
    assert error_db(rows[:, 1:split], harmonics[0].numpy()) <= PARITY_DB
    assert error_db(rows[:, split:], magnitudes[0].numpy()) <= PARITY_DB
    # Also where it is quiet: every frame by itself.
    for mine, theirs in zip(rows[:, split:], magnitudes[0].numpy(), strict=True):
        assert error_db(mine, theirs) <= PARITY_DB


@rates
def test_harmonics(sample_rate, rows):
    synth = Synth(sample_rate, NETWORK.harmonics, np.float32(NETWORK.noise_band_hz))
    audio = synth.process(rows, noise_gain=0.0)
    f0_hz, harmonics = torch.from_numpy(rows[:, 0])[None], torch.from_numpy(rows[:, 1 : 1 + NETWORK.harmonics])[None]
    expected, _ = harmonic_oscillator(f0_hz, harmonics, sample_rate)
    assert error_db(audio, expected[0].numpy()) <= PARITY_DB


@rates
def test_noise(sample_rate, rows):
    noise, band_hz = white(sample_rate), np.float32(NETWORK.noise_band_hz)
    audio = Synth(sample_rate, NETWORK.harmonics, band_hz).process(rows, noise=noise, harmonic_gain=0.0)
    magnitudes = torch.from_numpy(rows[:, 1 + NETWORK.harmonics :])[None]
    expected, _ = filtered_noise(magnitudes, torch.from_numpy(band_hz), torch.from_numpy(noise)[None], sample_rate)
    assert error_db(audio, expected[0].numpy()) <= PARITY_DB


@rates
def test_controls_to_sound(sample_rate, instrument, trained, controls):
    noise = white(sample_rate)
    synth = Synth(sample_rate, NETWORK.harmonics, instrument.noise_band_hz)
    audio = synth.process(instrument.decoder().process(controls), noise=noise)
    with torch.no_grad():
        expected = render(trained, torch.from_numpy(controls)[None], torch.from_numpy(noise)[None], sample_rate)
    assert error_db(audio, expected[0].numpy()) <= PARITY_DB
