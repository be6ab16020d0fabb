import runpy
from pathlib import Path

import numpy as np
import pytest

from retimbre.errors import RetimbreError
from retimbre.instrument import load, shipped
from retimbre.training.config import Config
from retimbre.training.recipe import Recipe, read_recipe
from retimbre.training.recording import SAMPLE_RATE, make_recording

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_says_who_and_under_which_licence(path):
    recipe = read_recipe(path)
    assert recipe.about["name"] == path.stem  # what --to takes
    assert recipe.about["license"] in {"CC0-1.0", "CC-BY-4.0", "CC-BY-3.0", "MIT"}
    assert bool(recipe.voices) != bool(recipe.about.get("sources"))  # a base has those of its voices
    for source in recipe.about.get("sources", []):
        assert source.keys() == {"what", "author", "license", "url"}
    Config(**recipe.training)


def test_files_and_levels_go_by_name(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('recordings = "set"\nfiles = ["x_*"]\n[levels]\n"*_p_*" = -9\n"*" = 1.5\n')
    recipe = read_recipe(path)
    assert recipe.recordings == tmp_path / "set"
    assert read_recipe(path, tmp_path / "far").recordings == tmp_path / "far/set"
    assert recipe.takes(Path("x_p_1.wav")) and not recipe.takes(Path("y_p_1.wav"))
    assert [recipe.level_db(Path(name)) for name in ("x_p_1.wav", "x_f_1.wav")] == [-9, 1.5]
    path.write_text('[rooms]\n"a*" = "hall"\n[band_limits]\n"*.mp3" = 16000\n')
    recipe = read_recipe(path)
    assert [recipe.session(Path(name)) for name in ("a.mp3", "b.wav")] == ["hall", None]
    assert [recipe.band_limit_hz(Path(name)) for name in ("a.mp3", "b.wav")] == [16_000, None]
    assert Recipe(tmp_path).takes(Path("any")) and Recipe(tmp_path).level_db(Path("any")) == 0


def test_a_louder_recording_is_louder_in_sound_and_controls(tmp_path):
    noise = 0.1 * np.sin(np.arange(SAMPLE_RATE) / 20).astype(np.float32)
    recording = make_recording(tmp_path / "a", noise, SAMPLE_RATE)
    softer = recording.louder(-6)
    analysed = make_recording(tmp_path / "a", noise * np.float32(10 ** (-6 / 20)), SAMPLE_RATE)
    loud = recording.controls.loudness_db > -60
    np.testing.assert_allclose(softer.audio, analysed.audio, atol=1e-6)
    np.testing.assert_allclose(softer.controls.loudness_db[loud], analysed.controls.loudness_db[loud], atol=1e-3)


@pytest.mark.parametrize(
    ("text", "says"),
    (
        ("name = 3", "name is not right"),
        ("colour = 'red'", "colour is not right"),
        ("[training]\nstepps = 5", "training.stepps is no setting"),
        ("[levels]\n'*' = 'loud'", "levels must be numbers"),
        ("[rooms]\n'*' = 3", "rooms must be names"),
        ("[band_limits]\n'*' = 5", "band_limits must be 1000 to 24000 Hz"),
        ("name = ", "is not a recipe that can be read"),
    ),
)
def test_what_a_recipe_does_not_say_is_named(tmp_path, text, says):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(RetimbreError, match=says):
        read_recipe(path)


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(RetimbreError, match=r"no\.toml: cannot be read"):
        read_recipe(tmp_path / "no.toml")


def test_every_shipped_instrument_has_a_recipe_and_its_card_says_the_same():
    recipes = {path.stem: read_recipe(path).about for path in RECIPES}
    assert set(shipped()) <= set(recipes)
    for name in shipped():
        assert {key: load(name).card[key] for key in recipes[name]} == recipes[name]


def test_the_page_of_the_instruments_is_that_of_their_cards():
    script = runpy.run_path(str(RECIPES[0].parent / "provenance.py"))
    assert script["PAGE"].read_text(encoding="utf-8") == script["page"](), "run python recipes/provenance.py"
