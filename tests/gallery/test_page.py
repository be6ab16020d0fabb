"""The page: safe with any title, and complete."""

import re
from html.parser import HTMLParser

import pytest

from retimbre.gallery.example import Example
from retimbre.gallery.page import POLICY, page

HOSTILE = "<img src=x onerror=alert(1)> \"' &amp;"


def example(**changes) -> Example:
    pictures = {kind: f"one_{kind}.svg" for kind in ("before", "after", "loudness")}
    told = {"before": "heard: A3", "after": "cello: A3"}
    usual = {
        "name": "one", "title": "One", "sentence": "It sounds.", "instrument": "cello", "octave": 0, "semitones": 0.0,
        "room": "none", "seconds": 3.0, "before": "one_before.ogg", "after": "one_after.ogg", "pictures": pictures,
        "told": told,
    }  # fmt: skip
    return Example.from_json(usual | changes)


class Elements(HTMLParser):
    """All elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs) -> None:
        self.found.append((tag, dict(attrs)))


def elements(*examples: Example, **options) -> list[tuple[str, dict[str, str | None]]]:
    return Elements(page(list(examples), HOSTILE, **options)["index.html"].decode()).found


def test_words_stay_words() -> None:
    found = elements(
        example(title=HOSTILE, sentence=HOSTILE, instrument=HOSTILE, told={"before": HOSTILE, "after": ""})
    )
    assert not [attributes for _, attributes in found if "onerror" in attributes or attributes.get("src") == "x"]
    labels = [attributes["aria-label"] for tag, attributes in found if tag == "audio"]
    assert labels == [f"{HOSTILE}, before", f"{HOSTILE}, after"]


def test_everything_it_names_is_a_file_beside_it() -> None:
    named = [
        attributes.get(name)
        for tag, attributes in elements(example(), home="../index.html", live="../live/index.html")
        for name in ("src", "href")
    ]
    beside = {name for name in named if name and not name.startswith("../")}
    assert beside == {*example().files, "gallery.css", "gallery.js", "icon.svg"}
    assert all(not re.match(r"[a-z]+:|/", name) for name in beside)


def test_scripts_and_styles_are_files_as_the_policy_says() -> None:
    found = elements(example())
    (policy,) = [attributes["content"] for _, attributes in found if "http-equiv" in attributes]
    assert policy == POLICY and "unsafe" not in policy
    assert not [tag for tag, attributes in found if tag == "style" or "style" in attributes]
    assert [attributes["src"] for tag, attributes in found if tag == "script"] == ["gallery.js"]


@pytest.mark.parametrize(
    ("instrument", "room", "way"),
    [
        ("cello", "none", "live?instrument=cello"),
        ("cello", "hall", "live?instrument=cello&room=hall"),
        ("violin:0.6,flute:0.4", "hall", None),
        ("", "hall", None),
    ],
)
def test_the_way_to_the_live_page_takes_the_instrument_along(instrument: str, room: str, way: str | None) -> None:
    found = elements(example(instrument=instrument, room=room), live="live")
    ways = [attributes["href"] for tag, attributes in found if tag == "a" and "?" in (attributes["href"] or "")]
    assert ways == ([way] if way else [])
