import numpy as np
import onnxruntime
import pytest
import torch

from retimbre.rooms.estimate import Listener
from retimbre.rooms.listen import MELS
from retimbre.rooms.targets import BANDS, MIDDLE, TARGETS
from retimbre.training.room_network import RoomConfig, RoomNetwork, calibrate, loss, middle_error, train
from retimbre.training.room_onnx import export_onnx


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def used_network() -> RoomNetwork:
    """One whose batch norms have seen something."""
    torch.manual_seed(0)
    network = RoomNetwork(torch.randn(TARGETS), torch.rand(TARGETS) + 0.1).train()
    for _ in range(3):
        network(torch.randn(4, 200, MELS))
    network.temper.copy_(torch.rand(TARGETS) + 0.5)
    return network.eval()


@pytest.mark.parametrize("frames", (300, 1596))
def test_onnx_says_what_the_network_says(tmp_path, frames: int) -> None:
    network, path = used_network(), tmp_path / "room.onnx"
    export_onnx(network, path)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    levels = torch.randn(2, frames, MELS)
    with torch.no_grad():
        expected = network(levels)
    for told, truth in zip(session.run(None, {"levels": levels.numpy()}), expected, strict=True):
        assert np.abs(told - truth.numpy()).max() < 1e-4


def test_the_same_network_is_the_same_file(tmp_path) -> None:
    network, paths = used_network(), [tmp_path / "one.onnx", tmp_path / "two.onnx"]
    for path in paths:
        export_onnx(network, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_likelihood_is_best_at_the_truth_and_its_spread() -> None:
    """Of errors with a standard deviation of 0.3; and what is not known does not count."""
    rng = np.random.default_rng(1)
    truth = torch.from_numpy(rng.normal(0, 0.3, (5000, 1))).float()
    truth[::7] = float("nan")

    def value(told: float, spread: float) -> float:
        full = torch.full_like(truth, told), torch.full_like(truth, spread)
        return float(loss(*full, truth, torch.ones(1), beta=0))

    assert min((0.1, 0.2, 0.3, 0.4, 0.6), key=lambda spread: value(0, spread)) == 0.3
    assert min((-0.2, 0, 0.2), key=lambda told: value(told, 0.3)) == 0


def test_errors_of_bands_that_cancel_are_none_of_the_middle() -> None:
    truth, scale = torch.zeros(2, TARGETS), torch.full((TARGETS,), 2.0)
    told = truth.clone()
    clarity = slice(2 * BANDS + MIDDLE.start, 2 * BANDS + MIDDLE.stop)
    told[0, clarity] = torch.tensor([3.0, -1.0, -2.0])
    assert float(middle_error(told, truth, scale)) == 0
    told[1, clarity] = 4.0  # two deviations too high, in one of two examples
    assert float(middle_error(told, truth, scale)) == pytest.approx(2 * 2 / 2)
    truth[1, clarity.start] = float("nan")
    assert float(middle_error(told, truth, scale)) == 0


def test_calibrated_spreads_hold_their_share() -> None:
    network, rng = used_network(), np.random.default_rng(2)
    levels = rng.normal(-30, 10, (60, 100, MELS)).astype(np.float32)
    targets = rng.normal(0, 10, (60, TARGETS)).astype(np.float32)
    calibrate(network, levels, targets, 0.8)
    from retimbre.rooms.listen import normalise

    with torch.no_grad():
        told, spread = network(torch.from_numpy(normalise(levels)))
    inside = np.abs(targets - told.numpy()) < 1.2816 * spread.numpy()
    assert np.abs(inside.mean(axis=0) - 0.8).max() < 0.05
    calibrate(network, levels, told.numpy(), 0.8)
    assert (network.temper == 1).all(), "what is right is not made surer"


def test_training_learns_how_fast_levels_fall() -> None:
    """A toy: saw-teeth that fall at different rates; most of the variance is explained after a few steps."""
    rng = np.random.default_rng(3)
    slopes = rng.uniform(-2, 2, 64)
    time = np.arange(120) % 40
    levels = np.stack([-0.3 * np.exp(slope) * time for slope in slopes])[..., None] + rng.normal(0, 1, (64, 120, MELS))
    targets = np.repeat(slopes[:, None], TARGETS, axis=1).astype(np.float32)
    config = RoomConfig(steps=60, batch=16, frames=(120,), warm_up=5)
    network = train([(levels.astype(np.float16), targets)], config, lambda line: None)
    from retimbre.rooms.listen import normalise

    with torch.no_grad():
        told, _ = network(torch.from_numpy(normalise(levels.astype(np.float32))))
    assert np.corrcoef(told[:, 0].numpy(), slopes)[0, 1] > 0.9


def test_the_shipped_network_fits_the_listener() -> None:
    rng = np.random.default_rng(4)
    listener = Listener(16_000)
    clicks = np.zeros(16_000 * 5, np.float32)
    clicks[:: 16_000 // 2] = 0.5
    decay = rng.standard_normal(8000) * np.exp(-np.arange(8000) / 800)
    listener.process(np.convolve(clicks, decay)[: len(clicks)].astype(np.float32))
    told, spread = listener.figures()
    assert told.shape == spread.shape == (TARGETS,) and (spread > 0).all()
    assert np.exp(told[36]) == pytest.approx(6.9 * 800 / 16_000, rel=0.5), "the decay of each click"
