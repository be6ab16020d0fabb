"""What `retimbre app` tells Streamlit, and what it says where it cannot start."""

import socket
from pathlib import Path

import pytest

from retimbre.app import launch
from retimbre.app.launch import Wishes, free_port, settings
from retimbre.app.limits import MEGABYTES, MINUTES, Limits
from retimbre.cli import main
from retimbre.cli.values import base_path
from retimbre.errors import RetimbreError


def test_without_streamlit_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launch, "find_spec", lambda name: None)
    assert main(["app"]) == 2
    assert "pip install '.[app]'" in capsys.readouterr().err


def test_nobody_else_is_told_anything_and_uploads_have_a_limit() -> None:
    told = settings(Wishes(limits=Limits(2, 7)), 8501, "some/path")
    assert told["browser.gatherUsageStats"] is False
    assert told["server.maxUploadSize"] == 7 and told["server.baseUrlPath"] == "some/path"
    hosts = [part for part in launch.POLICY.replace(";", " ").split() if "." in part or "*" in part or "://" in part]
    assert not hosts


def test_streamlit_knows_all_of_these_settings() -> None:
    config = pytest.importorskip("streamlit.config", reason="Streamlit is not installed")
    for name in settings(Wishes(), 8501, ""):
        assert name in config._config_options_template


def test_limits_reach_the_pages_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MINUTES, "1")
    monkeypatch.setenv(MEGABYTES, "1")
    Limits(2.5, 30).export()
    assert Limits.current() == Limits(2.5, 30)


def test_a_port_that_is_taken_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1", port) > port


def test_an_address_of_another_computer_is_refused() -> None:
    with pytest.raises(RetimbreError, match=r"--host 192\.0\.2\.1"):
        free_port("192.0.2.1", 8501)


def test_the_examples_travel_with_the_package() -> None:
    source = Path(launch.__file__).parents[3]
    assert "examples/whistle.flac" in (source / "pyproject.toml").read_text() and (source / "examples").is_dir()


def test_a_path_that_no_address_can_begin_with_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["app", "--base-path", "a b?"])
    assert "--base-path" in capsys.readouterr().err
    assert base_path("/some/path-1.2_~") == "/some/path-1.2_~"
