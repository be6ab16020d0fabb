"""The loop around every training run: steps until time or number is up, a falling rate, checkpoints, validation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from retimbre.errors import RetimbreError
from retimbre.training.config import Config
from retimbre.training.decoder import Decoder

if TYPE_CHECKING:
    from retimbre.training.checkpoint import Checkpoint
    from retimbre.training.journal import Journal


@dataclass(frozen=True)
class Console:
    """How a run talks to its user.

    Attributes:
        say: prints a line.
        files: wraps the list of files while they are analysed.
        progress: called after each step with the share done, the loss, the newest validation loss and seconds left.
    """

    say: Callable[[str], None]
    files: Callable[[list[Path]], Iterable[Path]]
    progress: Callable[[float, float, float, float], None]


@dataclass(frozen=True)
class Records:
    """What is kept of a run while it goes on.

    Attributes:
        checkpoint: written every 20 s, at the end, and when the user stops the run.
        journal: takes the losses.
        validate: called every 10 s and at the end.
    """

    checkpoint: Checkpoint
    journal: Journal
    validate: Callable[[Run, Journal], None]


@dataclass
class Run:
    """Everything that changes while training goes on, and that a checkpoint keeps."""

    decoder: Decoder
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    step: int = 0
    seconds: float = 0.0
    validation: float = float("nan")
    history: list[tuple[float, float]] | None = None  # (seconds, validation loss)


def choose_device(wish: str) -> str:
    """The device to train on: `wish`, or for "auto" a GPU of NVIDIA or AMD where there is one, else the CPU.

    Apple's GPU ("mps") is taken when asked for: it lacks float64, so phases are computed on the CPU.

    Raises:
        RetimbreError: the wish cannot be had here.
    """
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wish == "auto":
        return "cuda" if here["cuda"] else "cpu"
    if not here.get(wish):
        raise RetimbreError(f"--device {wish}: not to be had here; use cpu")
    return wish


def begin(decoder: Decoder, config: Config, generator: torch.Generator) -> Run:
    """A run at its first step."""
    fused = next(decoder.parameters()).device.type == "cpu"
    # A shorter memory of the gradients' size than usual (0.999): 1 % less loss after two minutes.
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=config.learning_rate, betas=(0.9, 0.99), fused=fused)
    return Run(decoder, optimizer, generator, history=[])


def practice(
    run: Run,
    loss_of: Callable[[Run, float], Tensor],
    config: Config,
    console: Console,
    records: Records | None = None,
) -> None:
    """Train until the time or the number of steps that `config` allows is spent, then validate.

    Args:
        run: what changes.
        loss_of: the loss of the next step, given the run and the share that is done.
        config: the settings.
        console: told about progress.
        records: what is kept of a long run; a short one does without, and cannot be resumed.

    Raises:
        RetimbreError: the numbers diverged.
        KeyboardInterrupt: the user stopped it; the checkpoint is saved.
    """
    if not records:
        return _steps(run, loss_of, config, console, None)
    try:
        _steps(run, loss_of, config, console, records)
        records.validate(run, records.journal)
        records.checkpoint.save(run)  # what follows may be stopped, too
    except KeyboardInterrupt:
        records.checkpoint.save(run)
        console.say(f"stopped; the same command goes on from step {run.step}")
        raise
    finally:
        records.journal.close()


def _steps(
    run: Run,
    loss_of: Callable[[Run, float], Tensor],
    config: Config,
    console: Console,
    records: Records | None = None,
) -> None:
    budget = 60 * config.minutes
    saved = validated = run.seconds
    while True:
        began = time.perf_counter()
        done = run.step / config.steps if config.steps else run.seconds / budget
        if done >= 1:
            break
        for group in run.optimizer.param_groups:
            group["lr"] = config.learning_rate * (1 - done)
        warm = done < config.warm_share
        loss = loss_of(run, done)
        run.optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(run.decoder.parameters(), 3.0)
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            after = f", after deleting {records.checkpoint.path.parent}" if records else ""
            raise RetimbreError(
                f"the numbers are no longer finite at step {run.step}: training diverged. Try again with "
                f"--learning-rate {config.learning_rate / 3:.1g}{after}"
            )
        run.optimizer.step()
        run.step += 1
        run.seconds += time.perf_counter() - began

        if config.steps:
            done = run.step / config.steps
        left = (1 - done) * (budget if not config.steps else run.seconds / done)
        value = loss.item()
        console.progress(min(1.0, done), value, run.validation, left)
        if not records:
            continue
        records.journal.scalars(run.step, {"loss/warm start" if warm else "loss/training": value})
        if run.seconds - validated >= 10:
            records.validate(run, records.journal)
            validated = run.seconds
        if run.seconds - saved >= 20:
            records.checkpoint.save(run)
            saved = run.seconds
