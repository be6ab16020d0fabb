"""The `retimbre` command. Each subcommand is a walk along the line: analyse, adjust, decode, synthesise."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from retimbre.errors import RetimbreError

EPILOG = """examples:
  retimbre instruments
  retimbre transfer voice.wav --to cello -o cello.wav
  retimbre transfer takes/ --to my-flute.safetensors -o out/ --octave 1
  retimbre analyze voice.wav -o controls.csv --picture voice.png
  retimbre render controls.csv --with cello -o cello.wav
  retimbre train recordings/ -o my-flute.safetensors --minutes 5
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0, 2 for what the user can cure, 130 after Ctrl-C."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except RetimbreError as error:
        print(f"retimbre: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of our output has gone
        return 0
    except KeyboardInterrupt:
        print("retimbre: stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="retimbre",
        description="Play any monophonic sound as any instrument.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    from retimbre import __version__

    parser.add_argument("--version", action="version", version=f"retimbre {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str, example: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    sub = command(
        "transfer",
        _transfer,
        "play recordings with an instrument",
        "retimbre transfer voice.wav --to cello -o cello.wav --octave -1",
    )
    sub.add_argument("inputs", nargs="+", metavar="IN", type=Path, help="audio files, or folders of them")
    sub.add_argument("--to", required=True, metavar="NAME", help="a shipped instrument or a .safetensors file")
    sub.add_argument("-o", "--output", type=Path, help="file, or folder for several inputs (default: IN_NAME.wav here)")
    sub.add_argument("--octave", type=_octave, default="auto", metavar="auto|N", help="octaves up (default: auto)")
    sub.add_argument("--semitones", type=_number(-60, 60), default=0.0, metavar="X", help="further transposition")
    sub.add_argument("--gain-db", type=_number(-60, 60), default=0.0, metavar="X", help="gain of the output")
    sub.add_argument(
        "--fit-loudness",
        choices=("on", "off"),
        default="on",
        help="match the dynamics to the instrument's (default: on)",
    )
    sub.add_argument(
        "--gate-db",
        type=_number(-100, 0),
        metavar="X",
        help="fade out below this A-weighted level (default: automatic)",
    )
    sub.add_argument("--picture", type=Path, metavar="PNG", help="also draw input and output (one input)")
    _output_options(sub)

    sub = command(
        "analyze",
        _analyze,
        "measure pitch, periodicity and loudness of a recording",
        "retimbre analyze voice.wav -o c.csv",
    )
    sub.add_argument("input", metavar="IN", type=Path)
    sub.add_argument("-o", "--output", type=Path, metavar="CSV", help="write the controls, 200 rows a second")
    sub.add_argument("--picture", type=Path, metavar="PNG", help="draw them over the spectrogram")
    sub.add_argument("--no-lookahead", action="store_true", help="as live use would know them")
    sub.add_argument("--json", action="store_true", help="print a summary as JSON")
    sub.add_argument("--force", action="store_true", help="replace existing files")

    sub = command(
        "render", _render, "play controls (CSV) with an instrument", "retimbre render c.csv --with cello -o x.wav"
    )
    sub.add_argument("input", metavar="CSV", type=Path)
    sub.add_argument("--with", dest="instrument", required=True, metavar="NAME", help="instrument name or file")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    sub.add_argument("--gain-db", type=_number(-60, 60), default=0.0, metavar="X", help="gain of the output")
    _output_options(sub)

    sub = command("instruments", _instruments, "list the shipped instruments", "retimbre instruments")
    sub.add_argument("--json", action="store_true", help="print the whole cards as JSON")

    sub = command(
        "train",
        _train,
        "train an instrument on a folder of recordings",
        "retimbre train recordings/ -o flute.safetensors --minutes 5",
    )
    sub.add_argument("folder", type=Path, metavar="FOLDER", help="recordings of one instrument, one note at a time")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="NAME.safetensors")
    sub.add_argument("--minutes", type=_number(0.05, 10_000), default=5.0, help="of training (default: 5)")
    sub.add_argument("--steps", type=_count, help="train so many steps instead; repeatable to the byte on one machine")
    sub.add_argument("--seed", type=_seed, default=0)
    sub.add_argument(
        "--card", type=Path, metavar="JSON", help="name, description, license and sources to put on the card"
    )
    sub.add_argument("--learning-rate", type=_number(1e-6, 1), default=1e-2, help="at the start (default: 0.01)")
    sub.add_argument("--device", default="auto", help="auto (cuda where there is one, else cpu), cpu, cuda or mps")
    return parser


def _output_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--rate",
        type=int,
        metavar="HZ",
        help="sample rate of the output (default: the input's from 44100 up, else 48000)",
    )
    sub.add_argument("--seed", type=_seed, default=0, metavar="N", help="of the noise")
    sub.add_argument("--json", action="store_true", help="print what was done as JSON, one line a file")
    sub.add_argument("--force", action="store_true", help="replace existing files (never an input)")


