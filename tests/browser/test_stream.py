"""The page's host of the engine gives the samples of Python's, to the bit."""

import numpy as np
import pytest

from benchmarks.in_page import decoded, encoded
from retimbre.instrument import load, shipped
from retimbre.live.stream import Stream

RENDER = """async ({ rate, sound, name, room, settings }) => {
    const numbers = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
    const bytes = async (path) => (await fetch(path)).arrayBuffer();
    const { readInstrument } = await import(new URL("instrument.js", location.href));
    const input = numbers(sound);
    const context = new OfflineAudioContext(1, input.length, rate);
    await context.audioWorklet.addModule("worklet.js");
    const node = new AudioWorkletNode(context, "retimbre", {
        outputChannelCount: [1],
        processorOptions: {
            wasm: await bytes("engine.wasm"), seed: 3, settings,
            instrument: readInstrument(await bytes(`instruments/${name}.safetensors`)), room: room && numbers(room),
        },
    });
    const buffer = context.createBuffer(1, input.length, rate);
    buffer.copyToChannel(input, 0);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(node).connect(context.destination);
    source.start();
    const rendered = (await context.startRendering()).getChannelData(0);
    let text = "";
    for (const byte of new Uint8Array(rendered.buffer)) text += String.fromCharCode(byte);
    return btoa(text);
}"""


def tune(rate: int) -> np.ndarray:
    """Four notes with harmonics and vibrato, a pause, and noise."""
    time_s = np.arange(rate // 2) / rate
    parts = []
    for hz in (196.0, 261.63, 329.63, 220.0):
        phase = 2 * np.pi * (hz * time_s + 0.3 * np.sin(2 * np.pi * 5.5 * time_s))
        fade = np.clip(np.minimum(time_s, time_s[-1] - time_s) / 0.02, 0, 1)
        parts.append(fade * sum(0.3 / k * np.sin(k * phase) for k in range(1, 9)))
    noise = 0.01 * np.random.default_rng(1).standard_normal(rate // 2)
    return np.concatenate([*parts[:2], np.zeros(rate // 4), noise, *parts[2:]]).astype(np.float32)


@pytest.mark.parametrize(("rate", "with_room"), [(48_000, False), (44_100, True)])
def test_samples_are_those_of_python(resting, rate: int, with_room: bool) -> None:
    sound = tune(rate)
    room = None
    if with_room:
        decay = np.random.default_rng(2).standard_normal(rate // 2) * 10 ** (-3 * np.arange(rate // 2) / (rate // 2))
        room = np.concatenate([[1.0], 0.03 * decay]).astype(np.float32)
    settings = {"semitones": 0.5, "dry": 0.1, "noise_gain": 1.5}
    job = {"rate": rate, "sound": encoded(sound), "name": "cello", "settings": settings}
    text = resting.evaluate(RENDER, job | {"room": encoded(room) if room is not None else None})
    rendered = decoded(text)
    stream = Stream(rate, seed=3)
    stream.set(**settings)
    stream.change_instrument(load("cello"))
    if room is not None:
        stream.change_room(room)
    expected = np.concatenate([stream.process(sound[at : at + 128]) for at in range(0, len(sound), 128)])
    assert np.abs(expected).max() > 0.05
    assert np.array_equal(rendered, expected)


def test_instruments_are_read_as_in_python(resting) -> None:
    read = """async (name) => {
        const { readInstrument } = await import(new URL("instrument.js", location.href));
        const read = readInstrument(await (await fetch(`instruments/${name}.safetensors`)).arrayBuffer());
        const bytes = new Uint8Array(read.given.buffer);
        let text = "";
        for (const byte of bytes) text += String.fromCharCode(byte);
        return [read.name, btoa(text)];
    }"""
    for name in shipped():
        found, text = resting.evaluate(read, name)
        instrument = load(name)
        given = decoded(text)
        quantiles = instrument.card["loudness"]["quantiles"]
        loud = np.quantile(quantiles, [0.8, 0.96]).astype(np.float32)
        assert found == instrument.name
        assert np.array_equal(given, np.concatenate([instrument.noise_band_hz, loud, instrument.flat_weights]))
