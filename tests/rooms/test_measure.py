"""Decays whose figures are known in closed form, the same figures from scipy's filters, and real responses."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile as sf

from retimbre.errors import RetimbreError
from retimbre.rooms.doubts import doubt
from retimbre.rooms.measure import Figures, Report, find_direct, measure
from retimbre.rooms.room import Room

RATE = 48_000
REAL = Path(__file__).parents[3] / "shared" / "audio" / "rir"


def decaying(decay_s: float, seconds: float, noise_db: float | None = None, seed: int = 0) -> np.ndarray:
    """Noise that falls by 60 dB in `decay_s`, from 0 dB."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    response = rng.standard_normal(len(t)) * 10 ** (-3 * t / decay_s)
    return response if noise_db is None else response + 10 ** (noise_db / 20) * rng.standard_normal(len(t))


def by_scipy(response: np.ndarray, rate: int, hz: float, top_db: float, bottom_db: float) -> float:
    """Decay time by a Butterworth filter, Schroeder's integral of all that there is, and a line."""
    edges = (hz / math.sqrt(2), hz * math.sqrt(2))
    band = scipy.signal.sosfilt(scipy.signal.butter(3, edges, "band", fs=rate, output="sos"), response)
    left_db = 10 * np.log10(np.cumsum(band[::-1] ** 2)[::-1])
    left_db -= left_db[0]
    inside = (left_db <= top_db) & (left_db >= bottom_db)
    return -60 / np.polyfit(np.flatnonzero(inside) / rate, left_db[inside], 1)[0]


def row(report: Report, hz: float) -> Figures:
    return next(one for one in report.octaves if one.band_hz == hz)


@pytest.mark.parametrize(
    ("decay_s", "seconds", "noise_db"),
    (
        (0.3, 1.0, -60),
        (1.2, 2.0, -70),
        (3.0, 6.0, -50),
        pytest.param(3.0, 2.1, None, id="cut off before its noise"),
    ),
)
def test_an_exponential_has_the_figures_of_its_closed_form(
    decay_s: float, seconds: float, noise_db: float | None
) -> None:
    report = measure(decaying(decay_s, seconds, noise_db), RATE)
    rate = 6 * math.log(10) / decay_s  # of the energy
    all_of_it = report.broadband
    for time_s in (all_of_it.edt_s, all_of_it.t20_s, all_of_it.t30_s):
        assert time_s == pytest.approx(decay_s, rel=0.03)
    assert all_of_it.c50_db == pytest.approx(10 * math.log10(math.expm1(0.05 * rate)), abs=0.3)
    assert all_of_it.c80_db == pytest.approx(10 * math.log10(math.expm1(0.08 * rate)), abs=0.3)
    assert all_of_it.d50 == pytest.approx(1 - math.exp(-0.05 * rate), abs=0.02)
    assert all_of_it.ts_s == pytest.approx(1 / rate, rel=0.03)
    for hz in (250, 500, 1000, 2000, 4000, 8000):
        # One draw of noise scatters (Davy, Dunn and Dubout 1979).
        scatter = 0.55 / math.sqrt(hz / math.sqrt(2) * decay_s)
        assert row(report, hz).t30_s == pytest.approx(decay_s, rel=3 * scatter)
    if noise_db is not None:
        assert all_of_it.range_db == pytest.approx(-noise_db, abs=1.5)


def test_the_direct_sound_counts_as_strong_as_it_is() -> None:
    response = np.concatenate([np.zeros(500), [0], np.zeros(300), 0.01 * decaying(1.0, 1.5)])
    energy = np.square(response).sum()
    response[500] = 1
    report = measure(response, RATE)
    assert report.start_s == pytest.approx(500 / RATE)
    ratio_db = 10 * np.log10(1 / energy)
    assert report.broadband.drr_db == pytest.approx(ratio_db, abs=0.2)
    assert row(report, 2000).drr_db == pytest.approx(ratio_db, abs=1)
    assert row(report, 125).drr_db is None, "2.5 ms tell nothing of 125 Hz"


def test_bands_are_told_apart() -> None:
    slow, fast = decaying(2.0, 2.5), decaying(0.5, 2.5, seed=1)
    low, high = (scipy.signal.butter(8, 700, kind, fs=RATE, output="sos") for kind in ("low", "high"))
    report = measure(scipy.signal.sosfilt(low, slow) + scipy.signal.sosfilt(high, fast), RATE)
    assert row(report, 250).t30_s == pytest.approx(2.0, rel=0.1)
    assert row(report, 2000).t30_s == pytest.approx(0.5, rel=0.07)


@pytest.mark.parametrize(
    ("noise_db", "known", "says"),
    (
        (-20, (), "too little for T20 and T30"),
        (-30, ("t20_s",), "noise leaves 30 dB of decay, too little for T30"),
        (-40, ("t20_s", "t30_s"), "T30 is sure from 45 dB"),
        (-60, ("t20_s", "t30_s"), ""),
    ),
)
def test_noise_that_limits_a_figure_is_named(noise_db: float, known: tuple[str, ...], says: str) -> None:
    found = measure(decaying(1.0, 3.0, noise_db), RATE).broadband
    for key in ("t20_s", "t30_s"):
        time_s = getattr(found, key)
        assert time_s == pytest.approx(1.0, rel=0.06) if key in known else time_s is None
    assert says in " ".join(found.warnings) and bool(found.warnings) == bool(says)


