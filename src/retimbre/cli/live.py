"""The command that plays as it sounds."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from retimbre.cli.common import check_output_rate, tell
from retimbre.cli.values import count, latency, number, octave, seed
from retimbre.errors import RetimbreError

EXAMPLE = """retimbre live --to violin
  retimbre live --to cello --room own --record takes/
  retimbre live --to flute --room mine
  retimbre live --devices"""


def add_options(sub: argparse.ArgumentParser) -> None:
    """The options of `retimbre live`."""
    what = sub.add_mutually_exclusive_group(required=True)
    what.add_argument("--to", metavar="NAME", help="a shipped instrument, a .safetensors file, or a blend")
    what.add_argument("--devices", action="store_true", help="list the sound cards and end")
    sub.add_argument("--input", metavar="DEV", help="sound card to listen to: its number, or a part of its name")
    sub.add_argument("--output", metavar="DEV", help="sound card to play on (default: the same, or the system's)")
    sub.add_argument("--channel", type=count, default=1, metavar="N", help="of the input (default: 1)")
    sub.add_argument("--rate", type=int, default=48_000, metavar="HZ", help="sample rate (default: 48000)")
    sub.add_argument("--block", type=count, default=128, metavar="N", help="samples at a time (default: 128)")
    sub.add_argument(
        "--latency",
        type=latency,
        default="low",
        metavar="low|high|S",
        help="of the sound card's buffers (default: low)",
    )
    sub.add_argument("--octave", type=octave, default="auto", metavar="auto|N", help="octaves up (default: auto)")
    sub.add_argument("--semitones", type=number(-60, 60), default=0.0, metavar="X", help="further transposition")
    sub.add_argument(
        "--gate-db", type=number(-100, 0), metavar="X", help="fade out below this level (default: automatic)"
    )
    sub.add_argument(
        "--room",
        default="none",
        metavar="ROOM",
        help="as for transfer, or mine: the room that you are in, listened to for 10 s (default: none)",
    )
    sub.add_argument("--dry", type=number(0, 1), default=0.0, metavar="X", help="share of your own sound (default: 0)")
    sub.add_argument("--gain-db", type=number(-60, 60), default=0.0, metavar="X", help="gain of the output")
    sub.add_argument("--midi", metavar="PORT", help="play what a keyboard sends; listen only if --input is given too")
    sub.add_argument("--record", type=Path, metavar="WHERE", help="write input and output to this folder, or PREFIX")
    sub.add_argument("--force", action="store_true", help="replace existing recordings")
    sub.add_argument("--seconds", type=number(0.1, 1e7), metavar="X", help="end by itself (default: at Ctrl-C or q)")
    sub.add_argument("--seed", type=seed, default=0, metavar="N", help="of the noise")
    sub.add_argument("--json", action="store_true", help="print a line of JSON every second, and one at the end")


def live(options: argparse.Namespace) -> int:
    """`retimbre live`: a microphone or a keyboard to loudspeakers."""
    from retimbre.live.display import without_drivers_chatter

    with without_drivers_chatter():
        return _live(options)


def _live(options: argparse.Namespace) -> int:
    from retimbre.live.devices import list_devices, portaudio

    system = portaudio()
    if options.devices:
        devices = list_devices(system)
        if options.json:
            print(json.dumps([device.to_json() for device in devices], ensure_ascii=False))
        else:
            print("\n".join(map(_line, devices)) or "no sound card")
        return 0
    summary = _perform(options, system)
    print(json.dumps(summary) if options.json else _sentence(summary), flush=True)
    if summary["stuck"]:  # PortAudio, which ends with the program, would wait for that driver for ever
        os._exit(0)
    return 0


def _line(device: Any) -> str:
    inputs = f"{device.inputs} in{' (default)' * device.default_input}"
    outputs = f"{device.outputs} out{' (default)' * device.default_output}"
    return f"{device}: {inputs}, {outputs}, {device.sample_rate} Hz"


def _perform(options: argparse.Namespace, system: Any) -> dict[str, Any]:
    from retimbre.base import choose
    from retimbre.instrument import shipped
    from retimbre.live.connection import Connection
    from retimbre.live.desk import MINE, Desk
    from retimbre.live.devices import Wishes, choose_devices, list_devices
    from retimbre.live.ear import Ear
    from retimbre.live.host import Host
    from retimbre.live.performance import Performance, stoppable, undisturbed
    from retimbre.live.recorder import Names, Recorder
    from retimbre.rooms import library
    from retimbre.transfer import choose_room

    check_output_rate(options.rate)
    if not 16 <= options.block <= 8192:
        raise RetimbreError(f"--block {options.block}: outside 16 to 8192 samples")
    instrument = choose(options.to)
    mine = options.room == MINE
    room = "none" if mine else options.room
    choose_room(room, instrument, tell)  # before anything sounds
    recorder = Recorder(Names(options.record or Path(), options.force), options.rate)
    wishes = Wishes(
        options.input,
        options.output,
        listen=options.midi is None or options.input is not None,
        channel=options.channel - 1,
        sample_rate=options.rate,
        block=options.block,
        latency=options.latency,
    )
    if mine and not wishes.listen:
        raise RetimbreError("--room mine: nothing is listened to; give --input too")
    choose_devices(wishes, list_devices(system))
    with ExitStack() as stack:
        stop = threading.Event()
        notes = None
        if options.midi is not None:
            from retimbre.midi.ports import listening

            notes = stack.enter_context(listening(options.midi))
        ear = Ear(options.rate) if wishes.listen else None
        host = Host(
            options.rate,
            instrument,
            channel=options.channel - 1,
            seed=options.seed,
            recorder=recorder,
            ear=ear,
            keys=float(options.midi is not None),
            octave=None if options.octave == "auto" else options.octave,
            semitones=options.semitones,
            gate_db=options.gate_db,
        )
        desk = Desk(
            host,
            recorder,
            instruments=list(dict.fromkeys([options.to, *shipped()])),
            rooms=list(dict.fromkeys([room, "none", "own", *library.shipped()])),
            load=choose,
            choose_room=choose_room,
            ear=ear,
            estimate=_estimate,
            gain=10 ** (options.gain_db / 20),
            dry=options.dry,
        )
        stack.enter_context(stoppable(stop))
        stack.enter_context(undisturbed())
        connection = Connection(system, wishes, host)
        stack.callback(connection.close)
        if not options.json:
            print(_greeting(options, connection))
        if connection.source and connection.source != connection.sink:
            _warn("input and output are two sound cards, whose clocks drift apart: now and then a few samples are lost")
        if mine and (said := desk.press("l")) and not options.json:
            print(said)
        if options.record:
            recorder.start()
        stack.callback(recorder.stop)
        performance = Performance(host, connection, recorder, desk, block=options.block, as_json=options.json)
        return performance.run(stop, options.seconds, notes)


def _estimate(sound: Any, sample_rate: int) -> Any:
    from retimbre.rooms.estimate import estimate

    return estimate(sound, sample_rate, "mine")


def _greeting(options: argparse.Namespace, connection: Any) -> str:
    heard = f"keyboard {options.midi}" if options.midi else connection.source.name
    return f"{heard} -> {options.to} -> {connection.sink.name}, {options.rate} Hz; Ctrl-C ends"


def _warn(message: str) -> None:
    print(f"retimbre: {message}", file=sys.stderr)


def _sentence(summary: dict[str, Any]) -> str:
    xruns = sum(summary[name] for name in ("input_underflow", "input_overflow", "output_underflow", "output_overflow"))
    latency = summary["latency_ms"]
    lines = [
        f"{summary['seconds']} s, {summary['blocks']} blocks, {summary['late']} late, {xruns} xruns, load "
        f"{100 * summary['load']:.1f} %, worst block {summary['worst_ms']} ms (99.9 %: {summary['p999_ms']} ms)",
        f"latency {sum(latency.values()):.1f} ms: engine {latency['engine']}, block {latency['block']}, "
        f"sound card {latency['device']} as it says",
        *([f"the sound card went away {summary['losses']} time(s)"] if summary["losses"] else []),
        *([f"{summary['faults']} blocks were silent: the engine failed"] if summary["faults"] else []),
        *([f"{summary['bad_samples']} samples of the input were no numbers"] if summary["bad_samples"] else []),
        *(
            [f"{lost} samples are missing in the files: the disk was slow"]
            if (lost := summary["lost_in_files"])
            else []
        ),
        *(f"wrote {path}" for path in summary["files"]),
    ]
    if xruns or summary["late"]:
        lines.append("for fewer lost blocks: a larger --block, or --latency high")
    return "\n".join(lines)
