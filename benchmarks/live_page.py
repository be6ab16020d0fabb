"""How heavy and how late is the live page, in a browser?"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.in_page import decoded, encoded
from benchmarks.report import Cell, Goal, Options, Section, Table, Unavailable, at_most
from benchmarks.signals import singing
from retimbre import audio
from retimbre.app.serve import server
from retimbre.app.site import site
from retimbre.engine import Floats
from retimbre.instrument import Instrument, load
from retimbre.live import bench
from retimbre.live.stream import Stream
from retimbre.rooms.room import Room

RATE, BLOCK = 48_000, 128
ROOM_S = 1.6

METHOD = (
    "Headless Chromium, the page's own AudioWorklet. Work: an OfflineAudioContext renders singing as fast as it can, "
    "median of interleaved repetitions after one to warm up, without and with a room. Delay: the signals of "
    "`retimbre bench live` in blocks of 128 samples; the worklet's samples are compared with Python's, to the bit, "
    "so that what is measured there holds here. What the browser adds is as it says itself, with a pretended "
    "microphone and no sound card."
)

RENDER = """async ({ name, sound, room, rate, settings }) => {
    const numbers = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
    const bytes = async (path) => (await fetch(path)).arrayBuffer();
    const { readInstrument } = await import(new URL("instrument.js", location.href));
    const input = numbers(sound), context = new OfflineAudioContext(1, input.length, rate);
    await context.audioWorklet.addModule("worklet.js");
    const instrument = name && readInstrument(await bytes(`instruments/${name}.safetensors`));
    const wasm = await bytes("engine.wasm"), response = room && numbers(room);
    const node = new AudioWorkletNode(context, "retimbre", {
        outputChannelCount: [1],
        processorOptions: { wasm, seed: 0, settings, instrument, room: response },
    });
    const buffer = context.createBuffer(1, input.length, rate);
    buffer.copyToChannel(input, 0);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(node).connect(context.destination);
    source.start();
    const began = performance.now();
    const rendered = await context.startRendering();
    const spent = (performance.now() - began) / 1000;
    const out = new Uint8Array(rendered.getChannelData(0).buffer);
    let text = "";
    for (let at = 0; at < out.length; at += 8192) text += String.fromCharCode(...out.subarray(at, at + 8192));
    return [spent, btoa(text)];
}"""

OPEN = """async () => {
    const context = new AudioContext({ latencyHint: "interactive" });
    const sound = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: sound });
    context.createMediaStreamSource(stream).connect(context.destination);
    await context.resume();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const told = stream.getAudioTracks()[0].getSettings();
    return [context.sampleRate, context.baseLatency, context.outputLatency, told.latency ?? 0];
}"""


def run(options: Options) -> Section:
    """Measure the worklet's work and delay."""
    seconds, repetitions, places = (1.0, 1, 1) if options.quick else (20.0, 5, 12)
    instrument = load(options.to)
    sound = singing(seconds, RATE)
    room = Room((125.0, 1000.0, 8000.0), (ROOM_S, ROOM_S, 0.8), (0.0, 0.0, -6.0), ROOM_S).to_rir(RATE)
    with _page() as page:
        spent: dict[str, list[float]] = {"no instrument": [], "dry": [], "in a room": []}
        for turn in range(repetitions + 1):
            for kind, times in spent.items():
                name = None if kind == "no instrument" else options.to
                took, _ = _render(page, name, sound, room if kind == "in a room" else None)
                if turn:  # the first is paid once
                    times.append(took / seconds)
        same = [_same(page, options.to, instrument, wave) for wave in _signals(options.quick)]
        rate, base, output, microphone = page.evaluate(OPEN)
    work = {kind: 100 * float(np.median(times)) for kind, times in spent.items()}
    rows: list[list[Cell]] = [[kind, work[kind], 100 * min(times)] for kind, times in spent.items()]
    caption = (
        f"Time that rendering takes, in percent of the time that it lasts: {seconds:.0f} s at 48 kHz, {options.to}"
    )
    tables = [Table(caption, {"": "", "median %": ".2f", "fastest %": ".2f"}, rows)]
    found = bench.latencies(instrument, RATE, BLOCK, places)
    cells: list[list[Cell]] = [[row.what, row.hz, row.median_ms, row.worst_ms] for row in found]
    columns = {"event": "", "Hz": ".0f", "median ms": ".1f", "worst ms": ".1f"}
    tables.append(Table("Delay of the worklet, its block of 128 included", columns, cells))
    told = {"base": base, "output": output, "microphone": microphone}
    says: list[list[Cell]] = [[what, 1000 * delay] for what, delay in told.items()]
    tables.append(Table(f"What the browser says that it adds ({rate:.0f} Hz)", {"": "", "ms": ".1f"}, says))
    goals = [
        at_most("the worklet's work, dry", work["dry"], 5, ".2f", "%"),
        Goal("signals whose samples are Python's, to the bit", f"{sum(same)} of {len(same)}", "all", all(same)),
    ]
    return Section("The live page", METHOD, tables, goals)


def _signals(quick: bool) -> list[Floats]:
    """Onsets and slurs, as `retimbre.live.bench` plays them."""
    level = np.float32(10 ** (bench.LEVEL_DB / 20))
    steps = [(0.0, hz) for hz in bench.ONSETS_HZ] + list(bench.CHANGES_HZ)
    waves = []
    for before, after in steps[:1] if quick else steps:
        hz = np.repeat([before or after, after], [6 * RATE // 10, 4 * RATE // 10])
        wave = level * bench.tone(hz, RATE)
        wave[: 0 if before else 6 * RATE // 10] = 0
        waves.append(wave)
    return waves


def _same(page: Any, name: str, instrument: Instrument, sound: Floats) -> bool:
    stream = Stream(RATE, instrument)
    stream.set(octave=0)
    expected = [stream.process(sound[at : at + BLOCK]) for at in range(0, len(sound), BLOCK)]
    return np.array_equal(_render(page, name, sound, None, octave=0)[1], np.concatenate(expected))


def _render(page: Any, name: str | None, sound: Floats, room: Floats | None, **settings: float) -> tuple[float, Floats]:
    """Seconds that the browser needs, and what it renders."""
    job = {"name": name, "sound": encoded(sound), "room": None if room is None else encoded(room), "rate": RATE}
    spent, text = page.evaluate(RENDER, job | {"settings": settings})
    return spent, decoded(text)


@contextmanager
def _page() -> Iterator[Any]:
    """The page in a browser that hears a file for its microphone."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium or not importlib.util.find_spec("playwright"):
        raise Unavailable("there is no Chromium, or no playwright")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--use-fake-ui-for-media-stream"]
    flags += ["--autoplay-policy=no-user-gesture-required", "--use-fake-device-for-media-stream"]
    with tempfile.TemporaryDirectory() as folder, server(site(), port=0) as running, sync_playwright() as playwright:
        heard = Path(folder, "microphone.wav")
        audio.write(heard, singing(2, RATE), RATE)
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        args = [*flags, f"--use-file-for-fake-audio-capture={heard}"]
        browser = playwright.chromium.launch(executable_path=chromium, args=args)
        try:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{running.server_port}/")
            yield page
        finally:
            browser.close()
            running.shutdown()
            thread.join()
