"""Sound cards, through PortAudio: which there are, which one is meant, and opening one.

`sounddevice` is looked at through `Any`: tests put another in its place, and nothing else of retimbre needs it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from retimbre.errors import RetimbreError

INVALID_RATE, INVALID_CHANNELS, UNAVAILABLE, BAD_COMBINATION = -9997, -9998, -9985, -9993
"""Error codes of PortAudio (portaudio.h)."""


@dataclass(frozen=True)
class Device:
    """A sound card, or what the operating system makes look like one.

    Attributes:
        number: by which PortAudio knows it.
        name: of the device.
        host: the interface of the operating system through which it is reached (ALSA, Core Audio, WASAPI).
        inputs: channels in.
        outputs: channels out.
        sample_rate: that it likes best, in Hz.
        default_input: whether it is what PortAudio takes where none is named.
        default_output: likewise.
    """

    number: int
    name: str
    host: str
    inputs: int
    outputs: int
    sample_rate: int
    default_input: bool = False
    default_output: bool = False

    def to_json(self) -> dict[str, Any]:
        """As `retimbre live --devices --json` prints it."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.number}: {self.name} ({self.host})"


@dataclass(frozen=True)
class Wishes:
    """What a stream is opened with.

    Attributes:
        input: a device's number, its name or a part of it; None for the default one.
        output: likewise.
        listen: whether there is an input at all.
        channel: of the input that is listened to, from 0.
        sample_rate: in Hz.
        block: samples that the engine is given at a time.
        latency: of the sound card's buffers, in seconds, or "low" or "high" as PortAudio takes it.
    """

    input: str | None = None
    output: str | None = None
    listen: bool = True
    channel: int = 0
    sample_rate: int = 48_000
    block: int = 128
    latency: float | str = "low"


def portaudio() -> Any:
    """The module `sounddevice`.

    Raises:
        RetimbreError: it is not installed, or PortAudio is not.
    """
    try:
        import sounddevice
    except ImportError as error:
        raise RetimbreError(f"live needs more packages ({error.name}): pip install 'retimbre[live]'") from error
    except OSError as error:  # what it raises where the library is missing
        raise RetimbreError(
            "live needs the PortAudio library, which is not installed: on Debian and Ubuntu sudo apt-get install "
            "libportaudio2, on Fedora sudo dnf install portaudio"
        ) from error
    return sounddevice


def list_devices(system: Any) -> list[Device]:
    """All devices, as PortAudio found them when it was initialised."""
    hosts = system.query_hostapis()
    return [
        Device(
            number,
            str(entry["name"]),
            str(hosts[entry["hostapi"]]["name"]),
            int(entry["max_input_channels"]),
            int(entry["max_output_channels"]),
            round(entry["default_samplerate"]),
            *(number == hosts[entry["hostapi"]][f"default_{end}_device"] for end in ("input", "output")),
        )
        for number, entry in enumerate(system.query_devices())
    ]


def choose_device(wish: str | None, end: str, devices: list[Device]) -> Device:
    """The device that a user means.

    Args:
        wish: its number, its name, or a part of its name that only it has; None for the default.
        end: "input" or "output".
        devices: that there are.

    Raises:
        RetimbreError: there is none, or several are meant.
    """
    able = [device for device in devices if (device.inputs if end == "input" else device.outputs)]
    if not able:
        raise RetimbreError(
            f"there is no sound {end}: connect {'a microphone' if end == 'input' else 'headphones'} and check that "
            "other programs find it (on Linux: arecord -l, aplay -l, and whether you are in the group audio)"
        )
    if wish is None:
        default = [device for device in able if getattr(device, f"default_{end}")]
        return (default or able)[0]
    if wish.isdecimal():
        chosen = [device for device in able if device.number == int(wish)]
        if chosen:
            return chosen[0]
    for match in (str.__eq__, str.__contains__):
        found = [device for device in able if match(device.name.lower(), wish.lower())]
        if len(found) == 1 or (found and match is str.__eq__):
            return found[0]
        if found:
            raise RetimbreError(f"--{end} {wish}: several are meant; give a number: {_listed(found)}")
    near = difflib.get_close_matches(wish.lower(), [device.name.lower() for device in able], n=3, cutoff=0.4)
    meant = [device for device in able if device.name.lower() in near]
    hint = f"did you mean {_listed(meant)}?" if meant else f"there are {_listed(able)}"
    raise RetimbreError(f"--{end} {wish}: no such device; {hint} (retimbre live --devices)")


