"""What several commands do: progress, and checks before the work."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from retimbre.errors import RetimbreError

SILENT_DB = -190.0
"""Peak of what holds nothing but zeros: reports say -200."""

Run = Callable[[argparse.Namespace], int]


def command_adder(parser: argparse.ArgumentParser) -> Callable[[str, Run, str, str], argparse.ArgumentParser]:
    """A function that gives a parser one more command: its name, what runs it, what it does, an example."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, run: Run, text: str, example: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    return command


@contextmanager
def progress_bar(label: str, quiet: bool) -> Iterator[Callable[[float], None]]:
    """A bar from 0 to 1 on a terminal, nothing elsewhere."""
    from tqdm import tqdm

    style = "{desc} {percentage:3.0f} % |{bar}| {remaining} left"
    with tqdm(total=1.0, desc=label, bar_format=style, leave=False, disable=True if quiet else None) as bar:

        def show(share: float) -> None:
            bar.update(share - bar.n)

        yield show


def peak(report: dict[str, Any]) -> str:
    """How loud the loudest sample of an output is."""
    return f"peak {report['peak_db']} dB" if report["peak_db"] > SILENT_DB else "silent"


def tell(text: str) -> None:
    """A word to the user beside what a command prints."""
    print(f"retimbre: {text}", file=sys.stderr)


def check_output_rate(rate: int | None) -> None:
    """Raise RetimbreError for a sample rate that nothing renders at."""
    if rate is not None and not 16_000 <= rate <= 192_000:
        raise RetimbreError(f"--rate {rate}: outside 16000 to 192000 Hz")


def check_picture(picture: Path, force: bool, others: list[Path]) -> None:
    """Before the work is done: the picture can be written, and over nothing that is read or written."""
    from retimbre.files import refuse_overwrite
    from retimbre.picture import check_suffix

    check_suffix(picture)
    refuse_overwrite(picture, overwrite=force, inputs=others)
