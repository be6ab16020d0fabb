import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from retimbre import audio, instrument
from retimbre.errors import RetimbreError
from retimbre.training import corpus, lessons, recording, train
from retimbre.training.config import Config
from retimbre.training.recipe import Recipe
from tests.training.consoles import console

RATE = 22_050


def tone(f0_hz, seconds=2.0, seed=0):
    """A reed-like note: falling harmonics, breath, a swell."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    swell = np.minimum(1, 8 * time) * np.exp(-time / 3)
    harmonics = sum(np.sin(2 * np.pi * k * f0_hz * time) / k**1.5 for k in range(1, int(10_000 / f0_hz)))
    return (0.2 * swell * (harmonics + 0.01 * rng.standard_normal(len(time)))).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("notes")
    for place, f0_hz in enumerate((150, 200, 260, 310, 400, 500, 620, 700)):
        soundfile.write(path / f"note_{place}.{'flac' if place % 2 else 'wav'}", tone(f0_hz, seed=place), RATE)
    return path


def config(**changes):
    return Config(**{"steps": 24, "channels": 16, "layers": 2, "harmonics": 20, "bands": 8, "batch": 2, **changes})


def run(folder, output, **changes):
    return train.train(Recipe(folder), output, config(**changes), console())


@pytest.fixture(scope="module")
def reed(folder, tmp_path_factory):
    """A run to its end: the file of the instrument."""
    output = tmp_path_factory.mktemp("whole") / "reed.safetensors"
    run(folder, output)
    return output


def test_it_learns_the_notes_it_never_heard(folder, tmp_path):
    few = run(folder, tmp_path / "few.safetensors", steps=1)
    many = run(folder, tmp_path / "many.safetensors", steps=60)
    assert many.card["evaluation"]["spectral_loss"] < 0.6 * few.card["evaluation"]["spectral_loss"]
    assert many.card["evaluation"]["held_out_recordings"] == 1
    low, high = many.card["pitch"]["low"], many.card["pitch"]["high"]
    assert low < 69 + 12 * np.log2(310 / 440) < high


def test_same_steps_and_seed_make_the_same_file(folder, reed, tmp_path):
    run(folder, tmp_path / "reed.safetensors")
    assert (tmp_path / "reed.safetensors").read_bytes() == reed.read_bytes()


def test_a_stopped_run_goes_on_to_the_same_result(folder, reed, tmp_path):
    whole = instrument.load(reed)
    for stop_at in (3, 15):  # in the warm start, and after it
        output, lines = tmp_path / f"stopped_{stop_at}.safetensors", []
        with pytest.raises(KeyboardInterrupt):
            train.train(Recipe(folder), output, config(), console(stop_at=stop_at))
        assert not output.exists()
        resumed = train.train(Recipe(folder), output, config(), console(lines))
        assert any(re.match(rf"resuming at step {stop_at},", line) for line in lines)
        for name, weight in whole.weights.items():
            np.testing.assert_allclose(resumed.weights[name], weight, atol=1e-6)


def test_a_checkpoint_of_other_settings_is_refused(folder, tmp_path):
    output = tmp_path / "reed.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train.train(Recipe(folder), output, config(), console(stop_at=5))
    with pytest.raises(RetimbreError, match="other settings"):
        run(folder, output, seed=1)
    (tmp_path / "reed.training" / "checkpoint.safetensors").write_bytes(b"junk")
    with pytest.raises(RetimbreError, match="damaged"):
        run(folder, output)


def test_diverging_numbers_stop_with_a_remedy(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(lessons, "_warm_loss", lambda decoder, *_: next(decoder.parameters()).sum() * float("nan"))
    with pytest.raises(RetimbreError, match=r"diverged.*--learning-rate"):
        run(folder, tmp_path / "reed.safetensors")
    assert not (tmp_path / "reed.safetensors").exists()


def test_an_existing_instrument_is_never_replaced(folder, tmp_path):
    output = tmp_path / "reed.safetensors"
    output.write_bytes(b"precious")
    with pytest.raises(RetimbreError, match="exists"):
        run(folder, output)
    assert output.read_bytes() == b"precious"


def test_tensorboard_gets_curves_sounds_and_pictures(reed):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(reed.with_suffix(".training")))
    log.Reload()
    tags = log.Tags()
    assert {"loss/training", "loss/validation", "loss/warm start"} <= set(tags["scalars"])
    assert len(tags["audio"]) >= 2 and tags["images"]


def test_features_are_kept_until_the_file_changes(folder, tmp_path, monkeypatch):
    (tmp_path / "set").mkdir()
    note = tmp_path / "set" / "a.wav"
    soundfile.write(note, tone(200, seconds=12), RATE)
    calls = []
    monkeypatch.setattr(recording, "analyze", lambda *args: calls.append(1) or retimbre_analyze(*args))

    def load():
        return corpus.load_corpus(Recipe(tmp_path / "set"), tmp_path / "cache", progress=lambda p: p, warn=print)[0]

    from retimbre.analysis import analyze as retimbre_analyze

    first, second = load(), load()
    assert len(calls) == 1
    np.testing.assert_array_equal(first.controls.f0_hz, second.controls.f0_hz)
    soundfile.write(note, tone(300, seconds=12), RATE)
    assert np.median(load().controls.f0_hz) == pytest.approx(300, rel=1e-3)
    assert len(calls) == 2


def test_whole_recordings_are_held_out(folder):
    recordings = corpus.load_corpus(Recipe(folder), folder / "cache", progress=lambda p: p, warn=print)
    training, held_out = corpus.split(recordings, 0.3, seed=3)
    assert {r.path for r in training} | {r.path for r in held_out} == set(audio.find([folder]))
    assert not {r.path for r in training} & {r.path for r in held_out}
    share = sum(len(r.audio) for r in held_out) / sum(len(r.audio) for r in recordings)
    assert 0.2 < share < 0.4


def test_a_performance_gives_its_end(folder):
    notes = corpus.load_corpus(Recipe(folder), folder / "cache", progress=lambda p: p, warn=print)
    piece = recording.make_recording(Path("piece"), np.concatenate([n.audio for n in notes] * 4), 48_000)
    training, held_out = corpus.split([*notes, piece], 0.1, seed=0)
    parts = [next(one for one in side if one.path == piece.path) for side in (training, held_out)]
    assert len(training) == len(notes) and len(held_out) == 2
    np.testing.assert_array_equal(np.concatenate([part.audio for part in parts]), piece.audio)
    assert len(parts[1].audio) / len(piece.audio) == pytest.approx(0.1, abs=0.01)


def test_clips_hold_what_the_recordings_hold(folder):
    recordings = corpus.load_corpus(Recipe(folder), folder / "cache", progress=lambda p: p, warn=print)
    material = corpus.lay_out(recordings)
    start = material.starts[3] + 100
    sound, controls = material.clips([start], 50, 20)
    expected = recordings[3]
    np.testing.assert_array_equal(sound[0].numpy(), expected.audio[100 * corpus.HOP : 150 * corpus.HOP])
    np.testing.assert_array_equal(controls[0, :, 0].numpy(), expected.controls.f0_hz[80:151])


def test_what_was_trained_can_be_loaded_and_played(reed):
    from retimbre import analyze

    sound = tone(260)
    played = instrument.load(reed).play(analyze(sound, RATE), 48_000)
    heard = analyze(played, 48_000)
    middle = slice(100, 300)
    assert np.median(np.abs(1200 * np.log2(heard.f0_hz[middle] / 260))) < 5


def test_frames_without_a_pitch_do_not_settle_at_the_ends_of_the_range():
    rows = torch.tensor(
        [[110.0, 0.9, -20], [110.0, 0.1, -20], [440.0, 0.1, -20], [3000.0, 0.1, -20], [3000.0, 0.9, -20]]
    )
    material = corpus.Material(torch.zeros(4 * corpus.HOP), rows, (0,)).without_stray_pitch(57, 81)
    np.testing.assert_allclose(material.controls[:, 0], [110, 440, 440, 440, 3000], rtol=1e-5)
    torch.testing.assert_close(material.controls[:, 1:], rows[:, 1:])
