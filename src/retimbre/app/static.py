"""Everything that needs no server as plain files: live page, gallery, instruments, and a page to start from.

Addresses are relative, so that the files work under any path of any static host; every visitor's own machine plays.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from retimbre.app.site import site
from retimbre.controls import note_name
from retimbre.gallery.example import Example
from retimbre.gallery.folder import SHIPPED, read_gallery
from retimbre.gallery.page import POLICY, card, page
from retimbre.gallery.words import spoken
from retimbre.instrument import SUFFIX, load, shipped

SHOWN = 2
"""Examples of the gallery that the start page shows."""

_TITLE = "Any sound, as any instrument"


def static(live: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """Every file by its path; the page to start from is `index.html`.

    Args:
        live: what `site` gave, where that is known already; it takes seconds.
    """
    content = {f"live/{name}": data for name, data in (site() if live is None else live).items()}
    examples = read_gallery(SHIPPED)
    for example in examples:
        content |= {f"gallery/{name}": (SHIPPED / name).read_bytes() for name in example.files}
    shown = page(examples, _TITLE, home="../index.html", live="../live/index.html")
    content |= {f"gallery/{name}": data for name, data in shown.items()}
    cards = [card(one, folder="gallery/", live="live/index.html", heading="h3") for one in examples]
    address, magenta = _magenta(examples)
    return {**_start(cards, address), **content, **magenta}


def _magenta(examples: list[Example]) -> tuple[str, dict[str, bytes]]:
    """The address of the page of Magenta.js with an example to play there, and all that it needs."""
    from retimbre.app.magenta import content
    from retimbre.export.magenta import export

    one = next(one for one in examples if one.instrument in shipped())
    with TemporaryDirectory(prefix="retimbre-") as folder:
        export(load(one.instrument), Path(folder, "made"))
        made = {f"magenta/{one.instrument}/{path.name}": path.read_bytes() for path in Path(folder, "made").iterdir()}
    sounds = {"clip": f"../gallery/{one.before}", "ours": f"../gallery/{one.after}"}
    asked = urlencode({**sounds, "instrument": one.instrument, "octave": one.octave})
    return f"magenta/index.html?{asked}", {f"magenta/{name}": data for name, data in content().items()} | made


def _start(cards: list[str], magenta: str) -> dict[str, bytes]:
    folder = files("retimbre") / "app" / "start"
    text = Template((folder / "index.html").read_text(encoding="utf-8")).substitute(
        policy=POLICY,
        cards="\n".join(f"<li>{one}</li>" for one in cards[:SHOWN]),
        count=len(cards),
        magenta=escape(magenta),
        instruments="\n".join(_instrument(name) for name in shipped()),
    )
    return {"index.html": text.encode(), "start.css": (folder / "start.css").read_bytes()}


def _instrument(name: str) -> str:
    instrument, who = load(name), spoken(name)
    card: dict[str, Any] = instrument.card
    low, high = map(note_name, instrument.range_midi)
    authors = sorted({str(source.get("author", "")) for source in card.get("sources", [])} - {""})
    by = f"Recordings: {'; '.join(authors)}. " if authors else ""
    return (
        f'<li><h3><a href="live/index.html?instrument={escape(name)}">{escape(who[0].upper() + who[1:])}</a></h3>'
        f"<p>{escape(low)} to {escape(high)}</p>"
        f'<p class="fine">{escape(by)}{escape(str(card["license"]))} · '
        f'<a href="live/instruments/{escape(name + SUFFIX)}" download aria-label="Save the {escape(who)}">save</a>'
        "</p></li>"
    )
