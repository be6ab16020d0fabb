"""What a training run is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Config:
    """Settings of a training run; the card of the instrument keeps them.

    Attributes:
        minutes: of training steps; listening to the files and to the held-out clips comes on top.
        steps: stop after so many steps instead: two runs on one machine then give identical files.
        seed: of everything random.
        channels, layers: of the network.
        harmonics, bands: of the synthesiser.
        pitch_step: semitones between the rows of the network's table of pitches.
        condition: numbers that tell the instruments of a base apart (`training/pool.py`).
        latent: numbers of z, with which an encoder tells them apart instead (`training/autoencoder.py`); 0: none.
        batch: clips a step.
        clip_frames: length of a clip.
        learning_rate: at the start; falls linearly to 0.
        warm_share: of the time that the warm start takes; 0 does without.
        resolutions: window lengths compared in a step, drawn from six.
        held_out: share of the material that validates.
        phrases: seconds of phrases to practise, for each second of single notes (`training/phrases.py`).
    """

    minutes: float = 4.0
    steps: int | None = None
    seed: int = 0
    channels: int = 96
    layers: int = 4
    harmonics: int = 100
    bands: int = 48
    pitch_step: float = 2.0
    condition: int = 8
    latent: int = 0
    batch: int = 4
    clip_frames: int = 200
    learning_rate: float = 1e-2
    warm_share: float = 0.05
    resolutions: int = 2
    held_out: float = 0.1
    phrases: float = 0.5

    @property
    def noise_band_hz(self) -> tuple[float, ...]:
        """From 0 to 24 kHz, evenly spaced below about 2 kHz and by ratio above, like hearing."""
        steps = np.linspace(0, 1, self.bands)
        return tuple(float(hz) for hz in np.round(2000 * (13**steps - 1), 3))
