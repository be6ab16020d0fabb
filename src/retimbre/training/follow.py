"""Follow a journal (`journal.py`) while it is being written: the losses so far, and what was last heard.

TensorBoard's files are records of a length, its checksum, an event (a protocol buffer) and its checksum.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_HEAD = struct.Struct("<QI")  # length, checksum
_CHECKSUM = 4  # bytes after the event


@dataclass
class Story:
    """What a journal tells.

    Attributes:
        losses: (step, value) of each curve, by name: "training", "validation", "warm start".
        clips: the newest sound of each, a WAV file, by names such as "clip 1/recording" and "clip 1/instrument".
        heard_at: the step of the newest sounds.
    """

    losses: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    clips: dict[str, bytes] = field(default_factory=dict)
    heard_at: int = 0


class Follower:
    """Reads on from where it stopped."""

    def __init__(self, folder: Path) -> None:
        """Follow the journal in a folder, which need not be there yet."""
        self._folder = folder
        self._read: dict[Path, int] = {}  # bytes
        self.story = Story()

    def update(self) -> Story:
        """The story with what has been written since."""
        for path in sorted(self._folder.glob("events.out.tfevents.*")):  # their names begin with the time
            for event in self._events(path):
                self._take(event)
        return self.story

    def _events(self, path: Path) -> Iterator[Any]:
        from tensorboard.compat.proto import event_pb2

        event: Any = getattr(event_pb2, "Event")  # noqa: B009 - generated code, which type checkers do not see

        with path.open("rb") as file:
            file.seek(self._read.get(path, 0))
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                length, _ = _HEAD.unpack(head)
                body = file.read(length + _CHECKSUM)
                if len(body) < length + _CHECKSUM:
                    return  # the rest is still to be written
                self._read[path] = file.tell()
                yield event.FromString(body[:length])

    def _take(self, event: Any) -> None:
        if event.HasField("session_log"):  # a run that goes on: what a killed one wrote beyond this step is void
            for curve in self.story.losses.values():
                curve[:] = [point for point in curve if point[0] < event.step]
        for value in event.summary.value:
            kind, _, name = value.tag.partition("/")
            if kind == "loss":
                self.story.losses.setdefault(name, []).append((event.step, value.simple_value))
            elif value.HasField("audio"):
                # TensorBoard numbers the sounds of a tag: "clip 1/instrument/audioSummary"
                self.story.clips["/".join(value.tag.split("/")[:2])] = value.audio.encoded_audio_string
                self.story.heard_at = event.step
