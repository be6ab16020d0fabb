"""What the spectrum says directly: the amplitude of each harmonic, and the noise between them.

These are not the synthesiser's best parameters, but close, and found without synthesis: a network that starts from
them has the spectral loss left for the rest (spectral modelling: Serra and Smith, 1990).
"""

from __future__ import annotations

import torch
from torch import Tensor

N_FFT = 4096
"""85 ms at 48 kHz: resolves harmonics down to 47 Hz. Below about 200 Hz some of their side lobes count as noise."""

_LOBE = 6.0  # bins beside a harmonic that its window fills (down to -60 dB), as far as there is room between two


def harmonics_and_noise(
    audio: Tensor, f0_hz: Tensor, n_harmonics: int, noise_band_hz: Tensor, sample_rate: int
) -> tuple[Tensor, Tensor]:
    """Measure harmonic amplitudes and noise magnitudes at each frame.

    Args:
        audio: [clips, hop frames], at a rate where the hop is a whole number of samples.
        f0_hz: [clips, frames + 1], the frames between them included at both ends.
        n_harmonics: harmonics 1 to n are measured.
        noise_band_hz: frequencies of the noise bands, [bands].
        sample_rate: in Hz.

    Returns:
        Linear harmonic amplitudes [clips, frames + 1, n_harmonics], 0 above Nyquist; noise magnitudes
        [clips, frames + 1, bands] in the units of `retimbre.dsp.filtered_noise`.
    """
    hop = audio.shape[1] // (f0_hz.shape[1] - 1)
    padded = torch.nn.functional.pad(audio, (N_FFT // 2, N_FFT // 2))
    window = torch.hann_window(N_FFT, dtype=audio.dtype)
    spectrum = torch.fft.rfft(padded.unfold(1, N_FFT, hop) * window).abs()  # [clips, frames + 1, bins]
    bins = spectrum.shape[-1]

    # A harmonic: the highest bin within 1.5 of where it should be.
    order = torch.arange(1, n_harmonics + 1)
    place = f0_hz[..., None] * order * (N_FFT / sample_rate)
    below = place < bins - 4
    near = (place.round().long()[..., None] + torch.arange(-1, 2)).clamp(0, bins - 1)
    peak = spectrum.gather(2, near.flatten(2)).view(near.shape).amax(-1)
    harmonics = peak * (2 / window.sum()) * below

    # The noise: mean power of the bins outside every harmonic's main lobe, around each band.
    frequency = torch.arange(bins) * (sample_rate / N_FFT)
    ratio = frequency / f0_hz.clamp(min=1)[..., None]
    lobe = (_LOBE * sample_rate / N_FFT / f0_hz.clamp(min=1)).clamp(max=0.35)
    free = ((ratio - ratio.round()).abs() > lobe[..., None]) | (ratio > n_harmonics + 0.5)
    member = _members(frequency, noise_band_hz)
    power, count = (spectrum.square() * free) @ member, free.to(spectrum.dtype) @ member
    mean = power / count.clamp(min=1)
    # Bands without a free bin take the quietest neighbour: noise is broad.
    for shift in range(1, 6):
        known = torch.where(count > 0, mean, torch.inf)
        other = torch.minimum(torch.roll(known, shift, -1), torch.roll(known, -shift, -1))
        mean = torch.where((count == 0) & other.isfinite() & (mean == 0), other, mean)
    return harmonics, (mean / window.square().sum()).sqrt()


def _members(frequency: Tensor, band_hz: Tensor) -> Tensor:
    """Which bins belong to which band: from half way to the band below to half way to the one above."""
    middle = (band_hz[1:] + band_hz[:-1]) / 2
    lower = torch.cat([band_hz[:1], middle]) - 30  # narrow bands need a bin or two as well
    upper = torch.cat([middle, band_hz[-1:] + 1]) + 30
    return ((frequency[:, None] >= lower) & (frequency[:, None] < upper)).to(torch.float32)
