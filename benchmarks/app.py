"""How long does a visitor of the app wait for a sound?"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Cell, Options, Section, Table, Unavailable, at_most
from benchmarks.signals import singing
from retimbre import audio

RATE = 48_000

METHOD = (
    "A clip of 10 s, singing, 48 kHz; the app on this machine, in headless Chromium on the same machine. From the "
    "press, drop or stroke until the player of the page could start with the new sound. Each round brings a clip that "
    "the server has never seen. The lower table is the work alone, without server and browser."
)

ARM = """() => {
    const player = () => document.querySelector(".st-key-compare-after audio"), old = player()?.currentSrc;
    window.waited = new Promise((resolve) => {
        let began = null;
        const begin = () => (began ??= performance.now());
        for (const kind of ["keydown", "change", "pointerup"]) addEventListener(kind, begin, { capture: true });
        const look = () => {
            const one = player();
            if (one) one.preload = "auto";
            const there = began !== null && one && one.currentSrc !== old && one.readyState >= 3;
            if (there) resolve((performance.now() - began) / 1000);
            else setTimeout(look, 4);
        };
        look();
    });
}"""


def run(options: Options) -> Section:
    """Measure the page, then the work."""
    seconds, rounds = (3.0, 1) if options.quick else (10.0, 5)
    with tempfile.TemporaryDirectory() as folder:
        clips = [Path(folder, f"clip{seed}.wav") for seed in range(rounds + 1)]
        for seed, clip in enumerate(clips):
            audio.write(clip, singing(seconds, RATE, seed), RATE)
        seen = _seen(clips)
        worked = _worked(clips)
    first, moved = (float(np.median(seen[kind])) for kind in ("a new clip", "a slider that changes the playing"))
    columns = {"": "", "median s": ".2f", "longest s": ".2f"}
    tables = [
        Table(caption, columns, _rows(found))
        for caption, found in (("In the page, after", seen), ("In a worker, for", worked))
    ]
    goals = [
        at_most(f"{seconds:.0f} s clip, Transform, to sound the first time", first, 1.5, ".2f", "s"),
        at_most(f"{seconds:.0f} s clip, Transform, to sound after moving a slider", moved, 0.7, ".2f", "s"),
    ]
    return Section("The app", METHOD, tables, goals)


def _rows(found: dict[str, list[float]]) -> list[list[Cell]]:
    return [[what, float(np.median(times)), max(times)] for what, times in found.items()]


def _seen(clips: list[Path]) -> dict[str, list[float]]:
    """Seconds of each kind of change in the page; the first clip warms up."""
    found: dict[str, list[float]] = {}
    with _page() as page:
        page.locator(".st-key-drawing label").click()
        page.locator("#pitch-ticks span").first.wait_for()
        page.get_by_text("Adjust", exact=True).click()
        page.get_by_role("slider", name="Semitones").wait_for()
        page.get_by_role("radio", name="Upload").click()
        uploader = page.locator("[data-testid=stFileUploader]", has_text="One note").locator("input")
        for turn, clip in enumerate(clips):

            def wait(what: str, act: Callable[[], None], turn: int = turn) -> None:
                page.evaluate(ARM)
                act()
                spent = page.evaluate("() => window.waited")
                page.wait_for_timeout(700)  # the rest of the page comes to rest
                if turn:
                    found.setdefault(what, []).append(spent)

            wait("a new clip", lambda clip=clip: uploader.set_input_files(clip))
            sliders = {"Semitones": "a slider that changes the playing", "Noise": "a slider that changes the mix"}
            for name, what in sliders.items():
                slider = page.get_by_role("slider", name=name)
                slider.focus()
                wait(what, lambda slider=slider: slider.press("ArrowRight"))
            wait("a stroke on the curve", lambda: _stroke(page))
            other = "violin" if turn % 2 else "flute"
            wait("another instrument", lambda other=other: page.get_by_role("radio", name=other).press("Space"))
    return found


def _stroke(page: Any) -> None:
    page.locator("#pitch").scroll_into_view_if_needed()
    paper = page.locator("#pitch").bounding_box()
    left, middle = paper["x"] + paper["width"] / 3, paper["y"] + paper["height"] / 2
    page.mouse.move(left, middle)
    page.mouse.down()
    page.mouse.move(left + paper["width"] / 5, middle + 10, steps=5)
    page.mouse.up()


def _worked(clips: list[Path]) -> dict[str, list[float]]:
    """Seconds that the task takes, in a process that has done it before."""
    from retimbre.app import tasks
    from retimbre.app.steps import Order

    found: dict[str, list[float]] = {}
    for turn, clip in enumerate(clips):
        first = Order(str(clip))
        orders = {"a new clip": first, "other playing": replace(first, semitones=1.0)}
        orders |= {"another mix": replace(first, semitones=1.0, noise=0.5)}
        orders |= {"a room": replace(first, semitones=1.0, noise=0.5, room="church")}
        for what, order in orders.items():
            began = time.perf_counter()
            tasks.transform(str(clip.parent), asdict(order))
            if turn:
                found.setdefault(what, []).append(time.perf_counter() - began)
    return found


@contextmanager
def _page() -> Iterator[Any]:
    """The app in a browser."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium or not importlib.util.find_spec("playwright") or not importlib.util.find_spec("streamlit"):
        raise Unavailable("there is no Chromium, no playwright, or no Streamlit")
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "retimbre", "app", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as playwright:
        assert server.stdout
        browser = None
        try:
            address = next(line.split()[3] for line in server.stdout if "http" in line)
            args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            browser = playwright.chromium.launch(executable_path=chromium, args=args)
            page = browser.new_page(viewport={"width": 1280, "height": 1600})
            page.set_default_timeout(60_000)
            page.goto(address)
            page.locator(".st-key-compare-after audio").wait_for()
            page.wait_for_timeout(2000)
            yield page
        finally:
            if browser:
                browser.close()
            server.terminate()
