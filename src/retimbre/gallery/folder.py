"""Folders of examples: written whole or not at all, and read again."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from retimbre.errors import RetimbreError
from retimbre.files import making_folder
from retimbre.gallery.example import Example, Wish
from retimbre.gallery.render import render

SHIPPED = Path(__file__).parent / "shipped"
"""The gallery that comes with retimbre."""

INDEX = "gallery.json"
FORMAT, FORMAT_VERSION = "retimbre gallery", 1


def write_gallery(
    wishes: Iterable[Wish],
    folder: Path,
    *,
    overwrite: bool = False,
    skipped: Callable[[RetimbreError], None] | None = None,
    extra: Callable[[list[Example]], dict[str, bytes]] = lambda examples: {},
) -> list[Example]:
    """Render examples into a folder, which appears whole or not at all.

    Args:
        wishes: the examples.
        folder: to be made; an older gallery there is replaced if `overwrite`, anything else never.
        overwrite: see there.
        skipped: called with what is wrong with an example that cannot be made; None gives up at the first.
        extra: further files by name, such as a page of the examples.

    Raises:
        RetimbreError: the folder must not be written, or no example can be made.
    """
    check(folder, overwrite=overwrite)
    there = folder.exists()
    target = _beside(folder, "new") if there else folder
    examples: list[Example] = []
    with making_folder(target) as part:
        for wish in wishes:
            try:
                examples.append(render(wish, part, _name(wish.title, {one.name for one in examples})))
            except RetimbreError as error:
                if not skipped:
                    raise
                skipped(error)
        if not examples:
            raise RetimbreError(f"{folder}: none of the sounds can be played, so no gallery was made")
        for name, data in extra(examples).items():
            (part / name).write_bytes(data)
        files = sorted(path.name for path in part.iterdir())
        index = {"format": FORMAT, "format_version": FORMAT_VERSION, "examples": [asdict(one) for one in examples]}
        text = json.dumps(index | {"files": files}, ensure_ascii=False, indent=1)
        (part / INDEX).write_text(text + "\n", encoding="utf-8")
    if there:
        gone = _beside(folder, "old")
        folder.rename(gone)
        target.rename(folder)
        shutil.rmtree(gone, ignore_errors=True)
    return examples


def _beside(folder: Path, kind: str) -> Path:
    """A hidden name on the same disk that nobody has."""
    return folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.{kind}")


def check(folder: Path, *, overwrite: bool = False) -> None:
    """Before the work: there is nothing, an empty folder, or an older gallery that may be replaced.

    Raises:
        RetimbreError: there is something else.
    """
    if not folder.exists() and not folder.is_symlink():
        if not folder.absolute().parent.is_dir():
            raise RetimbreError(f"{folder}: the folder {folder.parent} does not exist; create it first")
        return
    if not folder.is_dir() or folder.is_symlink():
        raise RetimbreError(f"{folder}: is no folder; name one that is to be made")
    if folder.samefile(Path()):
        raise RetimbreError(f"{folder}: is the current folder; name one that is to be made")
    if not any(folder.iterdir()):
        return
    try:
        known = {*_index(folder).get("files", []), INDEX}
    except RetimbreError:
        raise RetimbreError(f"{folder}: holds other things than a gallery; name a folder that is to be made") from None
    if strange := sorted({path.name for path in folder.iterdir()} - known):
        raise RetimbreError(
            f"{folder}: holds {strange[0]}, which is not of the gallery; move it, or name another folder"
        )
    if not overwrite:
        raise RetimbreError(f"{folder}: holds a gallery already; name another folder, or replace it with --force")


def read_gallery(folder: Path) -> list[Example]:
    """The examples in a folder.

    Raises:
        RetimbreError: it holds no gallery, or one of another version.
    """
    index = _index(folder)
    try:
        return [Example.from_json(data) for data in index["examples"]]
    except (KeyError, TypeError) as error:
        raise RetimbreError(f"{folder / INDEX}: is damaged; make the gallery again") from error


def _index(folder: Path) -> dict:
    path = folder / INDEX
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RetimbreError(f"{folder}: is no gallery; make one with: retimbre gallery") from error
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        raise RetimbreError(f"{folder}: is no gallery; make one with: retimbre gallery")
    if index.get("format_version") != FORMAT_VERSION:
        raise RetimbreError(f"{folder}: was made by another version of retimbre; make it again")
    return index


def _name(title: str, taken: set[str]) -> str:
    """A title as the beginning of file names, its own among those that are taken."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "_", plain)[:40].strip("_") or "example"
    names = (stem if number == 1 else f"{stem}_{number}" for number in range(1, len(taken) + 3))
    return next(name for name in names if name not in taken)
