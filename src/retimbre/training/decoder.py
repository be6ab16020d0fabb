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
    """Controls to harmonic amplitudes and noise magnitudes, by a stack of causal dilated convolutions.

    Each is separable (Chollet, CVPR 2017): a filter over time for every channel, then a matrix across the channels.
    Frames stay rows, which is the layout of the file and of the engine.
    """

    def __init__(self, network: Network, generator: torch.Generator | None = None) -> None:
        """Draw initial weights from `generator`."""
        super().__init__()
        self.network = network
        self.weights = nn.ParameterDict()
        for name, shape in network.shapes.items():
            self.weights[name.replace(".", "/")] = nn.Parameter(_initial(name, shape, generator))
        # Begin soft: about -70 dB in each harmonic and -90 dB in the noise.
        with torch.no_grad():
            bias = self.weights["output/bias"]
            bias[: network.harmonics] = -4.0
            bias[network.harmonics :] = -5.0

    def weight(self, name: str) -> Tensor:
        """A weight by its name in the file."""
        return self.weights[name.replace(".", "/")]

    def forward(self, controls: Tensor, state: State | None = None) -> tuple[Tensor, Tensor, State]:
        """Decode.

        Args:
            controls: f0_hz, periodicity, loudness_db, and what else `condition` takes, [batch, frames, 3 + others].
            state: from the frames before; None: the first frame has been there for ever.

        Returns:
            Harmonic amplitudes [batch, frames, harmonics], noise magnitudes [batch, frames, bands], and the new state.
        """
        f0_hz, periodicity, loudness_db = controls[..., :3].unbind(-1)
        condition = self.condition(controls[..., 3:])
        pitch, loudness = self.network.pitch, self.network.loudness
        midi = hz_to_midi(f0_hz.clamp(min=1.0)).clamp(pitch.low, pitch.high)
        level = loudness_db.clamp(loudness.low, loudness.high)
        x = torch.stack([(midi - pitch.centre) / 12, (level - loudness.centre) / 10], dim=-1)
        x = x @ self.weight("input.weight") + self.bias("input", condition) + self.of_pitch(midi, condition)
        h = functional.leaky_relu(x, SLOPE)
        new_state = []
        for layer in range(self.network.layers):
            dilation = 2**layer
            reach = (KERNEL - 1) * dilation
            past = h[:, :1].expand(-1, reach, -1) if state is None else state[layer]
            window = torch.cat([past, h], dim=1)
            taps, n = self.weight(f"layers.{layer}.taps"), h.shape[1]
            filtered = torch.zeros_like(h)
            for k in range(KERNEL):
                filtered = torch.addcmul(filtered, taps[k], window[:, k * dilation : k * dilation + n])
            mixed = filtered @ self.weight(f"layers.{layer}.weight") + self.bias(f"layers.{layer}", condition)
            h = h + functional.leaky_relu(mixed, SLOPE)
            new_state.append(window[:, -reach:])
        out = exp_sigmoid(h @ self.weight("output.weight") + self.bias("output", condition))
        gain = 10 ** ((loudness_db - loudness.low).clamp(max=0) / 20)[..., None]
        voiced = (((periodicity - 0.4) / 0.2).clamp(0, 1) * (f0_hz > 0))[..., None]
        harmonics, noise = out.split([self.network.harmonics, self.network.bands], dim=-1)
        return gain * voiced * harmonics, gain * noise, new_state

    def condition(self, others: Tensor) -> Tensor | None:
        """What else, beside pitch and loudness, decides on the sound, [batch, frames, others]: here nothing."""
        return None

    def bias(self, name: str, condition: Tensor | None) -> Tensor:
        """The bias of a matrix, to be added to [batch, frames, channels]."""
        return self.weight(f"{name}.bias")

    def of_pitch(self, midi: Tensor, condition: Tensor | None) -> Tensor:
        """The table of pitches between its two nearest rows, [batch, frames] to [batch, frames, channels].

        Bodies resonate at pitches of their own; from pitch as a single number a network is slow to learn what is true
        of one note and not of its neighbours.
        """
        return self.between_rows(midi, self.weight("input.pitches"))

    def between_rows(self, midi: Tensor, table: Tensor) -> Tensor:
        """A table with a row for each of the network's pitches, [pitches, n], at pitches between, [..., n]."""
        pitch, last = self.network.pitch, self.network.pitches - 1
        place = (midi - pitch.low) * (last / (pitch.high - pitch.low))
        row = place.long().clamp(max=last - 1)
        below, above = functional.embedding(row, table), functional.embedding(row + 1, table)
        return torch.lerp(below, above, (place - row)[..., None])

    def export(self) -> dict[str, np.ndarray]:
        """The weights as the instrument file holds them."""
        return {name: self.weight(name).detach().cpu().float().numpy() for name in self.network.shapes}

    def load(self, weights: dict[str, np.ndarray]) -> None:
        """Take weights from an instrument file."""
        with torch.no_grad():
            for name in self.network.shapes:
                self.weight(name).copy_(torch.from_numpy(weights[name]))


def _initial(name: str, shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    """Initial weights: the newest tap passes its channel on, and each layer adds little to it."""
    draw = torch.randn(shape, generator=generator)
    if name.endswith(("bias", "pitches")):
        return torch.zeros(shape)
    if name.endswith("taps"):
        return 0.3 * draw + torch.tensor([0.0, 0.0, 1.0])[:, None]
    gain = {"input": 1.0, "output": 0.1}.get(name.split(".")[0], 0.5)
    return gain * math.sqrt(2 / shape[0]) * draw
