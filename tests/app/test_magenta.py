"""The files of the page that plays with Magenta.js, and what a visitor's own are."""

import json
from pathlib import Path

import numpy as np
import pytest

from retimbre import RetimbreError, read
from retimbre.app import steps
from retimbre.app.magenta import BUNDLE, LOCAL_BUNDLE, POLICY, clip, content
from retimbre.app.magenta.tickets import Tickets
from retimbre.app.steps import Order, Shelf
from retimbre.cli import main


def test_the_page_states_its_policy_and_has_all_that_it_names() -> None:
    page = content()
    html = page["index.html"].decode()
    assert f'content="{POLICY}"' in html
    modules = [name for name in page if name.endswith(".js")]
    assert {"page.js", "engine.js"} <= set(modules)
    for name in modules:
        for line in page[name].decode().splitlines():
            if line.startswith("import "):
                assert line.split('"./')[1].rstrip('";') in page, f"{name}: {line}"
    for name in ("style.css", "magenta.css", "icon.svg", "page.js"):
        assert f'"{name}"' in html and name in page


def test_the_library_is_pinned_by_version_and_hash_and_comes_from_where_the_policy_says() -> None:
    told = json.loads(content()["bundle.json"])
    host, path = told["src"].removeprefix("https://").split("/", 1)
    assert f"https://{host}" in POLICY
    assert told["package"] in path
    assert told["integrity"].startswith("sha384-") and len(told["integrity"]) == len("sha384-") + 64


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    other = tmp_path / LOCAL_BUNDLE
    other.write_text("alert('hello')")
    with pytest.raises(RetimbreError, match=r"@magenta/music@1\.23\.1"):
        content(other)
    with pytest.raises(RetimbreError, match="cannot be read"):
        content(tmp_path / "nothing.js")


def test_the_app_does_not_start_with_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("streamlit", reason="Streamlit is not installed")
    assert main(["app", "--no-browser", "--port", "0", "--magenta-js", str(tmp_path / "no.js")]) == 2
    assert "no.js: cannot be read" in capsys.readouterr().err
    monkeypatch.setenv(BUNDLE, str(tmp_path / "none.js"))
    assert main(["app", "--no-browser", "--port", "0"]) == 2
    assert "none.js: cannot be read" in capsys.readouterr().err


def test_a_ticket_opens_one_folder_until_it_is_taken_back(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    for folder in (mine, other):
        folder.mkdir()
        (folder / "clip.wav").write_bytes(b"RIFF")
    (mine / "out").symlink_to(other)
    tickets = Tickets()
    ticket = tickets.give(mine)
    assert tickets.file(f"{ticket}/clip.wav") == mine / "clip.wav"
    for path in ("", "/", ticket, f"{ticket}/", f"{ticket}/../other/clip.wav", f"{ticket}/out/clip.wav",
                 f"{ticket}/{other}/clip.wav", f"{ticket}/\0", f"{ticket}/none.wav", "clip.wav"):  # fmt: skip
        assert tickets.file(path) is None, path
    assert tickets.give(mine) != ticket
    tickets.take_back(ticket)
    assert tickets.file(f"{ticket}/clip.wav") is None


def test_what_the_page_plays_is_dry_and_no_longer_than_magenta_can(tmp_path: Path, tone, monkeypatch) -> None:
    shelf, source = Shelf(tmp_path), tmp_path / "a.wav"
    source.write_bytes(tone(3.0))
    order = Order(str(source), "violin", octave=1, room="church")
    told = clip.lay_out(shelf, order)
    assert told["octave"] == 1
    folder = tmp_path / clip.FOLDER / told["folder"]
    ours, rate = read(folder / "ours.wav")
    dry, _ = read(steps.play(shelf, Order(str(source), "violin", octave=1)))
    assert np.array_equal(ours, dry) and len(ours) == len(read(folder / "clip.wav")[0])
    assert json.loads((folder / "instrument" / "settings.json").read_text())["modelMaxFrameLength"] == 3 * 250
    monkeypatch.setattr(clip, "LONGEST_S", 2.5)
    other = clip.lay_out(shelf, Order(str(source), "violin", octave=0))
    assert len(read(tmp_path / clip.FOLDER / other["folder"] / "ours.wav")[0]) == 2.5 * rate


def test_only_the_newest_are_kept(tmp_path: Path, tone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip, "KEPT", 2)
    shelf, source = Shelf(tmp_path), tmp_path / "a.wav"
    source.write_bytes(tone(1.0))
    made = [clip.lay_out(shelf, Order(str(source), "violin", octave=octave))["folder"] for octave in (0, 1, 2)]
    assert {folder.name for folder in (tmp_path / clip.FOLDER).iterdir()} == set(made[1:])
    with pytest.raises(RetimbreError):
        clip.lay_out(shelf, Order(str(tmp_path / "none.wav"), "violin"))
    assert len(list((tmp_path / clip.FOLDER).iterdir())) == 2


def test_the_page_is_opened_with_what_was_chosen(opened, workers) -> None:
    page = opened("magenta")
    assert [task for task, _ in workers.asked][-1] == "magenta" and not page.error
    page.session_state["instrument"] = "flute"
    assert not page.run().error
    assert workers.asked[-1][1]["order"]["instrument"] == "flute"
