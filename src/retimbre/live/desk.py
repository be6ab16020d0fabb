"""What a player turns while playing: each key of the terminal, as a change of the host's settings."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from retimbre.engine import Floats
from retimbre.errors import RetimbreError
from retimbre.instrument import Instrument
from retimbre.live.host import Host
from retimbre.live.priority import step_back
from retimbre.live.recorder import Recorder

QUIT = "q"
HELP = "?"

_GATE_STEP_DB = 3.0
_OCTAVES = 6
_DRY_STEPS = 4  # from 0 to 1


class Place(Protocol):
    """What is needed of a room."""

    def to_rir(self, sample_rate: int, /) -> Floats:
        """Its impulse response at a rate, [samples]."""
        ...


class Desk:
    """Instruments and rooms to go through, and what else can be changed.

    Instruments are read and rooms rendered by a thread of the desk's own, so that nobody waits for them.

    Attributes:
        instrument: name of the one that plays.
        room: name of the one it plays in.
        dry: share of the input in the output, 0 to 1.
        muted: whether the output is.
    """

    def __init__(
        self,
        host: Host,
        recorder: Recorder,
        *,
        instruments: list[str],
        rooms: list[str],
        load: Callable[[str], Instrument],
        choose_room: Callable[[str, Instrument], Place | None],
        gain: float = 1.0,
        dry: float = 0.0,
    ) -> None:
        """Sit down before a host.

        Args:
            host: that is played with.
            recorder: that space starts and stops.
            instruments: to go through, beginning with the one that the host plays.
            rooms: to go through, beginning with the one to play in.
            load: gives an instrument by such a name.
            choose_room: gives a room by such a name, for an instrument.
            gain: of the output, linear.
            dry: to begin with.
        """
        self.instrument, self.room, self.dry, self.muted = instruments[0], rooms[0], dry, False
        self._host, self._recorder, self._gain = host, recorder, gain
        self._instruments, self._rooms = instruments, rooms
        self._load, self._choose_room = load, choose_room
        self._worker = ThreadPoolExecutor(1, "desk", step_back)
        self._work: list[Future[str]] = []
        self._keys: dict[str, Callable[[], str]] = {
            "right": lambda: self._next_instrument(1),
            "n": lambda: self._next_instrument(1),
            "left": lambda: self._next_instrument(-1),
            "p": lambda: self._next_instrument(-1),
            "up": lambda: self._move_octave(1),
            "down": lambda: self._move_octave(-1),
            "a": lambda: self._set(octave=None),
            "g": self._switch_gate,
            "+": lambda: self._move_gate(_GATE_STEP_DB),
            "=": lambda: self._move_gate(_GATE_STEP_DB),  # + without shift
            "-": lambda: self._move_gate(-_GATE_STEP_DB),
            "d": self._next_dry,
            "r": self._next_room,
            "m": self._switch_sound,
            "space": self._switch_recording,
        }
        self._balance()
        if self.room != "none":
            self._render(self.room, host.instrument)

    def press(self, key: str) -> str:
        """Do what a key means; gives what there is to say, mostly nothing."""
        return self._keys[key]() if key in self._keys else ""

    def done(self) -> list[str]:
        """What there is to say of work that ended since the last call."""
        ended = [work for work in self._work if work.done()]
        self._work = [work for work in self._work if not work.done()]
        return [said for said in (work.result() for work in ended) if said]

    def close(self) -> None:
        """Wait for the work to end."""
        self._worker.shutdown(cancel_futures=True)

    def _set(self, **settings: float | None) -> str:
        self._host.set(**settings)
        return ""

    def _behind(self, work: Callable[[], None]) -> str:
        """Have the desk's thread do something that takes long."""

        def guarded() -> str:
            try:
                work()
            except RetimbreError as error:
                return str(error)
            return ""

        self._work.append(self._worker.submit(guarded))
        return ""

    def _next_instrument(self, step: int) -> str:
        names = self._instruments
        self.instrument = names[(names.index(self.instrument) + step) % len(names)]

        def change(name: str = self.instrument, room: str = self.room) -> None:
            instrument = self._load(name)
            self._host.play(instrument)
            if room == "own":
                self.room = "own" if instrument.room else "none"
                self._host.place(instrument.room.to_rir(self._host.sample_rate) if instrument.room else None)

        return self._behind(change)

    def _next_room(self) -> str:
        has_own = self._host.instrument.room is not None
        rooms = [room for room in self._rooms if room != "own" or has_own or self.room == "own"]
        self.room = rooms[(rooms.index(self.room) + 1) % len(rooms)]
        return self._render(self.room, None)

    def _render(self, wish: str, instrument: Instrument | None) -> str:
        def change() -> None:
            room = self._choose_room(wish, instrument or self._host.instrument)
            self._host.place(room.to_rir(self._host.sample_rate) if room else None)

        return self._behind(change)

    def _move_octave(self, step: int) -> str:
        now = self._host.settings.get("octave")
        octave = self._host.meters["octave"] if now is None else now
        return self._set(octave=max(-_OCTAVES, min(_OCTAVES, octave + step)))

    def _switch_gate(self) -> str:
        fixed = self._host.settings.get("gate_db") is not None
        return self._set(gate_db=None if fixed else round(self._host.meters["gate_db"]))

    def _move_gate(self, step_db: float) -> str:
        now = self._host.settings.get("gate_db")
        gate_db = round(self._host.meters["gate_db"]) if now is None else now
        return self._set(gate_db=max(-100.0, min(0.0, gate_db + step_db)))

    def _next_dry(self) -> str:
        self.dry = 0.0 if self.dry >= 1 else (int(_DRY_STEPS * self.dry) + 1) / _DRY_STEPS
        return self._balance()

    def _switch_sound(self) -> str:
        self.muted = not self.muted
        return self._balance()

    def _balance(self) -> str:
        return self._set(dry=self.dry, wet=1 - self.dry, gain=0.0 if self.muted else self._gain)

    def _switch_recording(self) -> str:
        if not self._recorder.running:
            self._recorder.start()
            return ""
        self._recorder.stop()
        return self._recorder.trouble() or f"recorded {', '.join(map(str, self._recorder.files[-2:]))}"
