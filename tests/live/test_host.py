"""What the audio thread does, whatever comes in and whatever goes wrong."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sound_card import SoundCard, flags

from retimbre.errors import RetimbreError
from retimbre.instrument import load
from retimbre.live import host as module
from retimbre.live.connection import RETRY_S, STALL_S, Connection
from retimbre.live.devices import Wishes
from retimbre.live.host import Host
from retimbre.live.stream import Stream

RATE, BLOCK = 48_000, 480


@pytest.fixture(autouse=True)
def ordinary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not ask for a priority: here the audio thread is that of the tests."""
    monkeypatch.setattr(module, "go_first", lambda priority: False)


def tone(hz: float = 220, seconds: float = 0.5) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    return sum(0.2 / k * np.sin(2 * np.pi * k * hz * t) for k in range(1, 6)).astype(np.float32)


def make(card: SoundCard | None = None, **wishes: Any) -> tuple[Host, Connection, SoundCard]:
    card = card or SoundCard()
    chosen = Wishes(sample_rate=RATE, block=BLOCK, **wishes)
    host = Host(RATE, load("cello"), channel=chosen.channel)
    return host, Connection(card, chosen, host), card


def test_it_plays_what_the_stream_plays_on_every_channel() -> None:
    host, connection, card = make()
    out = card.streams[0].run(tone())
    np.testing.assert_array_equal(out[:, 0], Stream(RATE, load("cello")).process(tone()))
    np.testing.assert_array_equal(out[:, 0], out[:, 1])
    assert np.abs(out[-4800:]).max() > 0.01 and connection.latency_s == pytest.approx(0.03)
    assert (host.times.blocks, host.faults) == (50, 0) and host.times.sound_s == pytest.approx(0.5)


def test_it_listens_to_one_channel() -> None:
    _, _, card = make(channel=1)
    both = np.stack([np.random.default_rng(0).uniform(-1, 1, 24_000).astype(np.float32), tone()], 1)
    out = card.streams[0].run(both)
    np.testing.assert_array_equal(out[:, 0], Stream(RATE, load("cello")).process(tone()))


def test_commands_hold_from_the_next_block_on_in_order() -> None:
    host, _, card = make()
    stream = card.streams[0]
    stream.run(tone())
    host.set(octave=1.0)
    host.play(load("flute")), host.play(load("trombone"))  # the second waits until the first is there
    host.set(gain=0.0)
    stream.run(tone(seconds=0.25))
    assert host.meters["octave"] == 1 and host.instrument.name == "trombone"
    assert not stream.run(tone(seconds=0.1))[-480:].any()
    assert host.faults == 0


def test_late_blocks_are_counted_and_losses_of_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    host, _, card = make()
    clock = iter(np.cumsum([0, 0.002, 1, 0.011, 1, 0.0099]).tolist())  # blocks of 10 ms
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    card.streams[0].run(tone(seconds=0.03), output_underflow=True)
    assert (host.times.blocks, host.times.late) == (3, 1) and host.times.worst_s == pytest.approx(0.011)
    assert host.xruns == vars(flags()) | {"output_underflow": 3}


def test_nan_of_a_driver_is_silence_and_counted() -> None:
    host, _, card = make()
    bad = tone()
    bad[5_000:5_100] = np.nan
    bad[6_000] = np.inf
    out = card.streams[0].run(bad)
    mended = np.where(np.isfinite(bad), bad, 0)
    np.testing.assert_array_equal(out[:, 0], Stream(RATE, load("cello")).process(mended))
    assert host.bad_samples == 101


