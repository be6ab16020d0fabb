from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from retimbre.base import load_base
from retimbre.cli import main
from retimbre.errors import RetimbreError
from retimbre.instrument import load
from retimbre.training import clone as clone_module
from retimbre.training import loop
from retimbre.training.clone import FINDING, LEARNING, clone
from retimbre.training.config import Config
from retimbre.training.pool import train_base
from retimbre.training.recipe import Recipe, read_recipe
from retimbre.training.recording import make_recording
from retimbre.training.train import describe

RATE = 24_000
SILENT = loop.Console(say=lambda line: None, files=lambda paths: paths, progress=lambda *numbers: None)
SMALL = Config(steps=40, channels=16, layers=2, harmonics=20, bands=8, batch=2, condition=3)


def note(f0_hz, slope, seconds=2.0):
    """Harmonics that fall by a power of their number, a swell."""
    time = np.arange(int(seconds * RATE)) / RATE
    swell = np.minimum(1, 10 * time) * np.minimum(1, 10 * (seconds - time))
    return 0.1 * swell * sum(np.sin(2 * np.pi * k * f0_hz * time) / k**slope for k in range(1, int(9000 / f0_hz)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("pool")
    for name, slope, first in (("dull", 2.5, 150), ("bright", 0.5, 200)):
        (path / name).mkdir()
        for place in range(7):
            soundfile.write(path / name / f"{place}.wav", note(first * 1.12**place, slope), RATE)
        (path / f"{name}.toml").write_text(f'name = "{name}"\nlicense = "CC0-1.0"\nrecordings = "{name}"\n')
    (path / "base.toml").write_text('name = "base"\nvoices = ["dull.toml", "bright.toml"]\n')
    soundfile.write(path / "clip.wav", np.concatenate([note(hz, 0.6) for hz in (220, 260, 310, 350, 400, 440)]), RATE)
    return path


@pytest.fixture(scope="module")
def base(folder):
    recipe = read_recipe(folder / "base.toml")
    return train_base(recipe.voices, recipe.about, folder / "base.safetensors", SMALL, SILENT)


def test_the_base_holds_its_voices(base, folder):
    assert base.voices == ["dull", "bright"] == load_base(folder / "base.safetensors").voices
    assert all(0 < voice["spectral_loss"] < 2 for voice in base.card["voices"])


def test_a_clip_is_found_near_what_it_is_like_and_learned(base, folder, tmp_path):
    lines: list[str] = []
    console = replace(SILENT, say=lines.append)
    finding, learning = replace(FINDING, steps=10), replace(LEARNING, steps=30, batch=2)
    losses: list[float] = []
    console = replace(console, progress=lambda done, loss, validation, left: losses.append(loss))
    path = tmp_path / "new.safetensors"
    made = clone(folder / "clip.wav", path, console, base=base, finding=finding, learning=learning, cache=tmp_path)
    assert any("bright is nearest" in line for line in lines)
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    low, high = 69 + 12 * np.log2(np.array([220, 440]) / 440)
    assert made.network.pitch.low <= low and made.network.pitch.high >= high
    again = clone(folder / "clip.wav", None, SILENT, base=base, finding=finding, learning=learning, cache=tmp_path)
    for name, weight in load(path).weights.items():
        np.testing.assert_array_equal(weight, again.weights[name])


def test_a_latent_base_tells_its_voices_apart_by_ear(folder, tmp_path):
    recipe = read_recipe(folder / "base.toml")
    config = replace(SMALL, latent=3)
    latent = train_base(recipe.voices, recipe.about, tmp_path / "z.safetensors", config, SILENT)
    dull, bright = latent.weights["embedding"]
    assert np.linalg.norm(dull - bright) > 0.3 * np.linalg.norm(dull + bright)
    assert latent.blend({"dull": 1, "bright": 1}).network.harmonics == 20


def test_what_cannot_be_cloned_is_said(base, folder, tmp_path):
    soundfile.write(tmp_path / "short.wav", note(220, 1), RATE)
    with pytest.raises(RetimbreError, match=r"short\.wav.*2\.\d s of clearly pitched sound.*10 s"):
        clone(tmp_path / "short.wav", None, SILENT, base=base, cache=tmp_path)
    (tmp_path / "there.safetensors").write_bytes(b"precious")
    with pytest.raises(RetimbreError, match="exists"):
        clone(folder / "clip.wav", tmp_path / "there.safetensors", SILENT, base=base, cache=tmp_path)
    with pytest.raises(RetimbreError, match=r"end in \.safetensors"):
        clone(folder / "clip.wav", tmp_path / "x.wav", SILENT, base=base, cache=tmp_path)


@pytest.mark.parametrize(
    ("midi", "loud", "remarks"),
    [
        ((48, 52, 56, 60), (1.0, 0.05), []),
        ((48, 50, 52), (1.0, 0.05), ["from C3 to E3 only"]),
        ((48, 57, 60), (1.0, 0.05), ["no notes between C3 and A3"]),
        ((48, 52, 56, 60), (1.0, 0.8), ["equally loud throughout"]),
    ],
)
def test_what_a_clip_does_not_tell_is_said(midi, loud, remarks):
    notes = [level * note(440 * 2 ** ((key - 69) / 12), 1.0, 1.5) for level in loud for key in midi]
    clip = make_recording(Path("clip"), np.concatenate(notes).astype(np.float32), RATE)
    said = clone_module.remarks([clip], describe([clip]))
    assert len(said) == len(remarks)
    assert all(words in line for words, line in zip(remarks, said, strict=True))


def test_recipes_of_bases_have_voices_and_no_recordings(folder, tmp_path):
    (tmp_path / "both.toml").write_text('recordings = "x"\nvoices = ["y.toml"]\n')
    with pytest.raises(RetimbreError, match="both voices and recordings"):
        read_recipe(tmp_path / "both.toml")
    assert [voice.recordings.name for voice in read_recipe(folder / "base.toml").voices] == ["dull", "bright"]
    assert isinstance(read_recipe(folder / "base.toml").voices[0], Recipe)


def test_the_command_line_clones_and_plays_like_a_clip(folder, tmp_path, capsys, monkeypatch):
    output = tmp_path / "new.safetensors"
    assert main(["clone", str(folder / "clip.wav"), "-o", str(output), "--steps", "2"]) == 0
    assert load(output).name == "new" and "--to" in capsys.readouterr().out
    monkeypatch.setattr("retimbre.training.clone.LEARNING", replace(LEARNING, steps=1))
    monkeypatch.setattr("retimbre.training.clone.FINDING", replace(FINDING, steps=1))
    arguments = [
        "transfer",
        str(folder / "dull" / "3.wav"),
        "--like",
        str(folder / "clip.wav"),
        "-o",
        str(tmp_path / "x.wav"),
    ]
    assert main(arguments) == 0
    assert Path(tmp_path / "x.wav").stat().st_size > 1000
