"""Does the live host lose blocks? `retimbre live` over a sound server, minutes on end."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import pulse
from benchmarks.report import Cell, Options, Section, Table, Unavailable, at_most
from benchmarks.signals import singing
from retimbre import audio

RATE = 48_000
BLOCKS = (128, 256, 480)
BUFFERS_S = (0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.16)
"""Latencies asked of the sound server, shortest first."""

METHOD = (
    "`retimbre live --to NAME` as a process of its own between two null sinks of PulseAudio, through PortAudio's ALSA "
    "back end; a synthetic voice is played into it. The buffer is the shortest of those tried with which the sound "
    "server lost nothing in the trial. Blocks are lost where PortAudio reports under- or overflows, whoever "
    "caused them. A block is late when making it took longer than it lasts, which the buffer may make up for."
)

# A thread that wakes for every block as the audio thread does, and computes for 0.2 ms: what the machine does to it.
_CONTROL = """
import sys, time
from retimbre.live.priority import AUDIO_PRIORITY, going_first
block_s, seconds, late, worst = float(sys.argv[1]), float(sys.argv[2]), 0, 0.0
with going_first(AUDIO_PRIORITY):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began, computed = time.perf_counter(), time.thread_time()
        while time.thread_time() - computed < 0.0002:
            pass
        spent = time.perf_counter() - began
        late, worst = late + (spent > block_s), max(worst, spent)
        time.sleep(max(0.0, block_s - spent))
print(late, worst)
"""

Summary = dict[str, Any]


def run(options: Options) -> Section:
    """Measure each block size for a minute; with `--full` the middle one for ten."""
    if lacking := pulse.missing():
        raise Unavailable(f"not installed: {lacking}")
    seconds, trial_s = (3, 2) if options.quick else (60, 10)
    longest = 600 if options.full else seconds
    rows: list[list[Cell]] = []
    goals = []
    with tempfile.TemporaryDirectory(prefix="retimbre") as folder, pulse.server(Path(folder)) as server:
        voice = Path(folder, "voice.wav")
        _write(voice, longest + 10)
        for block in BLOCKS:
            buffer_s = _buffer(server, voice, options.to, block, trial_s)
            length = longest if block == BLOCKS[1] else seconds
            summary = _perform(server, voice, options.to, block, buffer_s, length)
            rows.append([block, 1000 * buffer_s, *_figures(summary)])
            if block == BLOCKS[1]:
                goals.append(at_most(f"blocks of {block} lost in {length / 60:g} min", _xruns(summary), 0, "d"))
            print(f"  {block}: {summary}", flush=True)
        note = _control(server, BLOCKS[0] / RATE, min(seconds, 60))
    columns = {
        "block": "d",
        "buffer asked for, ms": ".0f",
        "minutes": ".1f",
        "blocks": "d",
        "late": "d",
        "under- and overflows": "d",
        "load, one core": ".1%",
        "99.9 % within, ms": ".2f",
        "worst, ms": ".2f",
        "latency in all, ms": ".0f",
    }
    return Section("Live host", METHOD, [Table(f"Played by {options.to} at 48 kHz", columns, rows)], goals, [note])


def _figures(summary: Summary) -> list[Cell]:
    whole = [summary["seconds"] / 60, summary["blocks"], summary["late"], _xruns(summary), summary["load"]]
    return [*whole, summary["p999_ms"], summary["worst_ms"], sum(summary["latency_ms"].values())]


def _xruns(summary: Summary) -> int:
    return sum(summary[f"{end}_{what}"] for end in ("input", "output") for what in ("underflow", "overflow"))


def _buffer(server: pulse.Server, voice: Path, to: str, block: int, seconds: float) -> float:
    """The shortest latency with which nothing is lost for so long; the longest where something always is."""
    for buffer_s in BUFFERS_S:
        if buffer_s >= 2 * block / RATE and not _xruns(_perform(server, voice, to, block, buffer_s, seconds)):
            return buffer_s
    return BUFFERS_S[-1]


def _perform(server: pulse.Server, voice: Path, to: str, block: int, buffer_s: float, seconds: float) -> Summary:
    wishes = ["--to", to, "--block", str(block), "--latency", str(buffer_s), "--seconds", str(seconds), "--json"]
    source = server.play(voice)
    try:
        command = [sys.executable, "-m", "retimbre", "live", *wishes]
        done = subprocess.run(command, env=server.environment, capture_output=True, text=True, check=True)
    finally:
        source.terminate()
        source.wait()
    return json.loads(done.stdout.splitlines()[-1])


def _control(server: pulse.Server, block_s: float, seconds: float) -> str:
    """How the machine treats a thread that does next to nothing."""
    command = [sys.executable, "-c", _CONTROL, str(block_s), str(seconds)]
    done = subprocess.run(command, env=server.environment, capture_output=True, text=True, check=True)
    late, worst_s = done.stdout.split()
    return (
        f"For comparison, a thread of the same priority that only computes 0.2 ms every {1000 * block_s:.2f} ms was "
        f"late {late} times in {seconds:g} s, at worst {1000 * float(worst_s):.1f} ms: so much is this machine's doing."
    )


def _write(path: Path, seconds: int) -> None:
    with audio.Writer(path, RATE, subtype="PCM_16") as writer:
        for seed in range(-(-seconds // 10)):
            writer.write(singing(10, RATE, seed))
