"""A sound with a room of its own comes to sound as in another, as loud as it was."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile as sf
from rooms.halls import RATE, hall, playing, recorded

from retimbre.engine import Floats
from retimbre.errors import RetimbreError
from retimbre.rooms import match as matching
from retimbre.rooms.match import match_file, plan
from retimbre.rooms.measured import MeasuredRoom
from retimbre.rooms.room import Room

SHORT, LONG = hall(0.4, -3), hall(1.6, 0)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def speech(seconds: float = 4) -> Floats:
    """Syllables of noise through a moving filter, with pauses."""
    rng = np.random.default_rng(4)
    sound, at = np.zeros(int(seconds * RATE)), 0.05
    while at < seconds - 0.5:
        length = int(rng.uniform(0.06, 0.2) * RATE)
        low = rng.uniform(200, 1500)
        filtered = scipy.signal.sosfilt(
            scipy.signal.butter(2, [low, 3 * low], "bandpass", fs=RATE, output="sos"), rng.standard_normal(length)
        )
        start = int(at * RATE)
        sound[start : start + length] += 0.2 * filtered * np.hanning(length)
        at += length / RATE + (rng.uniform(0.2, 0.5) if rng.random() < 0.3 else 0.02)
    return sound.astype(np.float32)


def decay_db(sound: Floats) -> np.ndarray:
    """Levels of 20 ms, sorted: a room fills the pauses."""
    power = np.square(sound[: len(sound) // 960 * 960].reshape(-1, 960)).mean(axis=1)
    return np.sort(10 * np.log10(power / power.mean() + 1e-9))


def test_a_dry_sound_gets_all_of_the_room() -> None:
    assert plan(LONG, None).missing == LONG
    far = plan(LONG, hall(0.2, -60))
    assert not far.dry
    assert far.missing.level_db == pytest.approx(LONG.level_db, abs=0.5)
    assert far.missing.decay_s == LONG.decay_s


def test_a_sound_from_the_room_itself_needs_next_to_nothing() -> None:
    same = plan(LONG, LONG)
    assert not same.dry
    assert max(same.missing.level_db) < -20


def test_only_what_is_missing_is_added() -> None:
    """Half of the wanted energy is there; direct sound and that half each get as much as fills it up."""
    half = replace(LONG, level_db=tuple(value - 3.01 for value in LONG.level_db))
    todo = plan(LONG, half)
    there, wanted = 10 ** (half.level_db[3] / 10), 10 ** (LONG.level_db[3] / 10)
    assert not todo.dry
    assert 10 ** (todo.missing.level_db[3] / 10) == pytest.approx((wanted - there) / (1 + there), rel=0.15)


def test_what_is_wetter_than_wanted_is_dried_and_what_is_left_told() -> None:
    todo = plan(SHORT, LONG)
    assert todo.dry and todo.excess_db > 3
    assert plan(SHORT, LONG, strength=0).dry is False


@pytest.mark.parametrize(("own", "wanted"), ((SHORT, LONG), (LONG, SHORT)))
def test_the_pauses_become_those_of_the_other_room(own: Room, wanted: Room) -> None:
    dry = speech()
    sf.write("in.wav", recorded(dry, own), RATE, subtype="FLOAT")
    report = match_file(Path("in.wav"), Path("out.wav"), wanted, source_room=own)
    found, true, before = sf.read("out.wav", dtype="float32")[0], recorded(dry, wanted), recorded(dry, own)
    levels = [decay_db(sound[: len(dry)]) for sound in (found, true, before)]
    left, had = (np.abs(np.maximum(one, -40) - np.maximum(levels[1], -40)).mean() for one in (levels[0], levels[2]))
    assert left < 0.6 * had
    assert report["dereverberated"] == (own is LONG)


def test_it_is_as_loud_as_before_and_does_not_move_in_time() -> None:
    dry = playing(5)
    sf.write("in.wav", dry, RATE, subtype="FLOAT")
    report = match_file(Path("in.wav"), Path("out.wav"), LONG, dry=True, channels=2)
    found = sf.read("out.wav", dtype="float32")[0]
    assert found.shape[1] == report["channels"] == 2
    # A-weighting is flat within 2 dB from 700 Hz to 7 kHz, where these notes are strong.
    band = scipy.signal.butter(4, [700, 7000], "bandpass", fs=RATE, output="sos")
    power = [np.square(scipy.signal.sosfilt(band, one)).sum() for one in (dry, found[:, 0])]
    assert 10 * np.log10(power[1] / power[0]) == pytest.approx(0, abs=1.5)
    lags = scipy.signal.correlate(found[: len(dry), 0], dry, method="fft")
    assert abs(int(np.argmax(lags)) - len(dry) + 1) <= 2


def test_a_measured_room_is_used_as_it_is_for_a_dry_sound() -> None:
    response = LONG.to_rir(RATE)[:, None]
    sf.write("in.wav", speech(), RATE, subtype="FLOAT")
    room = MeasuredRoom(response, RATE, "measured")
    match_file(Path("in.wav"), Path("out.wav"), room, dry=True)
    found, expected = sf.read("out.wav")[0], scipy.signal.oaconvolve(speech(), response[:, 0])
    assert np.corrcoef(found[: len(expected)], expected[: len(found)])[0, 1] > 0.9999


def test_a_silent_sound_is_refused_and_nothing_written() -> None:
    sf.write("in.wav", np.zeros(RATE), RATE)
    with pytest.raises(RetimbreError, match=r"in\.wav: is silent"):
        match_file(Path("in.wav"), Path("out.wav"), LONG, dry=True)
    assert not Path("out.wav").exists()


def test_a_sound_whose_room_cannot_be_heard_counts_as_dry_and_it_is_said() -> None:
    sf.write("in.wav", speech(1.5), RATE)
    report = match_file(Path("in.wav"), Path("out.wav"), LONG)
    assert report["source_room"] is None and not report["dereverberated"]
    assert "own room could not be heard" in report["warnings"][0]


def test_a_weighting_is_that_of_the_standard() -> None:
    """IEC 61672-1, table of A-weightings in dB."""
    hz = np.array([31.5, 125, 1000, 4000, 16_000])
    np.testing.assert_allclose(10 * np.log10(matching._a_weighting(hz)), [-39.4, -16.1, 0, 1.0, -6.6], atol=0.15)
