"""The `retimbre` command. Each subcommand is a walk along the line: analyse, adjust, decode, synthesise."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from retimbre.cli import app, bench, export, gallery, learn, live, midi, play, rooms
from retimbre.cli.common import command_adder
from retimbre.cli.serve import serve
from retimbre.cli.values import count, number, octave, port, seed
from retimbre.errors import RetimbreError

EPILOG = """examples:
  retimbre instruments
  retimbre transfer voice.wav --to cello -o cello.wav
  retimbre transfer takes/ --to my-flute.safetensors -o out/ --octave 1
  retimbre transfer voice.wav --to trombone:0.6,flute:0.4 -o blend.wav
  retimbre transfer voice.wav --like oboe.wav -o oboe_sings.wav
  retimbre live --to violin
  retimbre analyze voice.wav -o controls.csv --picture voice.png
  retimbre render controls.csv --with cello -o cello.wav
  retimbre transfer voice.wav --to violin --room hall
  retimbre room apply voice.wav --room church -o voice_in_church.wav --stereo
  retimbre room match voice.wav --like interview.wav -o voice_there.wav
  retimbre analyze voice.wav --midi voice.mid
  retimbre play song.mid --with violin -o violin.wav
  retimbre serve
  retimbre app
  retimbre gallery takes/ -o gallery
  retimbre site -o public
  retimbre doctor recordings/
  retimbre train recordings/ -o my-flute.safetensors --minutes 10
  retimbre clone oboe.wav -o oboe.safetensors
  retimbre export cello --format magenta -o cello_magenta
  retimbre bench live
  retimbre eval my-flute.safetensors recordings/ --held-out --picture my-flute.png
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
    command = command_adder(parser)

    sub = command(
        "transfer",
        play.transfer,
        "play recordings with an instrument",
        "retimbre transfer voice.wav --to cello -o cello.wav --octave -1",
    )
    sub.add_argument("inputs", nargs="+", metavar="IN", type=Path, help="audio files, or folders of them")
    target = sub.add_mutually_exclusive_group(required=True)
    target.add_argument(
        "--to", metavar="NAME", help="a shipped instrument, a .safetensors file, or a blend: violin:0.6,flute:0.4"
    )
    target.add_argument(
        "--like", type=Path, metavar="CLIP", help="15 to 30 s of an instrument, which is cloned first (about a minute)"
    )
    sub.add_argument("-o", "--output", type=Path, help="file, or folder for several inputs (default: IN_NAME.wav here)")
    sub.add_argument("--octave", type=octave, default="auto", metavar="auto|N", help="octaves up (default: auto)")
    sub.add_argument("--semitones", type=number(-60, 60), default=0.0, metavar="X", help="further transposition")
    sub.add_argument("--gain-db", type=number(-60, 60), default=0.0, metavar="X", help="gain of the output")
    sub.add_argument(
        "--fit-loudness",
        choices=("on", "off"),
        default="on",
        help="match the dynamics to the instrument's (default: on)",
    )
    sub.add_argument(
        "--gate-db",
        type=number(-100, 0),
        metavar="X",
        help="fade out below this A-weighted level (default: automatic)",
    )
    sub.add_argument("--picture", type=Path, metavar="PNG", help="also draw input and output (one input)")
    sub.add_argument("--no-lookahead", action="store_true", help="as live playing would have sounded")
    _output_options(sub)

    sub = command("live", live.live, "play as it sounds: from a microphone, or a MIDI keyboard", live.EXAMPLE)
    live.add_options(sub)

    sub = command(
        "analyze",
        play.analyze,
        "measure pitch, periodicity and loudness of a recording",
        "retimbre analyze voice.wav -o c.csv",
    )
    sub.add_argument("input", metavar="IN", type=Path)
    sub.add_argument("-o", "--output", type=Path, metavar="CSV", help="write the controls, 200 rows a second")
    sub.add_argument("--midi", type=Path, metavar="MID", help="write the notes, with intonation and vibrato as bends")
    sub.add_argument("--picture", type=Path, metavar="PNG", help="draw them over the spectrogram")
    sub.add_argument("--no-lookahead", action="store_true", help="as live use would know them")
    sub.add_argument("--json", action="store_true", help="print a summary as JSON")
    sub.add_argument("--force", action="store_true", help="replace existing files")

    sub = command(
        "render", play.render, "play controls (CSV) with an instrument", "retimbre render c.csv --with cello -o x.wav"
    )
    sub.add_argument("input", metavar="CSV", type=Path)
    sub.add_argument("--with", dest="instrument", required=True, metavar="NAME", help="name, file, or blend")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    sub.add_argument("--gain-db", type=number(-60, 60), default=0.0, metavar="X", help="gain of the output")
    _output_options(sub)

    sub = command(
        "play",
        midi.play,
        "play a MIDI file with an instrument",
        "retimbre play song.mid --with violin -o violin.wav\n"
        "  retimbre play band.mid --with trombone:0.5,flute:0.5 --track 3 --octave 1 -o solo.wav",
    )
    sub.add_argument("input", metavar="MID", type=Path)
    sub.add_argument("--with", dest="instrument", required=True, metavar="NAME", help="name, file, or blend")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    sub.add_argument("--track", type=count, metavar="N", help="from 1 (default: where the most notes are)")
    sub.add_argument("--channel", type=count, metavar="N", help="1 to 16 (default: where the most notes are)")
    sub.add_argument(
        "--mpe", action="store_true", help="a track's notes are spread over channels (MPE), though it does not say so"
    )
    sub.add_argument("--octave", type=octave, default="auto", metavar="auto|N", help="octaves up (default: auto)")
    sub.add_argument("--semitones", type=number(-60, 60), default=0.0, metavar="X", help="further transposition")
    sub.add_argument("--gain-db", type=number(-60, 60), default=0.0, metavar="X", help="gain of the output")
    _output_options(sub)

    sub = command(
        "serve",
        serve,
        "play live in the browser: microphone, files, keys",
        "retimbre serve\n  retimbre serve --port 9000 --no-browser\n  retimbre serve --export site/",
    )
    sub.add_argument("--port", type=port, default=8765, metavar="N", help="where to serve (default: 8765, or the next)")
    sub.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="to listen on (default: this computer only)"
    )
    sub.add_argument("--no-browser", action="store_true", help="only serve; open the page yourself")
    sub.add_argument("--export", type=Path, metavar="FOLDER", help="write the page there, for any static host")
    sub.add_argument("--force", action="store_true", help="replace the files of an exported page")

    sub = command("export", export.export, "write an instrument for another program", export.EXAMPLE)
    export.add_options(sub)

    sub = command(
        "app",
        app.app,
        "open retimbre in the browser: transform, live, train, rooms",
        "retimbre app\n  retimbre app --host 0.0.0.0 --port 80 --max-minutes 3 --max-mb 20",
    )
    app.add_options(sub)

    sub = command(
        "gallery", gallery.gallery, "write a page of recordings and what became of them", gallery.GALLERY_EXAMPLE
    )
    gallery.add_gallery_options(sub)

    sub = command(
        "site", gallery.site, "write live page, gallery and instruments for any static host", gallery.SITE_EXAMPLE
    )
    gallery.add_site_options(sub)

    sub = command("instruments", play.instruments, "list the shipped instruments", "retimbre instruments")
    sub.add_argument("--json", action="store_true", help="print the whole cards as JSON")

    group = command(
        "room",
        rooms.list_rooms,
        "list, measure and save rooms, and place recordings in them",
        "retimbre room apply voice.wav --room church -o voice_in_church.wav --stereo",
    )
    rooms.add_commands(group)

    sub = command(
        "doctor",
        learn.doctor,
        "say what is wrong with a folder of recordings before it is trained on",
        "retimbre doctor recordings/\n  retimbre doctor recordings/ --all --json > report.json",
    )
    sub.add_argument("folder", type=Path, metavar="FOLDER", help="recordings of one instrument, as for train")
    sub.add_argument("--all", action="store_true", help="list every file, not only those with findings")
    sub.add_argument("--json", action="store_true", help="print all measures and findings as JSON")

    sub = command(
        "train",
        learn.train,
        "train an instrument on a folder of recordings",
        "retimbre train recordings/ -o flute.safetensors --minutes 10\n"
        "  retimbre train recipes/flute.toml --recordings ~/samples -o flute.safetensors",
    )
    sub.add_argument(
        "source", type=Path, metavar="FOLDER", help="recordings of one instrument, one note at a time; or a recipe.toml"
    )
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="NAME.safetensors")
    sub.add_argument(
        "--recordings", type=Path, metavar="FOLDER", help="where the recordings of a recipe lie (default: beside it)"
    )
    sub.add_argument("--minutes", type=number(0.05, 10_000), help="of training (default: 4, or what the recipe says)")
    sub.add_argument("--steps", type=count, help="train so many steps instead; repeatable to the byte on one machine")
    sub.add_argument("--seed", type=seed, help="of everything random (default: 0)")
    sub.add_argument("--learning-rate", type=number(1e-6, 1), help="at the start (default: 0.01)")
    sub.add_argument("--device", default="auto", help="auto (cuda where there is one, else cpu), cpu, cuda or mps")

    sub = command(
        "clone",
        learn.clone,
        "make an instrument from 15 to 30 seconds of it",
        "retimbre clone oboe.wav -o oboe.safetensors\n\n"
        "The clip: a scale over the whole range, up softly and down loudly, each note for a third of a second\n"
        "or more. How it sounds where it was not played is guessed.",
    )
    sub.add_argument(
        "source", type=Path, metavar="CLIP", help="a scale, up softly and down loudly; or a folder of notes"
    )
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="NAME.safetensors")
    sub.add_argument("--steps", type=count, help="learn for so many steps, not by time: repeatable to the byte")
    sub.add_argument("--seed", type=seed, default=0, help="of everything random (default: 0)")

    sub = command(
        "eval",
        learn.evaluate,
        "measure an instrument on recordings that training never saw",
        "retimbre eval flute.safetensors recordings/ --held-out --sources voices/ --picture flute.png",
    )
    sub.add_argument("instrument", metavar="INSTRUMENT", help="a shipped instrument or a .safetensors file")
    sub.add_argument("source", type=Path, metavar="FOLDER", help="recordings of that instrument; or its recipe.toml")
    sub.add_argument("--recordings", type=Path, metavar="FOLDER", help="where the recordings of a recipe lie")
    sub.add_argument(
        "--held-out", action="store_true", help="it was trained on these: take those that training held out"
    )
    sub.add_argument("--sources", type=Path, metavar="FOLDER", help="other sounds to play with it, to see what becomes")
    sub.add_argument("--picture", type=Path, metavar="PNG", help="draw the results on one page")
    sub.add_argument("--json", action="store_true", help="print the figures as JSON")
    sub.add_argument("--force", action="store_true", help="replace an existing picture")

    sub = command(
        "bench",
        bench.bench,
        "measure how late and how heavy live playing is on this machine",
        "retimbre bench live --to violin --block 256",
    )
    sub.add_argument("what", choices=("live",), help="what to measure")
    sub.add_argument("--to", metavar="NAME", default="cello", help="what plays (default: cello)")
    sub.add_argument("--rate", type=int, default=48_000, metavar="HZ", help="sample rate (default: 48000)")
    sub.add_argument("--block", type=count, default=128, metavar="N", help="samples in a block (default: 128)")
    sub.add_argument("--minutes", type=number(0.05, 600), default=0.5, metavar="X", help="of blocks (default: 0.5)")
    sub.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser


def _output_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--rate",
        type=int,
        metavar="HZ",
        help="sample rate of the output (default: the input's from 44100 up, else 48000)",
    )
    sub.add_argument("--seed", type=seed, default=0, metavar="N", help="of the noise")
    sub.add_argument(
        "--room",
        default="none",
        metavar="none|own|ROOM",
        help=f"where it is played: none (dry, the default), own (where the instrument was recorded), {rooms.ROOM_HELP}",
    )
    sub.add_argument("--json", action="store_true", help="print what was done as JSON, one line a file")
    sub.add_argument("--force", action="store_true", help="replace existing files (never an input)")
