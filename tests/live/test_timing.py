"""Times of blocks are counted right."""

import numpy as np
import pytest

from retimbre.live.timing import BlockTimes


def test_quantiles_are_numpys_to_ten_microseconds() -> None:
    spent = np.random.default_rng(0).gamma(2, 0.001, 5000)
    times = BlockTimes()
    for one in spent:
        times.add(float(one), 0.004)
    for share in (0.5, 0.9, 0.999):
        truth = np.quantile(spent, share, method="inverted_cdf")
        assert truth <= times.quantile_s(share) <= truth + 1.001e-5
    assert (times.blocks, times.late) == (5000, np.count_nonzero(spent > 0.004))
    assert times.worst_s == spent.max() and times.load == pytest.approx(spent.mean() / 0.004)


def test_what_takes_seconds_is_the_worst_block() -> None:
    times = BlockTimes()
    for spent in (0.001, 2.0):
        times.add(spent, 0.01)
    assert times.quantile_s(1.0) == times.worst_s == 2.0 and times.late == 1


def test_nothing_is_no_load() -> None:
    assert (BlockTimes().load, BlockTimes().quantile_s(0.999)) == (0, 0)
