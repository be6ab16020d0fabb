"""Playing in a hall whose numbers are known: notes that follow one another, as a violin's do, then the room."""

import numpy as np
import scipy.signal

from retimbre.engine import Floats
from retimbre.rooms.bands import OCTAVE_BANDS_HZ
from retimbre.rooms.room import Room

RATE = 48_000


def hall(decay_s: float, level_db: float) -> Room:
    bands = len(OCTAVE_BANDS_HZ)
    return Room(OCTAVE_BANDS_HZ, (decay_s,) * bands, (level_db,) * bands, min(2.0, decay_s), seed=3, name="hall")


def playing(seconds: float, seed: int = 0) -> Floats:
    """Notes of 0.12 to 0.5 s at random pitches and levels, with vibrato and bow noise, a few of them before rests."""
    rng = np.random.default_rng(seed)
    sound, at = np.zeros(int((seconds + 1) * RATE)), 0.1
    while at < seconds - 1:
        duration_s, level = rng.choice([0.12, 0.25, 0.25, 0.5]), 0.1 * 10 ** (rng.uniform(-14, 0) / 20)
        release = int(rng.uniform(0.02, 0.06) * RATE)
        length = int(duration_s * RATE)
        t = np.arange(length + release) / RATE
        vibrato = 0.004 * np.sin(2 * np.pi * (5.5 * t + rng.random())) * (duration_s > 0.3)
        phase = 440 * 2 ** ((rng.integers(56, 86) - 69) / 12) * np.cumsum(1 + vibrato) / RATE
        orders = range(1, int(min(40, 16_000 / (phase[1] - phase[0]) / RATE)) + 1)
        note = sum((0.3 + rng.random()) / k**1.3 * np.sin(2 * np.pi * (k * phase + rng.random())) for k in orders)
        envelope = np.minimum(1, t / 0.03)
        envelope[length:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(release) / release)
        start = int(at * RATE)
        noise = 0.02 * rng.standard_normal(len(t))
        sound[start : start + len(t)] += level * envelope * (note + noise)
        at += duration_s + (rng.exponential(0.6) if rng.random() < 0.1 else 0)
    return sound[: int(seconds * RATE)].astype(np.float32)


def recorded(dry: Floats, room: Room) -> Floats:
    """A dry sound as heard in a room."""
    return scipy.signal.fftconvolve(dry, room.to_rir(RATE))[: len(dry)].astype(np.float32)
