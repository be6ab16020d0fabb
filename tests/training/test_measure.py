import numpy as np
import pytest
import torch

from retimbre.training.measure import harmonics_and_noise

SAMPLE_RATE, HOP, FRAMES = 48_000, 240, 100
BANDS = torch.tensor([0.0, 500, 1000, 2000, 4000, 8000, 16000, 24000])


@pytest.mark.parametrize("f0_hz", [65.4, 220.0, 993.0])
def test_amplitudes_of_a_harmonic_tone(f0_hz):
    amplitudes = 0.3 / np.arange(1, 21)
    time = np.arange(HOP * FRAMES) / SAMPLE_RATE
    tone = sum(a * np.sin(2 * np.pi * k * f0_hz * time + k) for k, a in enumerate(amplitudes, 1))
    harmonics, noise = harmonics_and_noise(
        torch.tensor(tone[None], dtype=torch.float32), torch.full((1, FRAMES + 1), f0_hz), 20, BANDS, SAMPLE_RATE
    )
    middle = harmonics[0, 20:-20].mean(0).numpy()
    error_db = 20 * np.log10(middle / amplitudes)
    assert np.abs(error_db).max() < 1.5  # a Hann window's scalloping loss is 1.4 dB
    # What lies between harmonics is not counted as noise, as far as the window tells them apart.
    assert float(noise[0, 20:-20, 1:].max()) < {65.4: 0.05, 220.0: 0.005, 993.0: 0.002}[f0_hz]


def test_level_of_white_noise_in_every_band():
    noise = 0.1 * np.random.default_rng(0).standard_normal((4, HOP * FRAMES)).astype(np.float32)
    f0_hz = torch.full((4, FRAMES + 1), 180.0)
    _, magnitudes = harmonics_and_noise(torch.from_numpy(noise), f0_hz, 20, BANDS, SAMPLE_RATE)
    level_db = 20 * np.log10(magnitudes[:, 20:-20].square().mean((0, 1)).sqrt().numpy() / 0.1)
    assert np.abs(level_db).max() < 1.0
