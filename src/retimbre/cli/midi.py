"""The command that plays MIDI files."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from retimbre.cli.common import check_output_rate, peak, progress_bar, tell

if TYPE_CHECKING:
    from retimbre.midi.score import Part


def play(options: argparse.Namespace) -> int:
    """`retimbre play`: a MIDI file to a sound."""
    from retimbre.base import choose
    from retimbre.files import refuse_overwrite
    from retimbre.midi.perform import play_file
    from retimbre.midi.score import choose_part, read_parts
    from retimbre.rooms.library import file_of
    from retimbre.transfer import Settings, choose_room

    check_output_rate(options.rate)
    refuse_overwrite(options.output, overwrite=options.force, inputs=[options.input, file_of(options.room)])
    parts = read_parts(options.input, mpe=options.mpe)
    part = choose_part(options.input, parts, options.track, options.channel)
    instrument = choose(options.instrument)
    settings = Settings(
        octave=options.octave,
        semitones=options.semitones,
        gain_db=options.gain_db,
        seed=options.seed,
        room=choose_room(options.room, instrument, tell),
    )
    with progress_bar(options.input.name, options.json) as progress:
        report = play_file(
            options.input,
            part,
            options.output,
            instrument,
            settings,
            sample_rate=options.rate or 48_000,
            overwrite=options.force,
            progress=progress,
        )
    if options.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        chosen = f" of {part.title}" if len(parts) > 1 else ""
        length = f"{report['seconds']} s, {peak(report)}"
        print(f"{report['output']}: {report['notes']} notes{chosen}, {length}")
        if len(parts) > 1 and options.track is None and options.channel is None:
            print(_others([one for one in parts if one is not part]))
    for warning in report["warnings"]:
        print(f"retimbre: {options.input}: {warning}", file=sys.stderr)
    return 0


def _others(parts: list[Part]) -> str:
    """How to ask for another part."""
    listed = [f"--track {part.track} --channel {part.channel} ({len(part.notes)} notes)" for part in parts[:3]]
    return f"others: {', '.join(listed)}{f' and {len(parts) - 3} more' if len(parts) > 3 else ''}"
