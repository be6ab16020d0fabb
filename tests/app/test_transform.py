"""What the page Transform does with a visitor's wishes; Streamlit runs it without a browser."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("streamlit", reason="Streamlit is not installed")
from streamlit.testing.v1 import AppTest

from retimbre.app.editor import DROPPED, Drawing
from retimbre.app.examples import examples
from retimbre.app.limits import MINUTES
from retimbre.engine import Convolver
from retimbre.rooms import library
from tests.browser.sounds import spoken


@pytest.fixture
def page(workers, shell: Path) -> Iterator[AppTest]:
    page = AppTest.from_file(str(shell), default_timeout=60).run()
    assert not page.exception
    yield page
    assert not page.exception


@pytest.fixture
def reverberant() -> bytes:
    """Something like speech, in a hall."""
    speech = spoken(48_000, 12.0)
    hall = library.find("hall").to_rir(48_000)
    file = io.BytesIO()
    wet = Convolver(hall).process(speech)
    soundfile.write(file, 0.3 * wet / np.abs(wet).max(), 48_000, format="WAV")
    return file.getvalue()


def test_a_newcomer_hears_the_example_on_the_cello(page: AppTest, workers) -> None:
    assert (workers.order["instrument"], workers.order["room"], workers.order["octave"]) == ("cello", "none", "auto")
    assert not page.error and not page.warning


def test_what_is_chosen_is_what_is_ordered(page: AppTest, workers) -> None:
    page.select_slider(key="octave").set_value(-1)
    page.slider(key="semitones").set_value(3)
    page.slider(key="noise").set_value(50)
    page.select_slider(key="gate").set_value(-50)
    page.toggle(key="fit").set_value(False)
    page.selectbox(key="room").set_value("hall")
    page.button_group(key="instrument").set_value("violin").run()
    expected = {"octave": -1, "semitones": 3.0, "noise": 0.5, "gate_db": -50.0, "fit": False, "room": "hall"}
    assert (expected | {"instrument": "violin"}).items() <= workers.order.items()


def test_a_blend_is_ordered_by_its_shares(page: AppTest, workers) -> None:
    page.button_group(key="instrument").set_value("a blend").run()
    page.slider(key="share violin").set_value(25).run()
    assert workers.order["instrument"] == "violin:0.25,trombone:0.5"


def test_an_uploaded_sound_is_played(page: AppTest, workers, tone) -> None:
    page.button_group(key="way").set_value("Upload").run()
    page.get("file_uploader")[0].set_value(("mine.wav", tone(), "audio/wav")).run()
    assert soundfile.info(workers.order["source"]).duration == 1.0
    assert any("mine.wav" in text.value for text in page.markdown)


def test_a_recorded_sound_is_played(page: AppTest, workers, tone) -> None:
    page.button_group(key="way").set_value("Record").run()
    page.get("audio_input")[0].set_value(("take.wav", tone(0.5), "audio/wav")).run()
    assert soundfile.info(workers.order["source"]).duration == 0.5


def test_a_broken_file_is_refused_by_the_name_that_the_visitor_gave_it(page: AppTest) -> None:
    page.button_group(key="way").set_value("Upload").run()
    page.get("file_uploader")[0].set_value(("mine.wav", b"RIFF no sound", "audio/wav")).run()
    (error,) = page.error
    assert error.value.startswith("mine.wav: ")


def test_a_sound_that_is_too_long_is_refused(page: AppTest, tone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MINUTES, "0.01")
    page.button_group(key="way").set_value("Upload").run()
    page.get("file_uploader")[0].set_value(("long.wav", tone(), "audio/wav")).run()
    (error,) = page.error
    assert error.value == "long.wav: lasts 0.0 minutes; 0.01 may be used here, cut it"


def test_edited_controls_take_the_place_of_what_was_heard(page: AppTest, workers) -> None:
    table = "time_s,f0_hz,periodicity,loudness_db\n" + "".join(f"{n / 200:.3f},220,1,-30\n" for n in range(200))
    uploader = next(one for one in page.get("file_uploader") if one.label == "Controls (CSV)")
    uploader.set_value(("edited.csv", table.encode(), "text/csv")).run()
    assert workers.order["controls"].endswith(".csv")
    assert page.select_slider(key="octave").disabled


def test_sessions_share_no_folder(workers, shell: Path) -> None:
    folders = set()
    for _ in range(2):
        AppTest.from_file(str(shell), default_timeout=60).run()
        folders.add(next(arguments["folder"] for task, arguments in reversed(workers.asked) if task == "transform"))
    assert len(folders) == 2


def test_what_a_visitor_brought_goes_with_the_session() -> None:
    from retimbre.app.session import Session

    session = Session()
    kept = session.keep("../../evil name.wav", b"data")
    assert Path(kept.path).parent == Path(session.folder) and Path(kept.path).read_bytes() == b"data"
    del session
    assert not Path(kept.path).exists()


def test_the_examples_are_not_touched_by_a_page(page: AppTest) -> None:
    assert [name for name in examples()] == list(page.selectbox(key="example").options)


def uploader(page: AppTest, label: str):
    return next(one for one in page.get("file_uploader") if one.label.startswith(label))


def test_an_instrument_plays_in_the_room_that_it_was_recorded_in(page: AppTest, workers) -> None:
    page.button_group(key="instrument").set_value("violin").run()
    page.selectbox(key="room").set_value("own").run()
    assert (workers.order["instrument"], workers.order["room"]) == ("violin", "own")
    assert not page.error


def test_the_room_of_a_recording_is_copied(page: AppTest, workers, reverberant: bytes) -> None:
    page.selectbox(key="room").set_value("listened").run()
    uploader(page, "10 seconds").set_value(("there.wav", reverberant, "audio/wav")).run()
    assert any("decays in about" in text.value for text in page.caption)
    assert workers.order["room"].endswith(".json") and not page.error


def test_an_impulse_response_is_a_room(page: AppTest, workers) -> None:
    decay = np.exp(-np.arange(24_000) / 3000) * np.random.default_rng(0).standard_normal(24_000)
    file = io.BytesIO()
    soundfile.write(file, np.concatenate([[1.0], 0.05 * decay]), 48_000, format="WAV")
    page.selectbox(key="room").set_value("response").run()
    uploader(page, "An impulse").set_value(("church.wav", file.getvalue(), "audio/wav")).run()
    assert workers.order["room"].endswith(".wav") and not page.error


def test_a_room_that_cannot_be_read_is_refused_by_its_name(page: AppTest) -> None:
    page.selectbox(key="room").set_value("response").run()
    uploader(page, "An impulse").set_value(("church.json", b"{", "application/json")).run()
    (error,) = page.error
    assert "church.json" in error.value


def test_what_was_drawn_is_ordered_until_another_clip_comes(page: AppTest, workers, tone) -> None:
    source = workers.order["source"]
    page.session_state["drawn"] = Drawing(source, '{"pitch":[[0,[6000,6000]]],"loudness":[]}')
    page.slider(key="noise").set_value(50).run()
    assert "6000" in Path(workers.order["edits"]).read_text() and workers.order["noise"] == 0.5
    page.button_group(key="way").set_value("Upload").run()
    uploader(page, "One note").set_value(("mine.wav", tone(), "audio/wav")).run()
    assert workers.order["source"] != source and workers.order["edits"] is None
    assert [toast.value for toast in page.toast] == [DROPPED]
