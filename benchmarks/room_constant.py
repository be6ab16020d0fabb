"""The room that is always guessed: the medians of the figures of the rooms that the estimator learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recipes import room_data
from retimbre.rooms.figures import HALF_OCTAVES_HZ, room_from_figures
from retimbre.rooms.room import Room
from retimbre.rooms.targets import Targets, measure_targets

SEED = 2027


def constant_room(measured: Path, rooms: int, boxes: int) -> Room:
    """The room of median figures.

    Args:
        measured: folder of the responses that are varied in training.
        rooms: how many are drawn.
        boxes: how many simulated ones there are to draw from.
    """
    rng = np.random.default_rng(SEED)
    simulated, known = room_data.make_boxes(rng, boxes), room_data.load_measured(measured)
    drawn = [room_data.draw_room(rng, simulated, known) for _ in range(rooms)]
    figures = np.stack([measure_targets(response, noisy=False).vector() for response in drawn])
    middle = Targets.from_vector(np.nanmedian(figures, axis=0))
    drr_db = float(middle.broad[4])
    return room_from_figures(HALF_OCTAVES_HZ, middle.t60_s, middle.c50_db, drr_db, name="median")
