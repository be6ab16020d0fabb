"""What a player turns while playing: each key of the terminal, as a change of the host's settings."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from retimbre.engine import Floats
from retimbre.errors import RetimbreError
from retimbre.instrument import Instrument
from retimbre.live.ear import Ear
from retimbre.live.host import Host
from retimbre.live.priority import step_back
from retimbre.live.recorder import Recorder

QUIT = "q"
HELP = "?"

MINE = "mine"
"""The room that the player plays in."""

_GATE_STEP_DB = 3.0
_OCTAVES = 6
_DRY_STEPS = 4  # from 0 to 1


class Place(Protocol):
    """What is needed of a room."""

    def to_rir(self, sample_rate: int, /) -> Floats:
        """Its impulse response at a rate, [samples]."""
        ...


class Heard(Protocol):
    """What is needed of the estimate of a room."""

    @property
    def t60_s(self) -> float:
        """Decay time."""
        ...

    @property
    def t60_range_s(self) -> tuple[float, float]:
        """What it may as well be."""
        ...

    @property
    def c50_db(self) -> float:
        """Clarity."""
        ...

    @property
    def c50_range_db(self) -> tuple[float, float]:
        """What it may as well be."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before the figures are believed."""
        ...

    @property
    def room(self) -> Place:
        """To play in."""
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
        ear: Ear | None = None,
        estimate: Callable[[Floats, int], Heard] | None = None,
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
            ear: of the host; None where nothing is listened to.
            estimate: hears the room of a sound [samples] at a rate.
            gain: of the output, linear.
            dry: to begin with.
        """
        self.instrument, self.room, self.dry, self.muted = instruments[0], rooms[0], dry, False
        self._host, self._recorder, self._gain = host, recorder, gain
        self._instruments, self._rooms = instruments, rooms
        self._load, self._choose_room = load, choose_room
        self._ear, self._estimate = ear, estimate
        self._mine: Heard | None = None
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
            "l": self._listen,
            "m": self._switch_sound,
            "space": self._switch_recording,
        }
        self._balance()
        if self.room != "none":
            self._render(self.room, host.instrument)

    def press(self, key: str) -> str:
        """Do what a key means; gives what there is to say, mostly nothing."""
        return self._keys[key]() if key in self._keys else ""

    @property
    def listening_s(self) -> float | None:
        """Seconds that the room must still be listened to; None where it is not."""
        return self._ear.left_s if self._ear and self._ear.listening else None

    @property
    def room_t60_s(self) -> float | None:
        """Decay time of the player's own room, where that is played in."""
        return self._mine.t60_s if self._mine and self.room == MINE else None

    def done(self) -> list[str]:
        """What there is to say of work that ended since the last call."""
        if self._ear and (sound := self._ear.heard()) is not None:
            self._behind(lambda: self._hear(sound))
        ended = [work for work in self._work if work.done()]
        self._work = [work for work in self._work if not work.done()]
        return [said for said in (work.result() for work in ended) if said]

    def close(self) -> None:
        """Wait for the work to end."""
        self._worker.shutdown(cancel_futures=True)

    def _set(self, **settings: float | None) -> str:
        self._host.set(**settings)
        return ""

    def _behind(self, work: Callable[[], str | None]) -> str:
        """Have the desk's thread do something that takes long, and may have something to say."""

        def guarded() -> str:
            try:
                return work() or ""
            except RetimbreError as error:
                return str(error)

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
        rooms += [MINE] * (self._mine is not None)
        self.room = rooms[(rooms.index(self.room) + 1) % len(rooms)]
        return self._render(self.room, None)

    def _listen(self) -> str:
        if not self._ear or not self._estimate:
            return "no room can be listened to: there is no input"
        if self._ear.listening:
            self._ear.stop()
            return "no longer listening to the room"
        self._ear.start()
        return f"listening to your room for {self._ear.left_s:.0f} s: speak, or play notes with rests between them"

    def _hear(self, sound: Floats) -> str:
        assert self._ear and self._estimate
        try:
            heard = self._estimate(sound, self._ear.sample_rate)
        except RetimbreError as error:
            return f"your room was not heard: what came in {error}"
        self._host.place(heard.room.to_rir(self._host.sample_rate))
        self._mine, self.room = heard, MINE
        return "; ".join([f"your room: {_figures(heard)}", *heard.warnings])

    def _render(self, wish: str, instrument: Instrument | None) -> str:
        def change() -> None:
            own = self._mine.room if self._mine and wish == MINE else None
            room = own or self._choose_room(wish, instrument or self._host.instrument)
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


def _figures(heard: Heard) -> str:
    """Of a room, with what they may as well be."""
    shortest, longest = heard.t60_range_s
    least, most = heard.c50_range_db
    return (
        f"T60 {heard.t60_s:.2f} s ({shortest:.2f} to {longest:.2f}), "
        f"C50 {heard.c50_db:.0f} dB ({least:.0f} to {most:.0f})"
    )
