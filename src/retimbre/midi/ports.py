"""MIDI ports of this computer: what is connected, and what it sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from retimbre.errors import RetimbreError


class Port(Protocol):
    """What is used of a port of mido."""

    def iter_pending(self) -> Iterator[Any]:
        """Messages that arrived since the last call."""
        ...

    def close(self) -> None:
        """Let go of the device."""
        ...


class System(Protocol):
    """What is used of mido, or of what stands in for it."""

    def get_input_names(self) -> list[str]:
        """Names of the ports that send."""
        ...

    def open_input(self, name: str) -> Port:
        """Open one of them."""
        ...


def _system() -> System:
    try:
        import mido

        return mido.Backend("mido.backends.rtmidi", load=True)
    except ImportError as error:
        raise RetimbreError(
            f"live MIDI needs more packages ({error.name}): pip install '.[live]' where retimbre lies"
        ) from error


def _asked(what: Callable[[], Any]) -> Any:
    """Ask the operating system; it fails in ways of its own where there is no MIDI at all."""
    try:
        return what()
    except RetimbreError:
        raise
    except Exception as error:  # RtMidi has an exception class for each backend
        reason = str(error).strip() or type(error).__name__
        raise RetimbreError(
            f"this computer offers no MIDI ({reason}); connect a keyboard, and on Linux check that ALSA's sequencer "
            "is there (modprobe snd-seq) and that you may use it (group audio)"
        ) from error


def ports(system: System | None = None) -> list[str]:
    """Names of the ports that send, without duplicates.

    Raises:
        RetimbreError: there is no MIDI system, or the packages for it are not installed.
    """
    system = system or _system()
    return list(dict.fromkeys(_asked(system.get_input_names)))


def choose_port(wish: str, names: list[str]) -> str:
    """The port that a user means: its number from 1, its name, or a part of its name that only it has.

    Raises:
        RetimbreError: none is meant, or several are.
    """
    if not names:
        raise RetimbreError("no MIDI keyboard is connected")
    if wish in names:
        return wish
    if wish.isdecimal() and 1 <= int(wish) <= len(names):
        return names[int(wish) - 1]
    found = [name for name in names if wish.lower() in name.lower()]
    if len(found) == 1:
        return found[0]
    listed = "; ".join(f"{place}: {name}" for place, name in enumerate(found or names, 1))
    raise RetimbreError(f"--midi {wish}: {'several ports' if found else 'no port'} of that name; there are {listed}")


@contextmanager
def listening(wish: str, system: System | None = None) -> Iterator[Callable[[], list[tuple[int, int, int]]]]:
    """Open a port, and give a function that returns the messages which arrived since its last call.

    Args:
        wish: as `choose_port` takes it.
        system: that has the ports; by default this computer's, through RtMidi.

    Yields:
        The function; its messages are (status, data1, data2), a missing byte 0, without those of more than three bytes.

    Raises:
        RetimbreError: there is no such port, or it cannot be opened.
    """
    system = system or _system()
    name = choose_port(wish, ports(system))
    port: Port = _asked(lambda: system.open_input(name))

    def arrived() -> list[tuple[int, int, int]]:
        waiting = (message.bytes() for message in port.iter_pending())
        padded = ([*data, 0, 0] for data in waiting if 1 <= len(data) <= 3)
        return [(data[0], data[1], data[2]) for data in padded]

    try:
        yield arrived
    finally:
        port.close()
