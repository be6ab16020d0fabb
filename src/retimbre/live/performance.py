"""A performance from beginning to end: sound card, keys, display, recording, until somebody stops it."""

from __future__ import annotations

import gc
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TextIO

from retimbre.live.connection import Connection
from retimbre.live.desk import HELP as HELP_KEY
from retimbre.live.desk import QUIT, Desk
from retimbre.live.display import HELP, Reading, Screen, decibel
from retimbre.live.host import Host
from retimbre.live.keys import Keys
from retimbre.live.priority import LOOP_PRIORITY, going_first
from retimbre.live.recorder import Recorder

_DRAW_S = 1 / 15
_SWITCH_S = 0.0005
_NOTES_S = 0.001

Notes = Callable[[], list[tuple[int, int, int]]]


class Performance:
    """The loop of the main thread, around a host that plays."""

    def __init__(
        self,
        host: Host,
        connection: Connection,
        recorder: Recorder,
        desk: Desk,
        *,
        block: int,
        out: TextIO | None = None,
        as_json: bool = False,
    ) -> None:
        """Put together what was made before.

        Args:
            host: that plays.
            connection: to the sound card.
            recorder: of both ends.
            desk: where keys go.
            block: samples, for the latency.
            out: where lines are drawn, by default the standard output.
            as_json: print a line of JSON every second instead.
        """
        self._host, self._connection, self._recorder, self._desk = host, connection, recorder, desk
        self._out, self._as_json = out or sys.stdout, as_json
        self._latency_s = (host.latency + block) / host.sample_rate
        self._lately = (0.0, 0.0, 0.0)  # when it was looked at, and busy and sound by then
        self._load = 0.0

    def run(self, stop: threading.Event, seconds: float | None = None, notes: Notes | None = None) -> dict[str, Any]:
        """Play until `stop` is set, or for so many seconds.

        Args:
            stop: by which others end it.
            seconds: after which it ends by itself.
            notes: gives the MIDI messages (status, data1, data2) since its last call.

        Returns:
            What happened, ready for JSON.
        """
        began = time.monotonic()
        with ExitStack() as stack:
            screen = stack.enter_context(Screen(self._out, quiet=self._as_json))
            keys = stack.enter_context(Keys())
            if notes:
                stack.enter_context(_forwarding(notes, self._host))
            if screen.drawn and keys.available:
                screen.say("? shows the keys, q quits")
            spoken = 0
            while not stop.is_set() and not (seconds and time.monotonic() - began >= seconds):
                for message in self._tend():
                    screen.say(message) if not self._as_json else self._complain(message)
                for key in keys.read():
                    if key == QUIT:
                        stop.set()
                    said = HELP.rstrip("\n") if key == HELP_KEY else self._desk.press(key)
                    if said:
                        screen.say(said)
                passed = time.monotonic() - began
                if screen.drawn:
                    screen.draw(self.reading(passed))
                elif self._as_json and passed >= spoken + 1:
                    spoken = int(passed)
                    print(json.dumps(self.reading(passed).to_json()), file=self._out, flush=True)
                stop.wait(_DRAW_S if seconds is None else max(0.0, min(_DRAW_S, began + seconds - time.monotonic())))
        self._connection.close()
        self._recorder.stop()
        self._desk.close()
        if trouble := self._recorder.trouble():
            self._complain(trouble)
        return self._summary(time.monotonic() - began)

    def _tend(self) -> Iterator[str]:
        """What has to be looked after, and what there is to say of it."""
        if said := self._connection.watch():
            yield said
        if self._host.tend():
            yield f"the engine failed ({self._host.fault}) and was started again"
        yield from self._desk.done()
        if said := self._recorder.trouble():
            yield said

    def _complain(self, message: str) -> None:
        print(f"retimbre: {message}", file=sys.stderr)

    def reading(self, seconds: float) -> Reading:
        """What there is to show, `seconds` after the start."""
        host, desk, meters = self._host, self._desk, self._host.meters
        peaks = host.peaks()
        return Reading(
            seconds=seconds,
            input_db=decibel(peaks[0]),
            output_db=decibel(peaks[1]),
            f0_hz=meters["input_f0_hz"] if meters["input_periodicity"] >= 0.5 else None,
            instrument=desk.instrument,
            octave=round(meters["octave"] if host.settings.get("octave") is None else host.settings["octave"] or 0),
            octave_auto=host.settings.get("octave") is None,
            gate_db=meters["gate_db"],
            gate_auto=host.settings.get("gate_db") is None,
            gate_open=bool(meters["gate_open"]),
            room=desk.room,
            room_t60_s=desk.room_t60_s,
            listening_s=desk.listening_s,
            dry=desk.dry,
            muted=desk.muted,
            load=self._recent_load(seconds),
            late=host.times.late,
            xruns=sum(host.xruns.values()),
            faults=host.faults,
            bad_samples=host.bad_samples,
            latency_ms=1000 * (self._latency_s + self._connection.latency_s),
            recording_s=self._recorder.seconds if self._recorder.running else None,
            connected=self._connection.open,
        )

    def _recent_load(self, seconds: float) -> float:
        """Of the last second or so."""
        then, busy, sound = self._lately
        times = self._host.times
        if seconds - then >= 1 and times.sound_s > sound:
            self._load = (times.busy_s - busy) / (times.sound_s - sound)
            self._lately = seconds, times.busy_s, times.sound_s
        return self._load

    def _summary(self, seconds: float) -> dict[str, Any]:
        host, times = self._host, self._host.times
        return {
            "summary": True,
            "seconds": round(seconds, 1),
            "blocks": times.blocks,
            "late": times.late,
            **host.xruns,
            "load": round(times.load, 4),
            "worst_ms": round(1000 * times.worst_s, 2),
            "p999_ms": round(1000 * times.quantile_s(0.999), 2),
            "faults": host.faults,
            "bad_samples": host.bad_samples,
            "losses": self._connection.losses,
            "stuck": self._connection.stuck,
            "latency_ms": {
                "engine": round(1000 * host.latency / host.sample_rate, 1),
                "block": round(1000 * self._latency_s - 1000 * host.latency / host.sample_rate, 1),
                "device": round(1000 * self._connection.latency_s, 1),
            },
            "files": [str(path) for path in self._recorder.files],
            "lost_in_files": self._recorder.lost,
        }


@contextmanager
def undisturbed() -> Iterator[None]:
    """While the block lasts, no other thread of Python holds up the audio thread for long."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)  # which the audio thread may wait for Python's lock
    # What is loaded stays for good: without it a full collection takes 0.05 ms, so it may stay on.
    gc.collect()
    gc.freeze()
    try:
        with going_first(LOOP_PRIORITY):
            yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)


@contextmanager
def stoppable(stop: threading.Event) -> Iterator[None]:
    """While the block lasts, Ctrl-C and requests to end set an event; a second Ctrl-C interrupts anything."""

    def ask(number: int, _frame: Any) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), ask) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


@contextmanager
def _forwarding(notes: Notes, host: Host) -> Iterator[None]:
    """While the block lasts, a thread hands MIDI messages on to the audio thread, within a millisecond or so."""
    over = threading.Event()

    def forward() -> None:
        while not over.wait(_NOTES_S):
            host.notes.extend(notes())

    thread = threading.Thread(target=forward, name="midi", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
