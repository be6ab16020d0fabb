"""From a stranger's folder of recordings to an instrument that plays: how long does it take, and how good is it?

Each step is the command that a user types, as a process of its own, its start included.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Cell, Options, Section, Table, at_most, needs
from retimbre import audio
from retimbre.instrument import load

METHOD = (
    "Ten minutes of single notes of saxophones (tenor, soprano and baritone, MTG), which no shipped instrument was "
    "made from, in one folder: `retimbre doctor`, `retimbre train` with its usual settings, and `retimbre transfer` of "
    "a recording of some seconds with the new instrument. Seconds on the wall, {cores} cores."
)
SETS = ("sax_tenor", "sax_soprano", "sax_baritone")
MINUTES = 10.0


def run(options: Options) -> Section:
    """Time the three commands one after the other."""
    folder = needs(options.audio / "train", "a stranger's recordings")
    source = sorted(needs(options.audio / "sources", "a sound to play").glob("*.flac"))[0]
    with tempfile.TemporaryDirectory() as temporary:
        given, output = Path(temporary, "recordings"), Path(temporary, "saxophone.safetensors")
        minutes = _gather(folder, given, 0.5 if options.quick else MINUTES)
        usual = ["--minutes", "0.05"] if options.quick else []
        steps = {
            "doctor": ["doctor", str(given), "--json"],
            "train": ["train", str(given), "-o", str(output), *usual],
            "transfer": ["transfer", str(source), "--to", str(output), "-o", str(Path(temporary, "played.wav"))],
        }
        seconds = {name: _seconds(command) for name, command in steps.items()}
        card = load(output).card
    together = sum(seconds.values())
    rows: list[list[Cell]] = [[name, spent] for name, spent in (*seconds.items(), ("together", together))]
    figures = card["evaluation"]["figures"]
    known: list[list[Cell]] = [
        [
            minutes,
            card["training"]["steps"],
            figures["spectral_loss"],
            figures["pitch_median_cents"],
            figures["loudness_error_db"],
            100 * figures["harmonic_share"],
        ]
    ]
    columns = {"minutes of recordings": ".1f", "steps": "d", "loss": ".3f", "pitch, cents": ".1f"}
    columns |= {"loudness, dB": ".2f", "energy in harmonics, %": ".1f"}
    tables = [
        Table("Time", {"step": "", "seconds": ".0f"}, rows),
        Table("What it learned, on held-out notes", columns, known),
    ]
    goals = [at_most("from folder to playing instrument", together / 60, 6, ".1f", "minutes")]
    return Section("A stranger's recordings", METHOD.format(cores=os.cpu_count()), tables, goals)


def _gather(folder: Path, given: Path, minutes: float) -> float:
    """Copy every set's notes in turn until there are so many minutes; returns how many."""
    seconds = 0.0
    for name in SETS:
        (given / name).mkdir(parents=True)
        most = seconds + 60 * minutes / len(SETS)
        for path in sorted((folder / name).glob("mtg_*")):
            if seconds >= most:
                break
            sound, sample_rate = audio.read(path)
            shutil.copy(path, given / name)
            seconds += len(sound) / sample_rate
    return seconds / 60


def _seconds(command: list[str]) -> float:
    """How long `retimbre COMMAND` takes.

    Raises:
        RuntimeError: it failed.
    """
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "retimbre", *command], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"retimbre {command[0]}: {done.stderr.strip()[-2000:]}")
    if command[0] == "doctor":
        json.loads(done.stdout)
    print(f"  {command[0]}: {seconds:.0f} s", flush=True)
    return seconds
