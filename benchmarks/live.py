"""How late is live playing, and how heavy? What `retimbre bench live` measures, with goals."""

from __future__ import annotations

from benchmarks.report import Cell, Options, Section, Table, at_most
from retimbre.instrument import load
from retimbre.live import bench

RATE, BLOCK = 48_000, 128

METHOD = (
    f"`retimbre bench live`: signals through the live line at 48 kHz in blocks of {BLOCK}, which are counted in "
    "(2.67 ms); a sound card adds its own buffers. Onset: from the first sample of a tone that starts within 0.5 ms, "
    "after another note and silence, to output within 12 dB of the peaks that it settles at. Change: from a slurred "
    "step of pitch to output that stays within 50 cents. Each at 12 places within a frame of 5 ms: median and worst. "
    "Load: the time that blocks take from Python, one call each, against the time that they last."
)


def run(options: Options) -> Section:
    """Latencies at several pitches, and the load of a minute."""
    instrument = load(options.to)
    rows = bench.latencies(instrument, RATE, BLOCK, 2 if options.quick else 12)
    load_ = bench.load(instrument, RATE, BLOCK, 2 if options.quick else 60)
    onsets = [row for row in rows if row.what == "onset"]
    changes = [row for row in rows if row.what != "onset"]
    high = [row for row in changes if row.hz > 110]
    low = [row for row in changes if 55 < row.hz <= 110]
    table: list[list[Cell]] = [[row.what, row.hz, row.median_ms, row.worst_ms] for row in rows]
    columns = {"event": "", "Hz": ".1f", "median, ms": ".1f", "worst, ms": ".1f"}
    blocks: list[list[Cell]] = [
        [load_.blocks, load_.load, load_.median_block_ms, load_.p999_block_ms, load_.worst_block_ms, load_.late_blocks]
    ]
    block_columns = {"blocks": "d", "load": ".1%", "median, ms": ".3f", "99.9 %, ms": ".2f", "worst, ms": ".2f"}
    goals = [
        at_most("onset, median of the slowest pitch", max(row.median_ms for row in onsets), 10, ".1f", "ms"),
        at_most("onset, worst", max(row.worst_ms for row in onsets), 10, ".1f", "ms"),
        at_most("change above 110 Hz, worst", max(row.worst_ms for row in high), 20, ".1f", "ms"),
        at_most("change above 55 Hz, worst", max(row.worst_ms for row in low), 40, ".1f", "ms"),
        at_most("load of one core, from Python", load_.load, 0.10, ".1%"),
    ]
    tables = [
        Table(f"Latency of the {instrument.name}, a block of {BLOCK} counted in", columns, table),
        Table("Blocks", block_columns | {"late": "d"}, blocks),
    ]
    return Section("Live", METHOD, tables, goals)
