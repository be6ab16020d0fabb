"""Tunes that everybody knows and nobody owns, as text: a note is its name, and its beats after a colon.

`-` is a rest, `~` before a name slurs the note from the one before, `|` is for the eye alone.
"""

from __future__ import annotations

from typing import NamedTuple

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"#": 1, "b": -1}


class Note(NamedTuple):
    """A MIDI number (None: a rest), how long it lasts, and whether it is slurred from the one before."""

    key: int | None
    beats: float
    slurred: bool = False


def tune(text: str, usual: float = 1) -> list[Note]:
    """The notes of a text; those that tell no beats have the usual."""
    return [_note(word, usual) for word in text.split() if word != "|"]


def _note(word: str, usual: float) -> Note:
    name, _, beats = word.partition(":")
    slurred, name = name.startswith("~"), name.lstrip("~")
    return Note(None if name == "-" else _key(name), float(beats or usual), slurred)


def _key(name: str) -> int:
    signs = sum(_SIGNS[sign] for sign in name[1:-1])
    return 12 * (int(name[-1]) + 1) + _STEPS[name[0]] + signs


ODE_TO_JOY = tune("""
    F#6 F#6 G6 A6 | A6 G6 F#6 E6 | D6 D6 E6 F#6 | F#6:1.5 E6:0.5 E6:2
    F#6 F#6 G6 A6 | A6 G6 F#6 E6 | D6 D6 E6 F#6 | E6:1.5 D6:0.5 D6:2.5 -
""")
"""Beethoven, Symphony 9, 1824."""

GREENSLEEVES = tune("""
    A4 | C5:2 D5 E5:1.5 ~F5:0.5 ~E5 | D5:2 B4 G4:1.5 ~A4:0.5 ~B4 | C5:1.5 ~B4:0.5 ~A4 G#4:1.5 ~F#4:0.5 ~G#4 | A4:4 -
""")
"""England, 16th century."""

CELLO_SUITE = tune(
    """
    G2 D3 B3 A3 B3 D3 B3 D3 G2 D3 B3 A3 B3 D3 B3 D3 |
    G2 E3 C4 B3 C4 E3 C4 E3 G2 E3 C4 B3 C4 E3 C4 E3 |
    G2 F#3 C4 B3 C4 F#3 C4 F#3
    G2 F#3 C4 B3 C4 F#3 C4 F#3 |
    G2 G3 B3 A3 B3 G3 B3 G3 G2 G3 B3 A3 B3 G3 B3 G3:1.5 -:1
""",
    usual=0.25,
)
"""Bach, Suite for cello in G major, BWV 1007, about 1720: the beginning of the prelude."""

TWINKLE = tune("""
    C5 C5 G5 G5 | A5 A5 G5:2 | F5 F5 E5 E5 | D5 D5 C5:2 | G5 G5 F5 F5 | E5 E5 D5:2
    C5 C5 G5 G5 | A5 A5 G5:2 | F5 F5 E5 E5 | D5 D5 C5:2 -
""")
"""Ah ! vous dirai-je, maman, France, 1761."""

MOUNTAIN_KING = tune("""
    B3:.5 C#4:.5 D4:.5 E4:.5 F#4:.5 D4:.5 F#4 | F4:.5 C#4:.5 F4 E4:.5 C4:.5 E4 |
    B3:.5 C#4:.5 D4:.5 E4:.5 F#4:.5 D4:.5 F#4:.5 B4:.5 | A4:.5 F#4:.5 D4:.5 F#4:.5 A4:2 |
    F#4:.5 G#4:.5 A#4:.5 B4:.5 C#5:.5 A#4:.5 C#5 | D5:.5 A#4:.5 D5 C#5:.5 A#4:.5 C#5 |
    F#4:.5 G#4:.5 A#4:.5 B4:.5 C#5:.5 A#4:.5 C#5 | D5:.5 A#4:.5 D5 C#5:2 -
""")
"""Grieg, Peer Gynt, 1875."""

BUMBLEBEE = tune(
    """
    E6 Eb6 D6 Db6 D6 Db6 C6 B5 C6 B5 Bb5 A5 Ab5 G5 F#5 F5
    E5 Eb5 D5 Db5 D5 Db5 C5 B4 C5 B4 Bb4 A4 Ab4 G4 F#4 F4
    E4 F4 E4 Eb4 E4 F4 E4 Eb4 E4 F4 E4 Eb4 E4 F4 E4 Eb4
    E4 Eb4 D4 Db4 D4 Eb4 E4 F4 F#4 G4 Ab4 A4 Bb4 B4 C5 Db5
    D5 Eb5 E5 F5 F#5 G5 Ab5 A5 Bb5 B5 C6 Db6 D6 Eb6 E6 F6
    F#6 G6 Ab6 A6 A6:2 -:1
""",
    usual=0.25,
)
"""After Rimsky-Korsakov, The Tale of Tsar Saltan, 1900."""

AMAZING_GRACE = tune("""
    G2 | C3:2 ~E3:.5 ~C3:.5 E3:2 D3 | C3:2 A2 G2:2 G2 | C3:2 ~E3:.5 ~C3:.5 E3:2 D3 | G3:5 -
    E3 | G3:2 ~E3:.5 ~C3:.5 E3:2 D3 | C3:2 A2 G2:2 G2 | C3:2 ~E3:.5 ~C3:.5 E3:2 D3 | C3:5 -
""")
"""New Britain, American hymn, 1829."""

FRERE_JACQUES = tune("""
    F3 G3 A3 F3 | F3 G3 A3 F3 | A3 Bb3 C4:2 | A3 Bb3 C4:2 |
    C4:.5 D4:.5 C4:.5 Bb3:.5 A3 F3 | C4:.5 D4:.5 C4:.5 Bb3:.5 A3 F3 | F3 C3 F3:2 | F3 C3 F3:2 -
""")
"""France, 18th century."""

SWAN = tune("""
    G5:3 ~F#5 ~B4 ~E5 | ~D5:3 ~G4 ~A4 ~B4 | C5:4 - | E4:1 ~F#4 ~G4 ~A4:1 ~B4 ~C5 | ~G5:3 ~F#5 ~B4 ~E5 | ~D5:6 -
""")
"""After Saint-Saëns, The Carnival of the Animals, 1886."""

TOCCATA = tune("""
    A5:.25 ~G5:.25 ~A5:3 - | G5:.5 F5:.5 E5:.5 D5:.5 C#5:2 D5:3 - |
    A4:.25 ~G4:.25 ~A4:3 - | E4:.75 F4:.75 C#4:.75 D4:3 - |
    A3:.25 ~G3:.25 ~A3:3 - | G3:.5 F3:.5 E3:.5 D3:.5 C#3:2 D3:4 -
""")
"""Bach, BWV 565, about 1705: how it begins."""
