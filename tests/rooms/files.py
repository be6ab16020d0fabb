"""What the tests of the room commands start from: a voice, a small room as a response and as numbers."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from retimbre.cli import main
from retimbre.rooms import library
from retimbre.rooms.bands import OCTAVE_BANDS_HZ
from retimbre.rooms.room import Room

RATE = 48_000
SMALL = Room(OCTAVE_BANDS_HZ, (0.4,) * 7, (0.0,) * 7, 0.45, seed=2, name="small", gain_db=-3)


def lay_out() -> None:
    """Write voice.wav, rir.wav and room.json here."""
    t = np.arange(RATE) / RATE
    voice = 0.1 * sum(np.sin(2 * np.pi * 330 * k * t) / k for k in range(1, 8)) * (t < 0.5)
    sf.write("voice.wav", voice, RATE, subtype="FLOAT")
    sf.write("rir.wav", np.concatenate([np.zeros(960), 0.5 * SMALL.to_rir(RATE)]), RATE, subtype="FLOAT")
    library.save(SMALL, Path("room.json"))


def contents() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*"))}


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out
