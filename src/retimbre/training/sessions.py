"""Recordings made in rooms: the room of each session is estimated, and the loudness of its recordings made that of
the dry sound. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from retimbre.analysis import analyze
from retimbre.instrument import Instrument
from retimbre.rooms.decays import estimate
from retimbre.rooms.dereverb import suppress_late
from retimbre.rooms.room import Room
from retimbre.training.recipe import Recipe
from retimbre.training.recording import SAMPLE_RATE, Recording

SUPPRESSION: dict[str, Any] = {"floor_db": -40.0, "strength": 1.5}
"""Nobody hears what is left, so it may be little: a network that is told of tails plays them."""


def hear_rooms(recordings: Sequence[Recording], recipe: Recipe) -> list[Recording]:
    """Mark the recordings that a recipe assigns to sessions with the room of their session, and dry their loudness.

    Pitch and voicing stay as they were heard.

    Raises:
        RetimbreError: the room of a session cannot be heard.
    """
    sessions: dict[str, list[Recording]] = {}
    for recording in recordings:
        if name := recipe.session(recording.path):
            sessions.setdefault(name, []).append(recording)
    rooms = {
        name: estimate([(one.audio, one.controls) for one in members], SAMPLE_RATE, name)
        for name, members in sessions.items()
    }
    return [
        dried(recording, rooms[name]) if (name := recipe.session(recording.path)) else recording
        for recording in recordings
    ]


def dried(recording: Recording, room: Room) -> Recording:
    """The recording with the loudness that the dry sound had, as far as the room is known."""
    dry = analyze(suppress_late(recording.audio, SAMPLE_RATE, room, **SUPPRESSION), SAMPLE_RATE)
    return replace(recording, controls=recording.controls.replace(loudness_db=dry.loudness_db), room=room)


def learned_room(instrument: Instrument, recording: Recording) -> Room | None:
    """The room that an instrument learned from the session of a recording; as estimated, where it knows none."""
    if recording.room is None:
        return None
    rooms = instrument.card["training"].get("rooms", {})
    return Room.from_json(rooms[recording.room.name]) if recording.room.name in rooms else recording.room
