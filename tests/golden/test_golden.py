"""The engine's output, to the bit, on every machine.

A change that is meant to alter the numbers regenerates the file and says so: `python tests/golden/make.py`.
"""

import numpy as np
import pytest
import safetensors.numpy

from tests.golden.make import GOLDEN, engine_output


@pytest.fixture(scope="module")
def output() -> dict[str, np.ndarray]:
    return engine_output()


def test_the_material_says_something(output):
    f0_hz, periodicity, loudness_db = output["controls offline"].T
    assert f0_hz.max() > 550 and 90 < f0_hz[f0_hz > 0].min() < 110
    assert periodicity.max() > 0.9 and loudness_db.min() < -90 and loudness_db.max() > -20
    assert all(np.isfinite(value).all() and np.ptp(value) > 0.01 for value in output.values())
    assert GOLDEN.stat().st_size < 150_000


def test_every_number_is_the_one_of_the_golden_file(output):
    golden = safetensors.numpy.load(GOLDEN.read_bytes())
    assert golden.keys() == output.keys()
    different = [name for name, value in golden.items() if not np.array_equal(value, output[name])]
    assert not different, f"{different} changed; if that is meant: python tests/golden/make.py"
