"""The autoencoder of the DDSP paper (Engel et al. 2020, section 4.1): a third control, z, that the sound itself gives.

An encoder hears mel-frequency cepstra, frame by frame, and hands the decoder a few numbers beside pitch and loudness:
what those two do not tell, such as the instrument, the bow or the vowel. The paper's encoder is recurrent; here the
decoder sees past frames, so the encoder needs no memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from retimbre.dsp import mfcc
from retimbre.instrument import Network
from retimbre.training.conditioned import Conditioned
from retimbre.training.corpus import Material
from retimbre.training.decoder import SLOPE
from retimbre.training.recording import HOP, SAMPLE_RATE

CEPSTRA = 30
_WIDTH = 64


class Autoencoder(Conditioned):
    """A decoder and the encoder of its condition. Of the controls, the last `CEPSTRA` are the cepstra."""

    def __init__(self, network: Network, size: int, generator: torch.Generator | None = None) -> None:
        """Draw initial weights from `generator`; z has `size` numbers."""
        super().__init__(network, size, generator)
        self.encoder = nn.Sequential(nn.Linear(CEPSTRA, _WIDTH), nn.LeakyReLU(SLOPE), nn.Linear(_WIDTH, size))
        with torch.no_grad():
            for name, weight in self.encoder.named_parameters():
                gain = 0.0 if "bias" in name else weight.shape[-1] ** -0.5
                weight.copy_(gain * torch.randn(weight.shape, generator=generator))

    def condition(self, others: Tensor) -> Tensor:
        """The vector z of each frame, [batch, frames, others] to [batch, frames, size]."""
        return self.encoder(others[..., -CEPSTRA:])

    def embedding(self, materials: Sequence[Material]) -> np.ndarray:
        """The mean z of the sounding frames of each material: a constant that stands for it, [materials, size]."""
        means = []
        with torch.no_grad():
            for material in materials:
                sounding = material.controls[:, 2] > self.network.loudness.low
                means.append(self.condition(material.controls[None, :, 3:])[0][sounding].mean(0))
        return torch.stack(means).numpy()


def with_cepstra(material: Material) -> Material:
    """The material with its cepstra as further controls, brought to about 1 in size."""
    cepstra = mfcc(material.audio, SAMPLE_RATE, HOP, CEPSTRA)
    cepstra[:, 0] += 500  # the level: 56 dB below full scale in every band
    return material.with_columns(cepstra / 50)
