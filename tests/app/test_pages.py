"""The other pages of the app, without a browser."""

import re
import sys
import time
from html import escape
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="Streamlit is not installed")

from retimbre.app import choosers, gallery, jobs
from retimbre.app.examples import examples
from retimbre.app.jobs import Job
from retimbre.app.pages import transform
from retimbre.app.sweeper import PATIENCE_S, Sweeper
from retimbre.rooms import library


def cells(page) -> dict[str, list[str]]:
    """The table of a room: figures by octave."""
    (table,) = [text.value for text in page.markdown if "| octave" in text.value]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {row[0]: row[1:] for row in rows}


def test_every_step_is_shown_with_its_sound(opened) -> None:
    page = opened("how")
    assert [header.value.partition(". ")[2] for header in page.header] == [
        *("Your sound", "Analyse", "Adjust", "Decode", "Synthesise", "Place in a room")
    ]
    assert len(page.get("audio")) == 6  # harmonics and noise apart, and no room


def test_a_room_that_rings_twice_as_long_says_so(opened) -> None:
    page = opened("rooms")
    page.selectbox(key="place").set_value("church").run()
    before = cells(page)
    page.slider(key="decay").set_value(2.0).run()
    assert float(cells(page)["1000 Hz"][0]) == pytest.approx(2 * float(before["1000 Hz"][0]), rel=0.05)
    assert float(before["all"][0]) == pytest.approx(library.about("church")["mid_t30_s"], rel=0.2)


def test_a_recording_that_tells_nothing_of_its_room_is_refused(opened, tone) -> None:
    page = opened("rooms")
    page.selectbox(key="place").set_value("listened").run()
    page.get("file_uploader")[0].set_value(("hum.wav", tone(12.0), "audio/wav")).run()
    (error,) = page.error
    assert error.value.startswith("hum.wav: ")


def test_a_sound_with_a_room_of_its_own_gets_only_what_is_missing(opened, workers) -> None:
    page = opened("rooms")
    page.toggle(key="own").set_value(True).run()
    asked = [arguments for task, arguments in workers.asked if task == "place"]
    assert [arguments["own"] for arguments in asked] == [False, True] and not page.error


def test_the_gallery_shows_what_is_shipped_and_renders_nothing(opened, workers) -> None:
    page = opened("gallery")
    cards = [one.proto.body for one in page.get("html") if "<article" in one.proto.body]
    assert [re.findall(r"<h2[^>]*>(.*)</h2>", card)[0] for card in cards] == [
        escape(one.title) for one in gallery.shown()
    ]
    for card, one in zip(cards, gallery.shown(), strict=True):
        named = set(re.findall(r'src="([^"]*)"', card))
        assert named == {f"{gallery.FILES}/{name}" for name in one.files} and set(one.files) <= set(gallery.files())
    assert not workers.asked


@pytest.mark.parametrize("one", [one for one in gallery.shown() if one.instrument], ids=lambda one: one.name)
def test_an_example_sets_what_transform_asks_for(one) -> None:
    state: dict = {}
    gallery.choose(one, state)
    assert state["example"] == one.title in examples()
    blend = {name: state[f"share {name}"] / 100 for name in state.get("voices", [])}
    assert blend == {name: float(share) for name, share in re.findall(r"(\w+):([0-9.]+)", one.instrument)}
    assert (state["instrument"] == one.instrument) or (state["instrument"] == choosers.BLEND and blend)
    assert (state["octave"], state["room"], state["gate"]) == (one.octave, one.room, transform.AUTOMATIC)


def test_the_doctor_looks_at_what_was_brought(opened, tone) -> None:
    page = opened("train")
    page.get("file_uploader")[0].set_value([("a3.wav", tone(2.0), "audio/wav")]).run()
    (warning,) = page.warning
    assert warning.value == "Not enough to train on."


def finished(job: Job) -> Job:
    job.wait()
    return job


def test_a_job_tells_what_it_said_last(tmp_path: Path) -> None:
    good = finished(Job(["instruments"], tmp_path / "good.log"))
    assert good.succeeded and good.said().startswith("violin")
    bad = finished(Job(["instruments", "--no-such-option"], tmp_path / "bad.log"))
    assert not bad.succeeded and "--no-such-option" in bad.said()


def test_a_job_can_be_stopped_and_makes_room_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "sleep")  # which takes none of these arguments, so it ends at once
    jobs_before = [jobs.start([], tmp_path / f"{n}.log") for n in range(jobs.AT_ONCE)]
    assert all(jobs_before)
    for job in jobs_before:
        assert job
        job.stop()
        finished(job)
    deadline = time.monotonic() + 10
    while (job := jobs.start([], tmp_path / "next.log")) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    finished(job)


def test_a_visitor_who_has_gone_leaves_nothing_and_one_who_is_here_loses_nothing(tmp_path: Path) -> None:
    now, connected, closed = [0.0], {"here", "gone"}, []

    class Noted:
        def __init__(self, name: str) -> None:
            self.name = name

        def close(self) -> None:
            closed.append(self.name)

    sweeper = Sweeper(connected.__contains__, lambda: now[0])
    for name in ("here", "gone"):
        sweeper.watch(name, Noted(name))
    now[0] = 10 * PATIENCE_S
    sweeper.sweep()  # both are there
    connected.remove("gone")
    now[0] += PATIENCE_S / 2
    sweeper.sweep()  # perhaps only the connection was lost
    assert not closed
    now[0] += PATIENCE_S
    sweeper.sweep()
    assert closed == ["gone"]
