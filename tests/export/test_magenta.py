"""What Magenta.js is told of an instrument, and the folder that tells it."""

import json
from pathlib import Path

import numpy as np
import pytest

from retimbre import RetimbreError, load
from retimbre.cli import main
from retimbre.controls import Controls
from retimbre.export import magenta
from retimbre.export.magenta import LoudnessScale, export, frames_for, loudness_db, measure_scale, settings
from retimbre.instrument import Instrument


def test_loudness_is_the_power_of_a_window_on_magentas_scale() -> None:
    """A sine of amplitude a has the power a^2 / 2, and silence the floor."""
    time_s = np.arange(16_000) / 16_000
    sine = (0.1 * np.sin(2 * np.pi * 1000 * time_s)).astype(np.float32)
    found = loudness_db(np.concatenate([sine, np.zeros(16_000, np.float32)]))
    assert len(found) == 500
    np.testing.assert_allclose(found[10:230], 10 * np.log10(0.1**2 / 2) - 20.7, atol=0.01)
    assert (found[260:] == -120).all()
    assert len(loudness_db(sine[:1])) == 1


def test_where_the_window_lies_is_magentas_padding() -> None:
    """A convolution with stride and padding "same" (TensorFlow): 480 of the 960 zeros lie before the first sample."""
    click = np.zeros(3200, np.float32)
    click[1000] = 1
    heard = np.flatnonzero(loudness_db(click) > -120)
    assert [heard[0], heard[-1]] == [8, 23]  # the first window that ends after 1000, and the last that begins before it


def test_the_scale_turns_what_magenta_hears_into_what_we_ask_for() -> None:
    """A note of the trombone, whose timbre varies little, is heard as loud as it was asked for."""
    trombone = load("trombone")
    pitch, loudness, ones = trombone.network.pitch, trombone.network.loudness, np.ones(200, np.float32)
    note = Controls(440 * 2 ** ((pitch.centre - 69) / 12) * ones, ones, loudness.centre * ones)
    heard = np.median(loudness_db(trombone.play(note, 16_000))[60:-60])
    assert heard - measure_scale(trombone).offset_db == pytest.approx(loudness.centre, abs=1.5)


def test_settings_tell_the_range_of_the_recordings() -> None:
    violin = load("violin")
    told = settings(violin, 1000, LoudnessScale(-20, 1))
    quantiles = np.array(violin.card["loudness"]["quantiles"]) - 20
    assert told["meanPitch"] == violin.network.pitch.centre
    assert quantiles[0] < told["loudnessThreshold"] < told["meanLoudness"] < told["averageMaxLoudness"] < quantiles[-1]
    assert told["modelMaxFrameLength"] == 1000


def test_the_folder_is_written_whole_and_never_over_another(tmp_path: Path) -> None:
    report = export(load("cello"), tmp_path / "cello", frames=500)
    files = sorted(path.name for path in (tmp_path / "cello").iterdir())
    assert files == ["about.json", "group1-shard1of1.bin", "model.json", "settings.json"]
    assert report["bytes"] == sum(path.stat().st_size for path in (tmp_path / "cello").iterdir()) < 1e6
    about = json.loads((tmp_path / "cello" / "about.json").read_text(encoding="utf-8"))
    assert about["license"] == load("cello").card["license"]
    before = (tmp_path / "cello" / "model.json").read_bytes()
    with pytest.raises(RetimbreError, match="exists already"):
        export(load("violin"), tmp_path / "cello")
    assert (tmp_path / "cello" / "model.json").read_bytes() == before


def test_nothing_is_left_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(magenta.Path, "write_text", fail)
    with pytest.raises(RetimbreError, match="No space left"):
        export(load("cello"), tmp_path / "cello")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("frames", [250, 999, 5050])
def test_frames_that_magenta_cannot_join_are_refused(frames: int, tmp_path: Path) -> None:
    with pytest.raises(RetimbreError, match="multiple of 50"):
        export(load("cello"), tmp_path / "cello", frames=frames)
    assert not list(tmp_path.iterdir())


def test_frames_for_a_sound_span_it() -> None:
    assert [frames_for(seconds) for seconds in (0.1, 2, 2.001, 4, 19.9, 60)] == [500, 500, 550, 1000, 5000, 5000]


def test_an_instrument_without_a_sound_is_refused(tmp_path: Path) -> None:
    cello = load("cello")
    weights = {name: np.zeros_like(weight) for name, weight in cello.weights.items()}
    weights["output.bias"] -= 1000
    silent = Instrument({**cello.card, "loudness": {**cello.card["loudness"], "low": -99.0}}, weights)
    with pytest.raises(RetimbreError, match="makes no sound"):
        export(silent, tmp_path / "cello")
    assert not list(tmp_path.iterdir())


def test_the_command_tells_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["export", "violin:0.6,flute:0.4", "--format", "magenta", "-o", str(tmp_path / "blend")]
    assert main([*command, "--frames", "500", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["files"]["settings.json"] == (tmp_path / "blend" / "settings.json").stat().st_size
    assert report["seconds_at_once"] == 2
    assert main(command) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["export", "cello", "--format", "magenta", "-o", str(tmp_path / "no" / "cello")]) == 2
    assert "does not exist" in capsys.readouterr().err
