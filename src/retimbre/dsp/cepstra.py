"""Mel-frequency cepstra: the shape of a spectrum in few numbers (Davis and Mermelstein, 1980)."""

import math
from functools import lru_cache

import torch
from torch import Tensor

from retimbre.dsp.spectra import stft_magnitude

_N_FFT = 2048
_FLOOR = 1e-5  # -100 dB


def mfcc(audio: Tensor, sample_rate: int, hop_length: int, n_coefficients: int = 30, n_bands: int = 80) -> Tensor:
    """Cepstra of the power in triangular bands, evenly spaced in mel from 20 Hz to 20 kHz or Nyquist.

    Args:
        audio: [..., samples]; beyond its ends there is silence.
        sample_rate: in Hz.
        hop_length: samples between frames; the first is centred on the first sample.
        n_coefficients: how many, from the 0th (the level) on.
        n_bands: of the mel spectrum.

    Returns:
        [..., samples / hop_length + 1, n_coefficients]: an orthonormal cosine transform of levels in dB.
    """
    frames = audio.shape[-1] // hop_length + 1
    padded = torch.nn.functional.pad(audio, (_N_FFT // 2, _N_FFT // 2 + hop_length))
    # The window is cut from the hops around each frame; the spectrum's own hop must divide it.
    windows = padded.unfold(-1, _N_FFT, hop_length)[..., :frames, :]
    power = stft_magnitude(windows, _N_FFT, _N_FFT)[..., 0, :].square()
    bands = power @ _mel_bands(sample_rate, n_bands)
    level_db = 10.0 * (bands + _FLOOR**2).log10()
    return level_db @ _cosines(n_bands)[:, :n_coefficients]


@lru_cache(maxsize=4)
@torch.inference_mode(False)  # kept for later calls, which may need gradients
def _mel_bands(sample_rate: int, n_bands: int) -> Tensor:
    """Triangles over the bins, [bins, bands], each of sum 1 at least over its nearest bin."""
    ends = torch.tensor([20.0, min(20_000.0, sample_rate / 2)], dtype=torch.float64)
    mel = 2595 * torch.log10(1 + ends / 700)
    edge_hz = 700 * (10 ** (torch.linspace(float(mel[0]), float(mel[1]), n_bands + 2, dtype=torch.float64) / 2595) - 1)
    bin_hz = torch.arange(_N_FFT // 2 + 1, dtype=torch.float64)[:, None] * (sample_rate / _N_FFT)
    rising = (bin_hz - edge_hz[:-2]) / (edge_hz[1:-1] - edge_hz[:-2])
    falling = (edge_hz[2:] - bin_hz) / (edge_hz[2:] - edge_hz[1:-1])
    triangles = torch.minimum(rising, falling).clamp(min=0)
    nearest = torch.nn.functional.one_hot((bin_hz - edge_hz[1:-1]).abs().argmin(0), len(bin_hz)).T
    triangles = torch.where(triangles.sum(0) > 0, triangles, nearest.double())
    return (triangles / triangles.sum(0)).float()


@lru_cache(maxsize=4)
@torch.inference_mode(False)  # kept for later calls, which may need gradients
def _cosines(n: int) -> Tensor:
    """The orthonormal cosine transform (type II), [n, n]; column k is the kth cosine."""
    place, order = torch.arange(n, dtype=torch.float64)[:, None] + 0.5, torch.arange(n, dtype=torch.float64)
    basis = torch.cos(math.pi / n * place * order) * math.sqrt(2 / n)
    basis[:, 0] /= math.sqrt(2)
    return basis.float()
