"""An instrument as one graph of tensor operations: Magenta.js' controls in, 16 kHz audio out.

The decoder and synthesiser of `docs/definitions.md`, frame by frame as the engine computes them, in operations that
TensorFlow.js 2.7 has on every backend. Control flow is not among them, nor is it needed: the network is a causal
convolution, so that all frames go through each layer at once. Nor is a sine: harmonics are tables of one cycle, made by
a matrix product and read where the phase is, as in the engine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retimbre.engine import FRAME_RATE
from retimbre.export.graph import Graph
from retimbre.instrument import Instrument

SAMPLE_RATE = 16_000
HOP = 64
"""Samples to a frame of Magenta's: 250 frames a second, five to four of ours."""

STEP = 50
"""Magenta's frames come in multiples of it, so that ours can be added up in whole blocks."""

F0, LOUDNESS, AUDIO = "f0_hz", "loudness_db", "audio"

_INTERVAL = SAMPLE_RATE // FRAME_RATE  # samples from one of our frames to the next
_BLOCK = STEP * HOP // _INTERVAL  # of our frames
_N_FFT = 256  # of the noise: the power of two >= 2 _INTERVAL + 1
_JUMP = 1.03  # ratio of the pitches of two frames from which on a new note begins
_LN10 = float(np.log(10))
_GATHER = {"Tparams": "DT_FLOAT", "Tindices": "DT_INT32", "Taxis": "DT_INT32"}

Array = NDArray[np.float64]


