"""A sound card of our own making: stands in for the module `sounddevice`, and is driven by hand, block by block.

Where it is given a `sound`, it plays that into the microphone again and again, in a thread of its own.
"""

import threading
import time
from types import SimpleNamespace
from typing import Any

import numpy as np


class PortAudioError(Exception):
    pass


class FakeStream:
    def __init__(self, card: "SoundCard", callback: Any, inputs: int, **wishes: Any) -> None:
        self.card, self.callback, self.inputs, self.wishes = card, callback, inputs, wishes
        self.started = self.closed = False
        self.latency = (0.01, 0.02) if inputs else 0.02

    @property
    def active(self) -> bool:
        return self.started and not self.closed and self.card.plugged

    def start(self) -> None:
        self.started = True
        if self.card.sound is not None:
            threading.Thread(target=self._play, daemon=True).start()

    def _play(self) -> None:
        while self.active:
            self.run(self.card.sound)
            time.sleep(0.001)

    def abort(self) -> None:
        self.started = False

    def close(self) -> None:
        self.closed = True

    def run(self, sound: np.ndarray, **lost: bool) -> np.ndarray:
        """Samples [n] or [n, channels] in, as many [n, outputs] out, in blocks as asked for."""
        status = flags(**lost) if lost else None
        if sound.ndim == 1:
            sound = np.tile(sound[:, None], (1, max(1, self.inputs)))
        out, block = [], self.wishes["blocksize"]
        for at in range(0, len(sound), block):
            heard = sound[at : at + block].astype(np.float32)
            played = np.full((len(heard), self.wishes["outputs"]), 9, np.float32)
            given = (heard, played) if self.inputs else (played,)
            self.callback(*given, len(heard), None, status)
            out.append(played)
        return np.concatenate(out)


def flags(**lost: bool) -> SimpleNamespace:
    names = ("input_underflow", "input_overflow", "output_underflow", "output_overflow")
    return SimpleNamespace(**(dict.fromkeys(names, False) | lost))


class SoundCard:
    """What is used of `sounddevice`. `plugged` and `refusal` can be changed at any time."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        self.hosts = [("ALSA", 0, 0), ("JACK", 3, 3)]  # name, default input, default output
        self.cards = [  # name, host, inputs, outputs, rate
            ("Scarlett Solo USB", 0, 2, 2, 44_100),
            ("Webcam", 0, 1, 0, 16_000),
            ("HDMI", 0, 0, 8, 48_000),
            ("system", 1, 2, 2, 48_000),
        ]
        self.plugged, self.refusal = True, 0
        self.sound: np.ndarray | None = None
        self.streams: list[FakeStream] = []
        self._known = self.cards

    def query_hostapis(self) -> tuple[dict[str, Any], ...]:
        return tuple(
            {"name": name, "default_input_device": first, "default_output_device": second}
            for name, first, second in self.hosts
        )

    def query_devices(self) -> list[dict[str, Any]]:
        names = ("name", "hostapi", "max_input_channels", "max_output_channels", "default_samplerate")
        return [dict(zip(names, card, strict=True)) for card in self._known]

    def _terminate(self) -> None:
        self._known = []

    def _initialize(self) -> None:
        self._known = self.cards if self.plugged else []

    def Stream(self, *, device: Any, channels: Any, callback: Any, **wishes: Any) -> FakeStream:
        return self._open(callback, channels[0], device=device, outputs=channels[1], **wishes)

    def OutputStream(self, *, device: Any, channels: Any, callback: Any, **wishes: Any) -> FakeStream:
        return self._open(callback, 0, device=device, outputs=channels, **wishes)

    def _open(self, callback: Any, inputs: int, **wishes: Any) -> FakeStream:
        if self.refusal or not self.plugged:
            raise PortAudioError("it will not", self.refusal or -9985)
        self.streams.append(FakeStream(self, callback, inputs, **wishes))
        return self.streams[-1]
