import contract
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from retimbre.base import Base
from retimbre.controls import Controls
from retimbre.instrument import Network, Range
from retimbre.training.autoencoder import CEPSTRA, Autoencoder
from retimbre.training.conditioned import Ensemble

NETWORK = Network(16, 3, 12, 21, (0.0, 1000.0, 8000.0), Range(60, 40, 80), Range(-30, -60, -10))
NAMES = ("reed", "string", "voice")
RANGES = ((48.3, 55.0, 61.9), (50.0, 60.0, 72.0), (41.0, 44.0, 60.0))
FRAMES = 80


@pytest.fixture(scope="module")
def ensemble():
    return Ensemble(NETWORK, 4, len(NAMES), torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def base(ensemble):
    loudness = np.linspace(-50, -15, 51).tolist()
    return Base(
        {
            "format": "retimbre base",
            "format_version": 1,
            "name": "base",
            "description": "",
            "license": "CC0-1.0",
            "sources": [],
            "synthesis": {"frame_rate": 200, "harmonics": 12, "noise_band_hz": list(NETWORK.noise_band_hz)},
            "network": {"kind": "causal convolution", "channels": 16, "layers": 3, "pitches": 21, "condition": 4},
            "pitch": {"centre": 60, "low": 40, "high": 80},
            "loudness": {"centre": -30, "low": -60, "high": -10},
            "voices": [
                {
                    "name": name,
                    "pitch": {
                        "low": low,
                        "centre": centre,
                        "high": high,
                        "quantiles": np.linspace(low, high, 51).tolist(),
                    },
                    "loudness": {"quantiles": loudness},
                }
                for name, (low, centre, high) in zip(NAMES, RANGES, strict=True)
            ],
        },
        ensemble.export(),
    )


def rows(low, high, which=None):
    rng = np.random.default_rng(1)
    f0_hz = 440 * 2 ** ((rng.uniform(low, high, FRAMES) - 69) / 12)
    columns = [f0_hz, np.ones(FRAMES), rng.uniform(-55, -12, FRAMES)]
    return np.stack(columns + ([np.full(FRAMES, which)] if which is not None else []), 1).astype(np.float32)


@pytest.mark.parametrize("place", range(len(NAMES)))
def test_a_voice_folded_into_a_plain_instrument_plays_the_same(base, ensemble, place):
    low, _, high = RANGES[place]
    controls = rows(low, high, place)
    with torch.no_grad():
        expected = torch.cat(ensemble(torch.from_numpy(controls)[None])[:2], -1)[0].numpy()
    params = base.blend({NAMES[place]: 1}).decode(Controls(*controls.T[:3]))
    got = np.concatenate([params.harmonic_amplitudes, params.noise_magnitudes], 1)
    assert np.abs(got - expected).max() < 1e-4 * np.abs(expected).max()


def test_a_blend_lies_between_and_its_ranges_too(base, ensemble):
    blended = base.blend({"reed": 3, "string": 1})
    condition = 0.75 * base.weights["embedding"][0] + 0.25 * base.weights["embedding"][1]
    bias = base.weights["layers.1.bias"] + condition @ base.weights["condition.layers.1"]
    np.testing.assert_allclose(blended.weights["layers.1.bias"], bias, atol=1e-6)
    assert blended.network.pitch.centre == pytest.approx(0.75 * 55 + 0.25 * 60)
    assert (
        blended.network.pitch.low <= 0.75 * 48.3 + 0.25 * 50 and blended.network.pitch.high >= 0.75 * 61.9 + 0.25 * 72
    )
    assert blended.name == "reed75_string25"


def test_a_share_of_one_is_that_voice(base):
    alone, same = base.blend({"voice": 1}), base.blend({"voice": 0.3, "reed": 0})
    for name, weight in alone.weights.items():
        np.testing.assert_array_equal(weight, same.weights[name])


def test_the_ensemble_comes_back_from_its_file(base, ensemble, tmp_path):
    from retimbre.base import load_base

    base.save(tmp_path / "base.safetensors")
    again = Ensemble.of(load_base(tmp_path / "base.safetensors"))
    controls = torch.from_numpy(rows(45, 60, 1))[None]
    with torch.no_grad():
        for a, b in zip(ensemble(controls)[:2], again(controls)[:2], strict=True):
            assert torch.equal(a, b)


@settings(max_examples=10)
@given(contract.cuts(FRAMES))
def test_blocks_equal_one_call(cuts):
    coder = Autoencoder(NETWORK, 4, torch.Generator().manual_seed(1))
    cepstra = torch.randn(1, FRAMES, CEPSTRA, generator=torch.Generator().manual_seed(2))
    source = torch.cat([torch.from_numpy(rows(45, 60))[None], cepstra], -1)

    def process(start, stop, state):
        harmonics, noise, state = coder(source[:, start:stop], state)
        return torch.cat([harmonics, noise], -1).transpose(1, 2), state

    contract.check_contract(process, FRAMES, cuts, leaves=tuple(coder.parameters()))
