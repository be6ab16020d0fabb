"""Many visitors at once: does each get their own sound, how long do they wait, does the server's memory level off?"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.app_visitor import Visitor
from benchmarks.report import Cell, Options, Section, Table, Unavailable, at_most

RATE = 48_000
CLIP_S = 10.0
APART = 0.6  # semitones between the pitches of neighbours; 20 of them fill an octave
NEAR = 0.2  # semitones that a pitch may be off
STRIDE = 7  # semitones between a position of the slider and the next

METHOD = (
    "A server (`retimbre app`), and visitors that speak to it over HTTP and WebSockets as the page in a browser does. "
    "Each uploads a clip of 10 s at a pitch of its own, has it played by the cello, and then moves the slider "
    "Semitones, again and again: a new adjustment, decoding and synthesis each time until its 23 positions have been "
    "heard. The pitch of every sound that comes back is measured by autocorrelation. Memory is that of the server and "
    "its workers (proportional shares, PSS)."
)


@dataclass
class Told:
    """What the visitors saw."""

    opened_s: list[float] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)
    moved_s: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    foreign: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def timed(self, spent: list[float]) -> Iterator[None]:
        """Note how long something took."""
        began = time.monotonic()
        yield
        with self.lock:
            spent.append(time.monotonic() - began)


def run(options: Options) -> Section:
    """Let them come."""
    try:
        import streamlit  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as error:
        raise Unavailable(f"{error.name} is not installed") from error
    visitors, seconds = (3, 10.0) if options.quick else (20, 120.0)
    told, memory = Told(), []
    command = [sys.executable, "-m", "retimbre", "app", "--no-browser", "--port", "0"]
    with answering(command) as (address, process):
        began = time.monotonic()
        arguments = [(address, place, seconds, told) for place in range(visitors)]
        threads = [threading.Thread(target=_visit, args=each) for each in arguments]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            memory.append((time.monotonic() - began, megabytes(process.pid)))
            time.sleep(1)
        took = time.monotonic() - began
    return _section(told, memory, visitors, took)


def _visit(address: str, place: int, seconds: float, told: Told) -> None:
    """Open the page, bring a clip, and move a slider for so long."""
    from retimbre.app.sources import WAYS

    hz = 220 * 2 ** (APART * place / 12)
    try:
        with told.timed(told.opened_s):
            visitor = Visitor(address)
        with contextlib.closing(visitor):
            group = next(one for one in visitor.all("button_group") if any("Upload" in o.content for o in one.options))
            visitor.choose(group, f"{WAYS['Upload']} Upload")
            with told.timed(told.first_s):
                visitor.upload(visitor.find("file_uploader", "One note"), f"visitor_{place}.wav", clip(hz))
                _check(visitor, hz, 0, told)
            until = time.monotonic() + seconds
            for turn in range(1_000_000):
                shift = turn * STRIDE % 23 - 11  # all of the slider but its ends, and what is made once is kept
                with told.timed(told.moved_s):
                    visitor.slide(visitor.find("slider", "Semitones"), shift)
                    _check(visitor, hz, shift, told)
                if time.monotonic() > until:
                    break
    except Exception as error:
        with told.lock:
            told.failed.append(f"visitor {place}: {type(error).__name__}: {error}")


def _check(visitor: Visitor, hz: float, semitones: float, told: Told) -> None:
    """Download what came, and see whose it is."""
    for alert in visitor.all("alert"):
        if alert.format == alert.ERROR:
            raise RuntimeError(alert.body)
    before, after = (visitor.get(audio.url) for audio in visitor.all("audio")[:2])
    wrong = _off(before, hz) > NEAR or _off(after, hz * 2 ** (semitones / 12)) > NEAR
    with told.lock:
        told.foreign += int(wrong)


def clip(hz: float) -> bytes:
    """A steady tone with a few harmonics, as a WAV file."""
    time_s, partials = np.arange(round(CLIP_S * RATE)) / RATE, np.arange(1, 6)[:, None]
    sound = (0.15 / partials * np.sin(2 * np.pi * partials * hz * time_s)).sum(axis=0)
    file = io.BytesIO()
    soundfile.write(file, sound, RATE, "PCM_16", format="WAV")
    return file.getvalue()


def _off(wav: bytes, hz: float) -> float:
    """Semitones between the pitch of a sound and the one expected, in whatever octave."""
    sound, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    heard = pitch_hz(sound[len(sound) // 2 : len(sound) // 2 + rate // 2], rate)
    return abs((12 * np.log2(heard / hz) + 6) % 12 - 6)


def pitch_hz(sound: np.ndarray, rate: int) -> float:
    """The pitch of a steady sound: the first lag at which it is much like itself."""
    spectrum = np.fft.rfft(sound, 2 * len(sound))
    likeness = np.fft.irfft(np.abs(spectrum) ** 2)[: len(sound) // 2]
    likeness /= np.arange(len(sound), len(sound) - len(likeness), -1)  # fewer products at longer lags
    low = int(np.argmax(likeness < 0))
    good = likeness[low:] > 0.9 * likeness[low:].max()
    start = low + int(np.argmax(good))
    lag = start + int(np.argmax(likeness[start : start + max(2, start // 4)]))
    left, middle, right = likeness[lag - 1 : lag + 2]
    return rate / (lag + 0.5 * (left - right) / (left - 2 * middle + right))


@contextmanager
def answering(command: list[str], folder: Path | None = None) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server of its own, once it answers: its address and its process.

    Args:
        command: that starts it.
        folder: to start it in.
    """
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
    try:
        assert process.stdout
        address = next(line.split()[3] for line in process.stdout if "http" in line)
        for _ in range(600):  # it says so just before it listens
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}_stcore/health"):
                break
            time.sleep(0.1)
        yield address, process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def megabytes(process: int) -> float:
    """Memory of a process and its children, proportional shares."""
    total = 0.0
    for one in [process, *children(process)]:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return total


