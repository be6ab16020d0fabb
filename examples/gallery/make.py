"""Make the gallery that comes with retimbre, from the table below: run `make gallery`.

Every sound is of the project's own making: computed by `sounds.py`, or spoken and sung by espeak-ng (`speech.py`).
The tunes are in the public domain (`tunes.py`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sounds
import tunes
from sounds import line
from tqdm import tqdm
from tunes import Note

from retimbre import audio
from retimbre.gallery.example import Wish
from retimbre.gallery.folder import SHIPPED, write_gallery
from retimbre.midi.notes import Note as Key
from retimbre.midi.write import write_notes

HERE = Path(__file__).parent

Sound = Callable[[], sounds.Curve] | str | tuple[list[Note], float]
"""A function, a line of `speech.py`, or a tune and its beat in seconds: that one is played from MIDI."""


class Row(NamedTuple):
    """An example: what is heard, and what is done with it."""

    title: str
    sentence: str
    sound: Sound
    instrument: str = ""
    room: str = "none"
    octave: int | str = "auto"
    semitones: float = 0.0
    in_room: str = ""
    moved: bool = False


TABLE = [
    Row(
        "Ode to Joy, whistled",
        "Somebody whistles Beethoven on the way home; a violin in a concert hall answers an octave lower.",
        lambda: sounds.whistled(line(tunes.ODE_TO_JOY, 0.4)),
        "violin", "hall", -1,
    ),
    Row(
        "The weather, by bassoon",
        "A Scottish forecast without its words: only the melody of the sentence and its stress are left.",
        "weather", "bassoon", "studio",
    ),
    Row(
        "An ambulance made of brass",
        "A siren comes near and passes in a tunnel; the trombone keeps even the fall of pitch (Doppler's effect).",
        sounds.siren, "trombone", "tunnel",
    ),
    Row(
        "Cello Suite No. 1",
        "A MIDI file, as plain as it comes; the attacks, releases and dynamics of the bow are the cello's own.",
        (tunes.CELLO_SUITE, 0.8), "cello", "small",
    ),
    Row(
        "A blackbird, slowly enough to follow",
        "The bird sings two octaves above the saxophone, which nobody ever told what a bird is.",
        sounds.blackbird, "alto_saxophone", "small",
    ),
    Row(
        "A robot sings Frère Jacques",
        "A speech synthesiser that knows no singing, tuned syllable by syllable; the cello sings it better.",
        "frere_jacques", "cello", "church",
    ),
    Row(
        "In the hall of the kazoo king",
        "Grieg through a kazoo; what answers is an instrument half bassoon, half trombone, which nobody ever built.",
        lambda: sounds.kazoo(line(tunes.MOUNTAIN_KING, 0.42, gap_s=0.07, vibrato=0.15)),
        "bassoon:0.5,trombone:0.5", "classroom",
    ),
    Row(
        "Greensleeves on a theremin",
        "The theremin slides from note to note and so does the flute, though no flute of wood or silver can.",
        lambda: sounds.theremin(line(tunes.GREENSLEEVES, 0.4, glide_s=0.12, gap_s=0.0, vibrato=0.4)),
        "flute", "ballroom",
    ),
    Row(
        "Amazing Grace, sung from MIDI",
        "Notes from a file, sung by an instrument that was trained on one minute of a man's voice.",
        (tunes.AMAZING_GRACE, 0.38), "male_voice", "church",
    ),
    Row(
        "Flight of the mosquito",
        "The thin buzz of wings plays Rimsky-Korsakov, nine notes a second; the violin keeps up.",
        lambda: sounds.mosquito(line(tunes.BUMBLEBEE, 0.46, glide_s=0.025, gap_s=0.015, vibrato=0.1)),
        "violin", "small",
    ),
    Row(
        "Four octaves in five seconds",
        "A plain tone climbs from the lowest C of the cello to the highest and falls back; no left hand is that fast.",
        sounds.sweep, "cello", "studio", 0,
    ),
    Row(
        "Toccata for a toy of 1985",
        "Bach out of a square wave of eight levels, then by an organ pipe's cousin in a vault of stone: the bassoon.",
        lambda: sounds.chip(line(tunes.TOCCATA, 0.42, glide_s=0.012, drift=0.0, vibrato=0.1, swell=0.1)),
        "bassoon", "cellar",
    ),
    Row(
        "The Swan, between two instruments",
        "A whistle becomes six parts violin and four parts flute: bowed and blown at once.",
        lambda: sounds.whistled(line(tunes.SWAN, 0.4, glide_s=0.09, gap_s=0.06)),
        "violin:0.6,flute:0.4", "hall",
    ),
    Row(
        "Twinkle, twinkle, toy piano",
        "Struck and left alone, a bar of metal fades; the trombone plays the fading as getting softer.",
        lambda: sounds.plucked(tunes.TWINKLE, 0.32), "trombone", "small",
    ),
    Row(
        "A voice is moved house",
        "Somebody is lost in a cellar of five seconds; their room is heard, taken out, and a studio put there instead.",
        "lost", "", "studio", in_room="cellar", moved=True,
    ),
    Row(
        "The museum of rooms",
        "A voice without any room is placed in a village church; no church was needed, a kilobyte of numbers holds it.",
        "guide", "", "church",
    ),
    Row(
        "Out of the church",
        "A whistle echoes in a church; the flute plays what was whistled, and leaves the church behind.",
        lambda: sounds.whistled(line(tunes.ODE_TO_JOY[:15], 0.42, seed=5)),
        "flute", in_room="church",
    ),
    Row(
        "A slide whistle loses its slide",
        "Three octaves of swoops, in the bow arm of a cello.",
        sounds.slide_whistle, "cello", "classroom",
    ),
    Row(
        "HELLO WORLD",
        "Morse code, as telegraphed by a baritone in a railway tunnel.",
        lambda: sounds.morse("HELLO WORLD"), "male_voice", "tunnel",
    ),
]  # fmt: skip


def wishes(folder: Path) -> Iterator[Wish]:
    """The table with its sounds written into a folder."""
    for place, row in enumerate(TABLE):
        source, score = folder / f"{place}.wav", None
        if isinstance(row.sound, str):
            spoken, rate = audio.read(HERE / "speech" / f"{row.sound}.ogg")
            audio.write(source, spoken, rate)
        elif isinstance(row.sound, tuple):
            score = folder / f"{place}.mid"
            write_notes(_keys(*row.sound), score)
            audio.write(source, sounds.plucked(*row.sound, lead_s=0.0), sounds.RATE)
        else:
            audio.write(source, row.sound(), sounds.RATE)
        if row.in_room:
            source = _recorded(source, row.in_room)
        octave = "auto" if row.octave == "auto" else int(row.octave)
        dried = "" if row.moved else row.in_room
        yield Wish(
            row.title, row.sentence, source, row.instrument, score, octave, row.semitones, row.room, dried, row.moved
        )


def _recorded(source: Path, room: str) -> Path:
    """The same sound as it would have been recorded in a room."""
    from retimbre.rooms.library import find
    from retimbre.rooms.place import place_file

    wet = source.with_stem(f"{source.stem}_wet")
    place_file(source, wet, find(room), gain_db=-6.0)
    return wet


def _keys(tune: list[Note], beat_s: float) -> list[Key]:
    """A tune as keys, slurs as overlaps, with the accents of a steady player."""
    starts = np.cumsum([0.0, *(note.beats for note in tune)]) * beat_s
    keys = []
    for place, (note, after) in enumerate(zip(tune, [*tune[1:], Note(None, 1)], strict=True)):
        if note.key is None:
            continue
        end_s = starts[place + 1] - (0.0 if after.slurred else min(0.06, 0.2 * note.beats * beat_s))
        accent = 88 if float(starts[place] / beat_s).is_integer() else 70
        keys.append(Key(float(starts[place]), float(end_s), note.key, accent))
    return keys


def main() -> None:
    """Render all of it."""
    with tempfile.TemporaryDirectory(prefix="retimbre-gallery-") as folder:
        made = write_gallery(tqdm(wishes(Path(folder)), total=len(TABLE), unit="example"), SHIPPED, overwrite=True)
    size = sum(path.stat().st_size for path in SHIPPED.iterdir())
    print(f"{SHIPPED}: {len(made)} examples, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
