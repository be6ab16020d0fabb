"""A visitor's training: it outlives the page, stops, goes on, and goes with the visitor."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from retimbre.app.pages.train import bring, named
from retimbre.app.visitors import greeting, is_key
from retimbre.app.workshop import Workshop, Workshops
from retimbre.errors import RetimbreError
from retimbre.instrument import load

PATIENCE_S = 300.0


def recordings(folder: Path) -> Path:
    """Notes with a few harmonics, soft and loud."""
    folder.mkdir()
    time_s = np.arange(2 * 48_000) / 48_000
    for key in (57, 60, 64, 67):
        for level in (0.05, 0.2):
            hz = 440 * 2 ** ((key - 69) / 12)
            tone = sum(level / k * np.sin(2 * np.pi * k * hz * time_s) for k in range(1, 9))
            soundfile.write(folder / f"{key}_{level}.wav", tone * np.minimum(1, time_s / 0.05), 48_000)
    return folder


def until(holds: Callable[[], object]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_training_is_watched_stopped_and_goes_on_from_where_it_was(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    shop = Workshop()
    brought = recordings(tmp_path / "brought")
    try:
        assert shop.begin(brought, "reed", 0.12, keep=True) and shop.running
        for file in brought.iterdir():
            file.unlink()  # they went with the page
        until(lambda: len(shop.story().losses.get("training", ())) > 2 or not shop.running)
        assert shop.running, shop.said
        shop.stop()
        until(lambda: not shop.running)
        before = [step for step, _ in shop.story().losses["training"]]
        assert shop.job and shop.job.stopped and not shop.ready and shop.said == "stopped"
        assert shop.go_on()
        until(lambda: not shop.running)
        assert shop.ready, shop.said
        after = [step for step, _ in shop.story().losses["training"]]
        assert after == sorted(set(after)) and after[: len(before)] == before and len(after) > len(before)
        assert {"clip 1/recording", "clip 1/instrument"} <= shop.story().clips.keys()
        assert load(shop.output).card["training"]["steps"] >= after[-1]
        kept = shop.output
        shop.clear()
        assert kept.exists() and [entry.name for entry in kept.parent.iterdir() if entry.is_dir()] == []
    finally:
        shop.close()
    assert not kept.exists()


def test_what_cannot_be_learned_is_said_in_the_visitors_words(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "noise.wav").write_bytes(b"RIFF no sound")
    shop = Workshop()
    shop.begin(tmp_path / "bad", "reed", 0.1, keep=True)
    until(lambda: not shop.running)
    assert shop.job and not shop.job.stopped and not shop.ready
    assert "no audio that can be read" in shop.said and str(tmp_path) not in shop.said and "/" not in shop.said
    shop.close()


def test_a_visitor_finds_the_same_workshop_in_every_window_and_after_a_reload() -> None:
    here = {"first", "second"}
    workshops = Workshops(here.__contains__, patience_s=-1.0)
    anna = workshops.of("anna", "first")
    assert workshops.of("anna", "second") is anna and workshops.of("ben", "other") is not anna
    here.remove("first")
    workshops.sweeper.sweep()  # one window is left; ben has none
    assert workshops.of("anna", "third") is anna
    here.clear()
    workshops.sweeper.sweep()
    assert not anna._folder.exists() and workshops.of("anna", "fourth") is not anna


def test_a_key_cannot_be_guessed_and_is_given_once() -> None:
    told = greeting("", "")
    assert told and "HttpOnly" in told and "SameSite=Strict" in told
    key = told.partition(";")[0].partition("=")[2]
    assert is_key(key) and greeting(f"other=1; retimbre={key}", "") is None
    assert greeting("retimbre=../../etc", "")  # no key of ours


def test_only_folders_beneath_the_one_that_is_allowed_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "allowed" / "flute").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "allowed" / "way_out").symlink_to(tmp_path / "secret")
    root = str(tmp_path / "allowed")
    assert named("flute", root) == named(f"{root}/flute", root) == tmp_path / "allowed" / "flute"
    for wish in ("..", "../secret", str(tmp_path / "secret"), "way_out", "/", "~"):
        with pytest.raises(RetimbreError, match="only folders in"):
            named(wish, root)
    with pytest.raises(RetimbreError, match="no such folder"):
        named("oboe", root)


def test_names_of_uploads_lead_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    bring(folder, {"../../evil.wav": b"1", ".hidden.wav": b"2", "a b/c.wav": b"3"})
    assert sorted(file.name for file in folder.iterdir()) == ["c.wav", "evil.wav", "hidden.wav"]
    bring(folder, {"c.wav": b"3"})
    assert [file.name for file in folder.iterdir()] == ["c.wav"]
