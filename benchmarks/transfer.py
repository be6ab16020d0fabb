"""Does the instrument play what was sung? The measurement is in `sources`; here it becomes a section."""

from __future__ import annotations

import numpy as np

from benchmarks import sources
from benchmarks.report import Cell, Goal, Options, Section, Table, at_least, at_most, needs
from retimbre.engine import Floats
from retimbre.instrument import Instrument, load
from retimbre.transfer import transfer

METHOD = (
    "Recordings played by an instrument; SwiftF0, a neural pitch tracker that shares nothing with retimbre, listens to "
    "input and output every 16 ms, octaves aside."
)


def run(options: Options) -> Section:
    """Play the recordings and what is no music at all."""
    folder = needs(options.audio / "sources", "transfer")
    names = sources.NAMES[4:5] if options.quick else sources.NAMES
    instrument = load(options.to)
    measured = []
    for name in names:
        measured += sources.rows([folder / f"{name}.flac"], instrument)
        print(f"  {name}: {measured[-1].cents:.1f} cents, {measured[-1].true:.1%} true", flush=True)
    total = sources.total(measured)
    rows: list[list[Cell]] = [
        [r.name, r.seconds, r.voiced_s, r.cents, r.true, r.kept, None if r is total else r.octave]
        for r in [*measured, total]
    ]
    columns = {
        "recording": "",
        "s": ".1f",
        "with pitch, s": ".1f",
        "median, cents": ".1f",
        f"within {sources.TRUE_CENTS} cents": ".1%",
        "still voiced": ".1%",
        "octave": "+d",
    }
    silence = played_silence_dbfs(instrument)
    goals: list[Goal] = [
        at_least("recordings played and judged", len(measured), 12, "d"),
        at_most("pitch of the output against the input, median", total.cents, 5, ".1f", "cents"),
        at_least("voiced frames within 50 cents", total.true, 0.98, ".1%"),
        at_least("voiced frames still voiced in the output", total.kept, 0.97, ".1%"),
        at_most("digital silence in, out comes", silence, -80, ".0f", "dBFS"),
    ]
    return Section("Transfer", METHOD, [Table(f"Recordings, played by {instrument.name}", columns, rows)], goals)


def dbfs(sound: Floats) -> float:
    """Peak in dB re full scale, not below -200."""
    return float(20 * np.log10(max(1e-10, np.abs(sound).max())))


def played_silence_dbfs(instrument: Instrument) -> float:
    """Peak of what the instrument makes of five seconds of zeros."""
    return dbfs(transfer(np.zeros(5 * 48_000, np.float32), 48_000, instrument))
