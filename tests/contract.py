"""The one contract of everything with memory: cutting a stream into blocks changes nothing.

Offline is one call from ``state=None``; live is many, each given the state the last one returned. Sound and gradients
must not depend on where the cuts fall. A state that forgets anything (a phase, a filter's past, a tail) fails here.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

Process = Callable[[int, int, Any], tuple[Any, Any]]


def cuts(length: int) -> st.SearchStrategy[list[int]]:
    """Hypothesis strategy: places to cut a stream of ``length`` into blocks of one or more."""
    return st.lists(st.integers(1, length - 1), unique=True, max_size=12).map(sorted)


def check_contract(
    process: Process,
    length: int,
    cuts: Sequence[int],
    leaves: Sequence[Tensor] = (),
    tolerance: float = 1e-5,
    gradient_tolerance: float = 1e-4,
) -> None:
    """Fail unless blocks give the same sound, and the same gradients, as one call.

    Args:
        process: ``process(start, stop, state) -> (audio [..., samples], state)`` for the frames (or samples)
            ``start .. stop - 1`` of a fixed input; tensors or NumPy arrays.
        length: of that input.
        cuts: where blocks begin, rising, without 0.
        leaves: tensors whose gradients must agree; none for code without gradients.
        tolerance: largest difference of the sound relative to its peak.
        gradient_tolerance: largest difference of a gradient relative to its own peak.
    """
    whole, _ = process(0, length, None)
    blocks, state = [], None
    for start, stop in zip([0, *cuts], [*cuts, length], strict=True):
        block, state = process(start, stop, state)
        blocks.append(torch.as_tensor(block))
    whole, pieces = torch.as_tensor(whole), torch.cat(blocks, dim=-1)
    assert whole.abs().max() > 0, "a silent stream proves nothing"
    _assert_close(pieces, whole, tolerance, f"sound, cut at {list(cuts)}")
    if leaves:
        # A fixed random direction, so that errors of either sign cannot cancel.
        direction = torch.randn(whole.shape, generator=torch.Generator().manual_seed(0)).to(whole.dtype)
        expected = torch.autograd.grad((whole * direction).sum(), leaves)
        actual = torch.autograd.grad((pieces * direction).sum(), leaves)
        for number, pair in enumerate(zip(actual, expected, strict=True)):
            _assert_close(*pair, gradient_tolerance, f"gradient of leaf {number}, cut at {list(cuts)}")


def _assert_close(actual: Tensor, expected: Tensor, tolerance: float, what: str) -> None:
    assert actual.shape == expected.shape, f"{what}: {list(actual.shape)} for {list(expected.shape)}"
    difference, peak = (actual - expected).abs().max().item(), expected.abs().max().item()
    assert difference <= tolerance * peak, f"{what}: off by {difference:.2e} of {peak:.2e}"
