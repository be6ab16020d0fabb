"""What the page Transform does with a visitor's wishes; Streamlit runs it without a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

pytest.importorskip("streamlit", reason="Streamlit is not installed")
from streamlit.testing.v1 import AppTest

from retimbre.app.examples import examples
from retimbre.app.limits import MINUTES


@pytest.fixture
def page(workers, shell: Path) -> Iterator[AppTest]:
    page = AppTest.from_file(str(shell), default_timeout=60).run()
    assert not page.exception
    yield page
    assert not page.exception


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
