"""A room made of figures measures as they say."""

import numpy as np
import pytest

from retimbre.rooms.figures import HALF_OCTAVES_HZ, room_from_figures

BANDS = len(HALF_OCTAVES_HZ)


@pytest.mark.parametrize(
    ("t60_s", "c50_db", "drr_db"), ((0.5, 8, -6), (0.5, 8, 5), (1.5, 3, -3), (1.5, 0, -3), (3, -2, -10), (3, 8, 4))
)
def test_the_figures_come_back(t60_s: float, c50_db: float, drr_db: float) -> None:
    room = room_from_figures(HALF_OCTAVES_HZ, [t60_s] * BANDS, [c50_db] * BANDS, drr_db)
    found = room.report(16_000).broadband
    assert found.t20_s == pytest.approx(t60_s, rel=0.1)
    assert found.c50_db == pytest.approx(c50_db, abs=0.4)
    assert found.drr_db == pytest.approx(drr_db, abs=0.6)


def test_far_from_the_source_an_error_of_the_clarity_leaves_the_levels_as_they_are() -> None:
    """There hardly any energy is direct, and the clarity is that of the decay whatever the level."""
    error_db = np.resize([1.5, -1.5], BANDS)
    far, wrong = (
        room_from_figures(HALF_OCTAVES_HZ, [1.0] * BANDS, -0.2 + error, -10) for error in (0 * error_db, error_db)
    )
    energy = [sum(10 ** (room.part_at(place, HALF_OCTAVES_HZ)[1] / 10) for place in range(2)) for room in (far, wrong)]
    assert np.abs(10 * np.log10(energy[1] / energy[0])).max() < 1.5


def test_bands_that_are_not_known_follow_their_neighbours() -> None:
    times = np.full(BANDS, 0.8)
    times[:3] = np.nan
    whole = room_from_figures(HALF_OCTAVES_HZ, [0.8] * BANDS, [5] * BANDS, 0)
    assert room_from_figures(HALF_OCTAVES_HZ, times, [5] * BANDS, 0) == whole
    with pytest.raises(ValueError, match="no band"):
        room_from_figures(HALF_OCTAVES_HZ, [np.nan] * BANDS, [5] * BANDS, 0)


def test_air_makes_the_highest_bands_shorter() -> None:
    """At 8 and 16 kHz air of 20 degrees and 50 % humidity takes 106 and 350 dB a kilometre (ISO 9613-1)."""
    room = room_from_figures(HALF_OCTAVES_HZ, [20.0] * BANDS, [-3] * BANDS, -5)
    rate = 1 / np.array(room.decay_s)
    lost_db_km = (rate[[12, 14]] - rate[11]) * 60 / 343 * 1000
    assert lost_db_km + 58 == pytest.approx([106, 350], rel=0.1)
