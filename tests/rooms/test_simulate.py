import math
import sys

import numpy as np
import pytest

from retimbre.errors import RetimbreError
from retimbre.rooms.listen import LISTEN_RATE
from retimbre.rooms.measure import measure
from retimbre.rooms.shoebox import shoebox
from retimbre.rooms.simulate import DECAYS_S, draw_plan, even, render, set_drr
from retimbre.rooms.targets import BANDS, Targets, half_octaves, measure_targets


def decaying(decay_s: float, seconds: float, seed: int = 0) -> np.ndarray:
    """White noise that falls by 60 dB in a time."""
    time_s = np.arange(int(seconds * LISTEN_RATE)) / LISTEN_RATE
    noise = np.random.default_rng(seed).standard_normal(len(time_s))
    return (noise * 10 ** (-3 * time_s / decay_s)).astype(np.float32)


@pytest.mark.parametrize("kind", ("room", "plate"))
@pytest.mark.parametrize("decay_s", (0.3, 1.0, 4.0))
def test_the_decay_asked_for_is_the_decay_measured(kind: str, decay_s: float) -> None:
    response = render(even(decay_s, 0, kind=kind), np.random.default_rng(1))
    assert measure_targets(response, noisy=False).broad[0] == pytest.approx(decay_s, rel=0.06)
    for row in measure(response, LISTEN_RATE).octaves[2:]:
        assert row.t20_s == pytest.approx(decay_s, rel=0.2), "by other filters, too"


def test_a_spring_decays_as_asked() -> None:
    response = render(even(2.0, 0, kind="spring"), np.random.default_rng(2))
    assert measure_targets(response, noisy=False).broad[0] == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("drr_db", (-10, 0, 15))
def test_the_direct_sound_is_as_strong_as_asked(drr_db: float) -> None:
    response = render(even(0.8, drr_db), np.random.default_rng(3)).astype(np.float64)
    direct, answer = np.sum(response[:40] ** 2), np.sum(response[40:] ** 2)  # 2.5 ms
    assert 10 * math.log10(direct / answer) == pytest.approx(drr_db, abs=0.01)
    assert direct + answer == pytest.approx(1, rel=1e-4)
    nearer = set_drr(response.astype(np.float32), drr_db + 6)
    ratio = nearer[4000:5000] / response[4000:5000]
    assert np.std(ratio) < 1e-3 * np.mean(ratio), "distance changes levels, not the decay"


def test_one_seed_makes_one_room() -> None:
    first, again, other = (render(draw_plan(rng), rng) for rng in map(np.random.default_rng, (4, 4, 5)))
    assert np.array_equal(first, again) and not np.array_equal(first[:500], other[:500])


def test_rooms_spread_over_the_range() -> None:
    rng = np.random.default_rng(6)
    plans = [draw_plan(rng) for _ in range(400)]
    middle = np.array([plan.decay_s[6] for plan in plans])  # 1 kHz
    assert np.quantile(middle, 0.05) < 2 * DECAYS_S[0] and np.quantile(middle, 0.95) > 0.5 * DECAYS_S[1]
    drr = np.array([plan.drr_db for plan in plans])
    assert drr.min() >= -12 and drr.max() <= 20 and abs(drr.mean() - 4) < 1.5
    assert {plan.kind for plan in plans} == {"room", "plate", "spring"}
    assert np.mean([plan.second_db > -np.inf for plan in plans]) == pytest.approx(0.25, abs=0.08)


def test_half_octaves_sum_to_one() -> None:
    hz = np.fft.rfftfreq(8192, 1 / LISTEN_RATE)
    inside = (hz >= 125) & (hz <= 5657)
    assert np.allclose(half_octaves(8192).sum(axis=0)[inside], 1, atol=1e-5)
    assert np.allclose(half_octaves(8192, whole=True).sum(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("decay_s", (0.4, 1.5, 5.0))
@pytest.mark.parametrize("noise_db", (-np.inf, -45))
def test_figures_of_an_exponential_are_those_of_theory(decay_s: float, noise_db: float) -> None:
    """Of a decay that falls by 60 dB in T, a share of 10^(-6 t / T) of the energy is left after t."""
    response = decaying(decay_s, 1.5 * decay_s + 0.5)
    response += (10 ** (noise_db / 20) * np.random.default_rng(7).standard_normal(len(response))).astype(np.float32)
    found = measure_targets(response)
    left = 10 ** (-6 * np.array([0.05, 0.08]) / decay_s)
    assert found.broad[0] == pytest.approx(decay_s, rel=0.05)
    assert found.broad[1] == pytest.approx(decay_s, rel=0.1)
    assert found.broad[2:4] == pytest.approx(10 * np.log10((1 - left) / left), abs=0.4)
    assert np.median(np.abs(found.t60_s / decay_s - 1)) < 0.08
    assert np.median(np.abs(found.c50_db - found.broad[2])) < 1.5


def test_figures_become_numbers_and_back() -> None:
    found = measure_targets(decaying(0.6, 1))
    again = Targets.from_vector(found.vector())
    assert again.t60_s == pytest.approx(found.t60_s) and again.c50_db == pytest.approx(found.c50_db)
    assert again.edt_s == pytest.approx(found.edt_s) and again.broad == pytest.approx(found.broad)
    assert len(found.vector()) == 3 * BANDS + 5


def test_silence_is_refused() -> None:
    with pytest.raises(RetimbreError, match="silent"):
        measure_targets(np.zeros(1000, np.float32))


def test_a_box_decays_as_asked() -> None:
    """Within what random tilts of its walls and Sabine's formula leave open."""
    pytest.importorskip("pyroomacoustics")
    decays = [measure_targets(shoebox(np.random.default_rng(seed), rays=500), noisy=False).broad[0] for seed in (1, 2)]
    assert all(0.1 < decay < 2 for decay in decays) and decays[0] != decays[1]
    assert np.array_equal(*(shoebox(np.random.default_rng(1), rays=200) for _ in range(2))), "seeded"


def test_without_pyroomacoustics_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyroomacoustics", None)
    with pytest.raises(RetimbreError, match=r"retimbre\[rooms\]"):
        shoebox(np.random.default_rng(0))
