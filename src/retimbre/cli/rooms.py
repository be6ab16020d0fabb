"""The commands around rooms: list, measure, estimate, apply, match, dry, save."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retimbre.cli import room_match
from retimbre.cli.common import check_output_rate, check_picture, command_adder, peak, progress_bar, tell
from retimbre.cli.room_estimate import estimate
from retimbre.cli.values import number
from retimbre.errors import RetimbreError

if TYPE_CHECKING:
    from retimbre.rooms.measure import Figures
    from retimbre.rooms.measured import MeasuredRoom
    from retimbre.rooms.room import Room

ROOM_HELP = "a shipped room, a .wav of an impulse response, a room.json, or like:REF.wav, the room heard in a recording"


def add_commands(group: argparse.ArgumentParser) -> None:
    """Put the subcommands of `retimbre room` into its parser."""
    command = command_adder(group)
    sub = command("list", list_rooms, "list the shipped rooms", "retimbre room list")
    sub.add_argument("--json", action="store_true", help="print all that is known of them as JSON")

    sub = command(
        "measure",
        measure,
        "measure a room as ISO 3382 does: decay times, clarity, direct sound",
        "retimbre room measure church.wav --picture church.png",
    )
    sub.add_argument("room", metavar="ROOM", help=ROOM_HELP)
    sub.add_argument("--picture", type=Path, metavar="PNG", help="draw its decay curves and figures")
    sub.add_argument("--json", action="store_true", help="print the figures as JSON")
    sub.add_argument("--force", action="store_true", help="replace an existing picture")

    sub = command(
        "estimate",
        estimate,
        "hear the room of any recording of speech or music: its figures, and a response to play in",
        "retimbre room estimate interview.wav -o its_room.json --rir its_room.wav --picture its_room.png",
    )
    sub.add_argument("reference", metavar="REF", type=Path, help="10 s and more of speech, or of music with rests")
    sub.add_argument("-o", "--output", type=Path, metavar="JSON", help="write the room's numbers, for --room")
    sub.add_argument("--rir", type=Path, metavar="WAV", help="write a response for any convolution reverb")
    sub.add_argument("--picture", type=Path, metavar="PNG", help="draw its decay curves and figures")
    sub.add_argument("--compare", type=Path, metavar="WAV", help="a measured response, drawn and printed beside it")
    sub.add_argument("--json", action="store_true", help="print the figures as JSON")
    sub.add_argument("--force", action="store_true", help="replace existing files (never the reference)")

    sub = command(
        "apply",
        apply,
        "play a recording in a room",
        "retimbre room apply voice.wav --room hall -o voice_in_hall.wav --stereo",
    )
    sub.add_argument("input", metavar="SRC", type=Path)
    sub.add_argument("--room", required=True, metavar="ROOM", help=ROOM_HELP)
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    sub.add_argument("--stereo", action="store_true", help="two channels, whose reverberation differs")
    _changes(sub)
    sub.add_argument("--picture", type=Path, metavar="PNG", help="draw the room's decay curves and figures")
    sub.add_argument("--gain-db", type=number(-60, 60), default=0.0, metavar="X", help="gain of the output")
    sub.add_argument("--json", action="store_true", help="print what was done as JSON")
    sub.add_argument("--force", action="store_true", help="replace an existing file (never the input)")

    room_match.add_commands(command, ROOM_HELP)

    sub = command(
        "save",
        save,
        "write a room as a .wav for any convolution reverb, or its numbers, fitted if need be, as .json",
        "retimbre room save hall -o hall.wav --stereo\n  retimbre room save church.wav -o church.json",
    )
    sub.add_argument("room", metavar="ROOM", help=ROOM_HELP)
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    sub.add_argument("--stereo", action="store_true", help="two channels, whose reverberation differs")
    sub.add_argument("--rate", type=int, metavar="HZ", help="sample rate of a .wav (default: 48000)")
    _changes(sub)
    sub.add_argument("--force", action="store_true", help="replace an existing file")


def _changes(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--decay", type=number(0.1, 10), default=1.0, metavar="X", help="let it ring X times as long")
    sub.add_argument("--distance", type=number(0.1, 10), default=1.0, metavar="X", help="listen from X times as far")


def _find(options: argparse.Namespace, tell: Callable[[str], None] = tell) -> Room | MeasuredRoom:
    """The room that is asked for, changed as is asked for."""
    from retimbre.rooms.library import find
    from retimbre.rooms.measured import MeasuredRoom

    room = find(options.room, tell=tell)
    if options.decay == options.distance == 1:
        return room
    if isinstance(room, MeasuredRoom):
        raise RetimbreError(
            f"{options.room}: a measured response is played as it is; for --decay and --distance fit its numbers "
            "first: retimbre room save"
        )
    try:
        return room.scale(decay=options.decay, distance=options.distance)
    except ValueError as error:
        raise RetimbreError(f"--decay, --distance: {options.room} cannot become that ({error}); go less far") from None


def list_rooms(options: argparse.Namespace) -> int:
    """`retimbre room list`: what is shipped."""
    from retimbre.rooms.library import about, shipped

    rows = sorted((about(name) for name in shipped()), key=lambda row: row["mid_t30_s"])
    if options.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    for row in rows:
        figures = f"T30 {row['mid_t30_s']:4.1f} s   C80 {row['mid_c80_db']:5.1f} dB"
        print(f"{row['name']:<10} {figures}   {row['license']:<14} {row['description']}")
    return 0


def measure(options: argparse.Namespace) -> int:
    """`retimbre room measure`: the figures of a room."""
    from retimbre.rooms.library import find
    from retimbre.rooms.measured import MeasuredRoom

    if options.picture:
        check_picture(options.picture, options.force, [Path(options.room)])
    room = find(options.room)
    try:
        report = room.report()
    except RetimbreError as error:
        raise RetimbreError(f"{options.room}: {error}") from None
    if options.picture:
        from retimbre.rooms.drawing import draw, response_of

        draw(options.picture, [response_of(room)])
    if options.json:
        print(json.dumps({"room": room.name} | report.to_json(), ensure_ascii=False))
        return 0
    channels = room.response.shape[1] if isinstance(room, MeasuredRoom) else 1
    of = f" (the first of {channels} channels)" if channels > 1 else ""
    print(f"{room.name}{of}: direct sound at {1000 * report.start_s:.1f} ms")
    print("           EDT, s  T20, s  T30, s  C50, dB  C80, dB  D50, %  Ts, ms  DRR, dB  range, dB")
    for row in (*report.octaves, report.broadband):
        print(_line(row))
    for warning in report.warnings:
        print(warning)
    return 0


def _line(row: Figures) -> str:
    from retimbre.rooms.measure import band_name

    def cell(value: float | None, width: int, digits: int) -> str:
        return f"{'-' if value is None else f'{value:.{digits}f}':>{width}}"

    times = "".join(cell(value, 8, 2) for value in (row.edt_s, row.t20_s, row.t30_s))
    energies = cell(row.c50_db, 9, 1) + cell(row.c80_db, 9, 1) + cell(100 * row.d50, 8, 0) + cell(1000 * row.ts_s, 8, 0)
    return f"{band_name(row.band_hz):>9}{times}{energies}{cell(row.drr_db, 9, 1)}{cell(row.range_db, 11, 0)}"


def apply(options: argparse.Namespace) -> int:
    """`retimbre room apply`: a sound in a room."""
    from retimbre.files import refuse_overwrite
    from retimbre.rooms.library import file_of
    from retimbre.rooms.place import place_file

    inputs = [options.input, file_of(options.room)]
    refuse_overwrite(options.output, overwrite=options.force, inputs=inputs)
    if options.picture:
        check_picture(options.picture, options.force, [*inputs, options.output])
    room = _find(options)
    with progress_bar(options.input.name, options.json) as progress:
        report = place_file(
            options.input,
            options.output,
            room,
            channels=2 if options.stereo else 1,
            gain_db=options.gain_db,
            overwrite=options.force,
            progress=progress,
        )
    if options.picture:
        from retimbre.rooms.drawing import draw, response_of

        draw(options.picture, [response_of(room)])
    print(json.dumps(report) if options.json else _sentence(report))
    return 0


def _sentence(report: dict[str, Any]) -> str:
    text = f"{report['output']}: {report['seconds']:.1f} s in {report['room']}, {peak(report)}"
    if report["clipped_samples"]:
        text += f"; {report['clipped_samples']} samples clipped, try --gain-db {report['suggested_gain_db']:.1f}"
    return text


def save(options: argparse.Namespace) -> int:
    """`retimbre room save`: a room as a response or as numbers."""
    from retimbre.files import refuse_overwrite
    from retimbre.rooms import library
    from retimbre.rooms.measured import MeasuredRoom
    from retimbre.rooms.room import check_suffix

    check_output_rate(options.rate)
    refuse_overwrite(options.output, overwrite=options.force, inputs=[library.file_of(options.room)])
    as_numbers = options.output.suffix.lower() == ".json"
    if not as_numbers:
        check_suffix(options.output)
    # What looks like no response is refused there, not played.
    room = _find(options, tell if not as_numbers or options.room.startswith(library.HEARD) else lambda text: None)
    if not as_numbers:
        channels = 2 if options.stereo else 1
        room.save_wav(options.output, options.rate or 48_000, channels, overwrite=options.force)
    else:
        if options.stereo or options.rate:
            raise RetimbreError(f"{options.output}: numbers have no channels and no rate; leave out --stereo, --rate")
        library.save(
            room_match.numbers(options.room) if isinstance(room, MeasuredRoom) else room,
            options.output,
            overwrite=options.force,
        )
    print(f"{options.output}: play in it: retimbre room apply voice.wav --room {options.output} -o out.wav")
    return 0
