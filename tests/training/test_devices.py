import numpy as np
import pytest
import soundfile
import torch
from pretend import device_without_float64

from retimbre.errors import RetimbreError
from retimbre.training import loop, train
from retimbre.training.config import Config
from retimbre.training.recipe import Recipe

RATE = 48_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("notes")
    time = np.arange(6 * RATE) / RATE
    for f0_hz in (220, 330):
        note = sum(np.sin(2 * np.pi * k * f0_hz * time) / k for k in range(1, 20))
        soundfile.write(path / f"{f0_hz}.wav", 0.1 * note, RATE)
    return path


def weights(folder, output, device, stop_at=None):
    """Of an instrument after ten steps: two on measurements, eight through the synthesiser."""

    def progress(done, loss, validation, left):
        if done == stop_at:
            raise KeyboardInterrupt

    config = Config(steps=10, channels=8, layers=2, harmonics=20, bands=8, batch=2, clip_frames=40)
    console = loop.Console(say=lambda line: None, files=lambda paths: paths, progress=progress)
    return train.train(Recipe(folder), output, config, console, device=device).weights


def test_training_needs_no_float64_on_the_device(folder, tmp_path):
    torch.set_num_threads(1)
    expected = weights(folder, tmp_path / "cpu.safetensors", "cpu")
    with device_without_float64() as device:
        output = tmp_path / "device.safetensors"
        with pytest.raises(KeyboardInterrupt):
            weights(folder, output, device, stop_at=0.5)
        actual = weights(folder, output, device)
    for name, weight in expected.items():
        np.testing.assert_allclose(actual[name], weight, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("cuda, mps, best", [(1, 1, "cuda"), (1, 0, "cuda"), (0, 1, "cpu"), (0, 0, "cpu")])
def test_the_best_device_there_is(cuda, mps, best, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(cuda))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: bool(mps))
    assert loop.choose_device("auto") == best
    for name, available in (("cuda", cuda), ("mps", mps), ("cpu", True), ("abacus", False)):
        if available:
            assert loop.choose_device(name) == name
        else:
            with pytest.raises(RetimbreError, match=f"--device {name}: .*use cpu"):
                loop.choose_device(name)
