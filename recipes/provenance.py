"""Write src/retimbre/instruments/README.md: what the shipped instruments were made from, and whom to thank.

`python recipes/provenance.py`, after an instrument was trained; a test compares.
"""

from __future__ import annotations

from pathlib import Path

from retimbre.controls import note_name
from retimbre.instrument import load, shipped

PAGE = Path(__file__).parents[1] / "src" / "retimbre" / "instruments" / "README.md"

HEAD = """# The instruments

Each file is one instrument: its network and a card that says what it is ([format](../../../docs/instrument-file.md)).
Each was made by `retimbre train recipes/NAME.toml --recordings FOLDER` from freely licensed recordings, which are not
part of this repository. Where a licence asks for attribution, name the authors below with what you make.

The loss is the multi-scale spectral loss on recordings that training never heard; it compares runs on one set of
recordings, not instruments with each other.

| instrument | range | minutes | licence | loss | made from | by |
|---|---|---|---|---|---|---|
"""


def page() -> str:
    """The whole page, from the cards."""
    return HEAD + "".join(_row(load(name).card) for name in shipped())


def _row(card: dict) -> str:
    midi = card["pitch"]["quantiles"]
    sources = card["sources"]
    cells = (
        card["name"],
        f"{note_name(midi[1])} to {note_name(midi[49])}",
        f"{card['training']['minutes_of_sound']:.1f}",
        card["license"],
        f"{card['evaluation']['spectral_loss']:.3f}",
        "; ".join(f"[{source['what']}]({source['url']}), {source['license']}" for source in sources),
        "; ".join(source["author"] for source in sources),
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
