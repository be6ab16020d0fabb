"""Calls without checks do what calls with checks do."""

import numpy as np
import pytest
import wasmtime

from retimbre.engine import Sandbox, white_noise

FAR = 0x7FFF_FFF0  # beyond the engine's memory


def noise(sandbox: Sandbox, seed: int) -> np.ndarray:
    pointer = sandbox.allocate(100)
    sandbox.function("noise_fill")(seed, 0, 1, 100, pointer)
    return sandbox.view(pointer, 100).copy()


def test_both_ways_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = white_noise(7, 0, 1, 100)[0]
    np.testing.assert_array_equal(noise(Sandbox(), 7), expected)
    monkeypatch.delattr(wasmtime._ffi, "wasmtime_func_call_unchecked")  # as in a version that has it no more
    np.testing.assert_array_equal(noise(Sandbox(), 7), expected)


def test_results_come_back() -> None:
    sandbox = Sandbox()
    decoder = sandbox.new("decoder_new", 8, 2, 10, 4, 5)
    assert sandbox.function("decoder_n_weights")(decoder) == sandbox.call("decoder_n_weights", decoder) > 0


def test_a_trap_is_an_exception_once() -> None:
    sandbox = Sandbox()
    fill = sandbox.function("noise_fill")
    with pytest.raises(wasmtime.Trap):
        fill(0, 0, 1, 100, FAR)
    pointer = sandbox.allocate(100)
    fill(7, 0, 1, 100, pointer)
    np.testing.assert_array_equal(sandbox.view(pointer, 100), white_noise(7, 0, 1, 100)[0])
