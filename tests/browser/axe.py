"""Accessibility of what a browser shows, as axe-core judges it (https://github.com/dequelabs/axe-core)."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from benchmarks import npm
from benchmarks.report import Unavailable

GRAVE = {"serious", "critical"}
ASKED = """async () => {
    const told = await axe.run(document, { rules: { "target-size": { enabled: true } }, resultTypes: ["violations"] });
    return told.violations.flatMap(({ id, impact, nodes }) => nodes.map((node) => ({
        rule: id, impact, html: node.html, target: node.target.flat(Infinity).join(" "),
        why: [...node.any, ...node.all, ...node.none].map(({ message }) => message).join(" "),
    })));
}"""


@cache
def program() -> str:
    """axe-core, or the test is skipped."""
    try:
        return npm.file("axe-core@4.14.1", "axe.min.js").read_text(encoding="utf-8")
    except Unavailable as reason:
        pytest.skip(str(reason))


def faults(page: Any, excepted: Mapping[str, str] | None = None) -> list[str]:
    """Serious and critical violations in a page and its frames, but of `excepted`: part of the element by rule."""
    excepted, found = excepted or {}, []
    for frame in page.frames:
        frame.evaluate(f"{program()};0")
        for one in frame.evaluate(ASKED):
            if one["impact"] in GRAVE and excepted.get(one["rule"], one["html"] + "!") not in one["html"]:
                found.append(f"{one['rule']}: {one['html'][:200]} ({one['target']}): {one['why']}")
    return sorted(set(found))
