"""The command that writes an instrument for other programs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from retimbre.cli.values import count

FORMATS = ("magenta",)

EXAMPLE = """retimbre export cello --format magenta -o cello_magenta
  retimbre export my-flute.safetensors --format magenta -o site/flute --frames 2000
  retimbre export violin:0.6,flute:0.4 --format magenta -o blend --json"""

ABOUT = """formats:
  magenta   a folder for Magenta.js in the browser (new mm.DDSP(folder), @magenta/music 1.23): model.json,
            weights and settings.json; 16 kHz, no server, no TensorFlow needed to write it"""


def add_options(sub: argparse.ArgumentParser) -> None:
    """What `retimbre export` takes."""
    sub.description = f"{sub.description}\n\n{ABOUT}"
    sub.add_argument("instrument", metavar="INSTRUMENT", help="name, file, or blend: violin:0.6,flute:0.4")
    sub.add_argument("--format", choices=FORMATS, required=True, help="of the program that is to play it")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder that is to be made")
    sub.add_argument(
        "--frames",
        type=count,
        metavar="N",
        help="computed at once, 250 a second, multiples of 50 to 5000 (default: 1000, 4 s); longer sounds are joined",
    )
    sub.add_argument("--json", action="store_true", help="print what was written as JSON")


def export(options: argparse.Namespace) -> int:
    """`retimbre export`: an instrument for another program."""
    from retimbre.base import choose
    from retimbre.export import magenta

    report = magenta.export(choose(options.instrument), options.output, frames=options.frames or magenta.FRAMES)
    if options.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        size, at_once = report["bytes"] / 1e6, report["seconds_at_once"]
        print(f"{report['output']}: {report['instrument']} for Magenta.js, {size:.1f} MB, {at_once:g} s at a time")
    return 0
