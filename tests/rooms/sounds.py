"""Sounds to hear rooms by, made up: syllables like a voice's, and notes."""

import numpy as np
import scipy.signal
from numpy.random import Generator

from retimbre.engine import Floats
from retimbre.rooms.listen import LISTEN_RATE


def syllables(rng: Generator, seconds: float) -> Floats:
    """Pulses under two formants, and hisses, in words of a few with pauses between."""
    sound, at = np.zeros(int((seconds + 1) * LISTEN_RATE)), 0.1
    pitch = rng.uniform(90, 240)
    while at < seconds:
        for _ in range(rng.integers(1, 5)):
            length = int(rng.uniform(0.08, 0.28) * LISTEN_RATE)
            t = np.arange(length) / LISTEN_RATE
            phase = np.cumsum(pitch * (1 + 0.2 * rng.standard_normal() * t)) / LISTEN_RATE
            pulses = np.diff(np.floor(phase), prepend=0)
            voice = sum(_formant(pulses, hz) for hz in (rng.uniform(300, 900), rng.uniform(900, 2500)))
            hiss = np.zeros(length)
            hiss[: length // 3] = 0.15 * rng.standard_normal(length // 3) * (rng.random() < 0.5)
            start = int(at * LISTEN_RATE)
            piece = (voice / (np.abs(voice).max() + 1e-9) + hiss) * np.sin(np.pi * t * LISTEN_RATE / length) ** 0.4
            sound[start : start + length] += (0.4 + rng.random()) * piece[: len(sound) - start]
            at += length / LISTEN_RATE + rng.uniform(0, 0.04)
            if at >= seconds:
                break
        at += rng.choice([0.1, 0.25, 0.6])
    return (0.2 * sound[: int(seconds * LISTEN_RATE)]).astype(np.float32)


def _formant(pulses: np.ndarray, hz: float) -> np.ndarray:
    radius, angle = np.exp(-np.pi * 90 / LISTEN_RATE), 2 * np.pi * hz / LISTEN_RATE
    return scipy.signal.lfilter([1], [1, -2 * radius * np.cos(angle), radius**2], pulses)


def notes(rng: Generator, seconds: float) -> Floats:
    """Notes of a dozen partials, tied or apart, with vibrato now and then and a short release."""
    sound, at = np.zeros(int((seconds + 2) * LISTEN_RATE)), 0.1
    while at < seconds:
        length = rng.choice([0.15, 0.3, 0.3, 0.6, 1.0])
        t = np.arange(int((length + 0.03) * LISTEN_RATE)) / LISTEN_RATE
        vibrato = 1 + 0.006 * np.sin(2 * np.pi * 5.5 * t) * (rng.random() < 0.4)
        phase = 440 * 2 ** ((rng.integers(48, 79) - 69) / 12) * np.cumsum(vibrato) / LISTEN_RATE
        partials = sum(np.sin(2 * np.pi * k * phase) / k ** rng.uniform(0.7, 1.6) for k in range(1, 13))
        envelope = np.minimum(1, t / 0.02) * np.clip((length + 0.03 - t) / 0.03, 0, 1)
        start = int(at * LISTEN_RATE)
        sound[start : start + len(t)] += 10 ** (-rng.uniform(0, 12) / 20) * envelope * partials
        at += length + rng.choice([0, 0, 0.1, 0.5])
    return (0.1 * sound[: int(seconds * LISTEN_RATE)]).astype(np.float32)


def in_room(dry: Floats, response: Floats, rng: Generator, noise_db: float = -40) -> Floats:
    """A sound in a room, with white noise so far below it."""
    wet = scipy.signal.fftconvolve(dry, response)[: len(dry)]
    wet *= 0.1 / wet.std()
    return (wet + 0.1 * 10 ** (noise_db / 20) * rng.standard_normal(len(wet))).astype(np.float32)
