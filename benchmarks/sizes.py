"""What has to be downloaded, and how long does the command take to answer?"""

from __future__ import annotations

import subprocess
import sys
import time
from importlib import metadata
from importlib.resources import files
from pathlib import Path

import numpy as np
from packaging.requirements import Requirement

from benchmarks.report import ROOT, Cell, Options, Section, Table, at_most
from retimbre.instrument import SUFFIX, shipped

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

SHOWN = 6
"""Packages named one by one."""

METHOD = (
    "Bytes of the files as installed (what each package's own record lists), and the time from starting a Python "
    "process to its end, median of repetitions."
)


def run(options: Options) -> Section:
    """Add up files and time processes."""
    package = files("retimbre")
    sizes: list[list[Cell]] = [["engine.wasm", _bytes(Path(str(package / "engine.wasm"))) / 1e3]]
    instruments = {name: _bytes(Path(str(package / "instruments" / f"{name}{SUFFIX}"))) for name in shipped()}
    sizes += [[f"instrument {name}", size / 1e3] for name, size in instruments.items()]
    sizes.append(["retimbre, Python code", sum(map(_bytes, Path(str(package)).rglob("*.py"))) / 1e3])

    installed = {name: installed_bytes(name) for name in requirements()}
    largest = sorted(installed, key=lambda name: -installed[name])
    rows: list[list[Cell]] = [[name, installed[name] / 1e6] for name in largest[:SHOWN]]
    rows.append([f"{len(largest[SHOWN:])} others", sum(installed[name] for name in largest[SHOWN:]) / 1e6])
    rows.append(["all run-time packages", sum(installed.values()) / 1e6])

    repetitions = 2 if options.quick else 9
    programs = {
        "`python -c pass`": "pass",
        "`retimbre --help`": "import sys; sys.argv[1:] = ['--help']; from retimbre.cli import main; main()",
        "`retimbre instruments`": "import sys; sys.argv[1:] = ['instruments']; from retimbre.cli import main; main()",
        "`import retimbre`": "import retimbre",
    }
    times: list[list[Cell]] = [[name, seconds_to_run(code, repetitions)] for name, code in programs.items()]
    tables = [
        Table("What retimbre brings", {"file": "", "kB": ".1f"}, sizes),
        Table("What it needs to analyse and play", {"package": "", "MB": ".1f"}, rows),
        Table("Time to answer", {"program": "", "s": ".2f"}, times),
    ]
    goals = [at_most(f"instrument file {name}", size / 1e6, 1.5, ".2f", "MB") for name, size in instruments.items()]
    return Section("Sizes", METHOD, tables, goals)


def _bytes(path: Path) -> int:
    return path.stat().st_size


def requirements() -> set[str]:
    """Packages that an installation without extras needs, all the way down.

    The first of them come from pyproject.toml: what an editable installation says of itself is as old as it is.
    """
    text = Path(ROOT, "pyproject.toml").read_text(encoding="utf-8")
    needed = [Requirement(each) for each in tomllib.loads(text)["project"]["dependencies"]]
    found: set[str] = set()
    while needed:
        one = needed.pop()
        if one.name not in found and (one.marker is None or one.marker.evaluate({"extra": ""})):
            found.add(one.name)
            needed += map(Requirement, metadata.requires(one.name) or ())
    return found


def installed_bytes(package: str) -> int:
    """Sum of the files that the record of a package lists."""
    paths = (Path(str(file.locate())) for file in metadata.files(package) or ())
    return sum(_bytes(path) for path in paths if path.is_file())


def seconds_to_run(code: str, repetitions: int) -> float:
    """Median time of a Python process that runs `code`, after one to warm up."""
    spent = []
    for _ in range(repetitions + 1):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        spent.append(time.perf_counter() - began)
    return float(np.median(spent[1:]))