def children(process: int) -> list[int]:
    """Of a process, and theirs."""
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found + [grandchild for child in found for grandchild in children(child)]


def _section(told: Told, memory: list[tuple[float, float]], visitors: int, took: float) -> Section:
    for line in told.failed:
        print(f"  {line}")
    kinds = {"page, with the example": told.opened_s, "first sound of an upload": told.first_s}
    kinds["after moving a slider"] = told.moved_s
    rows: list[list[Cell]] = [
        [name, len(times), *(float(q) for q in np.quantile(times, [0.5, 0.95, 1.0]))]
        for name, times in kinds.items()
        if times
    ]
    parts = np.array_split(np.array(memory), 4)
    levels = [float(part[:, 1].mean()) for part in parts if len(part)]
    sounds = len(told.first_s) + len(told.moved_s)
    quarters: list[list[Cell]] = [[f"quarter {place}", level] for place, level in enumerate(levels, 1)]
    quarters.append(["most", max(value for _, value in memory)])
    tables = [
        Table(
            f"{visitors} visitors on {os.cpu_count()} cores",
            {"wait for": "", "times": ".0f", "median, s": ".2f", "95 %, s": ".2f", "worst, s": ".2f"}, rows,
        ),
        Table("Server and workers", {"of the time": "", "MB": ".0f"}, quarters),
    ]  # fmt: skip
    goals = [
        at_most(f"{visitors} visitors at once: failures", len(told.failed), 0, ".0f"),
        at_most(f"{visitors} visitors at once: sounds of another's pitch, of {sounds}", told.foreign, 0, ".0f"),
        at_most("growth of memory in the last quarter of the time", levels[-1] / levels[-2] - 1, 0.1, ".1%"),
    ]
    return Section("Many visitors", METHOD, tables, goals, [f"{sounds / took:.2f} sounds of 10 s a second were made."])
