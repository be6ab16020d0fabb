"""An instrument learned in a hall whose numbers are known: the hall is found, and stays out of the instrument."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from rooms.halls import RATE, hall, playing, recorded

from retimbre.dsp import multi_scale_spectral_loss
from retimbre.engine import Convolver
from retimbre.errors import RetimbreError
from retimbre.instrument import load
from retimbre.training import corpus, lessons, rooms, train
from retimbre.training.config import Config
from retimbre.training.decoder import Decoder
from retimbre.training.recipe import Recipe
from retimbre.training.recording import HOP, SAMPLE_RATE, make_recording
from retimbre.training.sessions import learned_room
from tests.training.consoles import console

HALL = hall(1.2, -7)
SMALL = Config(steps=30, channels=16, layers=2, harmonics=20, bands=8, batch=2, clip_frames=60, resolutions=1)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Recipe:
    folder = tmp_path_factory.mktemp("hall")
    soundfile.write(folder / "hall_1.wav", recorded(playing(14), HALL), RATE)
    soundfile.write(folder / "dry_1.wav", playing(6, seed=1), RATE)
    return Recipe(folder, rooms={"hall_*": "hall"}, band_limits={"hall_*": 16_000})


@pytest.fixture(scope="module")
def violin(recipe, tmp_path_factory):
    torch.set_num_threads(1)
    return train.train(recipe, tmp_path_factory.mktemp("out") / "violin.safetensors", SMALL, console())


def test_the_hall_is_learned_and_on_the_card(violin):
    assert violin.room.name == "hall" and violin.card["training"]["rooms"] == {"hall": violin.card["room"]}
    assert np.median(violin.room.decay_s) == pytest.approx(1.2, rel=0.12)
    assert np.median(violin.room.level_db) == pytest.approx(-7, abs=2)


def test_dry_output_is_dry(violin, recipe):
    recordings = corpus.load_corpus(recipe, recipe.recordings / "cache", progress=lambda p: p, warn=print)
    (wet,) = (one for one in recordings if one.room)
    rest = make_recording(Path("dry"), playing(14), RATE).controls.loudness_db[: len(wet.controls)] < -70
    rest = np.repeat(rest[:-1], HOP)[: 14 * SAMPLE_RATE]
    dry = load("violin").play(wet.controls, SAMPLE_RATE)  # the one of a few steps hardly knows loud from soft
    own = Convolver(learned_room(violin, wet).to_rir(SAMPLE_RATE)).process(dry)
    level_db = [10 * np.log10(np.square(sound[: len(rest)][rest]).mean()) for sound in (wet.audio, own, dry)]
    assert level_db[1] == pytest.approx(level_db[0], abs=4), "the room that was learned fills the rests"
    assert level_db[2] < level_db[0] - 12, "without it they are empty"


def test_a_stopped_run_goes_on_to_the_same_room(violin, recipe, tmp_path):
    output = tmp_path / "violin.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train.train(recipe, output, SMALL, console(stop_at=17))
    resumed = train.train(recipe, output, SMALL, console())
    np.testing.assert_allclose(resumed.room.decay_s, violin.room.decay_s, rtol=1e-4)
    np.testing.assert_allclose(resumed.room.level_db, violin.room.level_db, atol=1e-3)
    for name, weight in violin.weights.items():
        np.testing.assert_allclose(resumed.weights[name], weight, atol=1e-5)


def test_a_room_is_learned_from_a_wrong_estimate():
    """Where the dry sound is right, the loss leads back from a wrong estimate, against the prior."""
    room, truth = rooms.LearnedRoom(hall(0.9, -5)), rooms.LearnedRoom(HALL)
    dry = torch.from_numpy(playing(8)).reshape(4, -1)
    lead, clip = dry[:, : (rooms.LEAD_FRAMES + 100) * HOP].split([rooms.LEAD_FRAMES * HOP, 100 * HOP], dim=1)
    with torch.no_grad():
        target = truth(lead, clip)
    optimizer = torch.optim.Adam(room.parameters(), lr=0.15)
    for _ in range(40):
        optimizer.zero_grad()
        (multi_scale_spectral_loss(room(lead, clip), target, (2048,)) + room.prior()).backward()
        optimizer.step()
    learned = room.export()
    errors = np.abs(np.log(np.array(learned.decay_s[4:]) / 1.2)) / np.log(1.2 / 0.9)
    assert (errors < 0.6).all(), "the bands in which most of the spectrum lies"
    assert np.abs(np.array(learned.level_db[4:]) + 7).max() < 1.2


def test_the_lead_rings_into_the_clip_as_it_does_in_the_room():
    room = rooms.LearnedRoom(hall(1.0, -5))
    sound = torch.from_numpy(playing(3))[None, : (rooms.LEAD_FRAMES + 60) * HOP]
    lead = rooms.LEAD_FRAMES * HOP
    with torch.no_grad():
        heard = room(sound[:, :lead], sound[:, lead:])[0].numpy()
    whole = recorded(sound[0].numpy(), hall(1.0, -5))[lead:]
    np.testing.assert_allclose(heard, whole, atol=2e-3 * np.abs(whole).max())


def test_clips_of_a_session_keep_to_one_recording(recipe):
    recordings = corpus.load_corpus(recipe, recipe.recordings / "cache", progress=lambda p: p, warn=print)
    (wet,) = (one for one in recordings if one.room)
    material = corpus.lay_out([wet, replace(wet, path=Path("second"))])
    assert material.room == "hall" and material.bandwidth == pytest.approx(2 / 3)
    second, length = material.starts[1], len(wet.controls) - 1
    places = material.places(200)
    assert len(places) == 2 * (length - 40 - 200 + 1)
    assert not ((places > second - 40 - 200) & (places < second)).any()
    _, controls = material.clips([second + 10], 200, 100)
    assert (controls[0, :90, 2] == -100).all() and (controls[0, :90, 1] == 0).all(), "silence before it begins"
    np.testing.assert_array_equal(controls[0, 90:, 2].numpy(), wet.controls.loudness_db[:211])


def test_a_session_without_notes_is_named(recipe, tmp_path):
    swell = np.sin(np.pi * np.arange(14 * RATE) / (14 * RATE))
    soundfile.write(tmp_path / "drone.wav", 0.1 * swell * np.sin(np.arange(14 * RATE) / 20), RATE)
    with pytest.raises(RetimbreError, match=r"chapel: too few notes.*\[rooms\]"):
        corpus.load_corpus(
            Recipe(tmp_path, rooms={"*": "chapel"}), tmp_path / "cache", progress=lambda p: p, warn=print
        )


def test_without_rooms_lessons_are_what_they_were(recipe):
    """The clips of one dry material are those of any clip of it, drawn from the same random numbers."""
    dry = corpus.load_corpus(Recipe(recipe.recordings), recipe.recordings / "c", progress=lambda p: p, warn=print)
    (material,) = corpus.lay_out_by_room(dry)
    drawn = torch.randint(len(material) - 60, (2,), generator=torch.Generator().manual_seed(4))
    expected = material.clips(drawn.tolist(), 60, lessons.context(SMALL))
    draw = lessons.Lessons([material], SMALL, "cpu")._draw
    generator = torch.Generator().manual_seed(4)
    for ours, theirs in zip(draw(generator, lessons.context(SMALL)), expected, strict=True):
        assert torch.equal(ours, theirs)
    assert not list(rooms.RoomyDecoder(_network(), torch.Generator(), []).rooms)


def _network():
    network = load("cello").network
    assert Decoder(network).network == network
    return network
