"""The whole command on a sound card of our own making."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from sound_card import SoundCard

from retimbre import audio
from retimbre.analysis import analyze
from retimbre.cli import main
from retimbre.live import devices, priority
from retimbre.live.performance import stoppable, undisturbed
from retimbre.midi import ports

RATE = 48_000


@pytest.fixture(autouse=True)
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoundCard:
    """A card that hears a tone, in an empty folder; nobody asks for a priority."""
    monkeypatch.chdir(tmp_path)
    card = SoundCard()
    t = np.arange(RATE // 10) / RATE
    card.sound = sum(0.2 / k * np.sin(2 * np.pi * k * 220 * t) for k in range(1, 6)).astype(np.float32)
    monkeypatch.setattr(devices, "portaudio", lambda: card)
    monkeypatch.setattr(priority.os, "sched_setscheduler", lambda *_: None, raising=False)
    return card


def test_it_plays_and_says_what_happened(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "--to", "cello", "--seconds", "0.3", "--block", "256"]) == 0
    said = capsys.readouterr()
    first, second, third = said.out.splitlines()[:3]
    assert first == "Scarlett Solo USB -> cello -> Scarlett Solo USB, 48000 Hz; Ctrl-C ends"
    assert second.startswith("0.3 s, ") and " 0 xruns" in second and "worst block" in second
    assert third.startswith("latency 40.8 ms: engine 5.5, block 5.3, sound card 30.0")
    assert said.err == "" and list(Path().iterdir()) == []


def test_json_is_a_line_a_second_and_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "--to", "cello", "--seconds", "1.2", "--json", "--record", "song"]) == 0
    second, summary = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (second["note"], second["instrument"], second["connected"]) == ("A3", "cello", True)
    assert abs(second["cents"]) <= 5 and second["recording_s"] > 0
    assert summary["summary"] and summary["blocks"] > 10 and summary["faults"] == 0
    assert summary["files"] == ["song_input.wav", "song_output.wav"]
    assert sf.info("song_input.wav").frames == sf.info("song_output.wav").frames > RATE / 10


def test_existing_recordings_stop_it_before_it_begins(capsys: pytest.CaptureFixture[str], card: SoundCard) -> None:
    Path("song_output.wav").write_text("mine")
    assert main(["live", "--to", "cello", "--record", "song"]) == 2
    assert "song_output.wav: exists already" in capsys.readouterr().err
    assert Path("song_output.wav").read_text() == "mine" and card.streams == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "celo"], "did you mean cello?"),
        (["--to", "cello", "--input", "webcamera"], "did you mean 1: Webcam"),
        (["--to", "cello", "--rate", "7"], "--rate 7"),
        (["--to", "cello", "--block", "9999"], "--block 9999"),
        (["--to", "cello", "--room", "hal"], "hal"),
        (["--to", "cello", "--channel", "9"], "--channel 9"),
        (["--to", "cello", "--record", "no/where"], "does not exist"),
    ],
)
def test_wrong_wishes_are_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], card: SoundCard
) -> None:
    assert main(["live", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and card.streams == []


def test_devices_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "--devices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "0: Scarlett Solo USB (ALSA): 2 in (default), 2 out (default), 44100 Hz"
    assert main(["live", "--devices", "--json"]) == 0
    assert [device["name"] for device in json.loads(capsys.readouterr().out)] == [
        line.split(" (")[0][3:] for line in lines
    ]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_with_the_summary(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(getattr(signal, name))
    threading.Timer(0.5, lambda: os.kill(os.getpid(), getattr(signal, name))).start()
    assert main(["live", "--to", "cello", "--record", "song", "--seconds", "60"]) == 0
    out = capsys.readouterr().out
    assert " blocks, " in out and "wrote song_input.wav\nwrote song_output.wav\n" in out
    assert signal.getsignal(getattr(signal, name)) == before


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_second_interrupt_interrupts() -> None:
    stop = threading.Event()
    with stoppable(stop), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_set()
        os.kill(os.getpid(), signal.SIGINT)


def test_python_is_left_as_it_was() -> None:
    import gc
    import sys

    interval = sys.getswitchinterval()
    with undisturbed():
        assert sys.getswitchinterval() < 0.001 and gc.get_freeze_count() > 0
    assert sys.getswitchinterval() == interval and gc.get_freeze_count() == 0


def test_a_keyboard_plays_and_nobody_listens(
    capsys: pytest.CaptureFixture[str], card: SoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = [[(0x90, 69, 100)]]

    @contextmanager
    def listening(wish: str) -> Iterator[Callable[[], list[tuple[int, int, int]]]]:
        assert wish == "Keystation"
        yield lambda: waiting.pop() if waiting else []

    monkeypatch.setattr(ports, "listening", listening)
    assert main(["live", "--to", "cello", "--midi", "Keystation", "--seconds", "0.5", "--record", "song"]) == 0
    assert card.streams[0].inputs == 0 and "keyboard Keystation -> cello" in capsys.readouterr().out
    sound, rate = audio.read("song_output.wav")
    f0_hz = np.median(analyze(sound[len(sound) // 2 :], rate).f0_hz)
    assert abs(1200 * np.log2(f0_hz / 440)) < 20 and not audio.read("song_input.wav")[0].any()


def test_two_sound_cards_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "--to", "cello", "--input", "webcam", "--seconds", "0.1"]) == 0
    assert "clocks drift apart" in capsys.readouterr().err
