"""One visitor's sitting: a folder of its own, which goes when the visitor goes."""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from retimbre.app import folders, pool
from retimbre.app.limits import Limits
from retimbre.app.sweeper import Sweeper
from retimbre.errors import RetimbreError


class Ends(Protocol):
    """What can be stopped."""

    def stop(self) -> None:
        """Stop it."""


@dataclass(frozen=True)
class Kept:
    """A file that the visitor brought: what they call it, and where it lies."""

    name: str
    path: str


class Session:
    """A visitor's folder, which nobody else can read, and what is done in it."""

    def __init__(self) -> None:
        self._heard: set[str] = set()  # sounds that were found to be in order
        self.folder = str(folders.new("session"))
        self.jobs: list[Ends] = []
        self._end = weakref.finalize(self, _end, self.folder, self.jobs)

    def close(self) -> None:
        """Remove the folder, stop what runs."""
        self._end()

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


def _end(folder: str, jobs: list[Ends]) -> None:
    for job in jobs:
        job.stop()
    shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def _sweeper() -> Sweeper:
    sweeper = Sweeper(lambda name: runtime.exists() and runtime.get_instance().is_active_session(name))
    sweeper.start()
    return sweeper


def current() -> Session:
    """That of the visitor whose page is being made."""
    if "session" not in st.session_state:
        st.session_state["session"] = Session()
        context = get_script_run_ctx()
        if context and runtime.exists():
            _sweeper().watch(context.session_id, st.session_state["session"])
    return st.session_state["session"]
