"""The frame around the pages: navigation, name, style. Streamlit runs it for every visitor and every change."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from retimbre.app.pages import gallery, how, live, magenta, rooms, train, transform

HERE = Path(__file__).parent
ICON = HERE.parent / "live" / "icon.svg"


def main() -> None:
    """Show the page that is asked for."""
    st.set_page_config("retimbre", ICON, layout="wide")
    st.logo(str(ICON), size="large")
    st.html(HERE / "shell.css")
    pages = [
        st.Page(transform.page, title="Transform", icon=":material/swap_horiz:", default=True),
        st.Page(live.page, title="Live", icon=":material/mic:", url_path="live"),
        st.Page(how.page, title="How it works", icon=":material/lightbulb:", url_path="how"),
        st.Page(train.page, title="Train", icon=":material/school:", url_path="train"),
        st.Page(rooms.page, title="Rooms", icon=":material/church:", url_path="rooms"),
        st.Page(gallery.page, title="Gallery", icon=":material/library_music:", url_path="gallery"),
        st.Page(magenta.page, title="Magenta.js", icon=":material/compare_arrows:", url_path="magenta"),
    ]
    st.navigation(pages, position="top").run()


if __name__ == "__main__":
    main()
