"""The connection to the sound card: opened, watched, and opened again when the card went away and came back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from retimbre.errors import RetimbreError
from retimbre.live.devices import Device, Wishes, choose_devices, list_devices, open_stream
from retimbre.live.host import Host

STALL_S = 2.0
"""Without a block for so long, a sound card is taken for lost, whatever its driver says."""

RETRY_S = 1.0
"""Between attempts to get it back."""

_CLOSE_S = 2.0  # that a driver may take to let go of a card that is gone


class Connection:
    """A host's stream on a sound card. One thread uses it.

    Attributes:
        source: the input; None where there is none.
        sink: the output.
        latency_s: of both ends together, as PortAudio reports it.
        losses: how often the card went away.
    """

    def __init__(self, system: Any, wishes: Wishes, host: Host, clock: Callable[[], float] = time.monotonic) -> None:
        """Open the devices and start.

        Args:
            system: the module `sounddevice`, or what stands in for it.
            wishes: which devices, and how.
            host: what makes the sound.
            clock: seconds.

        Raises:
            RetimbreError: they cannot be opened; the message says what to do.
        """
        self._system, self._wishes, self._host, self._clock = system, wishes, host, clock
        self._stream: Any = None
        self._closing: list[threading.Thread] = []
        self._openings = 0
        self.source: Device | None = None
        self.latency_s, self.losses = 0.0, 0
        self._blocks, self._last_block_s, self._tried_s = 0, 0.0, 0.0
        self._open()

    @property
    def open(self) -> bool:
        """Whether it is there, as far as is known."""
        return self._stream is not None

    def _open(self) -> None:
        self.source, self.sink = choose_devices(self._wishes, list_devices(self._system))
        self._openings += 1
        callbacks = self._only_now(self._host.audio), self._only_now(self._host.audio_out)
        stream = open_stream(self._system, self._wishes, self.source, self.sink, *callbacks)
        try:
            stream.start()
        except self._system.PortAudioError as error:
            self._let_go(stream)
            raise RetimbreError(f"{self.sink}: cannot be started ({error.args[0]}); choose another device") from error
        latency = stream.latency
        self.latency_s = float(sum(latency)) if isinstance(latency, tuple) else float(latency)
        self._stream = stream
        self._blocks, self._last_block_s = self._host.times.blocks, self._clock()

    def _only_now(self, callback: Callable[..., None]) -> Callable[..., None]:
        """A callback that keeps still after the next opening: a driver that was given up may come to life again."""
        opening = self._openings

        def audio(*arguments: Any) -> None:
            if opening == self._openings:
                callback(*arguments)
            else:
                arguments[-4].fill(0)

        return audio

    @property
    def stuck(self) -> bool:
        """Whether a driver still has not let go of a card that went away; PortAudio cannot be ended then."""
        return any(closing.is_alive() for closing in self._closing)

    def watch(self) -> str:
        """Look whether the card is still there, or there again; to be called now and then. Gives what to tell."""
        now = self._clock()
        if self._stream is None:
            return self._retry(now)
        if self._host.times.blocks != self._blocks:
            self._blocks, self._last_block_s = self._host.times.blocks, now
        if self._active() and now - self._last_block_s < STALL_S:
            return ""
        self.losses += 1
        self.close()
        self._tried_s = now
        return f"{self.sink.name} went away; waiting for it to come back"

    def _active(self) -> bool:
        try:
            return bool(self._stream.active)
        except self._system.PortAudioError:
            return False

    def _retry(self, now: float) -> str:
        if now - self._tried_s < RETRY_S:
            return ""
        self._tried_s = now
        try:
            if not self.stuck:  # PortAudio looks for devices when it is initialised, and only then
                self._system._terminate()
                self._system._initialize()
            self._open()
        except (RetimbreError, self._system.PortAudioError):
            return ""
        return f"{self.sink.name} is back"

    def close(self) -> None:
        """Let go of the devices; closing twice does no harm."""
        stream, self._stream = self._stream, None
        if stream is not None:
            self._let_go(stream)

    def _let_go(self, stream: Any) -> None:
        """Stop and close a stream; a driver whose card is gone may take for ever, and is left to itself."""

        def close() -> None:
            stream.abort()
            stream.close()

        closing = threading.Thread(target=close, daemon=True)
        self._closing.append(closing)
        closing.start()
        closing.join(_CLOSE_S)
