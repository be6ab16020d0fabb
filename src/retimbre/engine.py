"""The engine from Python: `engine.wasm` in a WebAssembly sandbox, one class for each of its objects.

Each object has an instance of its own, so dropping it frees its memory, and each call moves many frames. Results do
not depend on how the input is cut into blocks (`engine/engine.h`, `docs/definitions.md`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import lru_cache, partial
from importlib.resources import files
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import wasmtime

FRAME_RATE = 200
"""Control frames a second, at every sample rate."""

MIN_RATE, MAX_RATE = 8_000, 192_000
"""Sample rates in Hz that the analysis accepts; synthesis starts at 16 kHz."""

Floats = npt.NDArray[np.float32]

# A call from Python costs about 0.1 ms, so it moves seconds; what it moves still fits a processor's second-level cache.
_BLOCK = 65_536  # samples a call
_FRAMES = 400  # frames a call


def n_frames(n_samples: int, sample_rate: int) -> int:
    """Control frames that span `n_samples`: one before the first sample, one at or after the last."""
    return -(-n_samples * FRAME_RATE // sample_rate) + 1


def n_samples(n_frames: int, sample_rate: int) -> int:
    """Samples between the first and the last of `n_frames` frames."""
    return max(0, -(-(n_frames - 1) * sample_rate // FRAME_RATE))


@lru_cache(maxsize=1)
def _module() -> tuple[wasmtime.Engine, wasmtime.Module]:
    engine = wasmtime.Engine()
    return engine, wasmtime.Module(engine, files("retimbre").joinpath("engine.wasm").read_bytes())


class Sandbox:
    """The engine with a memory of its own. A view of it stays valid until more is allocated."""

    def __init__(self) -> None:
        engine, module = _module()
        self._store = wasmtime.Store(engine)
        self._exports = wasmtime.Instance(self._store, module, []).exports(self._store)

    def call(self, name: str, *arguments: float) -> int:
        """Run a function of engine.h."""
        function: Any = self._exports[name]
        return function(self._store, *arguments)

    def function(self, name: str) -> Callable[..., int]:
        """As `call`, for what is called often and takes whole numbers."""
        return _direct(self._store, cast("wasmtime.Func", self._exports[name]))

    def new(self, name: str, *arguments: int) -> int:
        """Run one that makes an object; MemoryError where there is no room for it."""
        pointer = self.call(name, *arguments)
        if not pointer:
            raise MemoryError(f"the engine has no memory left for {name}")
        return pointer

    def allocate(self, count: int) -> int:
        """Room for so many floats."""
        return self.new("engine_alloc", 4 * count)

    def view(self, pointer: int, count: int) -> Floats:
        """So many floats at a place of its memory, [count]."""
        memory: Any = self._exports["memory"]
        address = ctypes.addressof(memory.data_ptr(self._store).contents)
        buffer = (ctypes.c_char * memory.data_len(self._store)).from_address(address)
        return np.frombuffer(buffer, np.float32, count, pointer)


def _direct(store: wasmtime.Store, function: wasmtime.Func) -> Callable[..., int]:
    """A function of whole numbers, called without the checks of `wasmtime`, which take 0.05 ms each time.

    This is how `wasmtime` itself calls, with internals that other versions may not have: then with the checks.
    """
    try:
        from wasmtime import _ffi as ffi

        context, called, call = store._context, ctypes.byref(function._func), ffi.wasmtime_func_call_unchecked
        make_error, make_trap = wasmtime.WasmtimeError._from_ptr, wasmtime.Trap._from_ptr
        values = (ffi.wasmtime_val_raw_t * 16)()  # arguments, then the result in the place of the first
        no_trap = ctypes.POINTER(ffi.wasm_trap_t)
    except (ImportError, AttributeError):
        return partial(cast("Any", function), store)

    def direct(*arguments: int) -> int:
        for value, argument in zip(values, arguments):  # noqa: B905 (there are more values)
            value.i32 = argument
        trap = no_trap()
        error = call(context(), called, values, len(values), ctypes.byref(trap))
        if error:
            raise make_error(error)
        if trap:
            raise make_trap(trap)
        return values[0].i32

    return direct


def _check_rate(sample_rate: int, low: int) -> None:
    if not low <= sample_rate <= MAX_RATE:
        raise ValueError(f"sample rate {sample_rate} Hz is outside {low} to {MAX_RATE} Hz")


class Analyzer:
    """Audio to controls, in blocks of any size.

    With `lookahead` the windows are centred on their frame and the pitch path is chosen over time, so frames come
    `LATENCY_FRAMES` late; without it every frame depends on the past alone, as in live use.
    """

    LATENCY_FRAMES = 96

    def __init__(self, sample_rate: int, lookahead: bool = True) -> None:
        """Start a stream at `sample_rate` Hz (8 to 192 kHz).

        Raises:
            ValueError: the rate is outside that range.
        """
        _check_rate(sample_rate, MIN_RATE)
        self._engine = Sandbox()
        self._analyzer = self._engine.new("analyzer_new", sample_rate, int(lookahead))
        frames = _BLOCK * FRAME_RATE // sample_rate + 2
        self._in, self._out = self._engine.allocate(_BLOCK), self._engine.allocate(3 * frames)
        self._audio = self._engine.view(self._in, _BLOCK)
        self._controls = self._engine.view(self._out, 3 * frames)

    def process(self, audio: Floats) -> Floats:
        """Feed samples [n]; get the frames that became certain, [frames, 3]: f0_hz, periodicity, loudness_db."""
        parts = [np.empty((0, 3), np.float32)]
        for at in range(0, len(audio), _BLOCK):
            block = audio[at : at + _BLOCK]
            self._audio[: len(block)] = block
            count = self._engine.call("analyzer_process", self._analyzer, self._in, len(block), self._out)
            parts.append(self._controls[: 3 * count].reshape(-1, 3).copy())
        return np.concatenate(parts)


class Decoder:
    """Controls to synthesiser parameters through an instrument's network, in blocks of any size."""

    def __init__(self, weights: Floats, channels: int, layers: int, harmonics: int, bands: int, pitches: int) -> None:
        """Take the flat weights in the order of `decoder_new` in engine.h.

        Raises:
            ValueError: the number of weights does not fit the network's shape.
        """
        self._engine = Sandbox()
        self._decoder = self._engine.new("decoder_new", channels, layers, harmonics, bands, pitches)
        count = self._engine.call("decoder_n_weights", self._decoder)
        if len(weights) != count:
            raise ValueError(f"the network needs {count} weights, got {len(weights)}")
        self._width = 1 + harmonics + bands
        self._in, self._out = self._engine.allocate(3 * _FRAMES), self._engine.allocate(self._width * _FRAMES)
        self._controls = self._engine.view(self._in, 3 * _FRAMES)
        self._parameters = self._engine.view(self._out, self._width * _FRAMES)
        self._engine.view(self._engine.call("decoder_weights", self._decoder), count)[:] = weights

    def process(self, controls: Floats) -> Floats:
        """Controls [frames, 3] to parameters [frames, 1 + harmonics + bands]: f0_hz, amplitudes, magnitudes."""
        out = np.empty((len(controls), self._width), np.float32)
        for at in range(0, len(controls), _FRAMES):
            block = controls[at : at + _FRAMES]
            self._controls[: block.size] = block.ravel()
            self._engine.call("decoder_process", self._decoder, self._in, len(block), self._out)
            out[at : at + len(block)] = self._parameters[: len(block) * self._width].reshape(-1, self._width)
        return out


