"""The graph model's file, and the graph of an instrument against the engine, run by numpy."""

import json
from pathlib import Path

import numpy as np
import pytest

from retimbre import load
from retimbre.controls import Controls
from retimbre.engine import Synth
from retimbre.export.graph import WEIGHTS, Graph
from retimbre.export.magenta_graph import HOP, SAMPLE_RATE, build
from tests.export.interpreter import run

FRAMES = 500
OFFSET_DB = -18.0


def save(name: str, folder: Path) -> Path:
    build(load(name), FRAMES, OFFSET_DB).save(folder, "audio", (FRAMES * HOP,))
    return folder


def at_our_frames(curve: np.ndarray) -> np.ndarray:
    """Frame i of ours lies at 1.25 i of Magenta's; the last is held."""
    last = FRAMES * 4 // 5 - 1
    return np.interp(np.minimum(np.arange(last + 2), last) * 1.25, np.arange(len(curve)), curve).astype(np.float32)


def playing(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Vibrato, crescendi beyond the instrument's range, and a leap: Hz, and dB on our scale."""
    net, time_s = load(name).network, np.arange(FRAMES) / 250
    midi = net.pitch.centre + 2 * np.sin(2 * np.pi * 3 * time_s)
    midi[FRAMES // 2 :] += 7
    loudness_db = net.loudness.centre + (net.loudness.high - net.loudness.low) * np.sin(2 * np.pi * 0.7 * time_s)
    return (440 * 2 ** ((midi - 69) / 12)).astype(np.float32), loudness_db.astype(np.float32)


def engine(name: str, f0_hz: np.ndarray, loudness_db: np.ndarray, noise: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    instrument = load(name)
    params = instrument.decode(Controls(f0_hz, voiced, loudness_db))
    synth = Synth(SAMPLE_RATE, instrument.network.harmonics, instrument.noise_band_hz)
    return synth.process(params.rows(), noise=noise)


def level_db(error: np.ndarray, sound: np.ndarray) -> float:
    return 10 * np.log10(np.mean(np.square(error, dtype=np.float64)) / np.mean(np.square(sound, dtype=np.float64)))


@pytest.mark.parametrize("name", ["violin", "male_voice"])
def test_the_graph_plays_what_the_engine_plays(name: str, tmp_path: Path) -> None:
    f0_hz, loudness_db = playing(name)
    uniform = np.random.default_rng(0).random((FRAMES * 4 // 5 + 1, 256), np.float32)
    inputs = {"f0_hz": f0_hz, "loudness_db": loudness_db + np.float32(OFFSET_DB)}
    found = run(save(name, tmp_path), inputs, lambda shape: uniform.reshape(shape))
    ours, levels = at_our_frames(f0_hz), at_our_frames(loudness_db)
    white = np.float32(np.sqrt(12)) * (uniform - np.float32(0.5))
    expected = engine(name, ours, levels, white, np.ones(len(ours), np.float32))
    assert found.dtype == np.float32
    assert found.shape == expected.shape == (FRAMES * HOP,)
    assert level_db(found - expected, expected) < -50  # what phases of 32 bits leave after two seconds


def test_where_magenta_fills_up_there_is_silence_and_no_glide_before_it(tmp_path: Path) -> None:
    """Its last frames are -1 Hz and -120 dB; the note before them keeps its pitch to its end."""
    f0_hz, loudness_db = (np.full(FRAMES, one, np.float32) for one in (440, -25))
    f0_hz[303:], loudness_db[303:] = -1, -120 - OFFSET_DB
    found = run(save("violin", tmp_path), {"f0_hz": f0_hz, "loudness_db": loudness_db + np.float32(OFFSET_DB)})
    frames = len(at_our_frames(f0_hz))
    last = 242  # of our frames that lies before 303 of Magenta's
    held = np.where(np.arange(frames) <= last, np.float32(440), np.float32(0))
    voiced = np.where(at_our_frames(np.maximum(f0_hz, 0)) > 0, np.float32(1), np.float32(0))
    expected = engine("violin", held, at_our_frames(loudness_db), np.zeros((frames, 256), np.float32), voiced)
    assert level_db(found - expected, expected) < -50
    assert np.abs(found[304 * HOP :]).max() < 1e-6


def test_a_graph_keeps_what_its_output_needs_and_shares_small_constants(tmp_path: Path) -> None:
    graph = Graph()
    x, unused = graph.input("x", (3,)), graph.input("unused", (1,))
    graph.add("Mul", unused, graph.constant([7.0, 8.0, 9.0]))  # nothing follows it
    graph.add("Identity", graph.add("AddV2", graph.add("Mul", x, 2.0), 2.0), name="y")
    graph.save(tmp_path, "y", (3,))
    model = json.loads((tmp_path / "model.json").read_text())
    nodes = {node["name"]: node for node in model["modelTopology"]["node"]}
    assert sorted(node["op"] for node in nodes.values()) == [
        "AddV2", "Const", "Identity", "Mul", "Placeholder", "Placeholder",
    ]  # fmt: skip
    assert (tmp_path / WEIGHTS).read_bytes() == np.float32(2).tobytes()
    assert nodes["x"]["attr"]["shape"] == {"shape": {"dim": [{"size": "3"}]}}
    np.testing.assert_array_equal(run(tmp_path, {"x": np.arange(3.0)}), [2, 4, 6])
