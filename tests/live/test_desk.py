"""What each key does to what is played."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from retimbre.errors import RetimbreError
from retimbre.instrument import Instrument, load
from retimbre.live.desk import Desk
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
