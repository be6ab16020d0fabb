"""Whom a training run talks to in a test."""

from retimbre.training.loop import Console


def console(lines: list[str] | None = None, stop_at: int | None = None) -> Console:
    """Keeps what is said in `lines`, and stops the run after so many steps, as Ctrl-C does."""
    calls = 0

    def progress(done: float, loss: float, validation: float, left: float) -> None:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            raise KeyboardInterrupt

    return Console(say=(lines if lines is not None else []).append, files=lambda paths: paths, progress=progress)
