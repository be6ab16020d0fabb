"""The commands around rooms: list, measure, apply, match, dry, save."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retimbre.cli.common import check_output_rate, check_picture, command_adder, progress_bar
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
    sub.add_argument("--gain-db", type=number(-60, 60), default=0.0, metavar="X", help="gain of the output")
    sub.add_argument("--json", action="store_true", help="print what was done as JSON")
    sub.add_argument("--force", action="store_true", help="replace an existing file (never the input)")

    sub = command(
        "match",
        match,
        "put the room of one recording around another, and take the other's own out where it is too much",
        "retimbre room match voice.wav --like interview.wav -o voice_there.wav --stereo",
    )
    sub.add_argument("input", metavar="SRC", type=Path)
    wanted = sub.add_mutually_exclusive_group(required=True)
    wanted.add_argument(
        "--like", type=Path, metavar="REF", help="a recording of speech or music, 10 s or more, in the room"
    )
    wanted.add_argument("--room", metavar="ROOM", help=f"... or the room itself: {ROOM_HELP}")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    sub.add_argument(
        "--source-room",
        default="auto",
        metavar="auto|none|ROOM",
        help="that SRC was recorded in: heard in it (auto, the default), none, or a room",
    )
    sub.add_argument("--stereo", action="store_true", help="two channels, whose reverberation differs")
    sub.add_argument("--picture", type=Path, metavar="PNG", help="draw the room that is wanted and what was added")
    _strength(sub)
    _ending(sub)

    sub = command(
        "dry",
        dry,
        "turn down the reverberation of a recording, or play it with an instrument and no room at all",
        "retimbre room dry voice.wav -o voice_dry.wav\n"
        "  retimbre room dry church_solo.wav --with cello -o cello_dry.wav",
    )
    sub.add_argument("input", metavar="SRC", type=Path)
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    sub.add_argument("--room", metavar="ROOM", help=f"that SRC was recorded in (default: heard in it): {ROOM_HELP}")
    sub.add_argument("--with", dest="instrument", metavar="NAME", help="an instrument to play it: name, file, or blend")
    _strength(sub)
    _ending(sub)

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


def _strength(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--strength",
        type=number(0, 10),
        default=1.0,
        metavar="X",
        help="how much is taken out: 0 nothing, 1 gently (default), 2 and more also what fluctuates",
    )


def _ending(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--gain-db", type=number(-60, 60), default=0.0, metavar="X", help="gain of the output")
    sub.add_argument("--json", action="store_true", help="print what was done as JSON")
    sub.add_argument("--force", action="store_true", help="replace an existing file (never an input)")


def _changes(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--decay", type=number(0.1, 10), default=1.0, metavar="X", help="let it ring X times as long")
    sub.add_argument("--distance", type=number(0.1, 10), default=1.0, metavar="X", help="listen from X times as far")


def _find(options: argparse.Namespace) -> Room | MeasuredRoom:
    """The room that is asked for, changed as is asked for."""
    from retimbre.rooms.library import find
    from retimbre.rooms.measured import MeasuredRoom

    room = find(options.room)
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
        from retimbre.rooms.drawing import draw

        measured = isinstance(room, MeasuredRoom)
        rate = room.sample_rate if measured else 48_000
        draw(options.picture, [(room.name, room.response[:, 0] if measured else room.to_rir(rate), rate)])
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
    from retimbre.rooms.place import place_file

    inputs = [options.input, Path(options.room)]
    refuse_overwrite(options.output, overwrite=options.force, inputs=inputs)
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
    print(json.dumps(report) if options.json else _sentence(report))
    return 0


def _sentence(report: dict[str, Any]) -> str:
    text = f"{report['output']}: {report['seconds']:.1f} s in {report['room']}, peak {report['peak_db']} dB"
    if report["clipped_samples"]:
        text += f"; {report['clipped_samples']} samples clipped, try --gain-db {report['suggested_gain_db']:.1f}"
    return text


def match(options: argparse.Namespace) -> int:
    """`retimbre room match`: the room of one recording around another."""
    from retimbre.files import refuse_overwrite
    from retimbre.rooms import library
    from retimbre.rooms.estimate import estimate_file
    from retimbre.rooms.match import match_file

    named = [name.removeprefix(library.HEARD) for name in (options.room, options.source_room) if name]
    inputs = [options.input, *([options.like] if options.like else []), *map(Path, named)]
    refuse_overwrite(options.output, overwrite=options.force, inputs=inputs)
    if options.picture:
        check_picture(options.picture, options.force, [*inputs, options.output])
    own = None if options.source_room in ("auto", "none") else _numbers(options.source_room)
    with progress_bar(options.input.name, options.json) as progress:
        estimate = estimate_file(options.like) if options.like else None
        target = estimate.room if estimate else library.find(options.room)
        report = match_file(
            options.input,
            options.output,
            target,
            source_room=own,
            dry=options.source_room == "none",
            strength=options.strength,
            channels=2 if options.stereo else 1,
            gain_db=options.gain_db,
            overwrite=options.force,
            progress=progress,
        )
    if estimate:
        report |= {"like": str(options.like), "estimate": estimate.to_json()}
        report["warnings"] = [*(f"{options.like}: {text}" for text in estimate.warnings), *report["warnings"]]
    if options.picture:
        _draw_match(options.picture, target, report)
    for warning in report["warnings"]:
        print(f"retimbre: {options.input}: {warning}", file=sys.stderr)
    if options.json:
        print(json.dumps(report, ensure_ascii=False))
        return 0
    if estimate:
        (low, high), c50 = estimate.t60_range_s, estimate.c50_db
        print(f"{options.like}: T60 {estimate.t60_s:.2f} s ({low:.2f} to {high:.2f}), C50 {c50:.1f} dB")
    print(_sentence(report) + ("; its own room was turned down first" if report["dereverberated"] else ""))
    return 0


def _draw_match(picture: Path, target: Room | MeasuredRoom, report: dict[str, Any]) -> None:
    """The room that is wanted, and that of the recording where it has one."""
    from retimbre.rooms.drawing import draw
    from retimbre.rooms.room import Room

    responses = [(target.name or "wanted", target.to_rir(48_000), 48_000)]
    if report["source_room"]:
        own = Room.from_json(report["source_room"])
        responses.append((f"own room of {Path(report['input']).name}", own.to_rir(48_000), 48_000))
    draw(picture, responses)


def _numbers(name: str) -> Room:
    """A room as numbers: a measured response is fitted."""
    from retimbre.rooms.library import find
    from retimbre.rooms.measured import MeasuredRoom
    from retimbre.rooms.room import Room

    room = find(name)
    if not isinstance(room, MeasuredRoom):
        return room
    try:
        return Room.from_rir(room.response[:, 0], room.sample_rate, room.name)
    except RetimbreError as error:
        raise RetimbreError(f"{name}: {error}") from None


def dry(options: argparse.Namespace) -> int:
    """`retimbre room dry`: a recording with less of its room, or an instrument with none."""
    from retimbre.files import refuse_overwrite
    from retimbre.rooms import library
    from retimbre.rooms.estimate import estimate_file
    from retimbre.rooms.place import dry_file

    inputs = [options.input, *([Path(options.room.removeprefix(library.HEARD))] if options.room else [])]
    refuse_overwrite(options.output, overwrite=options.force, inputs=inputs)
    with progress_bar(options.input.name, options.json) as progress:
        estimate = None if options.room else estimate_file(options.input)
        room = estimate.room if estimate else _numbers(options.room)
        if options.instrument:
            report = _played_dry(options, room, progress)
        else:
            report = dry_file(
                options.input,
                options.output,
                room,
                strength=options.strength,
                gain_db=options.gain_db,
                overwrite=options.force,
                progress=progress,
            )
    report["warnings"] = [*report.get("warnings", []), *(estimate.warnings if estimate else ())]
    for warning in report["warnings"]:
        print(f"retimbre: {options.input}: {warning}", file=sys.stderr)
    if options.json:
        print(json.dumps(report | ({"estimate": estimate.to_json()} if estimate else {}), ensure_ascii=False))
        return 0
    out_of = f"T60 {estimate.t60_s:.2f} s" if estimate else room.name
    done = f"played by {report['instrument']}, without the room" if options.instrument else "with less of its room"
    print(f"{report['output']}: {report['seconds']:.1f} s, {done} ({out_of}), peak {report['peak_db']} dB")
    return 0


def _played_dry(options: argparse.Namespace, room: Room, progress: Callable[[float], None]) -> dict[str, Any]:
    from retimbre.base import choose
    from retimbre.transfer import Settings, transfer_file

    return transfer_file(
        options.input,
        options.output,
        choose(options.instrument),
        Settings(gain_db=options.gain_db),
        recorded_in=room,
        overwrite=options.force,
        progress=progress,
    )


def save(options: argparse.Namespace) -> int:
    """`retimbre room save`: a room as a response or as numbers."""
    from retimbre.files import refuse_overwrite
    from retimbre.rooms import library
    from retimbre.rooms.measured import MeasuredRoom

    check_output_rate(options.rate)
    refuse_overwrite(options.output, overwrite=options.force, inputs=[options.room])
    room = _find(options)
    if options.output.suffix.lower() != ".json":
        channels = 2 if options.stereo else 1
        room.save_wav(options.output, options.rate or 48_000, channels, overwrite=options.force)
    else:
        if options.stereo or options.rate:
            raise RetimbreError(f"{options.output}: numbers have no channels and no rate; leave out --stereo, --rate")
        library.save(
            _numbers(options.room) if isinstance(room, MeasuredRoom) else room, options.output, overwrite=options.force
        )
    print(f"{options.output}: play in it: retimbre room apply voice.wav --room {options.output} -o out.wav")
    return 0
