"""Recordings made in rooms: the room of each session, and the controls of the dry sound. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from retimbre.instrument import Instrument
from retimbre.rooms.decays import estimate
from retimbre.rooms.dereverb import dry_controls
from retimbre.rooms.room import Room
from retimbre.training.recipe import Recipe
from retimbre.training.recording import SAMPLE_RATE, Recording


def hear_rooms(recordings: Sequence[Recording], recipe: Recipe) -> list[Recording]:
    """Give the recordings that a recipe assigns to sessions the room of their session, and the controls of a dry sound.

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
    return [_dried(one, rooms[name]) if (name := recipe.session(one.path)) else one for one in recordings]


def _dried(recording: Recording, room: Room) -> Recording:
    return replace(recording, controls=dry_controls(recording.audio, SAMPLE_RATE, room), room=room)


def learned_room(instrument: Instrument, recording: Recording) -> Room | None:
    """The room that an instrument learned from the session of a recording; as estimated, where it knows none."""
    if recording.room is None:
        return None
    rooms = instrument.card["training"].get("rooms", {})
    return Room.from_json(rooms[recording.room.name]) if recording.room.name in rooms else recording.room
