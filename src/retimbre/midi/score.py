"""Standard MIDI files: which parts there are, and one of them as timed messages.

A part is what one player plays: the notes that one track sends on one channel (in an MPE file, on its zone).
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retimbre.errors import RetimbreError
from retimbre.midi.notes import Note

if TYPE_CHECKING:
    import mido

DRUMS = 9
"""Channel (from 0) of the drums in General MIDI: its keys are no pitches."""

MAX_FILE = 16 << 20  # bytes
MAX_HOURS = 4
SHORTEST_S = 0.03
"""What a note without a length gets."""

Event = tuple[float, int, int, int]
"""Seconds, status, and two bytes of data."""


@dataclass(frozen=True)
class Part:
    """What one player plays.

    Attributes:
        track: from 1.
        channel: from 1; of an MPE zone that of its manager.
        name: of the track.
        notes: in the order of their beginnings.
        controllers: everything but notes that the file sends on its channels, in order of time.
        mpe: whether its notes are spread over the channels of an MPE zone.
    """

    track: int
    channel: int
    name: str
    notes: tuple[Note, ...]
    controllers: tuple[Event, ...]
    mpe: bool = False

    @property
    def title(self) -> str:
        """Where it stands, for people."""
        name = f" ({self.name})" if self.name else ""
        return f"track {self.track}, channel {self.channel}{name}"

    def events(self) -> list[Event]:
        """All messages in order of time. At one instant controllers come first, then ends, then beginnings of notes.

        Of notes that begin together the highest comes last: with one voice, it is the one that is heard.
        """
        rows: list[tuple[float, int, int, Event]] = []
        for place, event in enumerate(self.controllers):
            rows.append((event[0], 0, place, event))
        for note in self.notes:
            rows.append((note.end_s, 1, note.key, (note.end_s, 0x80 + note.channel, note.key, 0)))
            start = (note.start_s, 0x90 + note.channel, note.key, note.velocity)
            rows.append((note.start_s, 2, note.key, start))
        return [row[3] for row in sorted(rows, key=lambda row: row[:3])]

    def lost_share(self) -> float:
        """Share of the notes of which one voice that gives way to the last key plays less than half."""
        heard: defaultdict[int, float] = defaultdict(float)
        held: list[int] = []
        steps = [(note.start_s, 1, note.key, place) for place, note in enumerate(self.notes)]
        steps += [(note.end_s, 0, note.key, place) for place, note in enumerate(self.notes)]
        before = 0.0
        for time_s, begins, _, place in sorted(steps):
            if held:
                heard[held[-1]] += time_s - before
            before = time_s
            if begins:
                held.append(place)
            elif place in held:
                held.remove(place)
        lost = [note for place, note in enumerate(self.notes) if heard[place] < 0.5 * (note.end_s - note.start_s)]
        return len(lost) / len(self.notes)


def read_parts(path: Path, *, mpe: bool = False) -> list[Part]:
    """All parts of a MIDI file, those with the most notes first.

    Args:
        path: the file.
        mpe: take each track for an MPE zone of all channels, though the file does not say so.

    Raises:
        RetimbreError: it cannot be read, is no MIDI file, holds no notes or lasts for hours.
    """
    tracks = _seconds(path, _parse(path))
    names = [next((m.name.strip() for _, m in track if m.type == "track_name"), "") for track in tracks]
    events = [[_event(time_s, message) for time_s, message in track if not message.is_meta] for track in tracks]
    events = [[event for event in track if event and event[1] < 0xF0] for track in events]
    everywhere = sorted((event for track in events for event in track if event[1] >> 4 not in (8, 9)), key=_time)
    end_s = max((track[-1][0] for track in tracks if track), default=0.0)
    parts = []
    for number, track in enumerate(events, 1):
        notes = _notes(track, end_s)
        zone = _zone(track) or ((0, set(range(1, 16))) if mpe else None)
        for channel, channels in _players(notes, zone):
            played = tuple(note for note in notes if note.channel in channels)
            controllers = tuple(event for event in everywhere if event[1] & 15 in channels | {channel})
            name = names[number - 1]
            parts.append(Part(number, channel + 1, name, played, controllers, mpe=len(channels) > 1))
    if not parts:
        raise RetimbreError(f"{path}: holds no notes")
    return sorted(parts, key=lambda part: (part.channel == DRUMS + 1, -len(part.notes)))


def choose_part(path: Path, parts: list[Part], track: int | None = None, channel: int | None = None) -> Part:
    """The part with the most notes, of those asked for; drums only if there is nothing else.

    Args:
        path: of the file, for messages.
        parts: of `read_parts`.
        track: from 1.
        channel: from 1.

    Raises:
        RetimbreError: nothing is played there.
    """
    chosen = [part for part in parts if track in (None, part.track) and channel in (None, part.channel)]
    if chosen:
        return chosen[0]
    wish = " ".join(f"--{name} {value}" for name, value in (("track", track), ("channel", channel)) if value)
    there = "; ".join(f"{part.title}: {len(part.notes)}" for part in parts[:12])
    raise RetimbreError(f"{path}: no notes at {wish}; there are {there}")


def _time(event: Event) -> float:
    return event[0]


def _parse(path: Path) -> mido.MidiFile:
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_FILE else b""
    except OSError as error:
        raise RetimbreError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    if size > MAX_FILE:
        raise RetimbreError(f"{path}: is larger than a MIDI file may be ({MAX_FILE >> 20} MB)")
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":  # a MIDI file in a RIFF envelope
        data = data[20:]
    if data[:4] != b"MThd":
        raise RetimbreError(f"{path}: is not a MIDI file; give a .mid")
    import mido

    try:
        return mido.MidiFile(file=io.BytesIO(data), clip=True)
    except Exception as error:  # whatever the parser of a damaged file stumbles over
        raise RetimbreError(f"{path}: is a damaged MIDI file ({type(error).__name__}); export it again") from error


def _seconds(path: Path, file: mido.MidiFile) -> list[list[tuple[float, Any]]]:
    """The messages of each track with their times in seconds, through the tempo changes of all tracks."""
    division = file.ticks_per_beat
    ticked: list[list[tuple[int, Any]]] = []
    for track in file.tracks:
        ticks, messages = 0, []
        for message in track:
            ticks += int(message.time)
            messages.append((ticks, message))
        ticked.append(messages)
    if division < 0:  # SMPTE: frames a second and ticks a frame
        frames, each = -(division >> 8), division & 255
        tempo = [(0, 0.0, 1 / max(1, frames * each))]
    elif division == 0:
        raise RetimbreError(f"{path}: is a damaged MIDI file (no time base); export it again")
    else:
        told = sorted((ticks, m.tempo) for track in ticked for ticks, m in track if m.type == "set_tempo")
        tempo = [(0, 0.0, 0.5 / division)]  # ticks, seconds, seconds a tick; 120 beats a minute unless told
        for ticks, microseconds in told:
            at, seconds, each_s = tempo[-1]
            tempo.append((ticks, seconds + (ticks - at) * each_s, microseconds * 1e-6 / division))
    starts = [ticks for ticks, _, _ in tempo]

    def seconds_at(ticks: int) -> float:
        at, seconds, each_s = tempo[bisect_right(starts, ticks) - 1]
        return seconds + (ticks - at) * each_s

    timed = [[(seconds_at(ticks), message) for ticks, message in track] for track in ticked]
    hours = max((track[-1][0] for track in timed if track), default=0.0) / 3600
    if not hours <= MAX_HOURS:
        raise RetimbreError(f"{path}: lasts {hours:.0f} hours; at most {MAX_HOURS} can be played, cut it")
    return timed


def _event(time_s: float, message: Any) -> Event:
    data = message.bytes() if message.type != "sysex" else [0xF0]
    return time_s, data[0], data[1] if len(data) > 1 else 0, data[2] if len(data) > 2 else 0


def _notes(track: Iterable[Event], end_s: float) -> list[Note]:
    """Beginnings and ends matched: a key struck again ends its note, what never ends lasts as long as the file."""
    down: dict[tuple[int, int], tuple[float, int]] = {}
    notes = []

    def end(place: tuple[int, int], time_s: float) -> None:
        if place in down:
            start_s, velocity = down.pop(place)
            notes.append(Note(start_s, max(time_s, start_s + SHORTEST_S), place[1], velocity, place[0]))

    for time_s, status, key, velocity in track:
        if status >> 4 in (8, 9):
            place = status & 15, key
            end(place, time_s)
            if status >> 4 == 9 and velocity:
                down[place] = time_s, velocity
    for place in list(down):
        end(place, end_s)
    return sorted(notes, key=lambda note: (note.start_s, note.key))


def _zone(track: Iterable[Event]) -> tuple[int, set[int]] | None:
    """Manager and member channels of the MPE zone that a track sets up (registered parameter 6), if it does."""
    registered: dict[int, int] = {}
    zone = None
    for _, status, number, value in track:
        channel = status & 15
        if status >> 4 != 0xB:
            continue
        if number in (100, 101):
            old = registered.get(channel, 0)
            registered[channel] = (old & 0x3F80) | value if number == 100 else (old & 0x7F) | value << 7
        elif number == 6 and registered.get(channel) == 6 and channel in (0, 15) and value:
            members = range(1, min(value, 15) + 1) if channel == 0 else range(15 - min(value, 15), 15)
            zone = channel, set(members)
    return zone


def _players(notes: list[Note], zone: tuple[int, set[int]] | None) -> list[tuple[int, set[int]]]:
    """First channel, and all channels, of those who play notes in a track."""
    counts = Counter(note.channel for note in notes)
    if zone is None or not zone[1] & counts.keys():
        return [(channel, {channel}) for channel in sorted(counts)]
    manager, members = zone
    others = [(channel, {channel}) for channel in sorted(counts.keys() - members - {manager})]
    return [(manager, members | {manager}), *others]
