"""A decoder that a vector makes into one instrument or another, with gradients; without: `retimbre.base`."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from retimbre.base import Base, condition_shapes
from retimbre.instrument import Network
from retimbre.training.decoder import Decoder


class Conditioned(Decoder):
    """A decoder whose biases and table of pitches depend on a condition, [batch, frames, size], by a matrix each."""

    def __init__(self, network: Network, size: int, generator: torch.Generator | None = None) -> None:
        """Draw initial weights from `generator`."""
        super().__init__(network, generator)
        for name, shape in condition_shapes(network, size).items():
            gain = 0.1 if name in ("condition.output", "condition.pitches") else 0.5
            draw = gain / size**0.5 * torch.randn(shape, generator=generator)
            self.weights[name.replace(".", "/")] = nn.Parameter(draw)

    def bias(self, name: str, condition: Tensor | None) -> Tensor:
        """The bias of a matrix under a condition."""
        assert condition is not None
        return self.weight(f"{name}.bias") + condition @ self.weight(f"condition.{name}")

    def of_pitch(self, midi: Tensor, condition: Tensor | None) -> Tensor:
        """The table of pitches under a condition."""
        assert condition is not None
        gains = self.weight("condition.pitches").view(condition.shape[-1], self.network.pitches, -1)
        own = self.between_rows(midi, gains.transpose(0, 1).flatten(1)).unflatten(-1, (condition.shape[-1], -1))
        return super().of_pitch(midi, condition) + (condition[..., None] * own).sum(-2)

    def export(self) -> dict[str, np.ndarray]:
        """The weights as the file of a base holds them; an `Autoencoder` has no embedding among them."""
        return {name.replace("/", "."): weight.detach().cpu().numpy() for name, weight in self.weights.items()}


class Ensemble(Conditioned):
    """Several instruments in one: each has a vector of its own. The fourth of the controls is its number."""

    def __init__(self, network: Network, size: int, voices: int, generator: torch.Generator | None = None) -> None:
        """Draw initial weights from `generator`."""
        super().__init__(network, size, generator)
        self.weights["embedding"] = nn.Parameter(torch.randn(voices, size, generator=generator))

    def condition(self, others: Tensor) -> Tensor:
        """The vector of the instrument that plays, [batch, frames, 1] to [batch, frames, size]."""
        return nn.functional.embedding(others[..., 0].long(), self.weight("embedding"))

    @classmethod
    def of(cls, base: Base) -> Ensemble:
        """The ensemble that a base was exported from."""
        ensemble = cls(base.network, base.size, len(base.voices))
        with torch.no_grad():
            for name, weight in base.weights.items():
                ensemble.weight(name).copy_(torch.from_numpy(weight))
        return ensemble
