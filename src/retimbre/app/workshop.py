"""One visitor's training: recordings in, an instrument out. It outlives the page: a reload finds it again."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from retimbre.app import folders, jobs
from retimbre.app.jobs import Job
from retimbre.app.sweeper import Sweeper
from retimbre.errors import RetimbreError
from retimbre.instrument import SUFFIX
from retimbre.training.follow import Follower, Story

PATIENCE_S = 3600.0
"""After which a visitor who has gone is taken not to come back for what was learned."""

STOPPED = "It was stopped."


@dataclass(frozen=True)
class Plan:
    """What is learned.

    Attributes:
        recordings: a folder.
        name: of the instrument.
        minutes: of training.
    """

    recordings: Path
    name: str
    minutes: float


class Workshop:
    """A visitor's training, at most one at a time, and the instruments that came of it."""

    def __init__(self) -> None:
        self._folder = folders.new("workshop")
        self._lock = threading.Lock()  # two windows of one visitor may press a button at once
        self._count = 0
        self.plan: Plan | None = None
        self.job: Job | None = None
        self._follower = Follower(self._folder)

    @property
    def output(self) -> Path:
        """The instrument of the plan, which is there when it is ready."""
        assert self.plan
        return self._place / (self.plan.name + SUFFIX)

    @property
    def running(self) -> bool:
        """Whether something is being learned."""
        return bool(self.job and self.job.running)

    @property
    def ready(self) -> bool:
        """Whether the instrument is there."""
        return bool(self.plan and not self.running and self.output.exists())

    @property
    def said(self) -> str:
        """The last that the training said, in the visitor's words."""
        return jobs.translated(self.job.said(), self._names()) if self.job else ""

    def story(self) -> Story:
        """Losses and sounds so far."""
        with self._lock:
            return self._follower.update()

    def begin(self, recordings: Path, name: str, minutes: float, *, keep: bool) -> bool:
        """Learn an instrument, unless something is being learned already; False where the server has no room for it.

        Args:
            recordings: a folder.
            name: of the instrument.
            minutes: of training.
            keep: whether the recordings must be kept here, as they go with the page.

        Raises:
            RetimbreError: the recordings could not be kept.
        """
        with self._lock:
            if self.plan:
                return True
            self._count += 1
            place = self._place
            try:
                place.mkdir()
                if keep:
                    recordings = Path(shutil.copytree(recordings, place / "recordings", copy_function=_link))
            except OSError as error:
                shutil.rmtree(place, ignore_errors=True)
                raise RetimbreError(
                    f"The recordings could not be kept on this server ({error.strerror}). Try again later."
                ) from error
            self.plan = Plan(recordings, name, minutes)
            self._follower = Follower(place / f"{name}.training")
            begun = self._start()
            if not begun:
                self.plan = None
                shutil.rmtree(place, ignore_errors=True)
            return begun

    def go_on(self) -> bool:
        """Go on where it was stopped; False where the server has no room for it."""
        with self._lock:
            return self.running or self._start()

    def stop(self) -> None:
        """Stop for now."""
        if self.job:
            self.job.stop()

    def clear(self) -> None:
        """Be done with it; an instrument that came of it stays."""
        with self._lock:
            if not self.plan:
                return
            if self.job:
                self.job.kill()
            for entry in self._place.iterdir():
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
            self.plan = self.job = None

    def close(self) -> None:
        """End all of it."""
        if self.job:
            self.job.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _place(self) -> Path:
        return self._folder / str(self._count)

    def _start(self) -> bool:
        assert self.plan
        arguments = ["train", str(self.plan.recordings), "-o", str(self.output), "--minutes", f"{self.plan.minutes:g}"]
        self.job = jobs.start(arguments, self._place / "train.log")
        return self.job is not None

    def _names(self) -> Mapping[str, str]:
        assert self.plan
        return {str(self.output): self.output.name, f"{self.plan.recordings}/": "", str(self.plan.recordings): "folder"}


def _link(source: str, target: str) -> None:
    """One file under two names, where the disk can do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


class Workshops:
    """The workshop of each visitor, for as long as any of the visitor's pages is open, and a while after."""

    def __init__(self, here: Callable[[str], bool], patience_s: float = PATIENCE_S) -> None:
        """Begin with none; `here` says of a session's name whether it is connected."""
        self._here = here
        self._known: dict[str, Workshop] = {}
        self._sessions: dict[str, set[str]] = {}
        self._lock = threading.Lock()
        self.sweeper = Sweeper(self._visited, patience_s=patience_s)

    def of(self, visitor: str, session: str) -> Workshop:
        """That of a visitor, who is here with this session."""
        with self._lock:
            if visitor not in self._known:
                self._known[visitor] = Workshop()
                self.sweeper.watch(visitor, _Kept(self, visitor))
            self._sessions.setdefault(visitor, set()).add(session)
            return self._known[visitor]

    def forget(self, visitor: str) -> None:
        """Close the workshop of a visitor who has gone."""
        with self._lock:
            self._sessions.pop(visitor, None)
            self._known.pop(visitor).close()

    def _visited(self, visitor: str) -> bool:
        with self._lock:
            sessions = self._sessions.get(visitor, set())
            sessions.intersection_update([name for name in sessions if self._here(name)])
            return bool(sessions)


@dataclass(frozen=True)
class _Kept:
    """What the sweeper closes."""

    workshops: Workshops
    visitor: str

    def close(self) -> None:
        self.workshops.forget(self.visitor)
