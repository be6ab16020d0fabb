"""Settings for every test."""

import os

# Before anything reads it, and for every program that a test starts: tests run side by side, each on one core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest

# The same examples in every run, and no deadline: the machines that run the tests are shared.
hypothesis.settings.register_profile("retimbre", deadline=None, derandomize=True, max_examples=40)
hypothesis.settings.load_profile("retimbre")


@pytest.fixture(scope="session")
def content() -> dict[str, bytes]:
    """The files of the live page."""
    from retimbre.app.site import site

    return site()
