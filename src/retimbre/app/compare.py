"""Before and after, to compare: two players side by side, and one that changes between them as it plays."""

from __future__ import annotations

import streamlit as st

from retimbre.app.parts import part


def players(before: str, after: str, *, names: tuple[str, str], key: str = "compare") -> None:
    """Show them.

    Args:
        before: a sound file.
        after: another.
        names: what they are called.
        key: of these players, another one for each place of a page.
    """
    left, right = st.columns(2, gap="medium")
    for column, side, sound, name in (
        (left, "before", before, f":blue[**Before**] · {names[0]}"),
        (right, "after", after, f":orange[**After**] · {names[1]}"),
    ):
        with column, st.container(key=f"{key}-{side}", gap="small"):
            st.markdown(name)
            st.audio(sound)
    part("compare")(data={"of": key, "sounds": [before, after]}, key=key)
