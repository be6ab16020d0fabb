"""The numbers of a room come back from its response, and what measures it says of real ones."""

from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile as sf
from rooms.halls import RATE, hall

from retimbre.errors import RetimbreError
from retimbre.rooms.bands import OCTAVE_BANDS_HZ
from retimbre.rooms.measure import measure
from retimbre.rooms.room import Room

REAL = Path(__file__).parents[3] / "shared" / "audio" / "rir"


def recorded(room: Room, rate: int, noise_db: float = -75, seed: int = 1) -> np.ndarray:
    """A response as a microphone would give it: late, at some level, with noise."""
    rng = np.random.default_rng(seed)
    response = np.concatenate([np.zeros(rate // 20), room.to_rir(rate), np.zeros(rate // 4)])
    return 0.3 * (response + 10 ** (noise_db / 20) * rng.standard_normal(len(response)))


@pytest.mark.parametrize(("decay_s", "level_db", "rate"), ((0.5, -2.0, RATE), (1.4, 6.0, 44_100)))
def test_the_numbers_come_back(decay_s: float, level_db: float, rate: int) -> None:
    true = hall(decay_s, level_db)
    found = Room.from_rir(recorded(true, rate), rate, "found", seed=9)
    one, two = true.report(), found.report()
    for a, b in zip((*one.octaves, one.broadband), (*two.octaves, two.broadband), strict=True):
        # Both are draws of noise, which decay otherwise each (Davy, Dunn and Dubout 1979).
        scatter = 0.55 / np.sqrt((a.band_hz or 1e4) / 2**0.5 * decay_s)
        assert b.t30_s == pytest.approx(a.t30_s, rel=max(0.05, 3 * scatter))
        if (a.band_hz or 1e4) >= 500:  # below, the first 80 ms of a draw weigh whatever they happen to
            assert b.c80_db == pytest.approx(a.c80_db, abs=1.5)
        if a.drr_db is not None:
            # The energy of noise of bandwidth B that falls by 60 dB in T scatters by 4.3 / sqrt(B T / 6.9) dB.
            scatter_db = 4.3 / np.sqrt((a.band_hz or 1e4) / 2**0.5 * decay_s / 6.9)
            assert b.drr_db == pytest.approx(a.drr_db, abs=0.3 + 2 * scatter_db)


def test_two_slopes_come_back() -> None:
    bands = len(OCTAVE_BANDS_HZ)
    true = Room(
        OCTAVE_BANDS_HZ,
        (1.5,) * bands,
        (0.0,) * bands,
        1.6,
        second_decay_s=(0.25,) * bands,
        second_level_db=(8.0,) * bands,
    )
    found = Room.from_rir(recorded(true, RATE), RATE, seed=4)
    one, two = true.report(), found.report()
    assert two.broadband.edt_s == pytest.approx(one.broadband.edt_s, rel=0.15)
    assert two.broadband.t30_s == pytest.approx(one.broadband.t30_s, rel=0.05)
    assert two.broadband.c80_db == pytest.approx(one.broadband.c80_db, abs=1)
    assert len(found.second_decay_s) == len(found.band_hz)
    assert found.decay_s[6] == pytest.approx(1.5, rel=0.15) and found.second_decay_s[6] == pytest.approx(0.25, rel=0.4)


def test_it_is_as_loud_as_the_dry_sound() -> None:
    """In octaves from 125 Hz to 4 kHz, each as strong as the next."""
    power = np.square(np.abs(np.fft.rfft(Room.from_rir(recorded(hall(1.0, 5.0), RATE), RATE).to_rir())))
    hz = np.fft.rfftfreq(2 * len(power) - 2, 1 / RATE)
    octaves = [power[(hz > centre / 2**0.5) & (hz < centre * 2**0.5)].mean() for centre in OCTAVE_BANDS_HZ[:-1]]
    assert 10 * np.log10(np.mean(octaves)) == pytest.approx(0, abs=1)


def test_a_gap_comes_back() -> None:
    bands = len(OCTAVE_BANDS_HZ)
    true = Room(OCTAVE_BANDS_HZ, (0.6,) * bands, (3.0,) * bands, 0.8, predelay_s=0.03)
    assert Room.from_rir(recorded(true, RATE), RATE).predelay_s == pytest.approx(0.03, abs=0.002)


def test_what_shows_no_decay_is_refused() -> None:
    noise = np.random.default_rng(0).standard_normal(RATE)
    with pytest.raises(RetimbreError, match="the loudest sound comes"):
        Room.from_rir(noise, RATE)
    noise[RATE // 100] = 8  # a direct sound, and nothing but noise after it
    with pytest.raises(RetimbreError, match="no decay of 15 dB"):
        Room.from_rir(noise, RATE)
    with pytest.raises(RetimbreError, match="silent"):
        Room.from_rir(np.zeros(RATE), RATE)


@pytest.mark.parametrize("length", (1, 1000, RATE))
def test_a_click_is_no_room(length: int) -> None:
    click = np.zeros(length)
    click[0] = 0.5
    with pytest.raises(RetimbreError, match="no more than its direct sound"):
        Room.from_rir(click, RATE)


@pytest.mark.skipif(not REAL.is_dir(), reason="the measured responses are not here")
@pytest.mark.parametrize("name", ("studio_genesis6_live_room", "church_st_lawrence_molenbeek"))
def test_a_real_room_is_followed(name: str) -> None:
    response, rate = sf.read(REAL / f"{name}.flac")
    real, fitted = measure(response, rate), Room.from_rir(response, rate).report()
    pairs = [(a, b) for a, b in zip(real.octaves, fitted.octaves, strict=True) if (a.band_hz or 0) >= 500]
    assert np.median([abs(b.t30_s / a.t30_s - 1) for a, b in pairs if a.t30_s and b.t30_s]) < 0.08
    assert np.median([abs(b.c80_db - a.c80_db) for a, b in pairs]) < 2
    assert np.median([abs(b.drr_db - a.drr_db) for a, b in pairs if a.drr_db and b.drr_db]) < 0.8


def test_the_colour_of_the_direct_sound_comes_back() -> None:
    """A loudspeaker that falls by 6 dB an octave above 1 kHz (first order), in a room that colours nothing else."""
    true, poles = hall(0.6, 0.0), scipy.signal.butter(1, 1000, fs=RATE)
    coloured = scipy.signal.lfilter(*poles, recorded(true, RATE))
    found = Room.from_rir(coloured, RATE)
    _, gain = scipy.signal.freqz(*poles, found.band_hz, fs=RATE)
    wanted = 20 * np.log10(np.abs(gain))
    error = np.array(found.colour_db) - wanted
    assert np.abs(error - np.median(error))[2:13].max() < 3.5, "as far as 2.5 ms of a draw of noise beside it tell"


def test_a_response_at_a_low_rate_makes_a_room_for_any() -> None:
    true = hall(1.0, 3.0)
    found = Room.from_rir(recorded(true, 16_000), 16_000)
    assert found.band_hz[-1] == 16_000 and found.decay_s[-1] < found.decay_s[-4] < 1.15
    assert found.report(16_000).broadband.t30_s == pytest.approx(1.0, rel=0.06)
