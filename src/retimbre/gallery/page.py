"""The page of a gallery: plain HTML that plays without scripts, too; `gallery.js` adds what is nicer.

It asks no other host for anything, and its scripts are classic ones, so that it opens from a folder by a double click.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template
from urllib.parse import urlencode

from retimbre.gallery.example import Example
from retimbre.gallery.words import moved_by, place_of, player_of, spoken

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)
"""What the page may load: its own files."""

_ASSETS = files("retimbre") / "gallery" / "page"


def assets() -> dict[str, bytes]:
    """What a page needs beside itself, by name."""
    names = ("gallery.css", "gallery.js")
    icon = (files("retimbre") / "app" / "live" / "icon.svg").read_bytes()
    return {name: (_ASSETS / name).read_bytes() for name in names} | {"icon.svg": icon}


def page(examples: list[Example], title: str, *, home: str = "", live: str = "") -> dict[str, bytes]:
    """The page and what it needs beside itself and the examples' files, by name; the page is `index.html`.

    Args:
        examples: in order.
        title: of the page.
        home: address of the page that this one belongs to.
        live: address of the live page, where visitors play themselves.
    """
    ways = [(home, "Start"), (live, "Play live")]
    text = Template((_ASSETS / "gallery.html").read_text(encoding="utf-8")).substitute(
        policy=POLICY,
        title=escape(title),
        ways="".join(f'<a href="{escape(to)}">{escape(name)}</a>' for to, name in ways if to),
        cards="\n".join(f"<li>{card(one, live=live)}</li>" for one in examples),
    )
    return {"index.html": text.encode(), **assets()}


def card(one: Example, *, folder: str = "", live: str = "", heading: str = "h2", preload: str = "none") -> str:
    """An example, as HTML.

    Args:
        one: the example.
        folder: where its files lie, with a slash at its end.
        live: address of the live page; "" for no way there.
        heading: the element of its title.
        preload: what the players fetch before they are asked to play: "none" or "metadata".
    """
    foot = [f"<li>{escape(text)}</li>" for text in _chips(one)]
    if live and one.instrument and one.instrument.isidentifier():
        wish = urlencode({"instrument": one.instrument, **({"room": one.room} if one.room != "none" else {})})
        foot.append(
            f'<li class="way"><a href="{escape(f"{live}?{wish}")}">Play the {escape(player_of(one))} yourself</a></li>'
        )
    return (
        f'<article class="card" aria-labelledby="{one.name}">'
        f'<{heading} id="{one.name}">{escape(one.title)}</{heading}><p>{escape(one.sentence)}</p>'
        f"{_side(one, folder, 'before', preload)}{_side(one, folder, 'after', preload)}"
        f'<figure class="plot low">{_picture(one, folder, "loudness", "Loudness before and after")}'
        '<span class="tick db40" aria-hidden="true">&minus;40 dB</span></figure>'
        f'<p class="time" aria-hidden="true"><span>0 s</span><span>loudness</span><span>{one.seconds:.0f} s</span></p>'
        f'<ul class="chips">{"".join(foot)}</ul></article>'
    )


def _side(one: Example, folder: str, kind: str, preload: str) -> str:
    sound, told = one.before if kind == "before" else one.after, one.told[kind]
    ticks = "".join(
        f'<span class="tick hz{hz}" aria-hidden="true">{text}</span>'
        for hz, text in ((100, "100 Hz"), (1000, "1 kHz"), (8000, "8 kHz"))
    )
    label = escape(f"{one.title}, {kind}")
    return (
        f'<section class="side {kind}" data-seconds="{one.seconds:.3f}" aria-label="{label}">'
        f"<p><b>{kind.capitalize()}</b> <span>{escape(told)}</span></p>"
        f'<figure class="plot">{_picture(one, folder, kind, f"Spectrogram and pitch, {told}")}{ticks}</figure>'
        f'<audio controls preload="{preload}" src="{escape(folder + sound)}" aria-label="{label}"></audio></section>'
    )


def _picture(one: Example, folder: str, kind: str, alt: str) -> str:
    return f'<img src="{escape(folder + one.pictures[kind])}" alt="{escape(alt)}" loading="lazy" decoding="async">'


def _chips(one: Example) -> list[str]:
    who = spoken(player_of(one)) if one.instrument else "no instrument"
    return [text for text in (who, place_of(one).removeprefix(" "), moved_by(one)) if text]
