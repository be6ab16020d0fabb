"""How the shipped rooms are made: fitted to freely licensed impulse responses, which are not shipped themselves.

    python recipes/rooms.py FOLDER [--pictures FOLDER]

FOLDER holds the responses. Of several draws of each room's noise the one is kept that measures most like the response.
The colour that was measured is that of loudspeaker and microphone as much as of the room: here each room sounds as
loud in every band as the dry sound.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from retimbre.rooms.drawing import draw
from retimbre.rooms.library import FOLDER, to_text
from retimbre.rooms.measure import Report
from retimbre.rooms.measured import MeasuredRoom
from retimbre.rooms.room import Room

SEEDS = range(12)


@dataclass(frozen=True)
class Source:
    """Where a room was measured, by whom, and what may be done with the response."""

    response: str
    description: str
    place: str
    author: str
    license: str


YORK = "Audiolab, University of York (openairlib.net)"
OPEN_AIR = "contributors to openairlib.net"
SOURCES = {
    "small": Source(
        "hall_arthur_sykes_rymer_auditorium.flac",
        "a small auditorium, dry and clear",
        "Arthur Sykes Rymer Auditorium, University of York",
        YORK,
        "CC BY 4.0",
    ),
    "studio": Source(
        "studio_genesis6_live_room.flac",
        "the live room of a studio, short and even",
        "Genesis 6 Studio, live room, York",
        YORK,
        "CC BY 4.0",
    ),
    "classroom": Source(
        "room_seminar_clap.flac",
        "a seminar room, hard and close",
        "a seminar room, University of Rostock",
        "spatialaudio, University of Rostock",
        "CC0 1.0",
    ),
    "bedroom": Source(
        "room_empty_bedroom_clap.flac",
        "an empty room with bare walls, ringing",
        "the bedroom of an empty apartment",
        OPEN_AIR,
        "public domain",
    ),
    "hall": Source(
        "hall_jack_lyons_york.flac",
        "a concert hall of medium size, warm",
        "Jack Lyons Concert Hall, University of York",
        YORK,
        "CC BY 4.0",
    ),
    "ballroom": Source(
        "hall_spokane_womans_club.flac",
        "a ballroom, longer than the hall",
        "Spokane Woman's Club, Spokane",
        "James Cadwallader (openairlib.net)",
        "CC BY 3.0",
    ),
    "church": Source(
        "church_st_lawrence_molenbeek.flac",
        "a village church, near to the player",
        "Saint Lawrence Church, Molenbeek-Wersbeek",
        OPEN_AIR,
        "public domain",
    ),
    "tunnel": Source(
        "tunnel_purnodes_railway.flac",
        "a railway tunnel, far away and dark",
        "the railway tunnel of Purnode",
        OPEN_AIR,
        "public domain",
    ),
    "cellar": Source(
        "basement_museum_unterlinden.flac",
        "a long vault of stone",
        "the basement of the Museum Unterlinden, Colmar",
        "peter1955 (freesound.org 757865)",
        "CC0 1.0",
    ),
}


def main() -> None:
    """Fit all rooms, print how they compare, draw them if asked."""
    parser = argparse.ArgumentParser(description="Fit the shipped rooms to measured responses.")
    parser.add_argument("responses", type=Path, metavar="FOLDER")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw each room beside its response")
    options = parser.parse_args()
    for name, source in SOURCES.items():
        measured = MeasuredRoom.load(options.responses / source.response)
        wanted, response = measured.report(), measured.response[:, 0]
        fitted = neutral(Room.from_rir(response, measured.sample_rate, name))
        rooms = [replace(fitted, seed=seed) for seed in SEEDS]
        room = min(rooms, key=lambda room: error(wanted, room.report()))
        middle = [row for row in room.report().octaves if row.band_hz in (500, 1000)]
        say = {
            "name": name,
            "description": source.description,
            "fitted_to": f"impulse response of {source.place}",
            "author": source.author,
            "license": source.license,
            "mid_t30_s": round(sum(row.t30_s or 0 for row in middle) / 2, 2),
            "mid_c80_db": round(sum(row.c80_db for row in middle) / 2, 1),
        }
        (FOLDER / f"{name}.json").write_text(to_text(say | room.to_json()), encoding="utf-8")
        print(f"\n{name}: {source.place}; real / fitted; mean error {error(wanted, room.report()):.2f}")
        table(wanted, room.report())
        if options.pictures:
            pair = [("as measured", response, measured.sample_rate), (name, room.to_rir(), 48_000)]
            draw(options.pictures / f"{name}.png", pair)


def neutral(room: Room) -> Room:
    """Direct sound and answer together with the same energy in all bands."""
    power = 1 + sum(10 ** (room.part_at(place, room.band_hz)[1] / 10) for place in range(2))
    return replace(room, colour_db=tuple(np.round(-10 * np.log10(power), 1).tolist())).as_loud_as_dry()


def error(real: Report, fitted: Report) -> float:
    """Mean over octaves and figures; 10 % of a decay time weigh as much as 1 dB of clarity."""
    errors = []
    for one, two in zip(real.octaves, fitted.octaves, strict=False):
        for key in ("edt_s", "t20_s", "t30_s"):
            a, b = getattr(one, key), getattr(two, key)
            errors += [10 * abs(math.log(b / a))] if a and b else []
        errors += [abs(one.c50_db - two.c50_db), abs(one.c80_db - two.c80_db)] if one.range_db > 30 else []
    return float(np.mean(errors))


def table(real: Report, fitted: Report) -> None:
    """T30, EDT, C80 and DRR of each octave."""
    print("   Hz        T30, s          EDT, s         C80, dB         DRR, dB")
    for one, two in zip(real.octaves, fitted.octaves, strict=False):
        pairs = [(getattr(one, key), getattr(two, key)) for key in ("t30_s", "edt_s", "c80_db", "drr_db")]
        cells = ("/".join("     -" if v is None else f"{v:6.2f}" for v in pair) for pair in pairs)
        print(f"{one.band_hz:5.0f}", *cells, sep="   ")


if __name__ == "__main__":
    main()