def test_a_bent_decay_is_named() -> None:
    both = decaying(0.6, 3.0) + 0.1 * decaying(2.5, 3.0, seed=1)
    found = measure(both, RATE).broadband
    assert found.t20_s and found.t30_s and found.t30_s > 1.2 * found.t20_s
    assert "the decay is bent" in " ".join(found.warnings)


def test_a_fade_out_is_no_decay() -> None:
    """Noise that an editor faded out would otherwise be taken for a long tail."""
    response = decaying(1.0, 3.0, -45)
    fade = np.ones(len(response))
    fade[-RATE // 2 :] = np.linspace(1, 0, RATE // 2) ** 2
    assert measure(response * fade, RATE).broadband.t30_s == pytest.approx(1.0, rel=0.05)
    silent = np.concatenate([decaying(1.0, 2.0), np.zeros(RATE)])
    assert measure(silent, RATE).broadband.t30_s == pytest.approx(1.0, rel=0.03)


def test_figures_do_not_depend_on_level_and_delay() -> None:
    response = decaying(0.8, 1.5, -65)
    one, two = measure(response, RATE), measure(np.concatenate([np.zeros(4800), 1e-4 * response]), RATE)
    assert two.start_s - one.start_s == pytest.approx(0.1)
    for a, b in zip((*one.octaves, one.broadband), (*two.octaves, two.broadband), strict=True):
        assert (a.t30_s, a.c80_db, a.ts_s) == pytest.approx((b.t30_s, b.c80_db, b.ts_s), rel=2e-3, abs=2e-3)


def test_octaves_beyond_nyquist_are_left_out() -> None:
    assert [one.band_hz for one in measure(decaying(0.5, 1)[::3], 16_000).octaves][-1] == 4000


@pytest.mark.parametrize("response", (np.zeros(RATE), np.zeros(0), np.array([0.0, 1.0, 0.0])))
def test_what_is_no_response_is_refused(response: np.ndarray) -> None:
    with pytest.raises(RetimbreError, match="impulse response"):
        measure(response, RATE)


def playing(seconds: float) -> np.ndarray:
    """Notes of half a second that are struck one after the other."""
    t = np.arange(round(0.5 * RATE)) / RATE
    notes = [
        sum(np.sin(2 * np.pi * 110 * 2 ** (k / 12) * n * t) / n for n in range(1, 20)) for k in range(int(2 * seconds))
    ]
    return np.concatenate([note * np.exp(-6 * t) for note in notes])


def babble(seconds: float) -> np.ndarray:
    """Noise that comes and goes like syllables, after a loud one."""
    t = np.arange(round(seconds * RATE)) / RATE
    swells = np.maximum(np.sin(2 * np.pi * 2 * t), 0) ** 2 * np.where(t < 0.25, 1.0, 0.5)
    return swells * np.random.default_rng(0).standard_normal(len(t))


T = np.arange(RATE) / RATE


@pytest.mark.parametrize(
    ("recording", "why"),
    (
        (playing(3), "in a few tones|grows louder again|the loudest sound comes"),
        (babble(3), "grows louder again"),
        (np.sin(2 * np.pi * 440 * T), "in a few tones|the loudest sound comes"),
        (np.sin(2 * np.pi * 440 * T) * 10 ** (-3 * T), "in a few tones"),
    ),
    ids=("music", "speech", "sine", "one note"),
)
def test_a_recording_is_told_from_a_response(recording: np.ndarray, why: str) -> None:
    with pytest.raises(RetimbreError, match=f"not look like an impulse response: .*({why})"):
        Room.from_rir(recording, RATE)
    assert re.search(f"is this an impulse response\\? .*({why})", " ".join(measure(recording, RATE).broadband.warnings))


def test_the_direct_sound_is_found_in_noise() -> None:
    """Noise 20 dB below the direct sound, which begins after half a second."""
    rng = np.random.default_rng(0)
    response = 0.1 * rng.standard_normal(2 * RATE)
    response[RATE // 2] += 1
    response[RATE // 2 + 480 : RATE + 480] += 0.2 * decaying(0.4, 0.5, seed=1)
    assert measure(response, RATE).start_s == pytest.approx(0.5, abs=1e-4)
    assert any("noise leaves" in text for text in measure(response, RATE).broadband.warnings)


@pytest.mark.skipif(not REAL.is_dir(), reason="the measured responses are not here")
@pytest.mark.parametrize("path", sorted(REAL.glob("*.flac")), ids=lambda path: path.stem)
def test_no_real_response_is_doubted(path: Path) -> None:
    response, rate = sf.read(path)
    assert doubt(response, rate, find_direct(response, rate).start) is None


@pytest.mark.skipif(not REAL.is_dir(), reason="the measured responses are not here")
@pytest.mark.parametrize("name", ("studio_genesis6_live_room", "hall_jack_lyons_york", "hall_spokane_womans_club"))
def test_real_responses_decay_as_scipy_says(name: str) -> None:
    """Responses with so little noise that leaving it in makes no difference."""
    response, rate = sf.read(REAL / f"{name}.flac")
    report = measure(response, rate)
    heard = response[round(report.start_s * rate) :]
    for hz in (500, 1000, 2000, 4000):
        figures = row(report, hz)
        assert figures.t20_s == pytest.approx(by_scipy(heard, rate, hz, -5, -25), rel=0.04)
        assert figures.t30_s == pytest.approx(by_scipy(heard, rate, hz, -5, -35), rel=0.04)
