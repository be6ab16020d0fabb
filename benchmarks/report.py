"""What a benchmark returns, and how BENCHMARKS.md is made of it.

The results live as numbers in `benchmarks/results.json`, so that one section can be measured anew without the others.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[1]
AUDIO = ROOT / "../shared/audio"
"""Recordings that are not part of the repository; sections that need them say so where they are missing."""

Cell = str | float | None
T = TypeVar("T")


class Unavailable(Exception):
    """A section cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Options:
    """How to measure.

    Attributes:
        quick: smallest settings, only to see that everything works.
        full: also what takes an hour.
        reuse: folder of instruments that the training benchmark trained before, and leaves new ones in.
        to: the instrument that plays, as `retimbre transfer --to` takes it.
        audio: the recordings.
    """

    quick: bool = False
    full: bool = False
    reuse: Path | None = None
    to: str = "cello"
    audio: Path = AUDIO


@dataclass(frozen=True)
class Table:
    """Rows of numbers.

    Attributes:
        caption: what the rows are.
        columns: title of each column, and how its numbers are written (a format specification).
        rows: as many cells each as there are columns.
    """

    caption: str
    columns: dict[str, str]
    rows: list[list[Cell]]

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), f"{self.caption}: rows do not fit the columns"

    def markdown(self) -> str:
        """As GitHub draws it."""
        lines = [list(self.columns), ["---:" if form else "---" for form in self.columns.values()]]
        lines += [[_cell(*pair) for pair in zip(row, self.columns.values(), strict=True)] for row in self.rows]
        return "\n".join([f"**{self.caption}**", "", *(f"| {' | '.join(line)} |" for line in lines)])


@dataclass(frozen=True)
class Goal:
    """A number that must hold: what it is, what was measured, what is asked for, and whether it holds."""

    what: str
    measured: str
    asked: str
    holds: bool


def at_most(what: str, value: float, limit: float, form: str, unit: str = "") -> Goal:
    """A goal that holds up to `limit`."""
    return Goal(what, _unit(value, form, unit), f"<= {_limit(limit, form, unit)}", value <= limit)


def at_least(what: str, value: float, limit: float, form: str, unit: str = "") -> Goal:
    """A goal that holds from `limit` on."""
    return Goal(what, _unit(value, form, unit), f">= {_limit(limit, form, unit)}", value >= limit)


@dataclass(frozen=True)
class Section:
    """One claim, measured.

    Attributes:
        title: a heading.
        method: a sentence on how it was measured.
        tables: the numbers.
        goals: those that must hold.
        notes: what else to know, such as what could not be measured.
    """

    title: str
    method: str
    tables: list[Table] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Result:
    """A section with the day and the machine it was measured on."""

    section: Section
    date: str
    machine: str
    quick: bool = False


def measured(section: Section, quick: bool) -> Result:
    """A section measured here and now."""
    return Result(section, datetime.date.today().isoformat(), machine(), quick)


def load(path: Path) -> dict[str, Result]:
    """Results by name; none where there is no file yet."""
    if not path.exists():
        return {}
    return {name: _result(data) for name, data in json.loads(path.read_text(encoding="utf-8")).items()}


def save(results: Mapping[str, Result], path: Path) -> None:
    """Write the results as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {name: asdict(result) for name, result in results.items()}
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _result(data: dict[str, Any]) -> Result:
    content = dict(data["section"])
    content["tables"] = [Table(**table) for table in content["tables"]]
    content["goals"] = [Goal(**goal) for goal in content["goals"]]
    return Result(**{**data, "section": Section(**content)})


def render(results: Mapping[str, Result]) -> str:
    """BENCHMARKS.md: what must hold, then every section."""
    machines = list(dict.fromkeys(result.machine for result in results.values()))
    many = len(machines) > 1
    lines = ["# Benchmarks", "", "Written by `make bench` (one section: `python -m benchmarks NAME`). Measured on"]
    lines += [f"- {f'machine {number}: ' if many else ''}{text}" for number, text in enumerate(machines, 1)]
    goals = [(goal, result.quick) for result in results.values() for goal in result.section.goals]
    if goals:
        lines += ["", "## What must hold", "", "| what | measured | asked for | holds |", "|---|---:|---:|---|"]
        for goal, quick in goals:
            holds = f"{'yes' if goal.holds else '**no**'}{' (quick settings)' if quick else ''}"
            lines.append(f"| {goal.what} | {goal.measured} | {goal.asked} | {holds} |")
    for name, result in results.items():
        section = result.section
        where = f", machine {machines.index(result.machine) + 1}" if many else ""
        quick = " **Quick settings: not to be quoted.**" if result.quick else ""
        lines += ["", f"## {section.title}", "", f"{section.method} *`{name}`, {result.date}{where}.*{quick}"]
        for table in section.tables:
            lines += ["", table.markdown()]
        for note in section.notes:
            lines += ["", note]
    return "\n".join(lines) + "\n"


def machine() -> str:
    """This machine in words."""
    packages = ("numpy", "wasmtime", "soundfile", "torch", "swift-f0", "librosa")
    versions = [f"{name} {version}" for name in packages if (version := _version(name))]
    system = f"{platform.system()} {platform.release()} ({platform.machine()})"
    cores = f"{_cpu()}, {os.cpu_count()} cores"
    return ", ".join([cores, system, f"Python {platform.python_version()}", *versions])


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor() or "unknown processor"


def _cell(value: Cell, form: str) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _unit(value, form)


def _unit(value: float, form: str, unit: str = "") -> str:
    text = format(value, form)
    if text.endswith("%"):
        text = f"{text[:-1]} %"
    return f"{text} {unit}".rstrip()


def _limit(value: float, form: str, unit: str) -> str:
    return _unit(value, ".0%" if form.endswith("%") else "g", unit)


def progress(items: Sequence[T], label: str) -> Iterator[T]:
    """Go through the items, and print every 20 seconds how far it is."""
    said = time.monotonic()
    for place, item in enumerate(items):
        if time.monotonic() - said >= 20:
            said = time.monotonic()
            print(f"  {label}: {place} of {len(items)}", flush=True)
        yield item


def needs(folder: Path, what: str) -> Path:
    """The folder, if it is there.

    Raises:
        Unavailable: it is not.
    """
    if not folder.is_dir():
        raise Unavailable(f"{what}: needs the recordings of ../shared/audio, which are not here")
    return folder
