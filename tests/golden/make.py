"""Write the golden files anew, on purpose: `python tests/golden/make.py`.

WebAssembly arithmetic is the same on every machine, so what the engine makes of the same input is the same to the bit.
The inputs here are made of whole numbers, of sums, products and quotients, and of the engine's own noise, so that they
too are the same everywhere.
"""

import math
from pathlib import Path

import numpy as np
import safetensors.numpy

from retimbre.engine import Analyzer, Decoder, Synth, white_noise
from retimbre.instrument import Network, Range

GOLDEN = Path(__file__).parent / "engine.safetensors"
RATE, CHANNELS, LAYERS, HARMONICS, BANDS = 22050, 16, 3, 30, 12


def sound() -> np.ndarray:
    """A sawtooth that climbs from 98 to 588 Hz in six steps, with breath, a swell, and a silence."""
    n = np.arange(RATE * 13 // 10)
    step = 1 + 6 * n // len(n)
    saw = (98 * step * n % RATE) / RATE - 0.5
    breath = white_noise(1, 0, 1, 4 * (len(n) // 4 + 1))[0, : len(n)]
    swell = (n % 4000) / 4000
    audio = saw.astype(np.float32) * swell.astype(np.float32) + np.float32(0.01) * breath
    audio[n > len(n) * 9 // 10] = 0
    return audio.astype(np.float32)


def engine_output() -> dict[str, np.ndarray]:
    """Controls, live and offline, of the sound; and what an arbitrary network plays from them at two rates."""
    silence = np.zeros(RATE // 2, np.float32)
    frames = len(sound()) * 200 // RATE
    out = {}
    for name, lookahead in (("offline", True), ("live", False)):
        analyzer = Analyzer(RATE, lookahead)
        out[f"controls {name}"] = np.concatenate([analyzer.process(sound()), analyzer.process(silence)])[:frames]
    band_hz = tuple(100.0 * k * k for k in range(1, BANDS + 1))
    network = Network(CHANNELS, LAYERS, HARMONICS, 12, band_hz, Range(60, 30, 96), Range(-30, -60, -10))
    count = sum(math.prod(shape) for shape in network.shapes.values())
    weights = np.float32(0.25) * white_noise(2, 0, 1, 4 * (count // 4 + 1))[0, :count]
    scales = np.float32([60, 30, 96, -30, -60, -10])
    decoder = Decoder(np.concatenate([scales, weights]), CHANNELS, LAYERS, HARMONICS, BANDS, network.pitches)
    parameters = decoder.process(out["controls offline"])
    out["parameters"] = parameters[::20]
    for rate in (16000, 44100):
        audio = Synth(rate, HARMONICS, np.float32(band_hz)).process(parameters[:130], seed=4)
        out[f"audio {rate}"] = audio[len(audio) * 3 // 4 :]
    return {name: np.ascontiguousarray(value) for name, value in out.items()}


if __name__ == "__main__":
    GOLDEN.write_bytes(safetensors.numpy.save(engine_output()))
    print(f"{GOLDEN.name}: {GOLDEN.stat().st_size} bytes")
