"""An example rendered: two sounds as Ogg Vorbis, which every browser of today plays, and three small pictures."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from math import log2
from pathlib import Path

import numpy as np

from retimbre import audio
from retimbre.analysis import analyze, analyze_blocks
from retimbre.base import choose
from retimbre.controls import Controls, note_name
from retimbre.engine import Floats, resample
from retimbre.errors import RetimbreError
from retimbre.gallery import sketch
from retimbre.gallery.example import Example, Wish
from retimbre.gallery.ogg import renumbered
from retimbre.gallery.words import place_of, player_of, sentence_of
from retimbre.instrument import Instrument
from retimbre.midi.perform import keys_hz, manner, perform
from retimbre.midi.score import choose_part, read_parts
from retimbre.rooms import library
from retimbre.rooms.dereverb import FOR_CONTROLS, Dereverberator
from retimbre.rooms.match import match_file
from retimbre.rooms.measured import MeasuredRoom
from retimbre.rooms.place import dried, ringing
from retimbre.rooms.room import Room
from retimbre.transfer import Settings, adjust, choose_room, fitting_octave

RATE = 48_000

LONGEST_S = 20.0
"""Of a source, so much is used."""

RINGING_S = 2.5
"""How long a room may ring on."""

LOUD_DB = -17.0
"""A-weighted level of the loud moments (95th percentile) of every sound, as far as `PEAK` allows it."""

PEAK = 0.9

_FADE_S = 0.25  # of a sound that is cut off
_SHORTEST_S = 0.3


def render(wish: Wish, folder: Path, name: str) -> Example:
    """Render an example into a folder.

    Args:
        wish: what it shall be.
        folder: to write into.
        name: the beginning of the names of its files.

    Raises:
        RetimbreError: something cannot be read or played.
    """
    before = _read(wish.source)
    heard = analyze(before, RATE)
    if not wish.instrument:
        after, lines, octave = _placed(wish, before), [], 0
        played = analyze(after, RATE)
    else:
        instrument = choose(wish.instrument)
        played, octave = _scored(wish, instrument) if wish.score else _fitted(wish, before, heard, instrument)
        room = choose_room(wish.room, instrument)
        after = _ringing(instrument.play(played, RATE), room) if room else instrument.play(played, RATE)
        lines = [("heard", heard)]
    if not after.any():
        raise RetimbreError(f"{wish.source}: {wish.instrument or wish.room} makes silence of it")
    sounds = {"before": _level(before), "after": _level(after)}
    seconds = max(len(sound) for sound in sounds.values()) / RATE
    pictures = {
        "before": sketch.spectrum(sounds["before"], RATE, seconds, [("heard", heard)]),
        "after": sketch.spectrum(sounds["after"], RATE, seconds, [*lines, ("played", played)]),
        "loudness": sketch.loudness(seconds, [("heard", heard), ("played", played)]),
    }
    for kind, sound in sounds.items():
        path = folder / f"{name}_{kind}.ogg"
        audio.write(path, sound, RATE)
        path.write_bytes(renumbered(path.read_bytes()))
    for kind, text in pictures.items():
        (folder / f"{name}_{kind}.svg").write_text(text, encoding="utf-8")
    done = replace(wish, octave=octave)
    return Example(
        name=name,
        title=wish.title,
        sentence=wish.sentence or sentence_of(done),
        instrument=wish.instrument,
        octave=octave,
        semitones=wish.semitones,
        room=wish.room,
        seconds=round(seconds, 3),
        before=f"{name}_before.ogg",
        after=f"{name}_after.ogg",
        pictures={kind: f"{name}_{kind}.svg" for kind in pictures},
        told={"before": f"heard: {_range(heard)}", "after": f"{player_of(done)}{place_of(done)}: {_range(played)}"},
    )


def _read(source: Path) -> Floats:
    """The beginning of a file, at `RATE`."""
    with audio.Reader(source) as reader:
        blocks, length, rate = [], 0, reader.sample_rate
        for block in reader.blocks():
            blocks.append(block)
            length += len(block)
            if length > LONGEST_S * rate:
                break
    sound = np.concatenate(blocks)
    if len(sound) < _SHORTEST_S * rate:
        raise RetimbreError(f"{source}: is too short ({len(sound) / rate:.2f} s); record at least a note")
    if not np.abs(sound).max() > 1e-4:
        raise RetimbreError(f"{source}: is silent; record it again")
    whole = len(sound) <= LONGEST_S * rate
    sound = resample(sound[: round(LONGEST_S * rate)], rate, RATE)
    return sound if whole else _faded(sound)


def _fitted(wish: Wish, before: Floats, heard: Controls, instrument: Instrument) -> tuple[Controls, int]:
    """What the instrument plays of a sound, and the octaves moved."""
    if wish.recorded_in:
        room = library.find(wish.recorded_in)
        if not isinstance(room, Room):
            raise RetimbreError(f"{wish.recorded_in}: is a response; a room in numbers is needed to take it out")
        heard = analyze_blocks(dried([before], Dereverberator(RATE, room, **FOR_CONTROLS)), RATE)
    if not (heard.voiced & (heard.f0_hz > 0)).any():
        raise RetimbreError(f"{wish.source}: no pitch is heard in it, so there is nothing to play")
    fitted, done = adjust(heard, instrument, Settings(wish.octave, wish.semitones))
    return fitted, done.octave


def _scored(wish: Wish, instrument: Instrument) -> tuple[Controls, int]:
    """What the instrument plays of a MIDI file, and the octaves moved."""
    assert wish.score
    part = choose_part(wish.score, read_parts(wish.score))
    octave = fitting_octave(keys_hz(part), instrument) if wish.octave == "auto" else wish.octave
    controls = perform(part, manner(instrument))
    return controls.replace(f0_hz=controls.f0_hz * np.float32(2 ** (octave + wish.semitones / 12))), octave


def _placed(wish: Wish, before: Floats) -> Floats:
    """The sound itself in the room; its own is turned down first if it is to be moved."""
    room = library.find(wish.room)
    if not wish.moved:
        return _ringing(before, room)
    with tempfile.TemporaryDirectory(prefix="retimbre-") as folder:
        source, output = Path(folder, "source.wav"), Path(folder, "moved.wav")
        audio.write(source, before, RATE)
        match_file(source, output, room, strength=2.0)
        moved, _ = audio.read(output)
    return _cut(moved, len(before))


def _ringing(sound: Floats, room: Room | MeasuredRoom) -> Floats:
    """A sound in a room, and for a while what is left of it afterwards."""
    return _cut(np.concatenate(list(ringing([sound], room.to_rir(RATE)))), len(sound))


def _cut(wet: Floats, length: int) -> Floats:
    """Up to where nothing is heard any more, at most `RINGING_S` after so many samples."""
    loud = np.flatnonzero(np.abs(wet) > 1e-3 * np.abs(wet).max())
    end = min(len(wet), length + round(RINGING_S * RATE), max(length, int(loud[-1]) + 1))
    return _faded(wet[:end]) if end < len(wet) else wet


def _faded(sound: Floats) -> Floats:
    fade = min(len(sound), round(_FADE_S * RATE))
    return np.concatenate(
        [sound[: len(sound) - fade], sound[len(sound) - fade :] * np.linspace(1, 0, fade, dtype="f4")]
    )


def _level(sound: Floats) -> Floats:
    """As loud as all others."""
    loudness_db = analyze(sound, RATE).loudness_db
    gain = 10 ** ((LOUD_DB - float(np.percentile(loudness_db, 95))) / 20)
    return sound * np.float32(min(gain, PEAK / float(np.abs(sound).max())))


def _range(controls: Controls) -> str:
    """The pitches of a sound, in words."""
    f0_hz = controls.f0_hz[controls.voiced & (controls.f0_hz > 0) & (controls.loudness_db > -60)]
    if not len(f0_hz):
        return "no pitch"
    low, high = (note_name(69 + 12 * log2(float(hz) / 440)) for hz in np.percentile(f0_hz, [3, 97]))
    return low if low == high else f"{low} to {high}"
