"""Sounds and networks for the engine's tests, and how two signals are compared."""

from itertools import accumulate

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from retimbre.instrument import Network, Range

Array = npt.NDArray[np.floating]

NETWORK = Network(32, 4, 60, 15, tuple(20.0 * 1.2**k for k in range(38)), Range(60, 24, 108), Range(-30, -55, -8))


def error_db(actual: Array, expected: Array) -> float:
    """Power of the difference relative to the expected signal."""
    assert actual.shape == expected.shape
    power = np.mean(np.square(expected, dtype=np.float64))
    assert power > 0, "nothing to compare with"
    return float(10 * np.log10(np.mean((actual.astype(np.float64) - expected) ** 2) / power + 1e-30))


def cents(f0_hz: Array, truth_hz: Array | float) -> Array:
    """Interval between two pitches; 0 Hz is infinitely far."""
    with np.errstate(divide="ignore"):
        return 1200 * np.log2(f0_hz / truth_hz)


def smooth(rng: np.random.Generator, frames: int, low: float, high: float, every: int = 25) -> Array:
    """A curve that wanders between two limits and reaches both."""
    knots = rng.uniform(low, high, frames // every + 2)
    knots[1:3] = low, high
    return np.interp(np.arange(frames) / every, np.arange(len(knots)), knots)


def wandering_controls(frames: int, seed: int = 0) -> Array:
    """Pitch from 50 to 2000 Hz with holes of 0 Hz, voicing across its threshold, loudness to below -55 dB."""
    rng = np.random.default_rng(seed)
    f0_hz = np.exp2(smooth(rng, frames, np.log2(50), np.log2(2000)))
    f0_hz[:7] = f0_hz[frames // 2 : frames // 2 + 12] = 0
    columns = [f0_hz, smooth(rng, frames, 0, 1, 15), smooth(rng, frames, -100, -3, 20)]
    return np.stack(columns, axis=1).astype(np.float32)


def random_weights(network: Network = NETWORK, seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    """Weights whose outputs swing over many dB."""
    rng = np.random.default_rng(seed)
    spread = {name: 0.8 / np.sqrt(np.prod(shape[:-1]) or 1) for name, shape in network.shapes.items()}
    return {
        name: rng.normal(0, 0.1 if name.endswith("bias") else spread[name], shape).astype(np.float32)
        for name, shape in network.shapes.items()
    }


def block_cuts(length: int) -> st.SearchStrategy[list[int]]:
    """Places to cut a stream so that many blocks have one element and others have any size."""
    sizes = st.lists(st.one_of(st.just(1), st.integers(1, 9), st.integers(1, length)), min_size=1, max_size=24)
    return sizes.map(lambda sizes: [cut for cut in accumulate(sizes) if cut < length])


def melody(sample_rate: int, seconds: float, seed: int = 3) -> npt.NDArray[np.float32]:
    """A gliding, swelling tone of 12 harmonics with breath and a pause: everything an analysis meets."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    f0_hz = 180 * 2 ** (1.2 * np.sin(2 * np.pi * 0.9 * t))
    phase = 2 * np.pi * np.cumsum(f0_hz) / sample_rate
    tone = sum(np.sin(k * phase) / k * (k * f0_hz < 0.45 * min(sample_rate, 16000)) for k in range(1, 13))
    envelope = np.clip(np.sin(2 * np.pi * 1.7 * t), 0, 1)
    return (0.3 * envelope * tone + 0.01 * rng.standard_normal(len(t)) * (t > 0.2 * seconds)).astype(np.float32)
