"""One visitor's sitting: a folder of its own, which goes when the visitor goes."""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import streamlit as st
from streamlit import runtime
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from retimbre.app import folders, pool
from retimbre.app.limits import Limits
from retimbre.app.sweeper import Sweeper
from retimbre.app.visitors import COOKIE, is_key
from retimbre.app.workshop import Workshop, Workshops
from retimbre.errors import RetimbreError
from retimbre.files import replacing

OWN = "own instrument"
"""Where the state of a session has the visitor's own instrument (`Kept`)."""


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

    def __init__(self, visitor: str = "") -> None:
        """Make the folder.

        Args:
            visitor: whose sitting it is; those of one visitor share one turn at the workers. "": nobody else's.
        """
        self._heard: set[str] = set()  # sounds that were found to be in order
        self.folder = str(folders.new("session"))
        self.visitor = visitor or self.folder
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
            try:
                with replacing(path) as part:
                    part.write_bytes(data)
            except RetimbreError as error:
                raise RetimbreError(str(error).replace(str(path), name)) from error
        return Kept(name, str(path))

    def keep_sound(self, name: str, data: bytes) -> Kept:
        """Store a sound that may be used.

        Raises:
            RetimbreError: it cannot be kept or read, or is too long.
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
            return pool.shared().run(task, visitor=self.visitor, told=_place_teller(), **arguments)
        except RetimbreError as error:
            text = str(error)
            for one in named:
                text = text.replace(one.path, one.name)
            raise RetimbreError(text) from None


def _end(folder: str, jobs: list[Ends]) -> None:
    for job in jobs:
        job.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _place_teller() -> Callable[[int], None]:
    """Tells the visitor how many are served before, for as long as it is called."""
    if not get_script_run_ctx(suppress_warning=True):
        return lambda before: None  # a download, which has no page to write on
    shown: list[DeltaGenerator] = []

    def tell(before: int) -> None:
        others = "You are next." if not before else f"{before} {'is' if before == 1 else 'are'} before you."
        text = f"Others are rendering too. {others}"
        shown[:] = [shown[0].toast(text, duration=3) if shown else st.toast(text, duration=3)]

    return tell


def _connected(name: str) -> bool:
    return runtime.exists() and runtime.get_instance().is_active_session(name)


@functools.cache
def _sweeper() -> Sweeper:
    sweeper = Sweeper(_connected)
    sweeper.start()
    return sweeper


@functools.cache
def _workshops() -> Workshops:
    workshops = Workshops(_connected)
    workshops.sweeper.start()
    return workshops


def _visitor() -> str:
    """The key that the visitor's browser has of this server; "" where it keeps none."""
    key = st.context.cookies.get(COOKIE, "") if runtime.exists() else ""
    return key if is_key(key) else ""


def current() -> Session:
    """That of the visitor whose page is being made."""
    if "session" not in st.session_state:
        st.session_state["session"] = Session(_visitor())
        context = get_script_run_ctx()
        if context and runtime.exists():
            _sweeper().watch(context.session_id, st.session_state["session"])
    shop = workshop()
    if OWN not in st.session_state and shop.ready:  # the page was loaded anew
        st.session_state[OWN] = Kept(shop.output.name, str(shop.output))
    return st.session_state["session"]


def workshop() -> Workshop:
    """Where the visitor whose page is being made learns instruments."""
    context = get_script_run_ctx()
    session = context.session_id if context else ""
    return _workshops().of(_visitor() or session, session)
