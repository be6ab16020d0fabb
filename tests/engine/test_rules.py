"""What any host may rely on: no imports, the functions of engine.h, no allocation while sounding, a small file."""

import re
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import wasmtime

from retimbre import engine
from retimbre.engine import Analyzer, Decoder, Keyboard, Resampler, Synth
from tests.engine.signals import NETWORK, melody, random_weights

ROOT = Path(__file__).parents[2]
WASM = ROOT / "src" / "retimbre" / "engine.wasm"
TYPES = {"int": "i32", "unsigned": "i32", "float": "f32", "double": "f64"}


def module() -> wasmtime.Module:
    return wasmtime.Module(wasmtime.Engine(), WASM.read_bytes())


def declared() -> dict[str, tuple[list[str], list[str]]]:
    """Parameter and result types of every function in engine.h; pointers are i32."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "engine" / "engine.h").read_text(encoding="utf-8"), flags=re.S)
    functions = {}
    for result, name, parameters in re.findall(r"^(\w[\w ]*[ *]+)(\w+)\(([^)]*)\);", text, flags=re.M | re.S):
        given = [] if parameters == "void" else parameters.split(",")
        kinds = ["i32" if "*" in p else TYPES[p.replace("const", "").split()[0]] for p in given]
        results = ["i32"] if "*" in result else [] if result.strip() == "void" else [TYPES[result.strip()]]
        functions[name] = (kinds, results)
    return functions


def test_nothing_is_imported():
    assert [f"{item.module}.{item.name}" for item in module().imports] == []


def test_exports_are_the_functions_of_the_header_with_their_types():
    exports = {item.name: item.type for item in module().exports}
    assert isinstance(exports.pop("memory"), wasmtime.MemoryType)
    found = {
        name: ([str(p) for p in kind.params], [str(r) for r in kind.results])
        for name, kind in exports.items()
        if isinstance(kind, wasmtime.FuncType)
    }
    assert found == declared() and len(found) == len(exports)


def test_the_file_is_below_80_kb_and_names_no_folder():
    data = WASM.read_bytes()
    assert len(data) < 80_000
    assert not any(bytes(folder) in data for folder in (WASM.parent, Path.home(), Path(tempfile.gettempdir())))


def memory_bytes(user) -> int:
    return user._engine._exports["memory"].data_len(user._engine._store)


def test_memory_does_not_grow_while_processing():
    audio = melody(48000, 1.0)
    weights = np.concatenate([np.zeros(6, np.float32), *(w.ravel() for w in random_weights().values())])
    sizes = NETWORK.channels, NETWORK.layers, NETWORK.harmonics, NETWORK.bands, NETWORK.pitches
    decoder = Decoder(weights, *sizes)
    users = {
        Analyzer(48000, True): lambda a: a.process(audio),
        Analyzer(44100, False): lambda a: a.process(audio),
        Synth(48000, 60, np.float32([0, 1000])): lambda s: s.process(np.full((450, 63), 0.01, np.float32)),
        decoder: lambda d: d.process(np.full((450, 3), 0.4, np.float32)),
        Resampler(44100, 48000): lambda r: r.process(audio),
        Keyboard(): lambda k: [k.event(0x90, key, 100) for key in range(128)] and k.process(450),
    }
    for user, work in users.items():
        before = memory_bytes(user)
        for _ in range(3):
            work(user)
        assert memory_bytes(user) == before, type(user).__name__


def test_the_arena_is_zeroed_aligned_and_never_overlaps():
    instance = engine.Sandbox()
    blocks = [(instance.new("engine_alloc", size), size) for size in (1, 15, 16, 17, 70000, 4)]
    for (start, size), (following, _) in pairwise(blocks):
        assert start % 16 == 0 and following >= start + size
    for start, size in blocks:
        assert not instance.view(start, size // 4).any()
    assert instance.call("engine_alloc", -1) == 0
