"""Write src/retimbre/instruments/README.md: what the shipped instruments were made from, and whom to thank.

`python recipes/provenance.py`, after an instrument was trained; a test compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from retimbre.controls import note_name
from retimbre.instrument import load, shipped

PAGE = Path(__file__).parents[1] / "src" / "retimbre" / "instruments" / "README.md"

HEAD = """# The instruments

Each file is one instrument: its network and a card that says what it is ([format](../../../docs/instrument-file.md)).
Each was made by `retimbre train recipes/NAME.toml --recordings FOLDER` from freely licensed recordings, which are not
part of this repository. Where a licence asks for attribution, name the authors below with what you make.

| instrument | range | minutes | licence | made from | by |
|---|---|---|---|---|---|
"""


FIGURES = """
## How good they are

Measured by `retimbre eval` on recordings that training never heard, played from their own controls: pitch by SwiftF0
(median error), A-weighted loudness, energy in the harmonics, distance of spectral envelopes to the recordings (and of
one half of the recordings to the other, where there are several), and how much brighter louder notes are, over how
much they are as recorded (on all recordings). A page of each, with spectrograms, lies in
[docs/instruments](../../../docs/instruments).

| instrument | pitch, cents | loudness, dB | harmonic energy | timbre, dB | brighter when louder |
|---|---|---|---|---|---|
"""


def page() -> str:
    """The whole page, from the cards."""
    cards = [load(name).card for name in shipped()]
    return HEAD + "".join(map(_origin, cards)) + FIGURES + "".join(map(_figures, cards))


def _origin(card: dict[str, Any]) -> str:
    midi, sources = card["pitch"]["quantiles"], card["sources"]
    return _row(
        card["name"],
        f"{note_name(midi[1])} to {note_name(midi[49])}",
        f"{card['training']['minutes_of_sound']:.1f}",
        card["license"],
        "; ".join(f"[{source['what']}]({source['url']}), {source['license']}" for source in sources),
        "; ".join(source["author"] for source in sources),
    )


def _figures(card: dict[str, Any]) -> str:
    f = card["evaluation"]["figures"]
    ratio, spread = f["centroid_slope_ratio"], f["timbre_spread_db"]
    return _row(
        card["name"],
        f"{f['pitch_median_cents']:.1f}",
        f"{f['loudness_error_db']:.1f}",
        f"{100 * f['harmonic_share']:.1f} %",
        f"{f['timbre_distance_db']:.1f} ({spread:.1f})" if spread is not None else f"{f['timbre_distance_db']:.1f}",
        f"{ratio:.2f}" if ratio is not None else "not known",
    )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
