"""Ports: which one is meant, what it sends, and what is said where there is none."""

from collections.abc import Iterator

import mido
import pytest

from retimbre.errors import RetimbreError
from retimbre.midi.ports import choose_port, listening, ports

NAMES = ["Midi Through:0", "Keystation 49:0", "Seaboard:0", "Seaboard:1"]


class Keyboard:
    """A port with messages waiting."""

    def __init__(self, *messages: mido.Message) -> None:
        self.waiting, self.closed = list(messages), False

    def iter_pending(self) -> Iterator[mido.Message]:
        while self.waiting:
            yield self.waiting.pop(0)

    def close(self) -> None:
        self.closed = True


class System:
    """A computer with ports, or with an error."""

    def __init__(self, port: Keyboard | None = None, error: Exception | None = None) -> None:
        self.port, self.error = port, error

    def get_input_names(self) -> list[str]:
        if self.error:
            raise self.error
        return [*NAMES, NAMES[0]]

    def open_input(self, name: str) -> Keyboard:
        if self.port is None:
            raise OSError("device is busy")
        return self.port


def test_names_are_listed_once():
    assert ports(System()) == NAMES


@pytest.mark.parametrize(("wish", "name"), [("2", NAMES[1]), ("keys", NAMES[1]), ("Seaboard:1", "Seaboard:1")])
def test_a_port_is_chosen_by_number_name_or_part_of_it(wish: str, name: str):
    assert choose_port(wish, NAMES) == name


@pytest.mark.parametrize(
    ("wish", "names", "what"),
    [
        ("seaboard", NAMES, "several ports of that name; there are 1: Seaboard:0; 2: Seaboard:1"),
        ("oboe", NAMES, "no port of that name; there are 1: Midi Through:0"),
        ("9", NAMES[:1], "no port"),
        ("keys", [], "no MIDI keyboard is connected"),
    ],
)
def test_a_wish_that_means_no_single_port_is_answered_with_those_there_are(wish: str, names: list[str], what: str):
    with pytest.raises(RetimbreError, match=what):
        choose_port(wish, names)


def test_messages_come_as_three_bytes_and_the_port_is_closed():
    port = Keyboard(
        mido.Message("note_on", note=60, velocity=90, channel=3),
        mido.Message("aftertouch", value=7),
        mido.Message("sysex", data=[1, 2, 3]),
        mido.Message("pitchwheel", pitch=-8192),
        mido.Message("clock"),
    )
    with listening("keystation", System(port)) as arrived:
        assert arrived() == [(0x93, 60, 90), (0xD0, 7, 0), (0xE0, 0, 0), (0xF8, 0, 0)]
        assert arrived() == []
    assert port.closed


def test_a_computer_without_midi_is_told_apart_from_one_without_a_keyboard():
    error = RuntimeError("MidiInAlsa::initialize: error creating ALSA sequencer client object.")
    with pytest.raises(RetimbreError, match=r"offers no MIDI \(MidiInAlsa.*modprobe snd-seq"):
        ports(System(error=error))
    with pytest.raises(RetimbreError, match="device is busy"), listening("1", System()):
        pass
