"""What an example is, in words."""

from __future__ import annotations

from pathlib import Path

from retimbre.gallery.example import Example, Wish

_ROOMS = {"small": "small auditorium"}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


def spoken(name: str) -> str:
    """A name without the signs of files."""
    return name.replace("_", " ").strip()


def player_of(one: Wish | Example) -> str:
    """Who plays: "cello", "60 % violin, 40 % flute"; "the same sound" where nobody does."""
    if not one.instrument:
        return "the same sound"
    if ":" not in one.instrument or Path(one.instrument).exists():
        return spoken(Path(one.instrument).stem)
    shares = {name: float(share) for name, share in (part.split(":") for part in one.instrument.split(","))}
    return ", ".join(f"{100 * share / sum(shares.values()):.0f} % {spoken(name)}" for name, share in shares.items())


def place_of(one: Wish | Example) -> str:
    """Where: " in the church", "" where it is dry."""
    if one.room == "none":
        return ""
    return " in its own room" if one.room == "own" else f" in the {_ROOMS.get(one.room, spoken(Path(one.room).stem))}"


def moved_by(one: Wish | Example) -> str:
    """How far it is transposed: "two octaves down", "" where it is not."""
    octave, parts = int(one.octave) if one.octave != "auto" else 0, []
    if octave:
        parts.append(f"{_NUMBERS[abs(octave)]} octave{'s' * (abs(octave) > 1)} {'up' if octave > 0 else 'down'}")
    if one.semitones:
        parts.append(f"{abs(one.semitones):g} semitones {'up' if one.semitones > 0 else 'down'}")
    return ", ".join(parts)


def sentence_of(wish: Wish) -> str:
    """What happens in it."""
    the = "" if ":" in wish.instrument else "the "
    plays = f"played by {the}{player_of(wish)}{place_of(wish)}" if wish.instrument else f"heard{place_of(wish)}"
    return ", ".join(part for part in (wish.title, plays, moved_by(wish)) if part) + "."
