"""Keys as terminals send them, and the terminal as it was."""

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retimbre.live.keys import Keys, parse


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("nq?", ["n", "q", "?"]),
        (" m ", ["space", "m", "space"]),
        ("\x1b[A\x1b[B\x1b[C\x1b[D", ["up", "down", "right", "left"]),
        ("\x1bOA", ["up"]),  # application mode
        ("\x1b[1;5Cx", ["right", "x"]),  # with Ctrl
        ("\x1b[3~\x1b[15~\x1b[Hg", ["g"]),  # Delete, F5, Home: not ours
        ("\x1b\x1b[Aa", ["up", "a"]),  # Escape, then an arrow
        ("\r\n\t\x7fé", ["é"]),
    ],
)
def test_sequences_are_keys(sent: str, keys: list[str]) -> None:
    assert parse(sent) == (keys, "")


@given(
    st.lists(st.sampled_from(["a", " ", "\x1b[A", "\x1bOB", "\x1b[1;2C", "\x1b[3~"]), max_size=8), st.integers(0, 40)
)
def test_a_cut_anywhere_changes_nothing(sent: list[str], place: int) -> None:
    text = "".join(sent)
    keys, rest = parse(text[:place])
    more, rest = parse(rest + text[place:])
    assert (keys + more, rest) == parse(text)


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal is a thing of POSIX")
def test_keys_come_without_enter_and_the_terminal_is_as_it_was() -> None:
    import pty
    import termios

    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r+b", buffering=0) as terminal:
        before = termios.tcgetattr(terminal)
        with pytest.raises(ZeroDivisionError), Keys(terminal) as keys:
            assert keys.available and not termios.tcgetattr(terminal)[3] & termios.ICANON
            assert termios.tcgetattr(terminal)[3] & termios.ISIG  # Ctrl-C is still Ctrl-C
            os.write(ours, b"n\x1b[A")
            assert keys.read() == ["n", "up"] and keys.read() == []
            raise ZeroDivisionError
        assert termios.tcgetattr(terminal) == before
    os.close(ours)


def test_no_terminal_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with Keys() as keys:
            assert not keys.available and keys.read() == []
