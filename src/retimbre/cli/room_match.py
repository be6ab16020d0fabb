"""The commands that take a room from a recording: `retimbre room match` and `retimbre room dry`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retimbre.cli.common import Run, check_picture, peak, progress_bar, tell
from retimbre.cli.values import number
from retimbre.errors import RetimbreError

if TYPE_CHECKING:
    from retimbre.rooms.measured import MeasuredRoom
    from retimbre.rooms.room import Room

Adder = Callable[[str, Run, str, str], argparse.ArgumentParser]


def add_commands(command: Adder, room_help: str) -> None:
    """Put both into the parser of `retimbre room`."""
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
    wanted.add_argument("--room", metavar="ROOM", help=f"... or the room itself: {room_help}")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    sub.add_argument(
        "--source-room",
        default="auto",
        metavar="auto|none|ROOM",
        help="that SRC was recorded in: heard in it (auto, the default), none, or a room",
    )
    sub.add_argument("--stereo", action="store_true", help="two channels, whose reverberation differs")
    sub.add_argument("--picture", type=Path, metavar="PNG", help="draw the room that is wanted, and that of SRC")
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
    sub.add_argument("--room", metavar="ROOM", help=f"that SRC was recorded in (default: heard in it): {room_help}")
    sub.add_argument(
        "--with",
        dest="instrument",
        metavar="NAME",
        help="an instrument to play it with no room (--strength does not matter)",
    )
    sub.add_argument("--picture", type=Path, metavar="PNG", help="draw the room that SRC was recorded in")
    _strength(sub)
    _ending(sub)


def _strength(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--strength",
        type=number(0, 10),
        default=1.0,
        metavar="X",
        help="how much is taken out: 0 nothing, 1 gently (default), 2 and more strongly; little of tones in any case",
    )


def _ending(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--gain-db", type=number(-60, 60), default=0.0, metavar="X", help="gain of the output")
    sub.add_argument("--json", action="store_true", help="print what was done as JSON")
    sub.add_argument("--force", action="store_true", help="replace an existing file (never an input)")


def match(options: argparse.Namespace) -> int:
    """`retimbre room match`: the room of one recording around another."""
    from retimbre.files import refuse_overwrite
    from retimbre.rooms import library
    from retimbre.rooms.estimate import estimate_file
    from retimbre.rooms.match import match_file

    if options.room and options.room.startswith(library.HEARD):
        options.like = library.file_of(options.room)
    named = [library.file_of(name) for name in (options.room, options.source_room) if name]
    inputs = [options.input, *([options.like] if options.like else []), *named]
    refuse_overwrite(options.output, overwrite=options.force, inputs=inputs)
    if options.picture:
        check_picture(options.picture, options.force, [*inputs, options.output])
    own = None if options.source_room in ("auto", "none") else numbers(options.source_room)
    dry = options.source_room == "none"
    with progress_bar(options.input.name, options.json) as progress:
        estimate = estimate_file(options.like) if options.like else None
        target = estimate.room if estimate else _wanted(options.room, dry)
        report = match_file(
            options.input,
            options.output,
            target,
            source_room=own,
            dry=dry,
            strength=options.strength,
            channels=2 if options.stereo else 1,
            gain_db=options.gain_db,
            overwrite=options.force,
            progress=progress,
        )
    if estimate:
        report |= {"like": str(options.like), "estimate": estimate.to_json()}
        for warning in estimate.warnings:
            tell(f"{options.like}: {warning}")
    if options.picture:
        _draw_match(options.picture, target, report)
    _warn(options.input, report)
    if options.json:
        print(json.dumps(report, ensure_ascii=False))
        return 0
    if estimate:
        (low, high), c50 = estimate.t60_range_s, estimate.c50_db
        print(f"{options.like}: T60 {estimate.t60_s:.2f} s ({low:.2f} to {high:.2f}), C50 {c50:.1f} dB")
    after = "; its own room was turned down first" if report["dereverberated"] else ""
    print(f"{report['output']}: {report['seconds']:.1f} s in {report['room']}, {peak(report)}{after}")
    return 0


def _wanted(name: str, dry: bool) -> Room | MeasuredRoom:
    """The room of a name; what looks like no response is refused later where there is a room to compare it with."""
    from retimbre.rooms.library import find

    return find(name, tell=tell) if dry else find(name)


def _warn(source: Path, report: dict[str, Any]) -> None:
    if report["clipped_samples"] and "suggested_gain_db" in report:
        clipped = f"{report['clipped_samples']} samples clipped; try --gain-db {report['suggested_gain_db']:.1f}"
        report["warnings"] = [*report["warnings"], clipped]
    for warning in report["warnings"]:
        tell(f"{source}: {warning}")


def _draw_match(picture: Path, target: Room | MeasuredRoom, report: dict[str, Any]) -> None:
    """The room that is wanted, and that of the recording where it has one."""
    from retimbre.rooms.drawing import draw, response_of
    from retimbre.rooms.room import Room

    responses = [response_of(target, target.name or "wanted")]
    if report["source_room"]:
        own = Room.from_json(report["source_room"])
        responses.append(response_of(own, f"own room of {Path(report['input']).name}"))
    draw(picture, responses)


def numbers(name: str) -> Room:
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

    inputs = [options.input, *([library.file_of(options.room)] if options.room else [])]
    refuse_overwrite(options.output, overwrite=options.force, inputs=inputs)
    if options.picture:
        check_picture(options.picture, options.force, [*inputs, options.output])
    with progress_bar(options.input.name, options.json) as progress:
        estimate = None if options.room else estimate_file(options.input)
        room = estimate.room if estimate else numbers(options.room)
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
    if options.picture:
        from retimbre.rooms.drawing import draw, response_of

        draw(options.picture, [response_of(room)], estimate)
    report["warnings"] = [*report.get("warnings", []), *(estimate.warnings if estimate else ())]
    _warn(options.input, report)
    if options.json:
        print(json.dumps(report | ({"estimate": estimate.to_json()} if estimate else {}), ensure_ascii=False))
        return 0
    out_of = f"T60 {estimate.t60_s:.2f} s" if estimate else room.name
    done = f"played by {report['instrument']}, without the room" if options.instrument else "with less of its room"
    print(f"{report['output']}: {report['seconds']:.1f} s, {done} ({out_of}), {peak(report)}")
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
