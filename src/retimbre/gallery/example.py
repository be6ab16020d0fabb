"""What an example is made of, and what was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Wish:
    """An example to be rendered.

    Attributes:
        title: of a few words.
        sentence: what happens in it; "" lets the rendering tell.
        source: a sound file, which is heard as "before".
        instrument: that plays it: a name, a blend or a file; "" leaves the sound as it is, and gives it a room.
        score: a MIDI file to be played in the place of what is heard in `source`.
        octave: octaves up, or "auto".
        semitones: further up.
        room: as `retimbre.transfer.choose_room` takes it.
        recorded_in: name of the room of `source`, which is not to be played along.
        moved: whether the room of `source` is heard in it and taken out before it gets another.
    """

    title: str
    sentence: str
    source: Path
    instrument: str = ""
    score: Path | None = None
    octave: int | Literal["auto"] = "auto"
    semitones: float = 0.0
    room: str = "none"
    recorded_in: str = ""
    moved: bool = False


@dataclass(frozen=True)
class Example:
    """An example as it stands in `gallery.json`; files are named relative to its folder.

    Attributes:
        name: the beginning of the names of its files.
        title: of a few words.
        sentence: what happens in it.
        instrument: that plays; "" where the sound is only moved.
        octave: octaves up, as it was played.
        semitones: further up.
        room: its name; "none" is dry.
        seconds: of the time axis of the pictures.
        before: the sound as it was.
        after: the sound as it became.
        pictures: "before", "after" and "loudness".
        told: what the pictures show, in words.
    """

    name: str
    title: str
    sentence: str
    instrument: str
    octave: int
    semitones: float
    room: str
    seconds: float
    before: str
    after: str
    pictures: dict[str, str] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> list[str]:
        """All that belongs to it."""
        return [self.before, self.after, *self.pictures.values()]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Example:
        """As `dataclasses.asdict` gave it; KeyError or TypeError if it is something else."""
        return cls(**data)
