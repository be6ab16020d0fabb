"""Measure, and write BENCHMARKS.md: `python -m benchmarks [NAME ...] [--quick]`."""

from __future__ import annotations

import argparse
import os
import time
import traceback
from importlib import import_module
from pathlib import Path

from benchmarks import report

NAMES = (
    "speed",
    "memory",
    "pitch",
    "voicing",
    "transfer",
    "training",
    "stranger",
    "practice",
    "ensemble",
    "room",
    "room_dry",
    "room_match",
    "room_estimate",
    "room_fit",
    "cloning",
    "latent",
    "doctor",
    "live",
    "live_host",
    "live_page",
    "app",
    "app_load",
    "app_start",
    "magenta",
    "parity",
    "sizes",
)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks asked for; returns the exit status, 1 where one of them failed."""
    options, names, folder = _parse(arguments)
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # as `retimbre train` does, before PyTorch is loaded
    path = folder / "benchmarks" / "results.json" if folder else None
    results = report.load(path) if path else {}
    failed = 0
    for name in names:
        print(f"{name} ...", flush=True)
        began = time.perf_counter()
        try:
            results[name] = report.measured(import_module(f"benchmarks.{name}").run(options), options.quick)
        except report.Unavailable as reason:
            section = report.Section(name.capitalize(), f"Not measured: {reason}.")
            results.setdefault(name, report.measured(section, options.quick))
            print(f"{name}: left as it was: {reason}", flush=True)
        except Exception:  # the others go on
            traceback.print_exc()
            failed = 1
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
        results = {known: results[known] for known in NAMES if known in results}
        if folder and path:
            report.save(results, path)
            (folder / "BENCHMARKS.md").write_text(report.render(results), encoding="utf-8")
    if not folder:
        print(report.render(results))
    return failed


def _parse(arguments: list[str] | None) -> tuple[report.Options, list[str], Path | None]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="smallest settings, printed and not written: does it run?")
    parser.add_argument(
        "--full", action="store_true", help="also what takes an hour (pYIN on all notes, ten minutes live)"
    )
    parser.add_argument(
        "--reuse", type=Path, metavar="FOLDER", help="where trained instruments are kept and taken from"
    )
    parser.add_argument("--to", default="cello", metavar="NAME", help="instrument that plays (default: cello)")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="write there instead of into the repository")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    folder = given.folder or (None if given.quick else report.ROOT)
    return report.Options(given.quick, given.full, given.reuse, given.to), given.names or list(NAMES), folder


if __name__ == "__main__":
    raise SystemExit(main())
