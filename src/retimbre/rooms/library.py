"""Rooms by name: those that are shipped, and files of a user's own."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from retimbre.audio import FOREIGN_SUFFIXES, SUFFIXES
from retimbre.errors import RetimbreError
from retimbre.files import refuse_overwrite, replacing
from retimbre.rooms.measured import MeasuredRoom
from retimbre.rooms.room import Room

FOLDER = Path(__file__).parent / "shipped"

HEARD = "like:"
"""What the name of a recording begins with whose room is meant, not the recording as a response."""

_LARGEST_BYTES = 1_000_000  # a room is a few kB


def shipped() -> list[str]:
    """Names of the rooms that come with retimbre."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def about(name: str) -> dict[str, Any]:
    """What is said of a shipped room: its numbers, description, source, author and license."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def file_of(wish: str) -> Path:
    """The file that the name of a room means, if it means one: it is read, and must not be replaced."""
    return Path(wish.removeprefix(HEARD))


def find(
    wish: str, others: tuple[str, ...] = (), tell: Callable[[str], None] = lambda text: None
) -> Room | MeasuredRoom:
    """The room of a name: a shipped one, a room.json, a measured response as an audio file, or that of a recording.

    Args:
        wish: the name; `like:` and a file for the room that is heard in a recording.
        others: what else the caller would have understood, for its message.
        tell: called with what to know before the room is believed.

    Raises:
        RetimbreError: there is none, or it cannot be used.
    """
    if wish == HEARD:
        raise RetimbreError(f"{HEARD} names no recording; name one, as in {HEARD}interview.wav")
    if wish.startswith(HEARD):
        from retimbre.rooms.estimate import estimate_file

        estimate = estimate_file(file_of(wish))
        for warning in estimate.warnings:
            tell(f"{file_of(wish)}: {warning}")
        return estimate.room
    if wish in shipped():
        return load(FOLDER / f"{wish}.json")
    path = Path(wish)
    suffix = path.suffix.lower()
    if suffix == ".json":
        return load(path)
    if suffix in SUFFIXES or suffix in FOREIGN_SUFFIXES or path.is_file():
        room = MeasuredRoom.load(path)
        if why := room.doubt():
            tell(
                f"{path}: is played as an impulse response, which it does not look like: {why}; "
                f"for the room that is heard in a recording: {HEARD}{path}"
            )
        return room
    known = [*others, *shipped()]
    near = difflib.get_close_matches(wish.lower(), known, 3, 0.5)
    meant = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}."
    raise RetimbreError(f"{wish}: there is no such room; {meant} Or name a .wav of an impulse response or a room.json")


def load(path: Path) -> Room:
    """Read a room from JSON.

    Raises:
        RetimbreError: the file cannot be read, or holds no room.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise RetimbreError(f"{path}: is too large for a room; write one with: retimbre room save")
        data = json.loads(path.read_text(encoding="utf-8-sig"))  # some editors put a mark there
        if not isinstance(data, dict):
            raise ValueError("it holds no names and values")
        return Room.from_json({"name": path.stem} | data)
    except FileNotFoundError:
        raise RetimbreError(f"{path}: there is no such file; check the name") from None
    except OSError as error:
        raise RetimbreError(f"{path}: cannot be read ({error.strerror}); name a room.json") from None
    except RecursionError:
        raise RetimbreError(f"{path}: is no room; write one with: retimbre room save") from None
    except RetimbreError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        why = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error).splitlines()[0][:80]
        raise RetimbreError(f"{path}: is no room ({why}); write one with: retimbre room save") from None


def save(room: Room, path: Path, *, overwrite: bool = False) -> None:
    """Write the numbers of a room as JSON.

    Raises:
        RetimbreError: the file exists, or cannot be written.
    """
    refuse_overwrite(path, overwrite=overwrite)
    with replacing(path) as part:
        part.write_text(to_text(room.to_json()), encoding="utf-8")


def to_text(data: dict[str, Any]) -> str:
    """JSON with a line for each entry."""
    lines = (f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in data.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"
