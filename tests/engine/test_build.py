"""The committed engine.wasm is what engine/ compiles to; and the same C, run natively, shows no undefined behaviour."""

import importlib.util
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retimbre.engine import Analyzer, Decoder, Keyboard, Resampler, Synth
from tests.engine.signals import error_db

ROOT = Path(__file__).parents[2]
HARMONICS, BANDS = 37, 21  # of native.c
SANITIZE = "-fsanitize=address,undefined -fno-sanitize-recover=all -O1 -g".split()
# Rounded as in WebAssembly: no fused operations, which change the last bit.
FLAGS = "-std=gnu11 -Wall -Wextra -Werror -ffp-contract=off -fno-strict-aliasing".split()
QUIET = "-Wno-parentheses -Wno-missing-field-initializers".split()


def test_the_committed_module_is_what_the_sources_compile_to():
    if not importlib.util.find_spec("ziglang"):
        pytest.skip("ziglang is not installed")
    done = subprocess.run([sys.executable, ROOT / "engine" / "build.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _can_sanitize(compiler: str, folder: Path) -> bool:
    (folder / "probe.c").write_text("int main(void) { return 0; }\n")
    command = [compiler, *SANITIZE, "probe.c", "-o", "probe"]
    return subprocess.run(command, cwd=folder, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def native(tmp_path_factory) -> dict[str, np.ndarray]:
    """What native.c put into the engine and got out of it, by name."""
    folder = tmp_path_factory.mktemp("native")
    found = [path for name in ("gcc", "clang", "cc") if (path := shutil.which(name))]
    compiler = next((path for path in found if _can_sanitize(path, folder)), None)
    if compiler is None:
        pytest.skip("no C compiler with sanitizers")
    sources = [*sorted((ROOT / "engine").glob("*.c")), Path(__file__).with_name("native.c")]
    command = [compiler, *SANITIZE, *FLAGS, *QUIET, f"-I{ROOT / 'engine'}", *sources, "-o", folder / "native", "-lm"]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    # The arena is never freed by design, so leaks are not looked for.
    environment = os.environ | {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
    run = subprocess.run([folder / "native", folder / "out"], capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr[-3000:]
    data, at, records = (folder / "out").read_bytes(), 0, {}
    while at < len(data):
        (length,) = struct.unpack_from("i", data, at)
        name = data[at + 4 : at + 4 + length].decode()
        (count,) = struct.unpack_from("i", data, at + 4 + length)
        records[name] = np.frombuffer(data, np.float32, count, at + 8 + length)
        at += 8 + length + 4 * count
    return records


@pytest.mark.parametrize("lookahead", (0, 1))
@pytest.mark.parametrize("sample_rate", (8000, 16000, 44100, 48000, 192000))
def test_analyzer_native(native, sample_rate, lookahead):
    name = f"analyzer {sample_rate} {lookahead}"
    expected = Analyzer(sample_rate, bool(lookahead)).process(native[f"{name} in"])
    actual = native[f"{name} out"].reshape(-1, 3)
    assert expected[:, 0].max() > 500 and (expected[:, 1] > 0.9).any() and np.ptp(expected[:, 2]) > 20
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)


def test_decoder_native(native):
    decoder = Decoder(native["decoder weights"], 24, 5, HARMONICS, BANDS, 9)
    expected = decoder.process(native["decoder in"].reshape(-1, 3))
    assert np.ptp(expected[:, 1:]) > 0.1
    np.testing.assert_allclose(native["decoder out"].reshape(expected.shape), expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("sample_rate", (16000, 22050, 44100, 48000, 96000, 192000))
def test_synth_native(native, sample_rate):
    parameters = native["decoder out"].reshape(-1, 1 + HARMONICS + BANDS)
    synth = Synth(sample_rate, HARMONICS, native["synth bands"])
    expected = synth.process(parameters, seed=9, harmonic_gain=np.float32(0.8), noise_gain=np.float32(0.6))
    assert error_db(native[f"synth {sample_rate} out"], expected) < -80


@pytest.mark.parametrize(
    "rates", ((44100, 48000), (48000, 16000), (8000, 48000), (47999, 48000), (192000, 8000), (48000, 48000))
)
def test_resampler_native(native, rates):
    name = "resampler {} {}".format(*rates)
    expected = Resampler(*rates).process(native[f"{name} in"])
    assert error_db(native[f"{name} out"], expected) < -80


def test_keyboard_native(native):
    keyboard, frames = Keyboard(seed=5), []
    for status, data1, data2, count in native["keyboard in"].reshape(-1, 4).astype(int).tolist():
        keyboard.event(status, data1, data2)
        frames.append(keyboard.process(count))
    expected = np.concatenate(frames)
    assert np.ptp(expected[:, 0]) > 1000 and 0.2 < expected[:, 1].mean() < 0.98
    np.testing.assert_allclose(native["keyboard out"].reshape(-1, 3), expected, rtol=1e-5, atol=1e-4)
