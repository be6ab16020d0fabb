"""One visitor's sitting: a folder of its own, which goes when the visitor goes."""

from __future__ import annotations

import hashlib
import re
import shutil
import weakref
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import streamlit as st

from retimbre.app import pool
from retimbre.app.limits import Limits
from retimbre.errors import RetimbreError


@dataclass(frozen=True)
class Kept:
    """A file that the visitor brought: what they call it, and where it lies."""

    name: str
    path: str


class Session:
    """A visitor's folder, which nobody else can read, and what is done in it."""

    def __init__(self) -> None:
        self._heard: set[str] = set()  # sounds that were found to be in order
        self.folder = mkdtemp(prefix="retimbre-")
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def keep(self, name: str, data: bytes) -> Kept:
        """Store a file under the hash of its content; its suffix stays, as it says what it is."""
        suffix = re.sub(r"[^a-z0-9.]", "", Path(name).suffix.lower())[:12]
        path = Path(self.folder, hashlib.sha256(data).hexdigest()[:24] + suffix)
        if not path.exists():
            path.write_bytes(data)
        return Kept(name, str(path))

    def keep_sound(self, name: str, data: bytes) -> Kept:
        """Store a sound that may be used.

        Raises:
            RetimbreError: it cannot be read, or is too long.
        """
        kept = self.keep(name, data)
        if kept.path not in self._heard:
            self.ask("check", [kept], source=kept.path, minutes=Limits.current().minutes)
            self._heard.add(kept.path)
        return kept

    def ask(self, task: str, named: list[Kept], **arguments: Any) -> Any:
        """Have a worker do a task.

        Raises:
            RetimbreError: what is wrong, with the visitor's names for their files.
        """
        try:
            return pool.shared().run(task, **arguments)
        except RetimbreError as error:
            text = str(error)
            for one in named:
                text = text.replace(one.path, one.name)
            raise RetimbreError(text) from None


def current() -> Session:
    """That of the visitor whose page is being made."""
    if "session" not in st.session_state:
        st.session_state["session"] = Session()
    return st.session_state["session"]
