"""What each key does to what is played."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from retimbre.errors import RetimbreError
from retimbre.instrument import Instrument, load
from retimbre.live.desk import Desk
from retimbre.live.ear import Ear
from retimbre.live.host import Host
from retimbre.live.recorder import Names, Recorder

RATE = 48_000


class Click:
    """A room of one echo."""

    def to_rir(self, sample_rate: int, /) -> np.ndarray:
        response = np.zeros(sample_rate // 10, np.float32)
        response[[0, -1]] = 1, 0.5
        return response


def choose_room(wish: str, instrument: Instrument) -> Click | None:
    if wish == "nowhere":
        raise RetimbreError("nowhere: there is no such room")
    return None if wish == "none" else Click()


@pytest.fixture
def table(tmp_path: Path) -> tuple[Desk, Host, Callable[[float], np.ndarray]]:
    recorder = Recorder(Names(tmp_path), RATE)
    host = Host(RATE, load("cello"), recorder=recorder)
    names = {"instruments": ["cello", "flute", "violin"], "rooms": ["none", "own", "hall", "nowhere"]}
    desk = Desk(host, recorder, **names, load=load, choose_room=choose_room, gain=0.5)
    return desk, host, lambda seconds: play(desk, host, seconds)


def play(desk: Desk, host: Host, seconds: float) -> np.ndarray:
    """Let the desk's work end, then play a tone for so long."""
    for work in desk._work:
        work.result()
    t = np.arange(round(seconds * RATE)) / RATE
    heard = sum(0.2 / k * np.sin(2 * np.pi * k * 220 * t) for k in range(1, 6)).astype(np.float32)[:, None]
    out = np.zeros_like(heard)
    for at in range(0, len(heard), 480):
        host.audio(heard[at : at + 480], out[at : at + 480], len(heard[at : at + 480]), None, None)
    assert host.faults == 0, host.fault
    return out[:, 0]


Table = tuple[Desk, Host, Callable[[float], np.ndarray]]


def test_instruments_go_round_both_ways(table: Table) -> None:
    desk, host, run = table
    for key, name in (("n", "flute"), ("right", "violin"), ("right", "cello"), ("left", "violin"), ("p", "flute")):
        assert desk.press(key) == "" and desk.instrument == name
        run(0.1)
        assert host.instrument.name == name


def test_octaves_from_where_the_automatic_one_is(table: Table) -> None:
    desk, host, run = table
    run(0.3)
    begin = host.meters["octave"]
    desk.press("up"), desk.press("up"), desk.press("down")
    assert host.settings["octave"] == begin + 1
    for _ in range(20):
        desk.press("down")
    assert host.settings["octave"] == -6
    desk.press("a")
    assert host.settings["octave"] is None


def test_the_gate_is_held_where_it_was_and_moved(table: Table) -> None:
    desk, host, run = table
    run(0.3)
    desk.press("g")
    assert host.settings["gate_db"] == round(host.meters["gate_db"])
    for key in "+=-":
        desk.press(key)
    assert host.settings["gate_db"] == round(host.meters["gate_db"]) + 3
    desk.press("g")
    assert host.settings["gate_db"] is None


def test_dry_share_goes_round_and_mute_keeps_it(table: Table) -> None:
    desk, host, run = table
    shares = []
    for _ in range(5):
        desk.press("d")
        shares.append((host.settings["dry"], host.settings["wet"]))
    assert shares == [(0.25, 0.75), (0.5, 0.5), (0.75, 0.25), (1, 0), (0, 1)]
    run(0.3)
    desk.press("m")
    assert not run(0.3)[-4800:].any() and desk.muted
    desk.press("m")
    assert np.abs(run(0.3)[-4800:]).max() > 0.01 and host.settings["gain"] == 0.5


