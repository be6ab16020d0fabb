"""`retimbre gallery` and `retimbre site`."""

from pathlib import Path

import pytest

from retimbre.app import static as static_pages
from retimbre.cli import main
from retimbre.gallery.folder import SHIPPED, read_gallery
from retimbre.instrument import shipped
from tests.gallery.sounds import tone


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    """A folder of two tones and a broken file."""
    folder = tmp_path / "takes"
    folder.mkdir()
    tone(folder / "low one.wav", 57)
    tone(folder / "high.wav", 69)
    (folder / "broken.wav").write_bytes(b"RIFF")
    return folder


def test_a_folder_becomes_a_page_and_broken_files_are_named(takes: Path, capsys: pytest.CaptureFixture) -> None:
    gallery = takes / "gallery"
    assert main(["gallery", str(takes), "-o", str(gallery), "--title", "Mine"]) == 2
    told = capsys.readouterr()
    assert "2 examples; 1 skipped" in told.out and "broken.wav" in told.err
    examples = read_gallery(gallery)
    assert [one.title for one in examples] == ["high", "low one"]
    assert [one.instrument for one in examples] == shipped()[1:3]  # in turn; the broken one would have had the first
    assert "<h1>Mine</h1>" in (gallery / "index.html").read_text()
    assert main(["gallery", str(takes), "-o", str(gallery), "--force", "--to", "cello"]) == 2
    assert [one.title for one in read_gallery(gallery)] == ["high", "low one"]  # its own sounds are not taken for takes


def test_each_sound_is_played_by_each_that_is_named(takes: Path, capsys: pytest.CaptureFixture) -> None:
    (takes / "broken.wav").unlink()
    wish = ["--to", "cello", "--to", "violin:0.5,flute:0.5", "--room", "hall", "--octave", "0"]
    assert main(["gallery", str(takes / "high.wav"), "-o", str(takes / "out"), *wish]) == 0
    examples = read_gallery(takes / "out")
    assert [one.instrument for one in examples] == ["cello", "violin:0.5,flute:0.5"]
    assert examples[1].sentence == "high, played by 50 % violin, 50 % flute in the hall."


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (["--to", "kazoo"], "kazoo"),
        (["--room", "bathroom"], "bathroom"),
        (["-o", "takes"], "other things"),
        (["-o", "no/where"], "does not exist"),
    ],
)
def test_what_cannot_be_is_said_before_the_work(
    takes: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, wish: list[str], why: str
) -> None:
    monkeypatch.chdir(takes.parent)
    assert main(["gallery", "takes", "-o", "out", *wish]) == 2
    assert why in capsys.readouterr().err
    assert [path.name for path in takes.parent.iterdir()] == ["takes"]


def test_nothing_is_made_of_nothing(takes: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["gallery", str(takes / "broken.wav"), "-o", str(takes / "out")]) == 2
    assert not (takes / "out").exists()


def test_the_site_holds_all_and_replaces_only_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    folder, live = tmp_path / "public", static_pages.site()
    monkeypatch.setattr(static_pages, "site", lambda: live)  # it takes seconds
    assert main(["site", "-o", str(folder)]) == 0
    for name in shipped():
        assert (folder / "live" / "instruments" / f"{name}.safetensors").stat().st_size > 100_000
    for one in read_gallery(SHIPPED):
        assert all((folder / "gallery" / name).is_file() for name in one.files)
    assert {"index.html", "live", "gallery"} <= {path.name for path in folder.iterdir()}
    assert main(["site", "-o", str(folder)]) == 2 and main(["site", "-o", str(folder), "--force"]) == 0
