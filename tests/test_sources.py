"""Real recordings played by the cello, judged by an analyser that shares nothing with the engine."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from benchmarks import sources
from retimbre.instrument import load

RECORDINGS = Path(__file__).parents[1] / sources.SOURCES

pytestmark = [
    pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"needs the recordings in {sources.SOURCES}"),
    pytest.mark.skipif(importlib.util.find_spec("swift_f0") is None, reason="needs swift-f0"),
]


@pytest.fixture(scope="module")
def measured() -> list[sources.Row]:
    return sources.rows([RECORDINGS / f"{name}.flac" for name in sources.NAMES], load("cello"))


def test_the_pitch_of_all_recordings_is_kept(measured: list[sources.Row]) -> None:
    total = sources.total(measured)
    assert len(measured) >= 12 and total.voiced_s > 60
    assert total.cents <= 5 and total.true >= 0.98 and total.kept >= 0.97, sources.table(measured)


def test_the_pitch_of_twelve_recordings_is_kept_in_each(measured: list[sources.Row]) -> None:
    good = [row for row in measured if row.cents <= 5 and row.true >= 0.98 and row.kept >= 0.97]
    assert len(good) >= 12, sources.table(measured)


def test_no_recording_is_lost(measured: list[sources.Row]) -> None:
    for row in measured:
        assert row.cents <= 10 and row.true >= 0.95 and row.kept >= 0.95, row


@pytest.mark.parametrize("name", sources.SHOWN)
def test_what_has_no_sure_pitch_is_played_all_the_same(name: str, tmp_path: Path) -> None:
    row = sources.measure(RECORDINGS / f"{name}.flac", load("cello"), tmp_path)
    sound, rate = sources.audio.read(tmp_path / f"{name}.wav")
    assert len(sound) / rate == pytest.approx(row.seconds, abs=1e-3)
    assert np.abs(sound).max() > 0.01


def test_the_truth_is_truer_than_what_it_judges() -> None:
    """From the confidence taken as sure, the analyser agrees with itself at another speed."""
    files = [RECORDINGS / f"{name}.flac" for name in sources.NAMES if "whale" not in name]
    assert sources.agreement(files, sources.SURE) > 0.99


def test_the_judge_finds_a_wrong_octave_right_and_a_wrong_note_wrong(tmp_path: Path) -> None:
    cents = np.array([0.0, 1200, -1200, 2412, 700, -590, 100])
    np.testing.assert_allclose(sources.octaves_aside(cents), [0, 0, 0, 12, -500, -590, 100])


def test_the_judge_tells_third_partials_from_notes() -> None:
    t = np.arange(48_000) / 48_000
    low = sum(a * np.sin(2 * np.pi * k * 110 * t) for k, a in ((1, 0.02), (2, 0.05), (3, 0.5), (4, 0.1), (6, 0.1)))
    high = sum(0.5 / k * np.sin(2 * np.pi * k * 330 * t) for k in range(1, 5))
    hiss = 0.0005 * np.random.default_rng(0).standard_normal(48_000)
    assert sources.is_third_partial(low + hiss, 48_000, 30, 330)
    assert not sources.is_third_partial(high + hiss, 48_000, 30, 330)
