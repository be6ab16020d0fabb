"""How fast is the line, on one core?"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.report import Cell, Goal, Options, Section, Table, at_least
from benchmarks.signals import singing
from retimbre import audio
from retimbre.analysis import analyze
from retimbre.dsp import filtered_noise, harmonic_oscillator, sine_bank, white_noise
from retimbre.engine import FRAME_RATE, Floats, Synth, resample
from retimbre.instrument import Instrument, SynthParams, load, synthesize
from retimbre.transfer import adjust, play_blocks, transfer_file

RATE = 48_000
RECORDING = "sources/singing_vocadito_1.flac"

METHOD = (
    "Each step by itself on the results of the step before, then `retimbre.transfer_file` from WAV to WAV, at 48 kHz "
    "on one core, with one instrument; median of interleaved repetitions after a first to warm up (and the fastest)."
)


def run(options: Options) -> Section:
    """Measure the line on a synthetic voice and on a real one, then the synthesisers."""
    repetitions = 2 if options.quick else 9
    recording = options.audio / RECORDING
    sounds = {"synthetic voice": singing(2 if options.quick else 60, RATE)}
    notes = []
    if recording.exists():
        sound, rate = audio.read(recording)
        sound = resample(sound, rate, RATE)
        sounds["real singing"] = sound[: 2 * RATE] if options.quick else sound
    else:
        notes.append("Real singing was not measured: ../shared/audio is not here.")
    instrument = load(options.to)
    tables: list[Table] = []
    goals: list[Goal] = []
    with one_core() as pinned:
        for name, sound in sounds.items():
            table, fast = _line(name, sound, instrument, repetitions)
            tables.append(table)
            goals += [
                at_least(f"{step}, one core ({name})", fast[step], limit, ".0f", "x real time")
                for step, limit in ((WHOLE, 100), (TOGETHER, 300))
            ]
        fitted, _ = adjust(analyze(sounds["synthetic voice"], RATE), instrument)
        params = instrument.decode(fitted)
        tables.append(_synthesisers(params, 1 if options.quick else 10, repetitions))
    if not pinned:
        notes.append("This system cannot pin a process to a core; nothing measured here uses more than one at a time.")
    return Section("Speed", METHOD, tables, goals, notes)


@contextmanager
def one_core() -> Iterator[bool]:
    """Compute on one core with one thread; gives whether the system can pin."""
    threads, cores = torch.get_num_threads(), None
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {max(cores)})
    try:
        yield cores is not None
    finally:
        torch.set_num_threads(threads)
        if cores:
            os.sched_setaffinity(0, cores)


def interleaved(steps: dict[str, Callable[[], Any]], repetitions: int) -> dict[str, list[float]]:
    """Seconds that each step takes. They take turns, so that a slow moment of the machine hits all alike."""
    for step in steps.values():
        step()
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repetitions):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            spent[name].append(time.perf_counter() - began)
    return spent


WHOLE, TOGETHER = "the whole line, file to file", "decode and synthesise"


def _line(name: str, sound: Floats, instrument: Instrument, repetitions: int) -> tuple[Table, dict[str, float]]:
    seconds = len(sound) / RATE
    controls = analyze(sound, RATE)
    fitted = adjust(controls, instrument)[0]
    params = instrument.decode(fitted)
    music = synthesize(params, RATE)
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "in.wav"), Path(folder, "out.wav")
        audio.write(source, sound, RATE, subtype="PCM_16")
        steps: dict[str, Callable[[], Any]] = {
            "read the file": lambda: audio.read(source),
            "analyse": lambda: analyze(sound, RATE),
            "adjust": lambda: adjust(controls, instrument),
            "decode": lambda: instrument.decode(fitted),
            "synthesise": lambda: synthesize(params, RATE),
            "write the file": lambda: audio.write(output, music, RATE, overwrite=True),
            TOGETHER: lambda: list(play_blocks(fitted, instrument, RATE, len(sound))),
            WHOLE: lambda: transfer_file(source, output, instrument, overwrite=True),
        }
        spent = interleaved(steps, repetitions)
    rows: list[list[Cell]] = [
        [step, 1000 * float(np.median(times)) / seconds, seconds / float(np.median(times)), seconds / min(times)]
        for step, times in spent.items()
    ]
    caption = f"The line on {seconds:.0f} s of {name}, played by {instrument.name}, {repetitions} repetitions"
    columns = {"step": "", "ms a second of sound": ".2f", "x real time": ".0f", "fastest": ".0f"}
    return Table(caption, columns, rows), {step: seconds / float(np.median(times)) for step, times in spent.items()}


Oscillator = Callable[[Tensor, Tensor, int, Any], tuple[Tensor, Any]]


def _synthesisers(params: SynthParams, seconds: int, repetitions: int) -> Table:
    rows = params.rows()[: seconds * FRAME_RATE + 1]
    harmonics = params.harmonic_amplitudes.shape[1]

    def engine() -> Floats:
        return Synth(RATE, harmonics, params.noise_band_hz).process(rows, seed=0)

    def pytorch(oscillator: Oscillator) -> Callable[[], list[Tensor]]:
        return lambda: _pytorch(oscillator, torch.from_numpy(rows)[None], torch.from_numpy(params.noise_band_hz))

    steps: dict[str, Callable[[], Any]] = {
        "engine: tables, noise": engine,
        "PyTorch: tables (`harmonic_oscillator`), noise": pytorch(harmonic_oscillator),
        "PyTorch: sine bank in float32, as is usual, noise": pytorch(usual_sine_bank),
        "PyTorch: exact sine bank (`sine_bank`), noise": pytorch(sine_bank),
    }
    spent = {name: np.array(times) for name, times in interleaved(steps, repetitions).items()}
    reference = spent["engine: tables, noise"]
    cells: list[list[Cell]] = [
        [name, 1000 * float(np.median(t)) / seconds, seconds / float(np.median(t)), float(np.median(t / reference))]
        for name, t in spent.items()
    ]
    size = f"{harmonics} harmonics and {len(params.noise_band_hz)} noise bands"
    columns = {"synthesiser": "", "ms a second of sound": ".2f", "x real time": ".0f", "x the engine's time": ".1f"}
    return Table(f"Synthesis alone, one thread: {size}, the same parameters", columns, cells)


def _pytorch(oscillator: Oscillator, rows: Tensor, band_hz: Tensor) -> list[Tensor]:
    """Render [1, frames, 1 + harmonics + bands] a second at a time, so that no method runs out of memory."""
    split = rows.shape[2] - len(band_hz)
    generator, tone_state, noise_state, parts = torch.Generator().manual_seed(0), None, None, []
    with torch.inference_mode():
        for block in rows.split(FRAME_RATE, dim=1):
            tone, tone_state = oscillator(block[..., 0], block[..., 1:split], RATE, tone_state)
            noise = white_noise(1, block.shape[1], RATE, generator)
            breath, noise_state = filtered_noise(block[..., split:], band_hz, noise, RATE, noise_state)
            parts.append(tone + breath)
    return parts


def usual_sine_bank(
    f0_hz: Tensor, harmonic_amplitudes: Tensor, sample_rate: int, state: tuple[Tensor, Tensor, Tensor] | None = None
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """The bank that most DDSP code has: controls stretched to samples, sin(k phase) for each harmonic, in float32."""
    past = f0_hz[:, :0], harmonic_amplitudes[:, :0], f0_hz.new_zeros(1, 1)
    last_f0, last_amplitudes, phase = past if state is None else state
    f0_hz, harmonic_amplitudes = torch.cat([last_f0, f0_hz], 1), torch.cat([last_amplitudes, harmonic_amplitudes], 1)
    count = (f0_hz.shape[1] - 1) * sample_rate // FRAME_RATE

    def stretch(curve: Tensor) -> Tensor:
        longer = torch.nn.functional.interpolate(curve.mT, count + 1, mode="linear", align_corners=True)
        return longer[..., :-1].mT

    order = torch.arange(1, harmonic_amplitudes.shape[2] + 1)
    hz = stretch(f0_hz[..., None])
    amplitudes = stretch(harmonic_amplitudes) * (hz * order < sample_rate / 2)
    cycles = phase + torch.cumsum(hz[..., 0] / sample_rate, 1)
    sound = (amplitudes * torch.sin(2 * torch.pi * cycles[..., None] * order)).sum(-1)
    return sound, (f0_hz[:, -1:], harmonic_amplitudes[:, -1:], cycles[:, -1:] % 1)
