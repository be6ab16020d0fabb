"""The frame around the pages: navigation, name, style. Streamlit runs it for every visitor and every change."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from retimbre.app.pages import transform

HERE = Path(__file__).parent


def main() -> None:
    """Show the page that is asked for."""
    st.set_page_config("retimbre", HERE / "live" / "icon.svg", layout="wide")
    st.logo(str(HERE / "live" / "icon.svg"), size="large")
    st.html(HERE / "shell.css")
    pages = [
        st.Page(transform.page, title="Transform", icon=":material/swap_horiz:", url_path="transform", default=True),
    ]
    st.navigation(pages, position="top").run()


if __name__ == "__main__":
    main()
