"""`retimbre room estimate`: the room of a recording, for a reader, a program, or a convolution reverb."""

from __future__ import annotations

import argparse
import json
import math
from typing import TYPE_CHECKING, Any

from retimbre.cli.common import check_picture, progress_bar
from retimbre.errors import RetimbreError

if TYPE_CHECKING:
    from retimbre.rooms.estimate import Estimate
    from retimbre.rooms.measured import MeasuredRoom


def estimate(options: argparse.Namespace) -> int:
    """`retimbre room estimate`: the room of a recording."""
    from retimbre.files import refuse_overwrite
    from retimbre.rooms import library
    from retimbre.rooms.estimate import estimate_file
    from retimbre.rooms.measured import MeasuredRoom
    from retimbre.rooms.room import check_suffix

    inputs = [path for path in (options.reference, options.compare) if path]
    outputs = [path for path in (options.output, options.rir) if path]
    for path in outputs:
        refuse_overwrite(path, overwrite=options.force, inputs=inputs)
    if options.output and options.output.suffix.lower() != ".json":
        raise RetimbreError(f"{options.output}: numbers are written as .json; for a response there is --rir")
    if options.rir:
        check_suffix(options.rir)
    if options.picture:
        check_picture(options.picture, options.force, [*inputs, *outputs])
    truth = MeasuredRoom.load(options.compare) if options.compare else None
    with progress_bar(options.reference.name, options.json) as progress:
        found = estimate_file(options.reference, progress)
    if options.picture:
        from retimbre.rooms.drawing import draw, response_of

        responses = [response_of(found.room, f"{found.room.name}, estimated")]
        if truth:
            responses.append(response_of(truth, f"{truth.name}, measured"))
        draw(options.picture, responses, found)
    if options.output:
        library.save(found.room, options.output, overwrite=options.force)
    if options.rir:
        found.room.save_wav(options.rir, overwrite=options.force)
    measured = _measured(truth) if truth else None
    if options.json:
        print(json.dumps(found.to_json() | ({"measured": measured} if measured else {}), ensure_ascii=False))
        return 0
    for line in _told(found, measured):
        print(line)
    return 0


def _measured(room: MeasuredRoom) -> dict[str, Any]:
    """What an estimate tells, measured in a response."""
    from retimbre.engine import resample
    from retimbre.rooms.listen import LISTEN_RATE
    from retimbre.rooms.targets import measure_targets

    targets = measure_targets(resample(room.response[:, 0].copy(), room.sample_rate, LISTEN_RATE))
    t60_s, _, c50_db = targets.middle
    known = {"t60_s": t60_s, "c50_db": c50_db, "drr_db": targets.broad[4]}
    bands = {"t60_s": targets.t60_s, "c50_db": targets.c50_db}
    return {key: _number(value) for key, value in known.items()} | {
        f"band_{key}": [_number(value) for value in values] for key, values in bands.items()
    }


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return round(float(value), 3) if math.isfinite(value) else None


def _told(found: Estimate, measured: dict[str, Any] | None) -> list[str]:
    """An estimate in lines for a reader, beside what was measured."""

    def beside(value: float | None, digits: int) -> str:
        return "" if measured is None else f"{'-' if value is None else f'{value:.{digits}f}':>12}"

    none: list[float | None] = [None] * len(found.bands)
    known = measured or {"t60_s": None, "c50_db": None, "drr_db": None, "band_t60_s": none, "band_c50_db": none}
    low, high = found.t60_range_s
    of = f" ({found.heard})" if found.heard else ""
    lines = [
        f"{found.room.name}: heard {found.seconds:.1f} s{of}; ranges: 80 of 100 simulated rooms; "
        "T60, C50: 500 to 1000 Hz",
        f"  T60  {found.t60_s:5.2f} s    {low:.2f} to {high:.2f} s{beside(known['t60_s'], 2)}",
        f"  C50  {found.c50_db:5.1f} dB   {found.c50_range_db[0]:.1f} to {found.c50_range_db[1]:.1f} dB"
        f"{beside(known['c50_db'], 1)}",
        f"  DRR  {found.drr_db:5.1f} dB   {found.drr_range_db[0]:.1f} to {found.drr_range_db[1]:.1f} dB"
        f"{beside(known['drr_db'], 1)}",
        f"       Hz  T60, s     range{'  measured, s' if measured else ''}   C50, dB     range"
        f"{'  measured, dB' if measured else ''}",
    ]
    for place, band in enumerate(found.bands):
        times, levels = band.t60_range_s, band.c50_range_db
        lines.append(
            f"{band.band_hz:9.0f}{band.t60_s:8.2f}{f'{times[0]:.2f}-{times[1]:.2f}':>10}"
            f"{beside(known['band_t60_s'][place], 2)}{band.c50_db:10.1f}"
            f"{f'{levels[0]:.1f} to {levels[1]:.1f}':>14}{beside(known['band_c50_db'][place], 1)}"
        )
    return [*lines, *(f"note: {warning}" for warning in found.warnings)]
