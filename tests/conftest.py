"""Settings for every test."""

import hypothesis

# The same examples in every run, and no deadline: the machines that run the tests are shared.
hypothesis.settings.register_profile("retimbre", deadline=None, derandomize=True, max_examples=40)
hypothesis.settings.load_profile("retimbre")
