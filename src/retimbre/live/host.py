"""Between the sound card and the engine: what runs in the audio thread, and how others talk to it.

The audio thread takes what is queued, lets the stream process, and hands over the sound. It takes no lock, prints
nothing and waits for nobody: other threads append to its queues (`collections.deque` needs no lock), and read what it
leaves. Whatever goes wrong there becomes silence and a number.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from retimbre.engine import Floats
from retimbre.instrument import Instrument
from retimbre.live.ear import Ear
from retimbre.live.priority import AUDIO_PRIORITY, go_first
from retimbre.live.recorder import Recorder
from retimbre.live.stream import METERS, Stream
from retimbre.live.timing import BlockTimes

XRUNS = ("input_underflow", "input_overflow", "output_underflow", "output_overflow")
"""What PortAudio tells of samples that were lost on either side of a block."""

_REBUILD_S = 1.0  # between attempts, so that a fault in every block does not become an engine in every block

Command = Callable[[Stream], Any]


class Host:
    """A stream, and everything that a sound card's callback needs.

    `audio` belongs to the audio thread, everything else to one other thread.

    Attributes:
        instrument: that plays, or is about to.
        settings: of the stream, by name (`stream.SETTINGS`).
        times: how long the blocks took.
        xruns: how often PortAudio said so, by the names of `XRUNS`.
        faults: blocks that ended in an exception.
        fault: the last of those.
        meters: of the stream, after the last block, by the names of `stream.METERS`.
        notes: MIDI messages (status, data1, data2) to come, appended by any thread.
    """

    def __init__(
        self,
        sample_rate: int,
        instrument: Instrument,
        *,
        channel: int = 0,
        seed: int = 0,
        recorder: Recorder | None = None,
        ear: Ear | None = None,
        **settings: float | None,
    ) -> None:
        """Make a stream that waits for blocks.

        Args:
            sample_rate: in Hz.
            instrument: what plays at first.
            channel: of the input that is listened to, from 0.
            seed: of the noise.
            recorder: that is given what comes and goes.
            ear: that is given what comes.
            **settings: of the stream.
        """
        self.sample_rate, self.channel, self.seed = sample_rate, channel, seed
        self.instrument, self.settings, self.recorder = instrument, dict(settings), recorder
        self.ear = ear
        self.times, self.xruns = BlockTimes(), dict.fromkeys(XRUNS, 0)
        self.faults, self.fault = 0, None
        self.meters = dict.fromkeys(METERS, 0.0)
        self.notes: deque[tuple[int, int, int]] = deque()
        self._bad_samples, self._peaks = 0.0, [0.0, 0.0]
        self._commands: deque[Command] = deque()
        self._response: Floats | None = None
        self._greeted = False
        self._built_s = -_REBUILD_S
        _rehearse(sample_rate, instrument)
        self._stream: Stream | None = self._build()
        self.latency: int = self._stream.latency

    # Of the other threads

    def set(self, **settings: float | None) -> None:
        """Change settings of the stream, as `Stream.set`."""
        self.settings.update(settings)
        self._commands.append(lambda stream: stream.set(**settings))

    def play(self, instrument: Instrument) -> None:
        """Cross-fade to an instrument, as soon as the last change is over."""
        self.instrument = instrument
        _ = instrument.flat_weights  # put together here rather than in the audio thread
        self._commands.append(lambda stream: stream.change_instrument(instrument))

    def place(self, response: Floats | None) -> None:
        """Cross-fade to an impulse response [taps], or to none, as soon as the last change is over."""
        self._response = response
        self._commands.append(lambda stream: stream.change_room(response))

    def tend(self) -> bool:
        """Build a new engine where the last one failed; to be called now and then. Gives whether it did."""
        if self._stream or time.monotonic() - self._built_s < _REBUILD_S:
            return False
        self._bad_samples += self.meters["bad_samples"]
        self._commands.clear()
        self._stream = self._build()
        return True

    def peaks(self) -> tuple[float, float]:
        """Highest magnitudes of input and output since the last call."""
        peaks, self._peaks = self._peaks, [0.0, 0.0]
        return peaks[0], peaks[1]

    @property
    def bad_samples(self) -> int:
        """Samples of the input that were no numbers, or beyond all reason, and became silence."""
        return round(self._bad_samples + self.meters["bad_samples"])

    def _build(self) -> Stream:
        self._built_s = time.monotonic()
        stream = Stream(self.sample_rate, self.instrument, seed=self.seed)
        stream.set(**self.settings)
        if self._response is not None:
            stream.change_room(self._response)
        return stream

    # Of the audio thread

    def audio(self, heard: Floats, out: Floats, frames: int, _time: Any, status: Any) -> None:
        """Make a block: the callback of a `sounddevice.Stream`.

        Args:
            heard: [frames, channels] from the sound card.
            out: [frames, channels] for it; every channel gets the same sound.
            frames: samples in the block.
            _time: what PortAudio knows of the converters' clocks.
            status: flags of `XRUNS`; false where nothing was lost.
        """
        began = time.perf_counter()
        try:
            if not self._greeted:
                self._greeted = True
                go_first(AUDIO_PRIORITY)
            if status:
                for name in XRUNS:
                    self.xruns[name] += getattr(status, name)
            self._block(heard[:, self.channel], out)
        except Exception as error:
            out.fill(0)
            self.faults, self.fault, self._stream = self.faults + 1, error, None
        self.times.add(time.perf_counter() - began, frames / self.sample_rate)

    def audio_out(self, out: Floats, frames: int, _time: Any, status: Any) -> None:
        """Make a block where nothing is listened to: the callback of a `sounddevice.OutputStream`."""
        self.audio(np.zeros((frames, self.channel + 1), np.float32), out, frames, _time, status)

    def _block(self, heard: Floats, out: Floats) -> None:
        stream = self._stream
        if stream is None:
            out.fill(0)
            return
        while self.notes:
            stream.midi(*self.notes.popleft())
        while self._commands:
            if self._commands[0](stream) is False:
                break  # the last change is still under way; what was asked for later waits too
            self._commands.popleft()
        sound = stream.process(heard)
        out[:] = sound[:, None]
        self.meters = meters = stream.meters()
        peaks = self._peaks
        peaks[0], peaks[1] = max(peaks[0], meters["input_peak"]), max(peaks[1], meters["output_peak"])
        if self.recorder:
            self.recorder.take(heard, sound)
        if self.ear:
            self.ear.take(heard)


def _rehearse(sample_rate: int, instrument: Instrument) -> None:
    """Run the engine once, elsewhere: what runs for the first time is slow."""
    Stream(sample_rate, instrument).process(np.zeros(sample_rate // 10, np.float32))