def _listed(devices: list[Device]) -> str:
    return "; ".join(map(str, devices))


def choose_devices(wishes: Wishes, devices: list[Device]) -> tuple[Device | None, Device]:
    """Input and output; the input is None where nothing is listened to.

    Where one of them is named, the other is the same device if it can be, else the default of the same interface: no
    stream joins devices of different interfaces.

    Raises:
        RetimbreError: there are none of that name, or they do not go together.
    """
    if not wishes.listen:
        return None, choose_device(wishes.output, "output", devices)
    named_input, named_output = wishes.input is not None, wishes.output is not None
    if named_input and not named_output:
        source = choose_device(wishes.input, "input", devices)
        sink = source if source.outputs else choose_device(None, "output", _beside(source, devices))
    elif named_output and not named_input:
        sink = choose_device(wishes.output, "output", devices)
        source = sink if sink.inputs else choose_device(None, "input", _beside(sink, devices))
    else:
        sink = choose_device(wishes.output, "output", devices)
        source = choose_device(wishes.input, "input", devices if named_input else _beside(sink, devices))
    if source.host != sink.host:
        raise RetimbreError(
            f"input {source} and output {sink} are reached through different interfaces, which keep different clocks; "
            "choose two of the same (retimbre live --devices)"
        )
    if wishes.channel >= source.inputs:
        raise RetimbreError(f"--channel {wishes.channel + 1}: {source} has {source.inputs} channel(s)")
    return source, sink


def _beside(device: Device, devices: list[Device]) -> list[Device]:
    """Those that are reached through the same interface."""
    return [other for other in devices if other.host == device.host]


def open_stream(
    system: Any,
    wishes: Wishes,
    source: Device | None,
    sink: Device,
    audio: Callable[..., None],
    audio_out: Callable[..., None],
) -> Any:
    """Open the devices, without starting them.

    Args:
        system: the module `sounddevice`.
        wishes: how.
        source: input, or None.
        sink: output.
        audio: callback where there is an input.
        audio_out: callback where there is none.

    Returns:
        A `sounddevice.Stream` or `sounddevice.OutputStream`.

    Raises:
        RetimbreError: a device refuses.
    """
    channels = min(2, sink.outputs)
    common = {
        "samplerate": wishes.sample_rate,
        "blocksize": wishes.block,
        "latency": wishes.latency,
        "dtype": "float32",
    }
    try:
        if source is None:
            return system.OutputStream(device=sink.number, channels=channels, callback=audio_out, **common)
        numbers, counts = (source.number, sink.number), (wishes.channel + 1, channels)
        return system.Stream(device=numbers, channels=counts, callback=audio, **common)
    except system.PortAudioError as error:
        raise RetimbreError(_refusal(error, wishes, source, sink)) from error


def _refusal(error: Exception, wishes: Wishes, source: Device | None, sink: Device) -> str:
    code = error.args[1] if len(error.args) > 1 else None
    named = f"{source} and {sink}" if source and source != sink else str(sink)
    if code == INVALID_RATE:
        rates = sorted({device.sample_rate for device in (source, sink) if device} - {wishes.sample_rate})
        other = f"--rate {rates[0]}" if rates else "another --rate, such as 44100 or 48000"
        return f"{named}: cannot do {wishes.sample_rate} Hz; try {other}"
    if code == BAD_COMBINATION:
        return f"{named}: do not go together; choose one device for both ends (retimbre live --devices)"
    if code == INVALID_CHANNELS:
        return f"{named}: has no channel {wishes.channel + 1}; try --channel 1"
    if code == UNAVAILABLE:
        return f"{named}: is in use or not connected; end the program that uses it, or choose another device"
    return (
        f"{named}: cannot be opened ({error.args[0] if error.args else error}); try another device, --rate or --block"
    )
