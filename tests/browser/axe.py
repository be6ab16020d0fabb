"""Accessibility of what a browser shows, as axe-core judges it (https://github.com/dequelabs/axe-core)."""

from functools import cache
from typing import Any

import pytest

from benchmarks import npm
from benchmarks.report import Unavailable

GRAVE = {"serious", "critical"}
ASKED = """async (rules) => {
    const what = rules.length ? { runOnly: rules } : { rules: { "target-size": { enabled: true } } };
    const told = await axe.run(document, { ...what, resultTypes: ["violations"] });
    return told.violations.flatMap(({ id, impact, nodes }) => nodes.map((node) => ({
        rule: id, impact, html: node.html, target: node.target.flat(Infinity).join(" "),
        why: [...node.any, ...node.all, ...node.none].map(({ message }) => message).join(" "),
    })));
}"""


STILL = """() => document.getAnimations().every((one) =>
    one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity)"""
"""Colours have faded into those of another theme."""


@cache
def program() -> str:
    """axe-core, or the test is skipped."""
    try:
        return npm.file("axe-core@4.14.1", "axe.min.js").read_text(encoding="utf-8")
    except Unavailable as reason:
        pytest.skip(str(reason))


def faults(page: Any) -> list[str]:
    """Serious and critical violations in a page and its frames: by day all, by night those of colours."""
    found = set()
    for scheme, rules in {"light": [], "dark": ["color-contrast"]}.items():
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(500)
        page.wait_for_function(STILL)
        for frame in page.frames:
            frame.evaluate(f"if (!window.axe) {{ {program()} }}")
            for one in frame.evaluate(ASKED, rules):
                if one["impact"] in GRAVE:
                    found.add(f"{scheme}, {one['rule']}: {one['html'][:200]} ({one['target']}): {one['why']}")
    page.emulate_media(color_scheme="light")
    return sorted(found)
