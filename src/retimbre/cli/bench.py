"""The command that measures."""

from __future__ import annotations

import argparse
import json
from typing import Any

from retimbre.cli.common import check_output_rate
from retimbre.errors import RetimbreError


def bench(options: argparse.Namespace) -> int:
    """`retimbre bench live`: latency of the algorithm, and the load of its blocks."""
    from retimbre.base import choose
    from retimbre.live.bench import report

    check_output_rate(options.rate)
    if options.block > 16_384:
        raise RetimbreError(f"--block {options.block}: hosts have blocks of up to 16384 samples")
    figures = report(choose(options.to), options.rate, options.block, 60 * options.minutes)
    print(json.dumps(figures) if options.json else _sentences(figures))
    return 0


def _sentences(figures: dict[str, Any]) -> str:
    load, block, rate = figures["load"], figures["block"], figures["sample_rate"]
    lines = [f"{figures['instrument']} at {rate} Hz, blocks of {block} ({1000 * block / rate:.2f} ms, counted in)"]
    for row in figures["latency"]:
        late = f"{row['median_ms']:5.1f} ms, at worst {row['worst_ms']:.1f}"
        lines.append(f"  {row['what']:<24} {row['hz']:7.1f} Hz   {late}")
    lines += [
        f"load {100 * load['load']:.1f} % of a core; {load['late_blocks']} of {load['blocks']} blocks took longer than "
        "they last",
        f"a block takes {load['median_block_ms']:.2f} ms, one in a thousand {load['p999_block_ms']:.2f} ms, the worst "
        f"{load['worst_block_ms']:.2f} ms",
    ]
    return "\n".join(lines)
