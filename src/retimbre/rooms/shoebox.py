"""Rooms made up by chance as boxes with walls: image sources and rays, by pyroomacoustics (the extra `rooms`).

Early reflections come from where they would in a room, which statistics (`simulate`) do not care for; a box costs ten
times as much.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import numpy as np
from numpy.random import Generator

from retimbre.engine import Floats
from retimbre.errors import RetimbreError
from retimbre.rooms.listen import LISTEN_RATE
from retimbre.rooms.measure import find_direct

WALLS_HZ = (125, 250, 500, 1000, 2000, 4000)
_SCATTERING = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
_MOST_ABSORBED = 0.9


def shoebox(rng: Generator, *, rays: int = 2000) -> Floats:
    """The response of a box of random size, walls and places at `LISTEN_RATE`, [samples], from its direct sound on.

    Raises:
        RetimbreError: pyroomacoustics is not installed.
    """
    pra = _pyroomacoustics()
    size = rng.uniform([3, 3, 2.4], [12, 10, 5])
    volume, surface = float(size.prod()), 2 * float(size[0] * size[1] + size[1] * size[2] + size[2] * size[0])
    shortest_s = 0.161 * volume / surface / _MOST_ABSORBED + 0.02
    decay_s = max(math.exp(rng.uniform(math.log(0.2), math.log(1.5))), shortest_s)
    octave = np.log2(np.array(WALLS_HZ) / 1000)
    tilt = np.exp(rng.uniform(-0.3, 0.3) * octave / 2 + rng.normal(0, 0.15, len(octave)))
    absorption = np.clip(0.161 * volume / surface / decay_s * tilt, 0.01, 0.97)
    walls = pra.Material(
        {"description": "", "coeffs": absorption.tolist(), "center_freqs": list(WALLS_HZ)},
        {"description": "", "coeffs": list(_SCATTERING), "center_freqs": list(WALLS_HZ)},
    )
    source, microphone = _places(rng, size)
    pra.random.seed(int(rng.integers(2**31)))  # of the rays
    room = pra.ShoeBox(size, fs=LISTEN_RATE, materials=walls, max_order=3, ray_tracing=True, air_absorption=True)
    room.set_ray_tracing(n_rays=rays, receiver_radius=0.5, time_thres=min(1.3 * decay_s + 0.1, 2.5))
    room.add_source(source)
    room.add_microphone(microphone)
    room.compute_rir()
    response = np.asarray(room.rir[0][0], np.float32)
    response = response[find_direct(response, LISTEN_RATE).start :]
    return (response / math.sqrt(float(np.sum(response.astype(np.float64) ** 2)))).astype(np.float32)


def _places(rng: Generator, size: Any) -> tuple[Any, Any]:
    """Of source and microphone, not too near the walls or one another."""
    while True:
        source, microphone = rng.uniform(0.15, 0.85, (2, 3)) * size
        if np.linalg.norm(source - microphone) > 0.4:
            return source, microphone


def _pyroomacoustics() -> Any:
    try:
        return import_module("pyroomacoustics")  # which type checkers need not find
    except ImportError:
        raise RetimbreError("simulating boxes needs pyroomacoustics: pip install 'retimbre[rooms]'") from None
