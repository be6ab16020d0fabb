"""The commands that write pages of plain files: `retimbre gallery` and `retimbre site`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from retimbre.cli.common import progress_bar, tell
from retimbre.cli.values import octave
from retimbre.errors import RetimbreError

if TYPE_CHECKING:
    from retimbre.gallery.example import Wish

GALLERY_EXAMPLE = (
    "retimbre gallery takes/ -o gallery\n"
    "  retimbre gallery voice.wav whistle.wav --to cello --to violin:0.6,flute:0.4 --room hall -o gallery"
)
SITE_EXAMPLE = "retimbre site -o public\n\nTo look at it: python3 -m http.server -d public"


def add_gallery_options(sub: argparse.ArgumentParser) -> None:
    """What `retimbre gallery` takes."""
    sub.add_argument("inputs", nargs="+", metavar="IN", type=Path, help="audio files, or folders of them")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to be made")
    sub.add_argument(
        "--to",
        action="append",
        metavar="NAME",
        help="who plays each: an instrument, a file or a blend; may be repeated (default: all shipped, in turn)",
    )
    sub.add_argument("--room", default="none", metavar="ROOM", help="where: as for transfer (default: none, dry)")
    sub.add_argument("--octave", type=octave, default="auto", metavar="auto|N", help="octaves up (default: auto)")
    sub.add_argument("--title", default="Before and after", metavar="TEXT", help="of the page")
    sub.add_argument("--force", action="store_true", help="replace an older gallery (never anything else)")


def gallery(options: argparse.Namespace) -> int:
    """`retimbre gallery`: a page of recordings and what became of them."""
    from retimbre import audio
    from retimbre.base import choose
    from retimbre.gallery.folder import check, write_gallery
    from retimbre.gallery.page import page
    from retimbre.instrument import shipped
    from retimbre.transfer import choose_room

    check(options.output, overwrite=options.force)
    for name in options.to or ():
        choose_room(options.room, choose(name), tell)  # says at once what there is not
    if not options.to and options.room not in ("none", "own"):
        choose_room(options.room, choose(shipped()[0]), tell)
    sources = [path for path in audio.find(options.inputs) if options.output.absolute() not in path.absolute().parents]
    wishes = _wishes(sources, options.to or [], shipped(), options)
    problems: list[str] = []
    try:
        with progress_bar(options.output.name, quiet=False) as progress:

            def counted() -> Iterator[Wish]:
                for place, wish in enumerate(wishes):
                    progress(place / len(wishes))
                    yield wish

            made = write_gallery(
                counted(),
                options.output,
                overwrite=options.force,
                skipped=(lambda error: problems.append(str(error))) if len(sources) > 1 else None,
                extra=lambda examples: page(examples, options.title),
            )
    finally:
        for problem in dict.fromkeys(problems):  # each once, however many were to play it
            tell(problem)
    skipped = f"; {len(problems)} skipped" if problems else ""
    examples = f"{len(made)} example{'s' * (len(made) > 1)}"
    print(f"{options.output / 'index.html'}: {examples}{skipped}; open it, or put the folder on any host")
    return 2 if problems else 0


def _wishes(sources: list[Path], chosen: list[str], all_: list[str], options: argparse.Namespace) -> list[Wish]:
    """Each source with each chosen instrument; with the next of all where none is chosen."""
    from retimbre.gallery.example import Wish
    from retimbre.gallery.words import spoken

    if not sources:
        raise RetimbreError(f"{options.output}: the only sounds there are those of the gallery itself")
    pairs = [(source, name) for source in sources for name in chosen]
    pairs = pairs or [(source, all_[place % len(all_)]) for place, source in enumerate(sources)]
    return [
        Wish(spoken(source.stem), "", source, name, octave=options.octave, room=options.room) for source, name in pairs
    ]


def add_site_options(sub: argparse.ArgumentParser) -> None:
    """What `retimbre site` takes."""
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to be made")
    sub.add_argument("--force", action="store_true", help="replace the files of an older site; others are left alone")


def site(options: argparse.Namespace) -> int:
    """`retimbre site`: live page, gallery and instruments as plain files."""
    from retimbre.app.site import check, export
    from retimbre.app.static import static

    check(options.output, overwrite=options.force)
    written = export(options.output, static(), overwrite=options.force)
    size = sum(path.stat().st_size for path in written) / 1e6
    print(
        f"{options.output / 'index.html'}: {len(written)} files, {size:.0f} MB; put them on any static host with HTTPS"
    )
    return 0
