"""Two lines that say what is."""

import io
import re
from dataclasses import replace

import pytest

from retimbre.live.display import Reading, Screen, bar, decibel, lines, pitch

READING = Reading(
    seconds=12.34567,
    input_db=-18.2,
    output_db=-0.05,
    f0_hz=226.0,
    instrument="violin",
    octave=1,
    octave_auto=True,
    gate_db=-52.4,
    gate_auto=False,
    gate_open=True,
    room="none",
    room_t60_s=None,
    listening_s=None,
    dry=0.0,
    muted=False,
    load=0.063,
    late=2,
    xruns=3,
    faults=0,
    bad_samples=0,
    latency_ms=23.4,
    recording_s=None,
    connected=True,
)


def test_the_players_own_room_is_told_with_its_decay_time() -> None:
    first, second = lines(replace(READING, room="mine", room_t60_s=0.523, listening_s=6.8), 200)
    assert "room mine 0.52 s" in second and first.endswith("LISTENING 7 s")


def test_pitch_is_a_note_and_cents() -> None:
    assert pitch(440) == ("A4", 0) and pitch(440 * 2 ** (0.3 / 12)) == ("A4", 30)
    assert pitch(261.6256) == ("C4", 0) and pitch(440 * 2 ** (-0.4 / 12)) == ("A4", -40)


def test_decibels() -> None:
    assert decibel(1) == 0 and decibel(0.1) == pytest.approx(-20) and decibel(0) == decibel(1e-9) == -99.9


def test_bars_grow_with_the_level_and_mark_clipping() -> None:
    assert bar(-100, 10) == ".......... " and bar(-30, 10) == "=====..... " and bar(0, 10) == "==========!"
    filled = [bar(level, 20).count("=") for level in range(-70, 1)]
    assert filled == sorted(filled)


def test_the_lines_say_everything() -> None:
    heard, state = lines(READING, 120)
    assert "-18 dB" in heard and "A3   +47 ct" in heard and "!" in heard and "MUTE" not in heard and "REC" not in heard
    for part in ("violin", "octave +1 auto", "gate -52 dB  ", "load 6 %", "late 2", "xruns 3", "23 ms"):
        assert part in state
    assert not re.search("room|dry|faults|NaN", state)
    heard, state = lines(
        replace(READING, muted=True, recording_s=83.4, room="hall", dry=0.5, faults=4, bad_samples=7, gate_open=False),
        160,
    )
    assert "MUTE  REC 1:23" in heard and "A3" not in heard
    for part in ("room hall", "dry 50 %", "faults 4", "NaN 7"):
        assert part in state
    assert lines(replace(READING, connected=False), 120)[0] == "no sound card"


@pytest.mark.parametrize("width", [10, 40, 79])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, lines(replace(READING, recording_s=7.0, room="ballroom"), width))) <= width


def test_json_holds_the_note_too() -> None:
    data = READING.to_json()
    assert (data["note"], data["cents"], data["seconds"], data["xruns"]) == ("A3", 47, 12.346, 3)
    assert replace(READING, f0_hz=None).to_json()["note"] is None


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(text: str) -> list[str]:
    """What is on the screen after all these characters: a terminal in a dozen lines."""
    screen, row = [""], 0
    for part in re.findall(r"\x1b\[\??\d*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
        if part == "\n":
            row += 1
            screen += [""] * (row + 1 - len(screen))
        elif part == "\x1b[A":
            row -= 1
        elif part == "\x1b[K":
            screen[row] = ""
        elif part == "\x1b[J":
            screen[row:] = [""]
        elif part[0] not in "\x1b\r":
            screen[row] = part
    return screen


def test_the_screen_redraws_in_place_and_messages_stay() -> None:
    file = Terminal()
    with Screen(file) as screen:
        screen.say("hello")
        for late in range(3):
            screen.draw(replace(READING, late=late))
        screen.say("the card is gone")
        screen.draw(replace(READING, late=9))
    rows = shown(file.getvalue())
    assert rows[:2] == ["hello", "the card is gone"] and "late 9" in rows[3] and rows[4:] == [""]
    assert file.getvalue().endswith("\x1b[?25h")  # the cursor is back


def test_in_a_file_there_are_messages_alone() -> None:
    file = io.StringIO()
    with Screen(file) as screen:
        screen.draw(READING)
        screen.say("hello")
    assert file.getvalue() == "hello\n"