class Synth:
    """Synthesiser parameters to audio, in blocks of any size. The first frame of a stream makes no sound."""

    def __init__(self, sample_rate: int, harmonics: int, noise_band_hz: Floats) -> None:
        """Start a stream at `sample_rate` Hz (16 to 192 kHz) with the given layout of parameters.

        Raises:
            ValueError: the rate is outside that range.
        """
        _check_rate(sample_rate, 16_000)
        bands = len(noise_band_hz)
        self._engine = Sandbox()
        hz = self._engine.allocate(bands)
        self._engine.view(hz, bands)[:] = noise_band_hz
        self._synth = self._engine.new("synth_new", sample_rate, harmonics, bands, hz)
        self.noise_length = self._engine.call("synth_noise_length", sample_rate)
        self._width = 1 + harmonics + bands
        counts = (self._width * _FRAMES, self.noise_length * _FRAMES, _FRAMES * (-(-sample_rate // FRAME_RATE)))
        self._pointers = [self._engine.allocate(count) for count in counts]
        pairs = zip(self._pointers, counts, strict=True)
        self._parameters, self._noise, self._audio = (self._engine.view(*pair) for pair in pairs)

    def process(
        self,
        parameters: Floats,
        *,
        seed: int = 0,
        noise: Floats | None = None,
        harmonic_gain: float = 1.0,
        noise_gain: float = 1.0,
    ) -> Floats:
        """Parameters [frames, 1 + harmonics + bands] to samples [n].

        `noise` is white noise of unit variance, [frames, noise_length]; without it, it follows from `seed`.
        """
        parts = [np.empty(0, np.float32)]
        to_parameters, to_noise, to_audio = self._pointers
        for at in range(0, len(parameters), _FRAMES):
            block = parameters[at : at + _FRAMES]
            self._parameters[: block.size] = block.ravel()
            if noise is not None:
                given = noise[at : at + _FRAMES]
                self._noise[: given.size] = given.ravel()
            whence = (self._synth, to_parameters, 0 if noise is None else to_noise, seed, len(block))
            count = self._engine.call("synth_process", *whence, float(harmonic_gain), float(noise_gain), to_audio)
            parts.append(self._audio[:count].copy())
        return np.concatenate(parts)


class Convolver:
    """A stream through an impulse response, in blocks of any size, without delay."""

    def __init__(self, response: Floats) -> None:
        """Start with silence; `response` is [taps], with the direct sound at its first sample.

        Raises:
            ValueError: the response is empty.
        """
        self._engine = Sandbox()
        self._convolver = self._engine.new("convolver_new", len(response))
        self._in = self._engine.allocate(_BLOCK)
        self._audio = self._engine.view(self._in, _BLOCK)
        taps = self._engine.call("convolver_response", self._convolver)
        self._engine.view(taps, len(response))[:] = response
        if not self._engine.call("convolver_change", self._convolver, len(response), 0):
            raise ValueError("an impulse response needs at least one sample")

    def process(self, audio: Floats) -> Floats:
        """The next samples [n] of the stream, convolved, [n]."""
        out = np.empty(len(audio), np.float32)
        for at in range(0, len(audio), _BLOCK):
            block = audio[at : at + _BLOCK]
            self._audio[: len(block)] = block
            self._engine.call("convolver_process", self._convolver, self._in, len(block), self._in)
            out[at : at + len(block)] = self._audio[: len(block)]
        return out


class Keyboard:
    """MIDI messages to controls: a player with one voice (`docs/definitions.md`, Keyboard)."""

    SETTINGS = (
        "loudness_soft_db",
        "loudness_middle_db",
        "loudness_loud_db",
        "attack_s",
        "release_s",
        "glide_s",
        "vibrato_hz",
        "vibrato_cents",
        "vibrato_delay_s",
        "modulation_cents",
        "bend_semitones",
        "mpe",
        "irregularity",
        "seed",
    )
    """Names of what `engine.h` lists, in its order."""

    def __init__(self, **settings: float) -> None:
        """Sit down at the keyboard, with some of `SETTINGS` other than the engine's own.

        Raises:
            ValueError: there is no setting of that name.
        """
        self._engine = Sandbox()
        self._keyboard = self._engine.new("keyboard_new")
        self._out = self._engine.allocate(3 * _FRAMES)
        self._controls = self._engine.view(self._out, 3 * _FRAMES)
        count = self._engine.call("keyboard_n_settings", self._keyboard)
        self._settings = self._engine.view(self._engine.call("keyboard_settings", self._keyboard), count)
        self.set(**settings)

    def set(self, **settings: float) -> None:
        """Change settings from the next frame on; ValueError where there is none of that name."""
        for name, value in settings.items():
            if name not in self.SETTINGS:
                raise ValueError(f"a keyboard has no setting {name}; it has {', '.join(self.SETTINGS)}")
            self._settings[self.SETTINGS.index(name)] = value

    @property
    def settings(self) -> dict[str, float]:
        """What holds now, by name."""
        return dict(zip(self.SETTINGS, map(float, self._settings), strict=True))

    def event(self, status: int, data1: int = 0, data2: int = 0) -> None:
        """Take one MIDI message; what is no channel message, or not whole, is ignored."""
        self._engine.call("keyboard_event", self._keyboard, status, data1, data2)

    def process(self, n_frames: int) -> Floats:
        """The next frames, [n_frames, 3]: f0_hz, periodicity, loudness_db."""
        out = np.empty((n_frames, 3), np.float32)
        for at in range(0, n_frames, _FRAMES):
            count = min(_FRAMES, n_frames - at)
            self._engine.call("keyboard_process", self._keyboard, count, self._out)
            out[at : at + count] = self._controls[: 3 * count].reshape(-1, 3)
        return out


class Resampler:
    """Band-limited change of sample rate, in blocks of any size, without delay: `flush` ends the stream."""

    def __init__(self, rate_in: int, rate_out: int, zero_crossings: int = 64) -> None:
        """Prepare a Kaiser-windowed sinc of `zero_crossings` lobes a side (64: flat to 0.92, -80 dB from 1 Nyquist)."""
        self._engine = Sandbox()
        self._resampler = self._engine.new("resampler_new", rate_in, rate_out, zero_crossings)
        self._reach = 0 if rate_in == rate_out else int(zero_crossings * max(1, rate_in / rate_out)) + 2
        self._rates, self._received, self._sent = (rate_in, rate_out), 0, 0
        count = _BLOCK * rate_out // rate_in + 2
        self._in, self._out = self._engine.allocate(_BLOCK), self._engine.allocate(count)
        self._source, self._result = self._engine.view(self._in, _BLOCK), self._engine.view(self._out, count)

    def process(self, audio: Floats) -> Floats:
        """Samples [n] at the old rate to those samples at the new rate that are certain by now."""
        parts = [np.empty(0, np.float32)]
        for at in range(0, len(audio), _BLOCK):
            block = audio[at : at + _BLOCK]
            self._source[: len(block)] = block
            count = self._engine.call("resampler_process", self._resampler, self._in, len(block), self._out)
            parts.append(self._result[:count].copy())
        self._received += len(audio)
        out = np.concatenate(parts)
        self._sent += len(out)
        return out

    def flush(self) -> Floats:
        """The rest, so that n samples in all become ceil(n rate_out / rate_in)."""
        rate_in, rate_out = self._rates
        missing = -(-self._received * rate_out // rate_in) - self._sent
        return self.process(np.zeros(self._reach + rate_in // rate_out + 1, np.float32))[:missing]


def resample(audio: Floats, rate_in: int, rate_out: int) -> Floats:
    """A whole signal [n] at a new sample rate, [ceil(n rate_out / rate_in)]."""
    if rate_in == rate_out:
        return audio
    resampler = Resampler(rate_in, rate_out)
    return np.concatenate([resampler.process(audio), resampler.flush()])


def white_noise(seed: int, first_frame: int, frames: int, length: int) -> Floats:
    """The engine's white noise of unit variance, [frames, length], as a pure function of its arguments."""
    engine = Sandbox()
    pointer = engine.allocate(frames * length)
    engine.call("noise_fill", seed, first_frame, frames, length, pointer)
    return engine.view(pointer, frames * length).reshape(frames, length).copy()
