"""What a player sees: two lines of a terminal that are drawn again and again, or one line of JSON a second."""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from retimbre.controls import note_name

HELP = """\
  left, right (or p, n)  instrument          up, down   octave      a    octave automatic
  g    gate automatic or fixed               + and -    gate by 3 dB
  r    next room                             d          dry share: 0, 25, 50, 75, 100 %
  l    listen to your room for 10 s, and play in it
  m    mute                                  space      record, and stop recording
  ?    this help                             q          quit
"""

_BAR = 12
_BAR_FLOOR_DB = -60.0
_SILENCE_DB = -99.9


@dataclass(frozen=True)
class Reading:
    """All that is shown, at one instant. Levels in dB re full scale, times in ms.

    Attributes:
        seconds: since the start.
        input_db: peak of what came in since the last reading.
        output_db: likewise of what went out.
        f0_hz: pitch of the input; None where it has none.
        instrument: that plays.
        octave: up, as it is now.
        octave_auto: whether retimbre chose it.
        gate_db: below which the input counts as noise.
        gate_auto: whether retimbre chose it.
        gate_open: whether the input is above it.
        room: by name, or none.
        room_t60_s: decay time of the player's own room; None where another is played in.
        listening_s: for which the room must still be listened to; None where it is not.
        dry: share of the input in the output, 0 to 1.
        muted: whether the output is.
        load: share of the time that is spent processing, lately.
        late: blocks that took longer to make than they last.
        xruns: blocks before or after which the sound card lost samples.
        faults: blocks that were silent because of an error of ours.
        bad_samples: of the input, that were no numbers.
        latency_ms: from microphone to loudspeaker: the engine, one block, and the sound card as it tells.
        recording_s: length of the take; None while nothing is recorded.
        connected: whether the sound card is there.
    """

    seconds: float
    input_db: float
    output_db: float
    f0_hz: float | None
    instrument: str
    octave: int
    octave_auto: bool
    gate_db: float
    gate_auto: bool
    gate_open: bool
    room: str
    room_t60_s: float | None
    listening_s: float | None
    dry: float
    muted: bool
    load: float
    late: int
    xruns: int
    faults: int
    bad_samples: int
    latency_ms: float
    recording_s: float | None
    connected: bool

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it, with the note and how far the pitch is from it."""
        note, cents = pitch(self.f0_hz) if self.f0_hz else (None, None)
        rounded = {key: round(value, 3) if isinstance(value, float) else value for key, value in asdict(self).items()}
        return rounded | {"note": note, "cents": cents}


def decibel(amplitude: float) -> float:
    """An amplitude re full scale in dB, -99.9 at least."""
    return max(_SILENCE_DB, 20 * math.log10(amplitude)) if amplitude > 0 else _SILENCE_DB


def pitch(f0_hz: float) -> tuple[str, int]:
    """The nearest note, and how many cents above it a frequency is."""
    midi = 69 + 12 * math.log2(f0_hz / 440)
    return note_name(midi), round(100 * (midi - round(midi)))


def bar(level_db: float, length: int = _BAR) -> str:
    """A level as a bar from -60 to 0 dB; its last place is for what is clipped."""
    filled = round(length * min(1.0, max(0.0, 1 - level_db / _BAR_FLOOR_DB)))
    return "=" * filled + "." * (length - filled) + ("!" if level_db >= -0.1 else " ")


def lines(reading: Reading, width: int) -> tuple[str, str]:
    """Two lines of at most `width` characters: what is heard and played, and how."""
    r = reading
    if r.f0_hz and r.gate_open:
        note, cents = pitch(r.f0_hz)
        heard = f"{note:<3} {cents:+4d} ct"
    else:
        heard = f"{'-':<3} {'':>7}"
    ends = [f"{bar(level_db)}{round(level_db):5d} dB" for level_db in (r.input_db, r.output_db)]
    levels = f"in {ends[0]}  {heard}   out {ends[1]}"
    if not r.connected:
        levels = "no sound card"
    recording = f"  REC {r.recording_s // 60:.0f}:{r.recording_s % 60:02.0f}" if r.recording_s is not None else ""
    listening = f"  LISTENING {r.listening_s:.0f} s" if r.listening_s is not None else ""
    state = levels + ("  MUTE" if r.muted else "") + recording + listening
    parts = [
        r.instrument,
        f"octave {r.octave:+d}{' auto' if r.octave_auto else ''}",
        f"gate {r.gate_db:.0f} dB{' auto' if r.gate_auto else ''}",
        *([f"room {r.room}{f' {r.room_t60_s:.2f} s' if r.room_t60_s else ''}"] if r.room != "none" else []),
        *([f"dry {100 * r.dry:.0f} %"] if r.dry else []),
        f"load {100 * r.load:.0f} %",
        f"late {r.late}",
        f"xruns {r.xruns}",
        *([f"faults {r.faults}"] if r.faults else []),
        *([f"NaN {r.bad_samples}"] if r.bad_samples else []),
        f"{r.latency_ms:.0f} ms",
    ]
    return state[:width], "  ".join(parts)[:width]


class Screen:
    """Two lines at the bottom of a terminal that are drawn anew, with messages that scroll away above them.

    Where the file is no terminal only messages are written. Use it as a context: the cursor comes back.
    """

    def __init__(self, file: TextIO, quiet: bool = False) -> None:
        """Draw on a text file; where `quiet`, nothing at all."""
        self._file, self._quiet = file, quiet
        self.drawn = not quiet and file.isatty()
        self._shown = False

    def __enter__(self) -> Screen:
        if self.drawn:
            self._write("\x1b[?25l")  # no cursor
        return self

    def __exit__(self, *_: object) -> None:
        if self.drawn:
            self._write(("\n" if self._shown else "") + "\x1b[?25h")
            self._shown = False

    def draw(self, reading: Reading) -> None:
        """Show a reading in the place of the last one."""
        if not self.drawn:
            return
        first, second = lines(reading, shutil.get_terminal_size().columns - 1)
        self._write(f"{self._back()}\x1b[K{first}\n\x1b[K{second}")
        self._shown = True

    def say(self, message: str) -> None:
        """Write a line that stays."""
        if not self._quiet:
            erase = "\x1b[J" if self.drawn else ""
            self._write(f"{self._back()}{erase}{message}\n")
            self._shown = False

    def _back(self) -> str:
        """To the beginning of the first of the two lines."""
        return "\r\x1b[A" if self._shown else ""

    def _write(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()


@contextmanager
def without_drivers_chatter() -> Iterator[None]:
    """While the block lasts, nothing but Python writes to a terminal's standard error.

    ALSA and PortAudio write there whatever they find odd, in the middle of what is drawn. In a file it is kept.
    """
    if os.name != "posix" or not sys.stderr.isatty():
        yield
        return
    whole, python = os.dup(2), sys.stderr
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    os.close(silence)
    with os.fdopen(os.dup(whole), "w", buffering=1) as sys.stderr:
        try:
            yield
        finally:
            sys.stderr = python
            os.dup2(whole, 2)
            os.close(whole)
