"""The files of the page that plays with Magenta.js."""

import json
from pathlib import Path

import pytest

from retimbre import RetimbreError
from retimbre.app.magenta import LOCAL_BUNDLE, POLICY, content


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