def _octave(text: str) -> int | str:
    if text == "auto":
        return text
    if text.removeprefix("-").removeprefix("+") not in tuple("0123456"):
        raise argparse.ArgumentTypeError("must be auto or -6 to 6")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("must be a whole number of 1 or more")
    return int(text)


def _seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**31:
        raise argparse.ArgumentTypeError("must be between 0 and 2147483647")
    return value


def _number(low: float, high: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be between {low} and {high}")
        return value

    return number


@contextmanager
def _progress(label: str, quiet: bool) -> Iterator[Callable[[float], None]]:
    """A bar from 0 to 1 on a terminal, nothing elsewhere."""
    from tqdm import tqdm

    style = "{desc} {percentage:3.0f} % |{bar}| {remaining} left"
    with tqdm(total=1.0, desc=label, bar_format=style, leave=False, disable=True if quiet else None) as bar:

        def show(share: float) -> None:
            bar.update(share - bar.n)

        yield show


def _check_output_rate(rate: int | None) -> None:
    if rate is not None and not 16_000 <= rate <= 192_000:
        raise RetimbreError(f"--rate {rate}: outside 16000 to 192000 Hz")


def _transfer(options: argparse.Namespace) -> int:
    from retimbre import audio
    from retimbre.files import refuse_overwrite
    from retimbre.instrument import load
    from retimbre.transfer import Settings, transfer_file

    _check_output_rate(options.rate)
    instrument = load(options.to)
    sources = audio.find(options.inputs)
    if not sources:
        raise RetimbreError(f"{options.inputs[0]}: holds no audio files; give WAV, FLAC, MP3, OGG or AIFF")
    if options.picture and len(sources) > 1:
        raise RetimbreError("--picture: draws one input; give a single file")
    outputs = _outputs(sources, options, instrument.name)
    if options.picture:
        _check_picture(options.picture, options.force, [*sources, *outputs])
    settings = Settings(
        options.octave, options.semitones, options.gain_db, options.fit_loudness == "on", options.gate_db, options.seed
    )
    failed = 0
    for source, output in zip(sources, outputs, strict=True):
        try:
            refuse_overwrite(output, overwrite=options.force, inputs=sources)  # nor over an input of another turn
            with _progress(source.name, options.json) as progress:
                report = transfer_file(
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
        for warning in report["warnings"]:
            print(f"retimbre: {source}: {warning}", file=sys.stderr)
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


def _sentence(report: dict[str, Any]) -> str:
    moved = f", {report['octave']:+d} octave" + "s" * (abs(report["octave"]) > 1) if report["octave"] else ""
    speed = f"{report['seconds']:.1f} s at {report['times_real_time']:.0f} times real time"
    return f"{report['output']}: {speed}, peak {report['peak_db']} dB{moved}"


def _check_picture(picture: Path, force: bool, others: list[Path]) -> None:
    """Before the work is done: the picture can be written, and over nothing that is read or written."""
    from retimbre.files import refuse_overwrite
    from retimbre.picture import check_suffix

    check_suffix(picture)
    refuse_overwrite(picture, overwrite=force, inputs=others)


def _draw_pair(picture: Path, source: Path, output: Path, name: str) -> None:
    from retimbre import audio
    from retimbre.analysis import analyze
    from retimbre.picture import compare

    rows = []
    for title, path in ((source.name, source), (name, output)):
        sound, rate = audio.read(path)
        rows.append((title, sound, rate, analyze(sound, rate)))
    compare(picture, rows)


def _analyze(options: argparse.Namespace) -> int:
    import numpy as np

    from retimbre import audio
    from retimbre.analysis import analyze_blocks
    from retimbre.files import refuse_overwrite

    if options.output:
        refuse_overwrite(options.output, overwrite=options.force, inputs=[options.input])
    if options.picture:
        _check_picture(options.picture, options.force, [path for path in (options.input, options.output) if path])
    with audio.Reader(options.input) as reader, _progress(options.input.name, options.json) as progress:
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
        controls.draw(options.picture, audio=sound, sample_rate=rate)
    voiced = controls.voiced
    summary = {
        "input": str(options.input),
        "seconds": round(controls.seconds, 3),
        "frames": len(controls),
        "voiced_share": round(float(voiced.mean()), 4),
        "median_f0_hz": round(float(np.median(controls.f0_hz[voiced])), 2) if voiced.any() else None,
        "median_loudness_db": round(float(np.median(controls.loudness_db[voiced])), 1) if voiced.any() else None,
    }
    if options.json:
        print(json.dumps(summary))
    else:
        pitch = f"median {summary['median_f0_hz']} Hz" if voiced.any() else "no pitch"
        print(f"{options.input}: {summary['seconds']:.1f} s, {100 * summary['voiced_share']:.0f} % voiced, {pitch}")
    return 0


def _render(options: argparse.Namespace) -> int:
    from retimbre.controls import Controls
    from retimbre.files import refuse_overwrite
    from retimbre.instrument import load
    from retimbre.transfer import Settings, render_file

    _check_output_rate(options.rate)
    refuse_overwrite(options.output, overwrite=options.force, inputs=[options.input])
    instrument, controls = load(options.instrument), Controls.load_csv(options.input)
    settings = Settings(gain_db=options.gain_db, seed=options.seed)
    with _progress(options.input.name, options.json) as progress:
        report = render_file(
            controls,
            options.output,
            instrument,
            settings,
            sample_rate=options.rate or 48_000,
            overwrite=options.force,
            progress=progress,
        )
    print(
        json.dumps(report)
        if options.json
        else f"{report['output']}: {report['seconds']} s, peak {report['peak_db']} dB"
    )
    return 0


def _instruments(options: argparse.Namespace) -> int:
    from retimbre.instrument import load, shipped

    names = shipped()
    cards = [load(name).card for name in names]
    if options.json:
        print(json.dumps(cards, indent=2, ensure_ascii=False))
        return 0
    for name, card in zip(names, cards, strict=True):
        midi = card["pitch"]["quantiles"]
        notes = f"{_note(midi[1])} to {_note(midi[-2])}"  # without stray frames
        print(f"{name:<16} {notes:<12} {card['license']:<10} {card['description']}")
    return 0


def _note(midi: float) -> str:
    names = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    return f"{names[round(midi) % 12]}{round(midi) // 12 - 1}"


def _about(path: Path) -> dict[str, Any]:
    """What a person says of an instrument, for its card."""
    allowed = {"name": str, "description": str, "license": str, "sources": list}
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RetimbreError(f"{path}: is not a JSON file that can be read; see recipes/cello.json") from error
    if not isinstance(about, dict) or any(not isinstance(about[key], allowed.get(key, ())) for key in about):
        raise RetimbreError(
            f"{path}: may hold {', '.join(allowed)} (text, and a list of sources); see recipes/cello.json"
        )
    return about


def _train(options: argparse.Namespace) -> int:
    os.environ.setdefault(
        "GOMP_SPINCOUNT", "10000"
    )  # spinning for longer stalls training when another program computes
    try:
        from retimbre.training.report import console
        from retimbre.training.train import Config, choose_device, train
    except ImportError as error:
        raise RetimbreError(
            f"training needs more packages ({error.name}): pip install '.[train]' where retimbre lies"
        ) from error

    device = choose_device(options.device)
    config = Config(
        minutes=options.minutes, steps=options.steps, seed=options.seed, learning_rate=options.learning_rate
    )
    about = _about(options.card) if options.card else {}
    with console() as talk:
        instrument = train(options.folder, options.output, config, talk, about=about, device=device)
    loss = instrument.card["evaluation"]["spectral_loss"]
    print(f"{options.output}: validation loss {loss:.3f} after {instrument.card['training']['steps']} steps")
    print(f"play it: retimbre transfer voice.wav --to {options.output} -o out.wav")
    return 0