def test_the_input_alone_is_the_input_later(table: Table) -> None:
    desk, host, run = table
    for _ in range(4):
        desk.press("d")
    out = run(1.0)
    t = (np.arange(RATE) - host.latency) / RATE
    expected = 0.5 * sum(0.2 / k * np.sin(2 * np.pi * k * 220 * t) for k in range(1, 6))
    np.testing.assert_allclose(out[RATE // 2 :], expected[RATE // 2 :], atol=1e-5)


def test_rooms_go_round_without_one_that_is_not_there(table: Table) -> None:
    desk, _, run = table
    dry = run(0.5)
    assert load("cello").room is None
    desk.press("r")
    assert desk.room == "hall"  # the cello has none of its own
    wet = run(0.5)
    assert np.abs(wet[-9600:]).max() > 1.05 * np.abs(dry[-9600:]).max() or np.abs(wet - dry).max() > 0.01
    desk.press("r")
    run(0.1)
    assert desk.done() == ["nowhere: there is no such room"] and desk.done() == []


def test_the_own_room_moves_with_the_instrument(table: Table) -> None:
    desk, _, run = table
    desk.press("left"), run(0.1)
    assert (desk.instrument, load("violin").room is None) == ("violin", False)
    desk.press("r"), run(0.1)
    assert desk.room == "own"
    desk.press("n"), run(0.1)
    assert (desk.instrument, desk.room) == ("cello", "none")


def test_space_records(table: Table, tmp_path: Path) -> None:
    desk, _, run = table
    assert desk.press("space") == ""
    run(0.1)
    said = desk.press("space")
    assert "take_1_input.wav" in said and "take_1_output.wav" in said and (tmp_path / "take_1_input.wav").exists()


def test_other_keys_do_nothing(table: Table) -> None:
    desk, host, _ = table
    before = dict(host.settings)
    assert [desk.press(key) for key in "xyzQ1é"] == [""] * 6 and host.settings == before


class Heard:
    """The estimate of a room of one echo."""

    t60_s, t60_range_s, c50_db, c50_range_db = 0.5, (0.4, 0.6), 9.0, (8.0, 10.0)
    warnings = ("the room above 4 kHz is a guess",)
    room = Click()


@pytest.fixture
def listening(tmp_path: Path) -> tuple[Desk, Host, list[np.ndarray]]:
    """A desk that listens for half a second, its host, and what it heard; silence tells it nothing."""
    sounds: list[np.ndarray] = []

    def estimate(sound: np.ndarray, sample_rate: int) -> Heard:
        assert sample_rate == RATE
        sounds.append(sound)
        if not sound.any():
            raise RetimbreError("is silent; take a recording of speech or music")
        return Heard()

    recorder, ear = Recorder(Names(tmp_path), RATE), Ear(RATE, 0.5)
    host = Host(RATE, load("cello"), recorder=recorder, ear=ear)
    names = {"instruments": ["cello"], "rooms": ["none", "hall"]}
    return Desk(host, recorder, **names, load=load, choose_room=choose_room, ear=ear, estimate=estimate), host, sounds


def said(desk: Desk) -> list[str]:
    """What the desk has to say once its work is done."""
    early = desk.done()
    for work in desk._work:
        work.result()
    return early + desk.done()


def test_the_players_room_is_listened_to_and_played_in(listening: tuple[Desk, Host, list[np.ndarray]]) -> None:
    desk, host, sounds = listening
    assert "0 s" in desk.press("l") and desk.listening_s == 0.5
    heard = np.random.default_rng(0).standard_normal((RATE, 1)).astype(np.float32)
    for at in range(0, RATE, 4800):
        host.audio(heard[at : at + 4800], np.zeros((4800, 1), np.float32), 4800, None, None)
    assert said(desk) == ["your room: T60 0.50 s (0.40 to 0.60), C50 9 dB (8 to 10); the room above 4 kHz is a guess"]
    np.testing.assert_array_equal(sounds[0], heard[: RATE // 2, 0])
    assert desk.room == "mine" and desk.room_t60_s == 0.5 and desk.listening_s is None
    rooms = []
    for _ in range(3):
        desk.press("r")
        rooms.append((desk.room, desk.room_t60_s))
    assert rooms == [("none", None), ("hall", None), ("mine", 0.5)]


def test_the_room_that_was_heard_sounds(listening: tuple[Desk, Host, list[np.ndarray]]) -> None:
    """One echo after 22 periods of the tone, half as loud, adds to it."""
    desk, host, _ = listening
    dry = play(desk, host, 2.0)[-RATE // 2 :]
    desk.press("l")
    play(desk, host, 1.0)
    said(desk)
    wet = play(desk, host, 1.0)[-RATE // 2 :]
    assert wet.std() == pytest.approx(1.5 * dry.std(), rel=0.1)


def test_a_room_that_tells_nothing_leaves_the_last(listening: tuple[Desk, Host, list[np.ndarray]]) -> None:
    desk, host, _ = listening
    desk.press("r")
    desk.press("l")
    host.audio(np.zeros((RATE, 1), np.float32), np.zeros((RATE, 1), np.float32), RATE, None, None)
    assert said(desk)[-1] == ("your room was not heard: what came in is silent; take a recording of speech or music")
    assert desk.room == "hall"


def test_listening_can_be_stopped_and_needs_an_input(
    table: Table, listening: tuple[Desk, Host, list[np.ndarray]]
) -> None:
    assert "no input" in table[0].press("l")
    desk, host, sounds = listening
    desk.press("l")
    assert "no longer" in desk.press("l") and desk.listening_s is None
    host.audio(np.ones((RATE, 1), np.float32), np.zeros((RATE, 1), np.float32), RATE, None, None)
    assert said(desk) == [] and not sounds
