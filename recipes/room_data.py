"""What the room estimator learns from: dry sources in rooms, recorded with noise, as levels of mel bands.

Rooms are made up by chance (`retimbre.rooms.simulate`), simulated as boxes (`retimbre.rooms.shoebox`), and stretched
and bent from ten measured ones, all heard from many distances.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy.fft as fft
import soundfile as sf
from numpy.random import Generator

from retimbre import audio
from retimbre.engine import Floats, resample
from retimbre.rooms.listen import HOP, LISTEN_RATE, MELS, N_FFT, mel_levels
from retimbre.rooms.measure import find_direct
from retimbre.rooms.shoebox import shoebox
from retimbre.rooms.simulate import draw_plan, even, render, set_drr
from retimbre.rooms.targets import MIDDLE, measure_targets

SECONDS = 16.0
"""Length of an example."""

FAR_DECAY_S = 1.2
"""Of rooms that are heard from far away, at least."""

FASTER = 0.16
"""How much faster or slower sources are played, with their pitch, at most: the logarithm."""

FRAMES = (round(SECONDS * LISTEN_RATE) - N_FFT) // HOP + 1


@dataclass(frozen=True, eq=False)
class Examples:
    """What was heard and what is true.

    Attributes:
        levels: of mel bands in dB, [examples, FRAMES, MELS], float16.
        targets: `Targets.vector` of the room of each, [examples, targets].
    """

    levels: np.ndarray
    targets: np.ndarray


def make_boxes(rng: Generator, count: int) -> list[Floats]:
    """Responses of boxes."""
    return [shoebox(rng) for _ in range(count)]


def load_measured(folder: Path) -> list[Floats]:
    """Measured responses at 16 kHz, from their direct sound to where their noise begins."""
    responses = []
    for path in sorted(folder.glob("*.flac")):
        sound, rate = audio.read(path)
        sound = resample(sound, rate, LISTEN_RATE)
        responses.append(sound[find_direct(sound, LISTEN_RATE).start :])
    return responses


def vary_measured(rng: Generator, response: Floats) -> Floats:
    """A measured response of a room smaller or larger, more or less damped, nearer or further away."""
    rate = round(LISTEN_RATE * math.exp(rng.uniform(math.log(0.6), math.log(1.7))) / 100) * 100
    response = resample(response, LISTEN_RATE, rate)
    t60_s = float(measure_targets(response).broad[0])
    if not math.isfinite(t60_s):
        return response
    # Only what lies well above the noise may ring longer.
    factor = math.exp(rng.uniform(math.log(0.5), math.log(1.15)))
    time_s = np.arange(len(response)) / LISTEN_RATE
    bent = response * np.exp(-3 * math.log(10) * time_s * (1 / (factor * t60_s) - 1 / t60_s))
    bent = bent[: round((0.75 * t60_s * min(factor, 1) + 0.1) * LISTEN_RATE)].astype(np.float32)
    return set_drr(bent, rng.uniform(-12, 20)) if rng.random() < 0.7 else bent


def draw_room(rng: Generator, boxes: Sequence[Floats], measured: Sequence[Floats], far: float = 0.0) -> Floats:
    """A response of one of the three kinds, or with a chance of `far` one of a hall, heard from its far end."""
    if far and rng.random() < far:
        return draw_far(rng, measured)
    kind = rng.random()
    if boxes and kind < 0.15:
        box = boxes[int(rng.integers(len(boxes)))]
        return set_drr(box, rng.uniform(-12, 20)) if rng.random() < 0.7 else box
    if measured and kind < 0.45:
        return vary_measured(rng, measured[int(rng.integers(len(measured)))])
    return render(draw_plan(rng), rng)


def draw_far(rng: Generator, measured: Sequence[Floats]) -> Floats:
    """A response of a room that decays slowly, heard from where hardly any of it is direct.

    The direct sound falls by 6 dB for each doubling of the distance, the answer hardly: at the far end of a church of
    20 000 m³ that decays in 5 s it lies 18 dB below. From behind a pillar or round a corner the answer comes on slowly.
    """
    drr_db = rng.uniform(-22, -4)
    if measured and rng.random() < 0.4:
        return set_drr(vary_measured(rng, measured[int(rng.integers(len(measured)))]), drr_db)
    while True:
        plan = draw_plan(rng)
        if plan.kind == "room" and plan.decay_s[MIDDLE].mean() > FAR_DECAY_S:
            build_up_s = rng.uniform(0.01, 0.15) if rng.random() < 0.5 else 0.0
            return render(replace(plan, drr_db=drr_db, build_up_s=build_up_s), rng)


def play_faster(source: Floats, times: float) -> Floats:
    """A source as if it had been recorded by something smaller that moves as much faster."""
    return resample(source, round(LISTEN_RATE * times / 100) * 100, LISTEN_RATE)


def reverberate(rng: Generator, source: Floats, response: Floats, seconds: float = SECONDS) -> Floats:
    """So many seconds of a source [samples] in a room: from silence on, or from the midst of it."""
    wanted = round(seconds * LISTEN_RATE)
    spare = len(source) - wanted
    skip = 0 if rng.random() < 0.35 else int(rng.integers(0, spare + 1))
    begin = int(rng.integers(0, spare + 1 - skip))
    source = source[begin : begin + skip + wanted]
    n_fft = _length(len(source) + len(response))
    spectrum = fft.rfft(source, n_fft) * fft.rfft(response, n_fft)
    if rng.random() < 0.15:  # the source was recorded in a dry room of its own
        own = render(even(rng.uniform(0.1, 0.35), rng.uniform(6, 18)), rng)
        spectrum *= fft.rfft(own, n_fft)
    return fft.irfft(spectrum, n_fft)[skip : skip + wanted].astype(np.float32)


def degrade(rng: Generator, sound: Floats) -> Floats:
    """As recorders do: noise of some colour, now and then hum, a narrow band, clipping, a lossy codec."""
    sound = sound / np.float32(sound.std() + 1e-9)
    hz = np.fft.rfftfreq(len(sound), 1 / LISTEN_RATE)
    shape = (np.maximum(hz, 50) / 1000) ** rng.choice([0, -0.25, -0.5, -1.0])
    noise = rng.standard_normal((2, len(hz)), np.float32)
    noise = fft.irfft((noise[0] + 1j * noise[1]) * shape.astype(np.float32), len(sound))
    noise *= 10 ** (-rng.uniform(10, 60) / 20) / noise.std()
    if rng.random() < 0.1:
        hum_hz, time_s = rng.choice([50, 60]), np.arange(len(sound)) / LISTEN_RATE
        noise += 10 ** (-rng.uniform(20, 50) / 20) * sum(np.sin(2 * np.pi * hum_hz * k * time_s) / k for k in (1, 2, 3))
    sound = sound + noise.astype(np.float32)
    if rng.random() < 0.1:
        limit = 1 / (1 + (hz / rng.choice([3400, 4000, 5500])) ** 32)
        sound = fft.irfft(fft.rfft(sound) * limit.astype(np.float32), len(sound))
    if rng.random() < 0.05:
        sound = np.clip(sound, *np.array([-1, 1]) * rng.uniform(0.3, 0.9) * np.abs(sound).max())
    if rng.random() < 0.05:
        file = io.BytesIO()
        peak = np.abs(sound).max()
        sf.write(
            file,
            sound / peak,
            LISTEN_RATE,
            format="OGG",
            subtype="VORBIS",
            compression_level=rng.uniform(0.5, 1),
        )
        file.seek(0)
        decoded = sf.read(file, dtype="float32")[0]
        sound = peak * np.pad(decoded, (0, max(0, len(sound) - len(decoded))))[: len(sound)]
    return sound.astype(np.float32)


def hear(rng: Generator, source: Floats, response: Floats, seconds: float = SECONDS) -> Floats:
    """A source recorded in a room."""
    return degrade(rng, reverberate(rng, source, response, seconds))


def make_examples(
    rng: Generator,
    sources: dict[str, np.ndarray],
    boxes: Sequence[Floats],
    measured: Sequence[Floats],
    count: int,
    say: Callable[[str], None] = print,
    *,
    far: float = 0.0,
) -> Examples:
    """Examples from rooms that are used twice each, with different sources.

    Args:
        rng: what chooses.
        sources: by kind, [sources, samples] of int16.
        boxes: simulated responses.
        measured: measured responses.
        count: of examples.
        say: called with progress now and then.
        far: share of the rooms that are heard from far away.
    """
    levels, targets = np.empty((count, FRAMES, MELS), np.float16), []
    while len(targets) < count:
        response = draw_room(rng, boxes, measured, far)
        truth = measure_targets(response, noisy=False).vector()
        if not np.isfinite(truth[36]):
            continue
        for _ in range(min(2, count - len(targets))):
            kind = sources["speech" if rng.random() < 0.42 else "music"]
            source = kind[int(rng.integers(len(kind)))].astype(np.float32) / 32768
            if rng.random() < 0.5:
                source = play_faster(source, math.exp(rng.uniform(-FASTER, FASTER)))
            levels[len(targets)] = mel_levels(hear(rng, source, response))
            targets.append(truth)
        if len(targets) % 500 == 0:
            say(f"{len(targets)} of {count} examples")
    return Examples(levels, np.array(targets, np.float32))


def _length(n: int) -> int:
    power = 1 << (n - 1).bit_length()
    return next(size for size in (5 * power // 8, 3 * power // 4, power) if size >= n)
