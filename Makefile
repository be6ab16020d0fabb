# retimbre: `make demo` to hear it, `make test` to check it. Everything is installed in $(VENV), nothing elsewhere.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help demo test lint engine gallery bench clean

# Say what there is to make.
help:
	@echo "make demo    play the example tune on the cello (writes ./demo/)"
	@echo "make test    lint, types and tests"
	@echo "make lint    ruff and basedpyright alone"
	@echo "make engine  rebuild src/retimbre/engine.wasm from engine/"
	@echo "make gallery render src/retimbre/gallery/shipped/ from examples/gallery/"
	@echo "make bench   measure every number of the README"
	@echo "make clean   remove what was made here"

# Hear it: installs the few run-time packages (no PyTorch), then writes sounds and pictures into ./demo/.
demo: $(VENV)/.installed
	$(BIN)/python examples/demo.py

# Check everything: style, types, tests.
test: lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Style and types alone.
lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright

# Compile the C engine to WebAssembly (the result is committed, so only those who change engine/ need this).
engine: $(VENV)/.installed-dev
	$(BIN)/python engine/build.py

# Render the examples that come with retimbre (the result is committed; again when an instrument has changed).
gallery: $(VENV)/.installed
	$(BIN)/python examples/gallery/make.py

# Measure every number the README states.
bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

# Remove what was made here: the environment, caches, the demo.
clean:
	rm -rf $(VENV) demo build dist .pytest_cache .ruff_cache .hypothesis
	find src tests engine examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# A virtual environment. Its pip is the mark: a creation that fails half-way leaves none, so the next call tries again.
$(BIN)/pip:
	@$(PYTHON) -m venv $(VENV) || { \
		echo; \
		echo "Python could not make a virtual environment. Install its venv module, then repeat:"; \
		echo "  Debian, Ubuntu:  sudo apt-get install python3-venv"; \
		echo "  Fedora:          sudo dnf install python3 python3-pip"; \
		echo "  macOS, Windows:  install Python 3.10 or newer from python.org"; \
		exit 1; }

# The stamps say what is installed; they age when pyproject.toml changes.
$(VENV)/.installed: pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed
