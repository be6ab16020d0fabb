import contract
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from retimbre.instrument import Network, Range
from retimbre.training.decoder import Decoder

NETWORK = Network(16, 4, 12, 7, (0.0, 1000.0, 8000.0), Range(60, 40, 80), Range(-30, -60, -10))
FRAMES = 60


@pytest.fixture(scope="module")
def decoder():
    return Decoder(NETWORK, torch.Generator().manual_seed(1))


def controls(**fixed):
    rng = np.random.default_rng(2)
    columns = {
        "f0_hz": rng.uniform(50, 900, FRAMES),
        "periodicity": np.ones(FRAMES),
        "loudness_db": rng.uniform(-60, -10, FRAMES),
    }
    return torch.tensor(
        np.stack([fixed.get(k, v) * np.ones(FRAMES) for k, v in columns.items()], 1)[None], dtype=torch.float32
    )


@settings(max_examples=15)
@given(contract.cuts(FRAMES))
def test_blocks_equal_one_call(cuts):
    decoder, source = Decoder(NETWORK, torch.Generator().manual_seed(1)), controls()

    def process(start, stop, state):
        harmonics, noise, state = decoder(source[:, start:stop], state)
        return torch.cat([harmonics, noise], -1).transpose(1, 2), state

    contract.check_contract(process, FRAMES, cuts, leaves=tuple(decoder.parameters()))


def test_it_is_causal(decoder):
    early, late = controls(), controls()
    late[:, 40:] += 1.0
    with torch.no_grad():
        before, after = decoder(early)[0], decoder(late)[0]
    assert torch.equal(before[:, :40], after[:, :40]) and not torch.equal(before[:, 40:], after[:, 40:])


def test_below_the_trained_loudness_it_only_gets_softer(decoder):
    with torch.no_grad():
        lowest, below = decoder(controls(loudness_db=-60)), decoder(controls(loudness_db=-80))
    for a, b in zip(lowest[:2], below[:2], strict=True):
        torch.testing.assert_close(b, 0.1 * a)


def test_unvoiced_frames_have_no_harmonics(decoder):
    with torch.no_grad():
        harmonics, noise, _ = decoder(controls(periodicity=0.39))
    assert not harmonics.any() and noise.min() > 0
