"""Who is served next."""

import threading
import time

import pytest

from retimbre.app.line import Line


def waiting(line: Line[str], who: str, served: list[str]) -> threading.Thread:
    """Someone who waits in the line, and is in it when this returns."""
    before = len(line._tickets)

    def wait() -> None:
        line.take(who, 10.0, lambda place: None)
        served.append(who)

    thread = threading.Thread(target=wait)
    thread.start()
    while len(line._tickets) == before:
        time.sleep(0.001)
    return thread


def test_first_come_first_served() -> None:
    line, served = Line(["worker"]), []
    worker = line.take("anna", 0.0, lambda place: None)
    threads = [waiting(line, who, served) for who in ("ben", "cleo", "dora")]
    for who, thread in zip(("anna", "ben", "cleo"), threads, strict=True):
        line.give(who, worker)
        thread.join()
    assert served == ["ben", "cleo", "dora"]


def test_one_who_holds_a_worker_lets_pass_who_holds_none() -> None:
    line, served = Line(["one", "two"]), []
    line.take("anna", 0.0, lambda place: None)
    freed = line.take("ben", 0.0, lambda place: None)
    greedy = waiting(line, "anna", served)  # a second window
    modest = waiting(line, "cleo", served)
    line.give("ben", freed)
    modest.join()
    assert served == ["cleo"]
    line.give("cleo", freed)
    greedy.join()
    assert served == ["cleo", "anna"]


def test_those_who_wait_know_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retimbre.app.line.TOLD_EVERY_S", 0.001)
    line, served, places = Line(["worker"]), [], []
    worker = line.take("anna", 0.0, lambda place: None)
    first = waiting(line, "ben", served)
    with pytest.raises(TimeoutError):
        line.take("cleo", 0.01, places.append)
    assert set(places) == {1}
    line.give("anna", worker)
    first.join()


def test_one_who_turns_away_leaves_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retimbre.app.line.TOLD_EVERY_S", 0.001)
    line = Line(["worker"])
    worker = line.take("anna", 0.0, lambda place: None)

    def turn_away(place: int) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        line.take("ben", 1.0, turn_away)
    line.give("anna", worker)
    assert line.take("cleo", 0.0, lambda place: None) == worker
