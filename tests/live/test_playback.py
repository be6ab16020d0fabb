"""A file through the live line: in time, as long as it was, and what the stream itself makes of it."""

import json

import numpy as np
import pytest
import soundfile

from retimbre.cli import main
from retimbre.instrument import load
from retimbre.live.stream import Stream
from tests.engine.signals import melody


@pytest.fixture
def tune(tmp_path):
    path = tmp_path / "tune.wav"
    soundfile.write(path, melody(48_000, 1.0), 48_000, subtype="FLOAT")
    return path


def test_it_is_the_stream_without_its_latency(tune, tmp_path, capsys):
    out = tmp_path / "out.wav"
    arguments = ["transfer", str(tune), "--to", "cello", "-o", str(out), "--no-lookahead", "--json", "--octave", "0"]
    assert main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    sound, _ = soundfile.read(tune, dtype="float32")
    stream = Stream(48_000, load("cello"))
    stream.set(octave=0)
    expected = stream.process(np.concatenate([sound, np.zeros(stream.latency, np.float32)]))[stream.latency :]
    found, rate = soundfile.read(out, dtype="float32")
    assert rate == 48_000 and len(found) == len(sound)
    assert np.abs(found - expected).max() < 2**-15, "but for 24 bits or 16"
    assert report["latency_ms"] == pytest.approx(1000 * stream.latency / 48_000, abs=0.01)


def test_another_rate_and_a_room(tmp_path, capsys):
    """The last half second has no sound in it: only a room rings there."""
    source, tails = tmp_path / "in.wav", {}
    soundfile.write(source, np.concatenate([melody(22_050, 1.0), np.zeros(11_025)]), 22_050)
    for room in ("none", "own"):
        out = tmp_path / f"{room}.wav"
        assert main(["transfer", str(source), "--to", "violin", "-o", str(out), "--no-lookahead", "--room", room]) == 0
        found, rate = soundfile.read(out)
        assert rate == 48_000 and len(found) == 72_000 and np.abs(found).max() > 0.01
        tails[room] = np.sqrt(np.mean(found[-14_400:] ** 2))
    assert tails["own"] > 10 * tails["none"] and tails["own"] > 1e-4


def test_it_writes_over_nothing(tune, tmp_path, capsys):
    before = tune.read_bytes()
    assert main(["transfer", str(tune), "--to", "cello", "-o", str(tune), "--no-lookahead", "--force"]) == 2
    assert tune.read_bytes() == before and str(tune) in capsys.readouterr().err


def test_bench_live_tells_onsets_changes_and_load(capsys):
    assert main(["bench", "live", "--minutes", "0.05", "--block", "960", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert {row["what"].split()[0] for row in figures["latency"]} == {"onset", "change"}
    assert all(20 < row["worst_ms"] < 150 for row in figures["latency"]), "a block of 20 ms is counted in"
    assert 0 < figures["load"]["load"]