def test_an_exception_is_silence_and_a_new_engine_that_plays_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REBUILD_S", 0)
    host, _, card = make()
    host.set(octave=-1.0, semitones=2.0)
    host.play(load("flute"))
    card.streams[0].run(tone())
    with monkeypatch.context() as patch:
        patch.setattr(Stream, "process", lambda *_: 1 / 0)
        assert not card.streams[0].run(tone(seconds=0.05)).any()
    assert host.faults == 1 and isinstance(host.fault, ZeroDivisionError)  # then it is left alone
    assert host.tend() and not host.tend()
    out = card.streams[0].run(tone())
    again = Stream(RATE, load("flute"))
    again.set(octave=-1, semitones=2)
    np.testing.assert_array_equal(out[:, 0], again.process(tone()))
    assert host.faults == 1


def test_an_engine_that_always_fails_is_not_made_anew_for_each_block(monkeypatch: pytest.MonkeyPatch) -> None:
    host, _, card = make()
    monkeypatch.setattr(Stream, "process", lambda *_: 1 / 0)
    card.streams[0].run(tone(seconds=0.05))
    assert not host.tend()  # not within a second of the last


def test_keys_play_without_a_microphone() -> None:
    card = SoundCard()
    card.cards = card._known = [card.cards[2]]  # HDMI alone
    host, connection, _ = make(card, listen=False)
    host.set(keys=1.0)
    host.notes.append((0x90, 57, 100))
    out = card.streams[0].run(np.zeros(24_000))
    assert connection.source is None and np.abs(out).max() > 0.01
    assert host.meters["f0_hz"] == pytest.approx(220, rel=0.02)


def test_a_card_that_goes_away_is_found_again() -> None:
    now = 0.0
    card, wishes = SoundCard(), Wishes(sample_rate=RATE, block=BLOCK)
    host = Host(RATE, load("cello"))
    connection = Connection(card, wishes, host, clock=lambda: now)
    card.streams[0].run(tone(seconds=0.05))
    assert connection.watch() == "" and connection.open
    card.plugged = False
    assert "went away" in connection.watch() and not connection.open and card.streams[0].closed
    now += 0.9 * RETRY_S
    assert connection.watch() == "" and len(card.streams) == 1
    now += RETRY_S
    assert connection.watch() == "" and not connection.open  # still away
    card.plugged = True
    now += RETRY_S
    assert "is back" in connection.watch() and connection.open and connection.losses == 1
    assert np.abs(card.streams[1].run(tone())).max() > 0.01
    blocks = host.times.blocks
    assert not card.streams[0].run(tone(seconds=0.05)).any() and host.times.blocks == blocks  # the old one is deaf
    connection.close()
    assert card.streams[1].closed


def test_a_card_that_stalls_is_taken_for_lost() -> None:
    now = 0.0
    card = SoundCard()
    host = Host(RATE, load("cello"))
    connection = Connection(card, Wishes(sample_rate=RATE, block=BLOCK), host, clock=lambda: now)
    for _ in range(5):
        now += 0.9 * STALL_S
        card.streams[0].run(tone(seconds=0.02))
        assert connection.watch() == ""
    now += 1.1 * STALL_S
    assert "went away" in connection.watch()


def test_a_card_that_refuses_is_an_error_and_nothing_is_left_open() -> None:
    card = SoundCard()
    card.refusal = -9997
    with pytest.raises(RetimbreError, match="48000 Hz; try --rate 44100"):
        make(card)
    assert card.streams == []


def test_what_comes_and_goes_is_recorded(tmp_path: Path) -> None:
    from retimbre import audio
    from retimbre.live.recorder import Names, Recorder

    recorder = Recorder(Names(tmp_path / "a"), RATE)
    host = Host(RATE, load("cello"), recorder=recorder)
    card = SoundCard()
    Connection(card, Wishes(sample_rate=RATE, block=BLOCK), host)
    recorder.start()
    out = card.streams[0].run(tone())
    recorder.stop()
    np.testing.assert_allclose(audio.read(tmp_path / "a_input.wav")[0], tone(), atol=2**-23)
    np.testing.assert_allclose(audio.read(tmp_path / "a_output.wav")[0], out[:, 0], atol=2**-23)
