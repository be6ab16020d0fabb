"""Live: play as it sounds, in the browser itself."""

from __future__ import annotations


def page() -> None:
    """The live page, as a part of this one."""
    from retimbre.app.livepart import show

    show()
