"""Rooms made up by chance: statistical impulse responses that the room estimator learns from.

A response is a direct sound and an answer: noise, sparse at first and dense later as echoes in a volume are
(Kuttruff 2009), that decays exponentially in half octaves (Moorer 1979; Polack 1988), once or twice as fast early as
late, and as loud as a source at some distance leaves it. Plates have no gap and are dense from the start; springs are
dispersive echoes that chase one another (Abel et al. 2006). Thousands of such rooms cost what a few image-source
simulations do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from retimbre.engine import Floats
from retimbre.rooms.figures import HALF_OCTAVES_HZ
from retimbre.rooms.listen import LISTEN_RATE
from retimbre.rooms.measure import DIRECT_S
from retimbre.rooms.room import Array
from retimbre.rooms.targets import BANDS, fft_length, half_octaves

DECAYS_S = (0.1, 8.0)
"""Of the rooms that are made up, at 1 kHz."""

LONGEST_S = 6.0
"""Of a response."""

_FALL = 3 * math.log(10)  # of an amplitude's logarithm in a decay time
_SPEED = 343.0


@dataclass(frozen=True, eq=False)
class Plan:
    """What a response is made by.

    Attributes:
        kind: "room", "plate" or "spring".
        decay_s: of each half octave, [BANDS].
        level_db: colour of the answer, [BANDS].
        second_decay_s: of a second, slower decay, [BANDS].
        second_db: its level at the start; -inf if there is none.
        volume_m3: how sparse the first echoes are.
        gap_s: between the direct sound and the answer.
        build_up_s: time constant in which the answer grows.
        early_db: gain of the first 50 ms of the answer.
        drr_db: energy of the direct sound over the answer.
        blunt: how much of the direct sound's treble is turned away, 0 to 1.
    """

    kind: str
    decay_s: Array
    level_db: Array
    second_decay_s: Array
    second_db: float = -math.inf
    volume_m3: float = 200.0
    gap_s: float = 0.003
    build_up_s: float = 0.0
    early_db: float = 0.0
    drr_db: float = 0.0
    blunt: float = 0.0


def even(decay_s: float, drr_db: float, *, kind: str = "room") -> Plan:
    """A plan without colour: all bands decay alike."""
    decays = np.full(BANDS, float(decay_s))
    return Plan(kind, decays, np.zeros(BANDS), decays, drr_db=drr_db)


def draw_plan(rng: Generator) -> Plan:
    """A room by chance: decays log-uniform over `DECAYS_S`, direct sound from -12 to 20 dB."""
    kind = str(rng.choice(["room", "plate", "spring"], p=[0.86, 0.09, 0.05]))
    octave = np.log2(np.array(HALF_OCTAVES_HZ) / 1000)
    decay_s = math.exp(rng.uniform(*np.log(DECAYS_S if kind == "room" else (0.4, 6.0))))
    scatter = np.convolve(rng.standard_normal(BANDS + 2), [0.25, 0.5, 0.25], "valid")
    bend = rng.normal(-0.08, 0.14) * octave + rng.normal(0, 0.04) * octave**2
    decays = decay_s * np.exp(bend + 0.1 * scatter)
    # Air takes what is high: most where there is time for it.
    decays /= 1 + 0.12 * decays * np.maximum(0, np.array(HALF_OCTAVES_HZ) / 4000 - 0.5)
    decays = np.clip(decays, 0.06, 12)
    return Plan(
        kind,
        decays,
        rng.normal(-1, 2.5) * octave + rng.normal(0, 1.5, BANDS),
        np.clip(decays * rng.uniform(1.3, 3.0), 0.1, 12),
        second_db=-rng.uniform(8, 30) if rng.random() < 0.25 else -math.inf,
        volume_m3=10 ** rng.uniform(1.3, 4.0),
        gap_s=0.0005 if kind == "plate" else math.exp(rng.uniform(*np.log([0.0008, 0.06]))),
        build_up_s=rng.uniform(0.005, 0.05) if kind == "room" and rng.random() < 0.25 else 0.0,
        early_db=rng.uniform(-4, 8) if rng.random() < 0.4 else 0.0,
        drr_db=rng.uniform(-12, 20),
        blunt=rng.random(),
    )


def render(plan: Plan, rng: Generator) -> Floats:
    """The response of a plan at `LISTEN_RATE`, [samples]; the direct sound begins it, the energy is 1."""
    longest = float(max(plan.decay_s.max(), plan.second_decay_s.max() * (plan.second_db > -30)))
    n = round(min(LONGEST_S, 0.75 * longest + 0.1) * LISTEN_RATE)
    answer = _springs(plan, rng, n) if plan.kind == "spring" else _noise(plan, rng, n)
    gap = max(1, round(plan.gap_s * LISTEN_RATE))
    response = np.concatenate([np.zeros(gap, np.float32), answer])
    response[gap : gap + round(0.05 * LISTEN_RATE)] *= np.float32(10 ** (plan.early_db / 20))
    direct = np.array([1 - 0.5 * plan.blunt, 0.5 * plan.blunt * rng.uniform(0.2, 1)])
    response[:2] += direct
    return set_drr(response, plan.drr_db)


def set_drr(response: Floats, drr_db: float) -> Floats:
    """A response [samples] that begins with its direct sound, as if from another distance; the energy is 1."""
    end = round(DIRECT_S * LISTEN_RATE)
    direct, answer = (float(np.sum(part.astype(np.float64) ** 2)) for part in (response[:end], response[end:]))
    response = response.copy()
    response[end:] *= math.sqrt(direct / max(answer, 1e-30) * 10 ** (-drr_db / 10))
    return (response / math.sqrt(direct * (1 + 10 ** (-drr_db / 10)))).astype(np.float32)


def _noise(plan: Plan, rng: Generator, n: int) -> Floats:
    """Decaying noise, [n]."""
    noise = rng.standard_normal(n, np.float32)
    if plan.kind == "room":
        # Echoes come as often as the surface of a growing sphere passes images of the source (Kuttruff).
        time_s = (np.arange(min(n, LISTEN_RATE)) / LISTEN_RATE).astype(np.float32)
        density = 4 * math.pi * _SPEED**3 / plan.volume_m3 / LISTEN_RATE * (time_s + plan.gap_s + 0.002) ** 2
        sparse = density < 0.3
        kept = rng.random(len(time_s), np.float32) < density
        gain = np.where(sparse, kept * np.minimum(1 / np.sqrt(np.maximum(density, 1e-6)), 60), 1)
        noise[: len(time_s)] *= gain.astype(np.float32)
    length = fft_length(n + 1024)
    spectrum, masks = np.fft.rfft(noise, length), half_octaves(length, whole=True)
    time_s = (np.arange(n) / LISTEN_RATE).astype(np.float32)
    answer = np.zeros(n, np.float32)
    for band in range(BANDS):
        envelope = np.exp(np.float32(-_FALL / plan.decay_s[band]) * time_s)
        if plan.second_db > -math.inf:
            second = np.exp(np.float32(-_FALL / plan.second_decay_s[band]) * time_s)
            envelope += np.float32(10 ** (plan.second_db / 20)) * second
        envelope *= np.float32(10 ** (plan.level_db[band] / 20))
        answer += envelope * np.fft.irfft(spectrum * masks[band])[:n].astype(np.float32)
    if plan.build_up_s:
        answer *= 1 - np.exp(-time_s / np.float32(plan.build_up_s))
    return answer


def _springs(plan: Plan, rng: Generator, n: int) -> Floats:
    """Two or three springs, whose echoes come later the higher they are, [n]."""
    length = fft_length(2 * n)
    hz = np.fft.rfftfreq(length, 1 / LISTEN_RATE)
    place = 2 * np.log2(np.maximum(hz, 60) / HALF_OCTAVES_HZ[0])
    decay_s = np.interp(place, np.arange(BANDS), plan.decay_s)
    colour = 10 ** (np.interp(place, np.arange(BANDS), plan.level_db) / 20)
    answer = np.zeros(n, np.float32)
    for _ in range(int(rng.integers(2, 4))):
        delay_s, cut_hz = rng.uniform(0.025, 0.06), rng.uniform(2500, 6500)
        around_s = delay_s * (1 + rng.uniform(0.3, 1.2) * (hz / cut_hz) ** 2)  # to the end and back
        phase = 2 * math.pi * np.cumsum(around_s) * (hz[1] - hz[0])
        loss = np.exp(-_FALL * around_s / decay_s)
        once = loss * np.exp(-1j * phase) * colour / (1 + (hz / cut_hz) ** 8)
        answer += np.fft.irfft(once / (1 + loss * np.exp(-1j * phase)))[:n].astype(np.float32)
    return answer
