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


STILL = """(scheme) => new Promise((done) => {
    const look = () => {
        const app = document.querySelector("[data-testid=stApp]"); // whose theme is a program's, and comes later
        const red = app && Number(getComputedStyle(app).backgroundColor.match(/\\d+/)[0]);
        const themed = !scheme || !app || (scheme === "light") === (red > 128);
        const moves = document.getAnimations().some((one) =>
            one.playState === "running" && one.effect.getComputedTiming().endTime !== Infinity);
        if (themed && !moves) done(true);
        else next();
    };
    const next = () => requestAnimationFrame(() => requestAnimationFrame(look)); // once what has changed is drawn
    next();
})"""
"""The theme is there, and all has faded in, and into its colours."""


def still(page: Any, scheme: str = "") -> None:
    """Wait until nothing on the page and in its frames moves, and it is "light" or "dark", if that is asked for."""
    for frame in page.frames:
        frame.wait_for_function(STILL, arg=scheme)


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
        still(page, scheme)
        for frame in page.frames:
            if not frame.evaluate("Boolean(window.axe)"):
                frame.evaluate(program())
            for one in frame.evaluate(ASKED, rules):
                if one["impact"] in GRAVE:
                    found.add(f"{scheme}, {one['rule']}: {one['html'][:200]} ({one['target']}): {one['why']}")
    page.emulate_media(color_scheme="light")
    return sorted(found)
