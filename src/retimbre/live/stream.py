"""The whole line as it comes: blocks of audio in, the instrument's sound out a few milliseconds later.

What a host needs, whatever gives it its blocks: a sound card, a file, a test. The engine does it all
(`engine/live.c`); the same functions of the same file run in the web page.
"""

from __future__ import annotations

import numpy as np

from retimbre.engine import Floats, Sandbox
from retimbre.instrument import Instrument
from retimbre.rooms.measured import MeasuredRoom
from retimbre.rooms.room import Room

SETTINGS = (
    "keys",
    "octave",
    "semitones",
    "fit",
    "loudness_db",
    "gate_db",
    "harmonic_gain",
    "noise_gain",
    "wet",
    "dry",
    "gain",
)
"""In the order of the engine (`live_settings` in engine.h)."""

METERS = (
    "input_peak",
    "input_loudness_db",
    "input_f0_hz",
    "input_periodicity",
    "f0_hz",
    "periodicity",
    "loudness_db",
    "output_peak",
    "octave",
    "fit_db",
    "gate_db",
    "floor_db",
    "gate_open",
    "limiter_gain",
    "frame",
    "bad_samples",
    "broken_samples",
)
"""In the order of the engine (`live_meters` in engine.h)."""

FADE_S = 0.1
"""In which rooms cross-fade."""

_BLOCK = 16_384  # samples that move in one call


class Stream:
    """An instrument that plays along. One thread at a time may use it.

    Attributes:
        sample_rate: of what goes in and comes out, in Hz.
        latency: samples between what goes in at an instant and its sound; a block of the host's comes on top.
    """

    def __init__(
        self, sample_rate: int, instrument: Instrument | None = None, *, seed: int = 0, max_room_s: float = 10.0
    ) -> None:
        """Start a stream, silent until an instrument comes.

        Args:
            sample_rate: 16 to 192 kHz.
            instrument: what plays at first.
            seed: of the noise.
            max_room_s: of the responses of rooms; what is longer is cut.

        Raises:
            ValueError: the rate is outside that range.
        """
        if not 16_000 <= sample_rate <= 192_000:
            raise ValueError(f"sample rate {sample_rate} Hz is outside 16000 to 192000 Hz")
        self.sample_rate = sample_rate
        self._engine = engine = Sandbox()
        self._max_taps = max(1, round(max_room_s * sample_rate))
        self._live = engine.new("live_new", sample_rate, seed, self._max_taps)
        self._io = engine.allocate(_BLOCK)
        self._room = engine.call("live_room", self._live)
        self._keyboard = engine.call("live_keyboard", self._live)
        self._process = engine.function("live_process")
        self.latency = engine.call("live_latency", self._live)
        self._see()
        if instrument:
            self.change_instrument(instrument)

    def _see(self) -> None:
        """Look at the engine's memory, which may have moved when an instrument was made."""
        call, view = self._engine.call, self._engine.view
        self._audio = view(self._io, _BLOCK)
        self._settings = view(call("live_settings", self._live), len(SETTINGS))
        self._meters = view(call("live_meters", self._live), len(METERS))
        self._taps = view(call("convolver_response", self._room), self._max_taps)

    def process(self, audio: Floats) -> Floats:
        """The next samples [n] in, as many out; what is not a number counts as silence."""
        out = np.empty(len(audio), np.float32)
        for at in range(0, len(audio), _BLOCK):
            block = audio[at : at + _BLOCK]
            self._audio[: len(block)] = block
            self._process(self._live, self._io, len(block), self._io)
            out[at : at + len(block)] = self._audio[: len(block)]
        return out

    def set(self, **settings: float | None) -> None:
        """Change settings from the next frame on; gains arrive within 0.1 s.

        Args:
            **settings: keys: 1 plays what `midi` tells instead of the sound. octave: whole, None for as many as bring
                the sound into the instrument's range. semitones: on top. fit: 1 follows the player's loudness.
                loudness_db: added to it. gate_db: None follows the noise of the place. harmonic_gain, noise_gain, wet,
                dry, gain: linear.

        Raises:
            ValueError: there is none of that name.
        """
        for name, value in settings.items():
            if name not in SETTINGS:
                raise ValueError(f"a stream has no setting {name}; it has {', '.join(SETTINGS)}")
            self._settings[SETTINGS.index(name)] = np.nan if value is None else value

    def get(self, name: str) -> float | None:
        """A setting; None where it is automatic."""
        value = float(self._settings[SETTINGS.index(name)])
        return None if np.isnan(value) else value

    def meters(self) -> dict[str, float]:
        """Readings of the last frame, by the names of `METERS`."""
        return dict(zip(METERS, self._meters.tolist(), strict=True))

    def midi(self, status: int, data1: int = 0, data2: int = 0) -> None:
        """A channel message for the keyboard, which holds from the next frame on."""
        self._engine.call("keyboard_event", self._keyboard, status, data1, data2)

    def change_instrument(self, instrument: Instrument) -> bool:
        """Cross-fade to an instrument; False while the last change is still under way (60 ms)."""
        net = instrument.network
        shape = (net.channels, net.layers, net.harmonics, net.bands, net.pitches)
        given = np.concatenate([instrument.noise_band_hz, _loud(instrument), instrument.flat_weights])
        pointer = self._engine.call("live_instrument", self._live, *shape)
        if not pointer:
            return False
        self._engine.view(pointer, len(given))[:] = given
        self._engine.call("live_change", self._live)
        self._see()
        return True

    def change_room(self, room: Room | MeasuredRoom | Floats | None) -> bool:
        """Cross-fade to a room, an impulse response [taps], or none; False while the last change is under way."""
        response = room.to_rir(self.sample_rate) if isinstance(room, Room | MeasuredRoom) else room
        taps = np.ones(1, np.float32) if response is None else response[: self._max_taps]
        fade = round(FADE_S * self.sample_rate) if self._meters[METERS.index("frame")] > 1 else 0
        if self._engine.call("convolver_busy", self._room):
            return False
        self._taps[: len(taps)] = taps
        return bool(self._engine.call("convolver_change", self._room, len(taps), fade))


def _loud(instrument: Instrument) -> Floats:
    """Loudness in dB that a fifth and a 25th of the instrument's training exceed."""
    quantiles = instrument.card["loudness"]["quantiles"]
    return np.interp([0.8, 0.96], np.linspace(0, 1, len(quantiles)), quantiles).astype(np.float32)
