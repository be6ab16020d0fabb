from itertools import pairwise

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from retimbre.rooms.convolve import Convolver

RNG = np.random.default_rng(0)
RESPONSE, SOUND = (RNG.standard_normal(n).astype(np.float32) for n in (700, 3000))
EXPECTED = scipy.signal.fftconvolve(SOUND, RESPONSE)[: len(SOUND)]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 3000), max_size=20), st.sampled_from((16, 128, 1024, 4096)))
def test_blocks_of_any_size_make_one_convolution(cuts: list[int], partition: int) -> None:
    room = Convolver(RESPONSE, partition)
    edges = [0, *sorted(cuts), len(SOUND)]
    blocks = [room.process(SOUND[start:stop]) for start, stop in pairwise(edges)]
    np.testing.assert_allclose(np.concatenate(blocks), EXPECTED, atol=1e-4 * np.abs(EXPECTED).max())


def test_a_click_comes_back_at_once() -> None:
    assert Convolver(RESPONSE).process(np.array([2.0], np.float32))[0] == pytest.approx(2 * RESPONSE[0], rel=1e-5)
