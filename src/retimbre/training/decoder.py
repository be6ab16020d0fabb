"""The instrument's network, with gradients; `engine/decoder.c` is the same without (`docs/definitions.md`, Decoder)."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from retimbre.dsp import exp_sigmoid, hz_to_midi
from retimbre.instrument import Network

KERNEL = 3
SLOPE = 0.2  # of the leaky ReLU

State = list[Tensor]
"""The input frames that each layer still reaches back to, [batch, 2 dilation, channels]."""


class Decoder(nn.Module):
    """Controls to harmonic amplitudes and noise magnitudes, by a causal dilated convolution stack.

    A convolution over time is written as one matrix product for each tap, so that frames stay rows: the layout is that
    of the file and of the engine, and the CPU is faster at it.
    """

    def __init__(self, network: Network, generator: torch.Generator | None = None) -> None:
        """Draw initial weights from `generator`."""
        super().__init__()
        self.network = network
        self.weights = nn.ParameterDict()
        for name, shape in network.shapes.items():
            fan_in = math.prod(shape[:-1])
            spread = 0.0 if name.endswith("bias") else math.sqrt(2 / fan_in) * (0.5 if "layers" in name else 1)
            self.weights[name.replace(".", "/")] = nn.Parameter(torch.randn(shape, generator=generator) * spread)
        # Begin soft: -60 dB in each harmonic and -80 dB in the noise.
        with torch.no_grad():
            self.weights["output/weight"].mul_(0.1)
            bias = self.weights["output/bias"]
            bias[: network.harmonics] = -4.0
            bias[network.harmonics :] = -5.0

    def weight(self, name: str) -> Tensor:
        """A weight by its name in the file."""
        return self.weights[name.replace(".", "/")]

    def forward(self, controls: Tensor, state: State | None = None) -> tuple[Tensor, Tensor, State]:
        """Decode.

        Args:
            controls: f0_hz, periodicity, loudness_db, [batch, frames, 3].
            state: from the frames before; None: the first frame has been there for ever.

        Returns:
            Harmonic amplitudes [batch, frames, harmonics], noise magnitudes [batch, frames, bands], and the new state.
        """
        f0_hz, periodicity, loudness_db = controls.unbind(-1)
        pitch, loudness = self.network.pitch, self.network.loudness
        midi = hz_to_midi(f0_hz.clamp(min=1.0)).clamp(pitch.low, pitch.high)
        level = loudness_db.clamp(loudness.low, loudness.high)
        x = torch.stack([(midi - pitch.centre) / 12, (level - loudness.centre) / 10], dim=-1)
        h = functional.leaky_relu(x @ self.weight("input.weight") + self.weight("input.bias"), SLOPE)
        new_state = []
        for layer in range(self.network.layers):
            dilation = 2**layer
            reach = (KERNEL - 1) * dilation
            past = h[:, :1].expand(-1, reach, -1) if state is None else state[layer]
            window = torch.cat([past, h], dim=1)
            weight, y = self.weight(f"layers.{layer}.weight"), self.weight(f"layers.{layer}.bias")
            for tap in range(KERNEL):
                y = y + window[:, tap * dilation : tap * dilation + h.shape[1]] @ weight[tap]
            h = h + functional.leaky_relu(y, SLOPE)
            new_state.append(window[:, -reach:])
        out = exp_sigmoid(h @ self.weight("output.weight") + self.weight("output.bias"))
        gain = 10 ** ((loudness_db - loudness.low).clamp(max=0) / 20)[..., None]
        voiced = (((periodicity - 0.4) / 0.2).clamp(0, 1) * (f0_hz > 0))[..., None]
        harmonics, noise = out.split([self.network.harmonics, self.network.bands], dim=-1)
        return gain * voiced * harmonics, gain * noise, new_state

    def export(self) -> dict[str, np.ndarray]:
        """The weights as the instrument file holds them."""
        return {name: self.weight(name).detach().cpu().float().numpy() for name in self.network.shapes}

    def load(self, weights: dict[str, np.ndarray]) -> None:
        """Take weights from an instrument file."""
        with torch.no_grad():
            for name in self.network.shapes:
                self.weight(name).copy_(torch.from_numpy(weights[name]))