class _Builder:
    """The graph's parts in the order in which they compute; `frames` are ours, 200 a second."""

    def __init__(self, instrument: Instrument, magenta_frames: int, loudness_offset_db: float) -> None:
        self.net, self.weights = instrument.network, instrument.weights
        self.intervals = magenta_frames * HOP // _INTERVAL
        self.frames = self.intervals + 1
        self.magenta_frames, self.offset = magenta_frames, loudness_offset_db
        self.graph = Graph()
        self.op, self.const = self.graph.add, self.graph.constant

    def build(self) -> Graph:
        f0, loudness = (self.graph.input(name, (self.magenta_frames,)) for name in (F0, LOUDNESS))
        f0_hz, voiced = self.pitch(f0)
        loudness_db = self.op("Sub", self.resampled(loudness), self.offset, name="our_loudness_db")
        low = self.op("Minimum", self.op("Sub", loudness_db, self.net.loudness.low), 0.0)
        gain = self.op("Exp", self.op("Mul", low, _LN10 / 20), name="gain")
        hidden = self.network(f0_hz, loudness_db)
        harmonic_amplitudes = self.op("Mul", self.head(hidden, "harmonics"), self.op("Mul", gain, voiced))
        noise_magnitudes = self.op("Mul", self.head(hidden, "noise"), gain, name="noise_magnitudes")
        tone = self.oscillator(f0_hz, harmonic_amplitudes)
        sound = self.op("AddV2", tone, self.noise(noise_magnitudes))
        flat = self.reshape(sound, self.magenta_frames * HOP)
        self.op("Identity", flat, name=AUDIO)
        return self.graph

    # ---- controls ----

    def resampled(self, curve: str) -> str:
        """250 frames a second to 200, in straight lines, [frames, 1]; the last one is held."""
        between = np.zeros((5, 4))
        for frame in range(4):
            at, part = divmod(1.25 * frame, 1)
            between[int(at), frame] = 1 - part
            if part:
                between[int(at) + 1, frame] = part
        fives = self.reshape(curve, self.magenta_frames // 5, 5)
        ours = self.op("MatMul", fives, self.const(between, "five_to_four"), transpose_a=False, transpose_b=False)
        held = np.minimum(np.arange(self.frames), self.intervals - 1)
        return self.gather(self.reshape(ours, self.intervals, 1), held)

    def pitch(self, f0: str) -> tuple[str, str]:
        """Pitch in Hz and the weight of the harmonics; Magenta fills the last frames up with -1 Hz.

        The mean of neighbours is over those that have a pitch, so that no note ends with a glide to nothing.
        """
        positive = self.op("Maximum", f0, 0.0)
        voiced = self.resampled(self.op("Minimum", positive, 1.0))
        f0_hz = self.op("RealDiv", self.resampled(positive), self.op("Maximum", voiced, 0.01), name="our_f0_hz")
        return f0_hz, voiced

    # ---- decoder ----

    def network(self, f0_hz: str, loudness_db: str) -> str:
        """The last layer's features, [frames, channels]."""
        net, weights, op = self.net, self.weights, self.op
        octaves = op("Mul", op("Log", op("Mul", op("Maximum", f0_hz, 1.0), 1 / 440)), float(1 / np.log(2)))
        midi = self.clip(op("AddV2", op("Mul", octaves, 12.0), 69.0), net.pitch.low, net.pitch.high)
        pitch = op("Mul", op("Sub", midi, net.pitch.centre), 1 / 12)
        level = self.clip(loudness_db, net.loudness.low, net.loudness.high)
        level = op("Mul", op("Sub", level, net.loudness.centre), 1 / 10)
        # A table read in straight lines is a product with hats, one around each of its rows.
        place = op("Mul", op("Sub", midi, net.pitch.low), (net.pitches - 1) / (net.pitch.high - net.pitch.low))
        off = op("Abs", op("Sub", place, self.const(np.arange(net.pitches)[None] * 1.0, "rows")))
        hats = op("Maximum", op("Sub", 1.0, off), 0.0)
        features = op("ConcatV2", pitch, level, hats, self.const(1), N=3, Tidx="DT_INT32")
        entry = np.concatenate([weights["input.weight"], weights["input.pitches"]])
        h = self.leaky_relu(self.dense(features, entry, weights["input.bias"], "input"))
        now = np.arange(self.frames)
        for layer in range(net.layers):
            name, past = f"layers.{layer}", []
            for tap, weight in enumerate(weights[f"{name}.taps"]):
                back = (len(weights[f"{name}.taps"]) - 1 - tap) << layer
                then = self.gather(h, np.maximum(now - back, 0)) if back else h  # the first frame was there for ever
                past.append(op("Mul", then, self.const(weight, f"{name}.tap")))
            across = self.dense(self.sum(past), weights[f"{name}.weight"], weights[f"{name}.bias"], name)
            h = op("AddV2", h, self.leaky_relu(across))
        return h

    def head(self, hidden: str, name: str) -> str:
        """Amplitudes of the harmonics, or magnitudes of the noise, before their gain; through the exp-sigmoid."""
        part = slice(self.net.harmonics) if name == "harmonics" else slice(self.net.harmonics, None)
        out = self.dense(hidden, self.weights["output.weight"][:, part], self.weights["output.bias"][part], name)
        log_sigmoid = self.op("Neg", self.op("Softplus", self.op("Neg", out)))
        power = self.op("Exp", self.op("Mul", log_sigmoid, _LN10))
        return self.op("AddV2", self.op("Mul", power, 2.0), 1e-7)

    # ---- synthesiser ----

    def oscillator(self, f0_hz: str, amplitudes: str) -> str:
        """The harmonics, [intervals, samples]."""
        op, harmonics = self.op, self.net.harmonics
        below = op("Sub", SAMPLE_RATE / 2, op("Mul", f0_hz, self.const(np.arange(1.0, harmonics + 1)[None], "k")))
        audible = self.clip(op("Mul", below, 1 / (0.05 * SAMPLE_RATE)), 0.0, 1.0)
        sines = cycle_table(harmonics)
        points, width = sines.shape[1] - 3, sines.shape[1]
        tables = self.dense(op("Mul", amplitudes, audible), sines, None, "cycles")
        tables = self.reshape(tables, self.frames * width, 1)

        place = op("Mul", self.phase(f0_hz), float(points))
        whole = op("Floor", place)
        part = op("Sub", place, whole)
        first = op("AddV2", whole, self.const(np.arange(float(self.intervals))[:, None] * width, "row_starts"))
        first = self.reshape(first, self.intervals * _INTERVAL)
        mix = self.const(np.arange(_INTERVAL)[None] / _INTERVAL, "place_in_interval")
        taps = []
        for tap, weight in enumerate(self.spline(part)):
            before, after = (self.reading(tables, first, tap + step) for step in (0, width))
            faded = op("AddV2", before, op("Mul", op("Sub", after, before), mix))
            taps.append(op("Mul", faded, weight))
        return self.sum(taps)

    def phase(self, f0_hz: str) -> str:
        """In cycles, 0 to 1, [intervals, samples].

        Frames are added up in blocks, and blocks then, each time without the whole cycles: a float's digits would not
        do for all at once.
        """
        op = self.op
        before, after = (self.rows(f0_hz, first) for first in (0, 1))
        up, down = (op("Greater", a, op("Mul", b, _JUMP)) for a, b in ((after, before), (before, after)))
        start = op("SelectV2", op("LogicalOr", up, down), after, before)
        advance = self.reshape(self.frac(op("Mul", op("AddV2", start, after), 0.5 / FRAME_RATE)), -1, _BLOCK)
        blocks = self.frac(self.dense(advance, np.ones((_BLOCK, 1)), None, "whole_block"))
        blocks = self.reshape(self.sum_before(self.reshape(blocks, 1, -1), self.intervals // _BLOCK), -1, 1)
        begun = self.frac(op("AddV2", self.sum_before(advance, _BLOCK), blocks))
        begun = self.reshape(begun, self.intervals, 1)
        w = np.arange(_INTERVAL)[None] / _INTERVAL
        straight = op("Mul", start, self.const(w / FRAME_RATE, "straight"))
        bent = op("Mul", op("Sub", after, start), self.const(w * w / 2 / FRAME_RATE, "bent"))
        return self.frac(op("AddV2", begun, op("AddV2", straight, bent)))

    def spline(self, part: str) -> list[str]:
        """Weights of the four points around a place, by a cubic B-spline."""
        op = self.op
        rest = op("Sub", 1.0, part)
        square = op("Mul", part, part)
        last = op("Mul", op("Mul", square, part), 1 / 6)
        first = op("Mul", op("Mul", op("Mul", rest, rest), rest), 1 / 6)
        second = op("AddV2", op("Sub", op("Mul", last, 3.0), square), 2 / 3)
        third = op("Sub", op("Sub", op("Sub", 1.0, first), second), last)
        return [first, second, third, last]

    def reading(self, tables: str, first: str, further: int) -> str:
        """What stands in the tables so many points after `first`, [intervals, samples]."""
        at = self.op("Cast", self.op("AddV2", first, float(further)), SrcT="DT_FLOAT", DstT="DT_INT32")
        return self.reshape(self.op("GatherV2", tables, at, self.const(0), **_GATHER), self.intervals, _INTERVAL)

    def noise(self, magnitudes: str) -> str:
        """The filtered noise, [intervals, samples], cross-faded from frame to frame at constant power."""
        op, bins = self.op, noise_bins(self.net.noise_band_hz)
        white = op("RandomUniform", self.const([self.frames, _N_FFT]), dtype="DT_FLOAT", T="DT_INT32", seed=0, seed2=0)
        white = op("Mul", op("Sub", white, 0.5), float(np.sqrt(12)), name="white")
        spectrum = op("Mul", white, self.dense(magnitudes, bins, None, "bins"))
        fading, rising = noise_waves()
        ends = self.dense(self.rows(spectrum, 0), fading, None, "fading")
        return op("AddV2", ends, self.dense(self.rows(spectrum, 1), rising, None, "rising"))

    # ---- small parts ----

    def dense(self, x: str, weight: NDArray[np.floating], bias: NDArray[np.floating] | None, name: str) -> str:
        y = self.op("MatMul", x, self.const(weight, f"{name}.weight"), transpose_a=False, transpose_b=False)
        return y if bias is None else self.op("AddV2", y, self.const(bias, f"{name}.bias"))

    def sum_before(self, x: str, count: int) -> str:
        """Of each of `count` columns, the sum of those before it.

        By a product with a triangle: the operation that is meant for it frees its input where WebGL runs it.
        """
        return self.dense(x, np.triu(np.ones((count, count)), 1), None, "before")

    def gather(self, x: str, rows: NDArray[np.int64]) -> str:
        return self.op("GatherV2", x, self.const(rows, "frames"), self.const(0), **_GATHER)

    def rows(self, x: str, first: int) -> str:
        """As many rows as there are intervals, from 0 (their first frames) or 1 (their last ones)."""
        return self.op("Slice", x, self.const([first, 0]), self.const([self.intervals, -1]), Index="DT_INT32")

    def reshape(self, x: str, *shape: int) -> str:
        return self.op("Reshape", x, self.const(shape), Tshape="DT_INT32")

    def clip(self, x: str, low: float, high: float) -> str:
        return self.op("Minimum", self.op("Maximum", x, low), high)

    def frac(self, x: str) -> str:
        return self.op("Sub", x, self.op("Floor", x))

    def leaky_relu(self, x: str) -> str:
        return self.op("LeakyRelu", x, alpha=0.2)

    def sum(self, terms: list[str]) -> str:
        total = terms[0]
        for term in terms[1:]:
            total = self.op("AddV2", total, term)
        return total


def build(instrument: Instrument, frames: int, loudness_offset_db: float) -> Graph:
    """The graph: inputs `f0_hz` and `loudness_db` [frames], output `audio` [64 frames].

    Args:
        instrument: what plays.
        frames: of Magenta's, 250 a second, a multiple of `STEP`.
        loudness_offset_db: what Magenta's loudness reads where ours reads 0 dB.
    """
    return _Builder(instrument, frames, loudness_offset_db).build()


def cycle_table(harmonics: int) -> Array:
    """One cycle of each harmonic, made up for what a cubic B-spline takes from it, [harmonics, points + 3].

    A point before the cycle and two after it are for the spline that begins or ends there.
    """
    points = 256
    while points < 5 * harmonics:
        points *= 2
    k, m = np.arange(1, harmonics + 1)[:, None], np.arange(-1, points + 2)[None]
    return np.sin(2 * np.pi * (k * m % points) / points) / np.sinc(k / points) ** 4


def noise_bins(band_hz: tuple[float, ...]) -> Array:
    """From magnitudes of bands to factors of a frame's white numbers, [bands, n_fft]."""
    hz = np.arange(_N_FFT // 2 + 1) * SAMPLE_RATE / _N_FFT
    at = np.stack([np.interp(hz, band_hz, one) for one in np.eye(len(band_hz))]) * np.sqrt(_N_FFT)
    pairs = np.repeat(at[:, :-1] / np.sqrt(2), 2, axis=1)
    pairs[:, 0], pairs[:, 1] = at[:, 0], at[:, -1]  # the ends of a spectrum are real
    return pairs


def noise_waves() -> tuple[Array, Array]:
    """What each number of a frame's spectrum sounds like in the interval after it and in the one before it.

    Two of [n_fft, samples]; the fades are in them.
    """
    spectra = np.zeros((_N_FFT, _N_FFT // 2 + 1), np.complex128)
    numbers = np.arange(2, _N_FFT)
    spectra[numbers, numbers // 2] = np.where(numbers % 2, 1j, 1)
    spectra[0, 0] = spectra[1, -1] = 1
    waves = np.fft.irfft(spectra, axis=1)
    turn = np.pi / 2 * np.arange(_INTERVAL) / _INTERVAL
    return waves[:, _INTERVAL : 2 * _INTERVAL] * np.cos(turn), waves[:, :_INTERVAL] * np.sin(turn)
