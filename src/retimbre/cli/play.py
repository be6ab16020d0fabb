"""The commands that walk along the line: transfer, analyze, render, instruments."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retimbre.cli.common import check_output_rate, check_picture, peak, progress_bar, tell
from retimbre.errors import RetimbreError

if TYPE_CHECKING:
    from retimbre.controls import Controls


def transfer(options: argparse.Namespace) -> int:
    """`retimbre transfer`: sounds played by an instrument."""
    from retimbre import audio
    from retimbre.base import choose
    from retimbre.cli.learn import cloned
    from retimbre.files import refuse_overwrite
    from retimbre.live.playback import play_file
    from retimbre.rooms.library import file_of
    from retimbre.transfer import Settings, choose_room, transfer_file

    check_output_rate(options.rate)
    play = play_file if options.no_lookahead else transfer_file
    instrument = cloned(options.like) if options.like else choose(options.to)
    sources = audio.find(options.inputs)
    if options.picture and len(sources) > 1:
        raise RetimbreError("--picture: draws one input; give a single file")
    outputs = _outputs(sources, options, instrument.name)
    if options.picture:
        check_picture(options.picture, options.force, [*sources, *outputs])
    settings = Settings(
        options.octave,
        options.semitones,
        options.gain_db,
        options.fit_loudness == "on",
        options.gate_db,
        options.seed,
        choose_room(options.room, instrument, tell),
    )
    failed = 0
    for source, output in zip(sources, outputs, strict=True):
        try:
            refuse_overwrite(
                output, overwrite=options.force, inputs=[*sources, file_of(options.room)]
            )  # nor over an input of another turn
            with progress_bar(source.name, options.json) as progress:
                report = play(
                    source,
                    output,
                    instrument,
                    settings,
                    output_rate=options.rate,
                    overwrite=options.force,
                    progress=progress,
                )
        except RetimbreError as error:
            if len(sources) == 1:
                raise
            failed += 1  # the others go on
            print(f"retimbre: {error}", file=sys.stderr)
            continue
        print(json.dumps(report) if options.json else _sentence(report))
        _warn(source, report)
        if options.picture:
            _draw_pair(options.picture, source, output, instrument.name)
    return 2 if failed else 0


def _outputs(sources: list[Path], options: argparse.Namespace, name: str) -> list[Path]:
    """Where each source goes: into a file or a folder as asked, else beside nothing it could overwrite."""
    target: Path | None = options.output
    if len(sources) == 1 and target is not None and not target.is_dir() and not options.inputs[0].is_dir():
        return [target]
    folder = target or Path()
    if target is not None and target.suffix and not target.is_dir():
        raise RetimbreError(
            f"{target}: several inputs, or a folder of them, need a folder to go to; name one without a suffix"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RetimbreError(f"{folder}: is no folder and cannot become one ({error.strerror}); name another") from None
    outputs = [folder / f"{source.stem}_{name}.wav" for source in sources]
    double = {path for path in outputs if outputs.count(path) > 1}
    return [path.with_stem(f"{path.stem}_{place}") if path in double else path for place, path in enumerate(outputs, 1)]


def _warn(source: Path, report: dict[str, Any]) -> None:
    for warning in report["warnings"]:
        print(f"retimbre: {source}: {warning}", file=sys.stderr)


def _sentence(report: dict[str, Any]) -> str:
    moved = f", {report['octave']:+d} octave" + "s" * (abs(report["octave"]) > 1) if report["octave"] else ""
    speed = f"{report['seconds']:.1f} s at {report['times_real_time']:.0f} times real time"
    return f"{report['output']}: {speed}, {peak(report)}{moved}"


def _draw_pair(picture: Path, source: Path, output: Path, name: str) -> None:
    from retimbre import audio
    from retimbre.analysis import analyze
    from retimbre.picture import compare

    rows = []
    for title, path in ((source.name, source), (name, output)):
        sound, rate = audio.read(path)
        rows.append((title, sound, rate, analyze(sound, rate)))
    compare(picture, rows)


def analyze(options: argparse.Namespace) -> int:
    """`retimbre analyze`: a sound to controls."""
    import numpy as np

    from retimbre import audio
    from retimbre.analysis import analyze_blocks
    from retimbre.files import refuse_overwrite

    if options.output:
        if options.output.suffix.lower() != ".csv":
            raise RetimbreError(f"{options.output}: controls are written as .csv; for notes there is --midi")
        refuse_overwrite(options.output, overwrite=options.force, inputs=[options.input])
    if options.picture:
        check_picture(options.picture, options.force, [path for path in (options.input, options.output) if path])
    if options.midi:
        from retimbre.midi.write import check_suffix

        check_suffix(options.midi)
        refuse_overwrite(options.midi, overwrite=options.force, inputs=[options.input])
    with audio.Reader(options.input) as reader, progress_bar(options.input.name, options.json) as progress:
        rate, done = reader.sample_rate, 0

        def blocks() -> Iterator[Any]:
            nonlocal done
            for block in reader.blocks():
                done += len(block)
                progress(min(1.0, done / max(1, reader.n_samples)))
                yield block

        controls = analyze_blocks(blocks(), rate, lookahead=not options.no_lookahead)
    if options.output:
        controls.save_csv(options.output, overwrite=options.force)
    if options.picture:
        sound, rate = audio.read(options.input)
        controls.draw(options.picture, audio=sound, sample_rate=rate, title=options.input.name)
    written = _write_midi(options.midi, controls, options.force) if options.midi else {}
    voiced = controls.voiced
    summary = {
        "input": str(options.input),
        "seconds": round(controls.seconds, 3),
        "frames": len(controls),
        "voiced_share": round(float(voiced.mean()), 4),
        "median_f0_hz": round(float(np.median(controls.f0_hz[voiced])), 2) if voiced.any() else None,
        "median_loudness_db": round(float(np.median(controls.loudness_db[voiced])), 1) if voiced.any() else None,
        **written,
    }
    if options.json:
        print(json.dumps(summary))
    else:
        pitch = f"median {summary['median_f0_hz']} Hz" if voiced.any() else "no pitch"
        notes = f", {written['notes']} notes" if written else ""
        share = f"{100 * summary['voiced_share']:.0f} % voiced"
        print(f"{options.input}: {summary['seconds']:.1f} s, {share}, {pitch}{notes}")
    if written and not written["notes"]:
        tell(f"{options.input}: no note was found: {options.midi} holds none")
    return 0


def _write_midi(path: Path, controls: Controls, force: bool) -> dict[str, int]:
    from retimbre.midi.transcribe import transcribe
    from retimbre.midi.write import write_notes

    notes = transcribe(controls)
    write_notes(notes, path, controls, overwrite=force)
    return {"notes": len(notes)}


def render(options: argparse.Namespace) -> int:
    """`retimbre render`: controls to a sound."""
    from retimbre.base import choose
    from retimbre.controls import Controls
    from retimbre.files import refuse_overwrite
    from retimbre.rooms.library import file_of
    from retimbre.transfer import Settings, choose_room, render_file

    check_output_rate(options.rate)
    refuse_overwrite(options.output, overwrite=options.force, inputs=[options.input, file_of(options.room)])
    instrument, controls = choose(options.instrument), Controls.load_csv(options.input)
    settings = Settings(gain_db=options.gain_db, seed=options.seed, room=choose_room(options.room, instrument, tell))
    with progress_bar(options.input.name, options.json) as progress:
        report = render_file(
            controls,
            options.output,
            instrument,
            settings,
            sample_rate=options.rate or 48_000,
            overwrite=options.force,
            progress=progress,
        )
    print(json.dumps(report) if options.json else f"{report['output']}: {report['seconds']} s, {peak(report)}")
    _warn(options.input, report)
    return 0


def instruments(options: argparse.Namespace) -> int:
    """`retimbre instruments`: what is shipped."""
    from retimbre.controls import note_name
    from retimbre.instrument import load, shipped

    names = shipped()
    loaded = [load(name) for name in names]
    if options.json:
        print(json.dumps([one.card for one in loaded], indent=2, ensure_ascii=False))
        return 0
    for name, one in zip(names, loaded, strict=True):
        notes = " to ".join(map(note_name, one.range_midi))
        print(f"{name:<16} {notes:<12} {one.card['license']:<10} {one.card['description']}")
    return 0
