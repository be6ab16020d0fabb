import json
from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator
from rooms.sounds import in_room, notes, syllables

from benchmarks.decay_statistics import Ridge, statistics
from retimbre.engine import Floats, resample
from retimbre.errors import RetimbreError
from retimbre.rooms.estimate import Estimate, Listener, estimate
from retimbre.rooms.listen import HOP, LISTEN_RATE, mel_levels, normalise
from retimbre.rooms.room import Room
from retimbre.rooms.simulate import draw_plan, even, render
from retimbre.rooms.targets import BANDS, measure_targets

T60, C50, DRR = 3 * BANDS, 3 * BANDS + 2, 3 * BANDS + 4


def reference(decay_s: float, drr_db: float, seconds: float = 10, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return in_room(syllables(rng, seconds), render(even(decay_s, drr_db), rng), rng)


@pytest.fixture(scope="module")
def lively() -> Estimate:
    return estimate(reference(1.5, -3), LISTEN_RATE, "lively")


def test_levels_of_a_sine_and_of_silence() -> None:
    """A sine of amplitude 1 has in its band the power of its window, less what the neighbours get."""
    t = np.arange(LISTEN_RATE) / LISTEN_RATE
    levels = mel_levels(np.sin(2 * np.pi * 1000 * t).astype(np.float32))
    assert len(levels) == (LISTEN_RATE - 512) // HOP + 1
    spectrum_db = 10 * np.log10((np.hanning(512).sum() / 2) ** 2)
    assert levels.max() == pytest.approx(spectrum_db, abs=6)
    assert np.abs(np.diff(levels[:, levels.mean(axis=0).argmax()])).max() < 0.5, "steady"
    assert mel_levels(np.zeros(1000, np.float32)).max() == pytest.approx(-100)


def test_level_does_not_count() -> None:
    levels = mel_levels(reference(0.5, 0, 3))
    assert np.allclose(normalise(levels), normalise(levels + 23), atol=1e-4)


def test_the_network_beats_the_yardstick() -> None:
    """In rooms and with a kind of sound that neither learned from."""
    rng = np.random.default_rng(5)

    def cases(sound: Callable[[Generator, float], Floats], count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        found = []
        while len(found) < count:
            response = render(draw_plan(rng), rng)
            truth = measure_targets(response, noisy=False).vector()
            if np.log(0.15) < truth[T60] < np.log(4) and truth[DRR] < 8:
                found.append((in_room(sound(rng, 8), response, rng), truth))
        return found

    learned, asked = cases(notes, 40), cases(syllables, 16)
    rows = np.stack([statistics(mel_levels(sound)) for sound, _ in learned])
    ridge = Ridge.fit(rows, np.stack([truth for _, truth in learned]))
    errors = {"network": [], "ridge": [], "constant": []}
    middle = np.nanmedian([truth for _, truth in learned], axis=0)
    for sound, truth in asked:
        listener = Listener(LISTEN_RATE)
        listener.process(sound)
        told = {"network": listener.figures()[0], "ridge": ridge(statistics(mel_levels(sound))), "constant": middle}
        for method, values in told.items():
            errors[method].append(np.abs(values - truth))
    mean = {method: np.nanmean(rows, axis=0) for method, rows in errors.items()}
    for place in (T60, C50):
        assert mean["network"][place] < 0.8 * min(mean["ridge"][place], mean["constant"][place]), mean


def test_decays_of_different_rooms_are_told_apart() -> None:
    times = [estimate(reference(decay_s, 0), LISTEN_RATE).t60_s for decay_s in (0.3, 0.8, 2.0, 5.0)]
    assert times == sorted(times) and times[-1] > 5 * times[0]


def test_music_tells_a_room_too() -> None:
    rng = np.random.default_rng(9)
    sound = notes(rng, 12)
    short, long = (estimate(in_room(sound, render(even(t, 0), rng), rng), LISTEN_RATE) for t in (0.4, 3.0))
    assert short.t60_s * 2 < long.t60_s and short.c50_db > long.c50_db + 3


def test_every_figure_has_its_confidence(lively: Estimate) -> None:
    assert lively.t60_range_s[0] < lively.t60_s < lively.t60_range_s[1]
    # It holds four of five truths; the draw of the noise moves this one, too.
    assert 0.9 * lively.t60_range_s[0] < 1.5 < 1.1 * lively.t60_range_s[1]
    assert lively.c50_range_db[0] < lively.c50_db < lively.c50_range_db[1]
    assert len(lively.bands) == BANDS and lively.seconds == 10
    for band in lively.bands:
        assert band.t60_range_s[0] < band.t60_s < band.t60_range_s[1]
    spreads = lively.room.decay_spread, lively.room.level_spread_db
    assert all(len(spread) == len(lively.room.band_hz) and min(spread) > 0 for spread in spreads)
    json.dumps(lively.to_json(), allow_nan=False)


def test_the_room_has_the_figures_that_were_told(lively: Estimate) -> None:
    found = measure_targets(lively.room.to_rir(LISTEN_RATE))
    t60_s, _, c50_db = found.middle
    assert t60_s == pytest.approx(lively.t60_s, rel=0.15) and c50_db == pytest.approx(lively.c50_db, abs=1.5)
    assert Room.estimate(reference(1.5, -3), LISTEN_RATE, "lively") == lively.room


def test_blocks_do_not_matter() -> None:
    sound = reference(0.6, 3, 21)
    whole, pieces = Listener(LISTEN_RATE), Listener(LISTEN_RATE)
    whole.process(sound)
    for part in np.split(sound, np.cumsum(np.random.default_rng(0).integers(1, 60_000, 8))):
        pieces.process(part)
    assert np.allclose(whole.figures()[0], pieces.figures()[0], atol=1e-5)


@pytest.mark.parametrize("rate", (8000, 44_100, 192_000))
def test_the_sample_rate_hardly_matters(rate: int, lively: Estimate) -> None:
    other = estimate(resample(reference(1.5, -3), LISTEN_RATE, rate), rate)
    assert other.t60_s == pytest.approx(lively.t60_s, rel=0.1 if rate > LISTEN_RATE else 0.5)
    assert any("nothing above" in warning for warning in other.warnings) == (rate == 8000)


def test_more_of_a_recording_narrows_the_ranges() -> None:
    def width(seconds: float) -> float:
        low, high = estimate(reference(0.8, 0, seconds, 3), LISTEN_RATE).t60_range_s
        return high / low

    assert width(40) < width(4)


TIME_S = np.arange(8 * LISTEN_RATE) / LISTEN_RATE
REFUSED = {  # by what the message says
    "silent": np.zeros(8 * LISTEN_RATE),
    "too short": reference(0.5, 0, 2.5),
    "is steady": 0.3 * np.sin(2 * np.pi * 440 * TIME_S),
    "steady all through": 0.1 * np.random.default_rng(1).standard_normal(8 * LISTEN_RATE),
    "of sound, too little": np.sin(2 * np.pi * 300 * TIME_S) * (TIME_S > 4) * (TIME_S < 4.3),
    "no numbers": np.where(TIME_S == 1, np.nan, reference(0.5, 0, 8)),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_tells_no_room_is_refused_with_a_reason(reason: str) -> None:
    with pytest.raises(RetimbreError, match=reason):
        estimate(REFUSED[reason].astype(np.float32), LISTEN_RATE)


def test_noise_that_drowns_a_voice_is_told() -> None:
    rng = np.random.default_rng(2)
    noisy = in_room(syllables(rng, 8), render(even(0.6, 0), rng), rng, noise_db=3)
    try:
        found = estimate(noisy, LISTEN_RATE)
    except RetimbreError as error:
        assert "steady" in str(error) or "noise" in str(error)
    else:
        assert any("noise" in warning for warning in found.warnings)


def test_clipping_and_dryness_are_told() -> None:
    sound = reference(0.8, 0)
    clipped = estimate(np.clip(30 * sound, -1, 1), LISTEN_RATE).warnings
    assert any("clipped" in warning for warning in clipped)
    assert not any("clipped" in warning for warning in estimate(sound, LISTEN_RATE).warnings)
    dry = estimate(syllables(np.random.default_rng(4), 10), LISTEN_RATE)
    assert any("dry" in warning for warning in dry.warnings)
