"""How much memory does a long recording need?"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Cell, Options, Section, Table, Unavailable, at_most
from benchmarks.signals import singing
from retimbre import audio

RATE = 48_000
BLOCK_S = 10

METHOD = (
    "Peak resident memory (`ru_maxrss`) and time of `retimbre transfer IN.wav --to NAME -o OUT.wav` as a process of "
    "its own, start included; 48 kHz WAV of a synthetic voice in, 48 kHz WAV out."
)

# On Linux a new program inherits the peak of whoever started it, so one that is small by itself stands between.
_LAUNCHER = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""
_RETIMBRE = "from retimbre.cli import main; raise SystemExit(main())"


def run(options: Options) -> Section:
    """Measure inputs of rising length."""
    rows: list[list[Cell]] = []
    for minutes in (0.05, 0.1) if options.quick else (1, 10, 60):
        with tempfile.TemporaryDirectory() as folder:
            source, output = Path(folder, "in.wav"), Path(folder, "out.wav")
            _write(source, minutes)
            command = ["transfer", str(source), "--to", options.to, "-o", str(output), "--json"]
            peak, spent = resident(["-c", _RETIMBRE, *command])
        rows.append([minutes, peak / 1e6, spent, 60 * minutes / spent])
        print(f"  {minutes} min: {peak / 1e6:.0f} MB, {spent:.1f} s", flush=True)
    minutes, peak, spent = (float(cell) for cell in rows[-1][:3] if isinstance(cell, int | float))
    goals = [
        at_most(f"memory for {minutes:g} minutes of input", peak, 300, ".0f", "MB"),
        at_most(f"time for {minutes:g} minutes of input", spent, 60, ".1f", "s"),
    ]
    columns = {"input, minutes": "g", "resident, MB": ".0f", "time, s": ".1f", "x real time": ".0f"}
    return Section("Memory", METHOD, [Table("Length of the input", columns, rows)], goals)


def _write(path: Path, minutes: float) -> None:
    with audio.Writer(path, RATE, subtype="PCM_16") as writer:
        for seed in range(max(1, round(60 * minutes / BLOCK_S))):
            writer.write(singing(min(BLOCK_S, 60 * minutes), RATE, seed))


def resident(arguments: list[str]) -> tuple[float, float]:
    """Peak resident memory in bytes, and seconds, of Python run with these arguments.

    Raises:
        Unavailable: the system does not tell (Windows).
        RuntimeError: the program failed.
    """
    if platform.system() == "Windows":
        raise Unavailable("Windows does not tell how much memory a process had")
    began = time.perf_counter()
    command = [sys.executable, "-c", _LAUNCHER, sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    spent = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{arguments[-1]}: {done.stderr.strip()}")
    return float(done.stdout) * (1 if platform.system() == "Darwin" else 1024), spent
