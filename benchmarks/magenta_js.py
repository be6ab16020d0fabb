"""Magenta.js itself, from npm, in a headless browser: what tests and benchmarks of the export play with."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import npm
from benchmarks.in_page import decoded, encoded
from benchmarks.report import Unavailable
from retimbre.engine import Floats

VERSION = "1.23.1"
FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--autoplay-policy=no-user-gesture-required")

_PAGE = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script src="bundle.js"></script>'

_LOAD = """async (folder) => {
    window.ddsp = new mm.DDSP(folder);
    await ddsp.initialize();
    return ddsp.settings;
}"""

_NUMBERS = """
    const numbers = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
    const encoded = (floats) => {
        const bytes = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
        let text = "";
        for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
        return btoa(text);
    };
"""

_PREDICT = f"""async ([f0, loudness]) => {{{_NUMBERS}
    const began = performance.now();
    const inputs = {{ f0_hz: mm.tf.tensor1d(numbers(f0)), loudness_db: mm.tf.tensor1d(numbers(loudness)) }};
    const output = ddsp.model.predict(inputs), audio = await output.data();
    for (const tensor of [output, ...Object.values(inputs)]) tensor.dispose();
    return [(performance.now() - began) / 1000, encoded(audio)];
}}"""

_FEATURES = f"""async (audio) => {{{_NUMBERS}
    const samples = numbers(audio), buffer = new AudioBuffer({{ length: samples.length, sampleRate: 16000 }});
    buffer.copyToChannel(samples, 0);
    const spice = new mm.SPICE(), steps = Math.ceil(samples.length / 512) + 1;
    spice.spiceModel = {{ execute: async () => [mm.tf.zeros([steps]), mm.tf.fill([steps], 0.5)] }};
    const {{ loudness_db }} = await spice.getAudioFeatures(buffer);
    return encoded(Float32Array.from(loudness_db));
}}"""

_SYNTHESIZE = f"""async (features) => {{{_NUMBERS}
    const began = performance.now();
    const audio = await ddsp.synthesize(features);
    const context = new AudioContext(), rate = context.sampleRate;
    await context.close();
    return [(performance.now() - began) / 1000, encoded(audio), rate];
}}"""


def bundle() -> Path:
    """The one file of @magenta/music that browsers load; the 170 packages that npm brings along are in it.

    Raises:
        Unavailable: there is no npm, or it cannot fetch.
    """
    return npm.file(f"@magenta/music@{VERSION}", "dist/magentamusic.js")


class Magenta:
    """Magenta.js in a page, with one instrument at a time."""

    def __init__(self, page: Any) -> None:
        """Take a page that has loaded the bundle."""
        self._page = page

    def load(self, folder: str) -> dict[str, float]:
        """Load an exported instrument, in a folder beside the page; its settings."""
        return self._page.evaluate(_LOAD, folder)

    def predict(self, f0_hz: Floats, loudness_db: Floats) -> tuple[float, Floats]:
        """What the graph makes of Magenta's controls: seconds that it took, and samples at 16 kHz."""
        spent, audio = self._page.evaluate(_PREDICT, [encoded(f0_hz), encoded(loudness_db)])
        return spent, decoded(audio)

    def loudness(self, audio: Floats) -> Floats:
        """Magenta.js' own measure of the loudness of samples at 16 kHz; its tracker of pitch is left out."""
        return decoded(self._page.evaluate(_FEATURES, encoded(audio)))

    def synthesize(self, f0_hz: Floats, confidences: Floats, loudness_db: Floats) -> tuple[float, Floats, int]:
        """As `mm.DDSP.synthesize`, with its own fit, filter, room and compressor: seconds, samples and their rate."""
        named = {"f0_hz": f0_hz, "confidences": confidences, "loudness_db": loudness_db}
        features: dict[str, Any] = {name: curve.tolist() for name, curve in named.items()}
        features["originalRecordedBufferLength"] = 64 * len(loudness_db)
        spent, audio, rate = self._page.evaluate(_SYNTHESIZE, features)
        return spent, decoded(audio), int(rate)


def without_noise(folder: Path, copy: Path) -> None:
    """Copy an exported instrument, with the weights that its noise is filtered with put to 0.

    Magenta.js' noise is another each time, and as strong as a weak harmonic.
    """
    shutil.copytree(folder, copy)
    (group,) = json.loads((copy / "model.json").read_text())["weightsManifest"]
    path, at = copy / group["paths"][0], 0
    data = bytearray(path.read_bytes())
    for entry in group["weights"]:
        size = 4 * int(np.prod(entry["shape"]))
        if entry["name"] == "bins.weight":
            data[at : at + size] = bytes(size)
        at += size
    path.write_bytes(data)


@contextmanager
def opened(browser: Any, folder: Path) -> Iterator[Magenta]:
    """Magenta.js beside the exported instruments in `folder`, which is served to it.

    Raises:
        Unavailable: Magenta.js cannot be fetched.
    """
    shutil.copyfile(bundle(), folder / "bundle.js")
    (folder / "index.html").write_text(_PAGE, encoding="utf-8")
    with served(folder) as address:
        page = browser.new_page()
        page.goto(address)
        yield Magenta(page)
        page.close()


@contextmanager
def served(folder: Path, policy: str = "") -> Iterator[str]:
    """Serve a folder to this computer, with a content policy; its address."""
    handler = functools.partial(_Handler, policy, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}/"
        finally:
            running.shutdown()
            thread.join()


@contextmanager
def launched() -> Iterator[Any]:
    """A headless Chromium.

    Raises:
        Unavailable: there is none, or no playwright.
    """
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium or not importlib.util.find_spec("playwright"):
        raise Unavailable("there is no Chromium, or no playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class _Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, policy: str, *arguments: Any, **named: Any) -> None:
        self._policy = policy
        super().__init__(*arguments, **named)

    def end_headers(self) -> None:
        if self._policy:
            self.send_header("Content-Security-Policy", self._policy)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
