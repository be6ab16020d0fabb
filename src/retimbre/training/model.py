"""Controls to audio with gradients: the decoder, then the synthesiser."""

from __future__ import annotations

import torch
from torch import Tensor

from retimbre.dsp import filtered_noise, harmonic_oscillator
from retimbre.training.decoder import Decoder


def render(decoder: Decoder, controls: Tensor, noise: Tensor, sample_rate: int, context: int = 0) -> Tensor:
    """Play controls.

    Args:
        decoder: the network.
        controls: f0_hz, periodicity, loudness_db, [batch, context + frames + 1, 3].
        noise: white numbers, [batch, frames + 1, noise_length].
        sample_rate: of the sound, in Hz.
        context: frames at the start that only give the network its past.

    Returns:
        The sound between the frames after the context, [batch, samples].
    """
    harmonics, magnitudes, _ = decoder(controls)
    f0_hz = controls[:, context:, 0]
    tone, _ = harmonic_oscillator(f0_hz, harmonics[:, context:], sample_rate)
    band_hz = torch.tensor(decoder.network.noise_band_hz, dtype=controls.dtype)
    breath, _ = filtered_noise(magnitudes[:, context:], band_hz, noise, sample_rate)
    return tone + breath
