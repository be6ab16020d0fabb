"""The gallery that comes with retimbre: as its table says, varied, small, and in tune."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from retimbre import audio
from retimbre.analysis import analyze
from retimbre.gallery.folder import INDEX, SHIPPED, read_gallery
from retimbre.instrument import shipped

FOLDER = Path(__file__).parents[2] / "examples" / "gallery"
EXAMPLES = read_gallery(SHIPPED)
PLAYED = [one for one in EXAMPLES if one.instrument and one.title != "Out of the church"]
"""Without the one whose source holds the note before, too."""


@pytest.fixture(scope="module")
def table() -> list:
    """The rows of examples/gallery/make.py."""
    sys.path.insert(0, str(FOLDER))
    specification = importlib.util.spec_from_file_location("make_gallery", FOLDER / "make.py")
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    sys.path.remove(str(FOLDER))
    return module.TABLE


def test_it_is_what_the_table_says(table: list) -> None:
    rows = [(row.title, row.sentence, row.instrument, row.room) for row in table]
    assert rows == [(one.title, one.sentence, one.instrument, one.room) for one in EXAMPLES]
    spoken = {row.sound for row in table if isinstance(row.sound, str)}
    assert spoken == {path.stem for path in (FOLDER / "speech").iterdir()}


def test_it_is_varied() -> None:
    plays = {one.instrument for one in EXAMPLES}
    assert len(EXAMPLES) >= 12 and plays >= set(shipped())
    assert sum(":" in name for name in plays) >= 2  # between two instruments
    assert sum(not one.instrument for one in EXAMPLES) >= 2  # moved to another room
    assert len({one.room for one in EXAMPLES}) >= 6


def test_it_is_small_and_whole() -> None:
    sizes = {path.name: path.stat().st_size for path in SHIPPED.iterdir()}
    assert sizes.keys() == {name for one in EXAMPLES for name in one.files} | {INDEX}
    assert sum(sizes.values()) < 6e6


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.name)
def test_both_sounds_are_loud_enough_and_not_clipped(one) -> None:
    for name in (one.before, one.after):
        sound, rate = audio.read(SHIPPED / name)
        assert rate == 48_000 and np.abs(sound).max() < 0.999 and np.square(sound).mean() > 1e-4


@pytest.mark.parametrize("one", PLAYED, ids=lambda one: one.name)
def test_the_pitch_that_is_played_is_the_pitch_that_was_heard(one) -> None:
    """Where both are voiced and neither changes; rooms and fast notes blur the rest."""
    heard, played = (analyze(*audio.read(SHIPPED / name)) for name in (one.before, one.after))
    n = min(len(heard), len(played))
    both = heard.voiced[:n] & played.voiced[:n] & (heard.loudness_db[:n] > -50)
    semitones = 12 * (np.log2(played.f0_hz[:n][both] / heard.f0_hz[:n][both]) - one.octave) - one.semitones
    assert both.mean() > 0.3 and abs(np.median(semitones)) < 0.3 and (np.abs(semitones) < 0.6).mean() > 0.55
