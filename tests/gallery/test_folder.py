"""Folders: whole or not at all, and never over somebody's work."""

import json
from pathlib import Path

import pytest

from retimbre.errors import RetimbreError
from retimbre.gallery.folder import INDEX, read_gallery, write_gallery
from tests.gallery.sounds import wish


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    made = write_gallery([wish(tmp_path), wish(tmp_path)], tmp_path / "gallery")
    assert read_gallery(tmp_path / "gallery") == made
    assert [one.name for one in made] == ["an_a", "an_a_2"]
    files = {name for one in made for name in one.files}
    assert files | {INDEX} == {path.name for path in (tmp_path / "gallery").iterdir()}


def test_an_older_gallery_is_replaced_only_if_asked(tmp_path: Path) -> None:
    folder = tmp_path / "gallery"
    write_gallery([wish(tmp_path)], folder)
    with pytest.raises(RetimbreError, match="--force"):
        write_gallery([wish(tmp_path)], folder)
    write_gallery([wish(tmp_path, title="Another")], folder, overwrite=True)
    assert [one.title for one in read_gallery(folder)] == ["Another"]
    assert not list(folder.glob("an_a*")) and sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "gallery"]


def test_a_failed_one_leaves_the_older_one_alone(tmp_path: Path) -> None:
    folder = tmp_path / "gallery"
    write_gallery([wish(tmp_path)], folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(RetimbreError, match="nobody"):
        write_gallery([wish(tmp_path), wish(tmp_path, instrument="nobody")], folder, overwrite=True)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "gallery"]


def test_an_empty_folder_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gallery").mkdir()
    write_gallery([wish(tmp_path)], tmp_path / "gallery")
    assert len(read_gallery(tmp_path / "gallery")) == 1
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(RetimbreError, match="current folder"):
        write_gallery([wish(tmp_path)], Path())


def test_nothing_but_a_gallery_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(RetimbreError, match="other things"):
        write_gallery([wish(tmp_path)], folder, overwrite=True)
    write_gallery([wish(tmp_path)], tmp_path / "gallery")
    (tmp_path / "gallery" / "mine.txt").write_text("mine")
    with pytest.raises(RetimbreError, match=r"mine\.txt"):
        write_gallery([wish(tmp_path)], tmp_path / "gallery", overwrite=True)
    assert (folder / "mine.txt").read_text() == "mine"


def test_what_is_no_gallery_is_refused(tmp_path: Path) -> None:
    for text in ("", "[]", '{"format": "other"}', json.dumps({"format": "retimbre gallery", "format_version": 1})):
        (tmp_path / INDEX).write_text(text)
        with pytest.raises(RetimbreError, match="gallery"):
            read_gallery(tmp_path)
