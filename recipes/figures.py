"""Measure shipped instruments anew, into their cards: `python recipes/figures.py FOLDER [NAME ...]`.

For when the measuring has changed and the instruments have not. FOLDER holds the recordings of all recipes.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from retimbre.instrument import load, shipped
from retimbre.training.corpus import load_corpus
from retimbre.training.evaluate import evaluate, held_out
from retimbre.training.recipe import read_recipe

RECIPES = Path(__file__).parent
INSTRUMENTS = RECIPES.parent / "src" / "retimbre" / "instruments"


def measure(name: str, folder: Path) -> None:
    """Judge an instrument on what its training held out, and rewrite its file."""
    instrument = load(name)
    recipe = read_recipe(RECIPES / f"{name}.toml", folder)
    with tempfile.TemporaryDirectory() as cache:
        recordings = load_corpus(recipe, Path(cache), progress=lambda paths: paths, warn=print)
    unheard, known = held_out(instrument, recordings)
    instrument.card["evaluation"]["figures"] = asdict(evaluate(instrument, unheard, known))
    instrument.save(INSTRUMENTS / f"{name}.safetensors", overwrite=True)
    print(name, instrument.card["evaluation"]["figures"], flush=True)


if __name__ == "__main__":
    for one in sys.argv[2:] or shipped():
        measure(one, Path(sys.argv[1]))
