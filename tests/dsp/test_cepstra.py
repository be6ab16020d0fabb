import librosa
import numpy as np
import pytest
import torch

from retimbre.dsp import mfcc

RATE = 48_000


@pytest.fixture
def noise():
    """White noise that swells, through a resonance."""
    draw = np.random.default_rng(0).standard_normal(RATE) * np.linspace(0.01, 0.2, RATE)
    return torch.from_numpy(np.convolve(draw, [1, 0.9, 0.7, 0.2])[:RATE].astype(np.float32))


def test_they_are_those_of_librosa(noise):
    power = librosa.feature.melspectrogram(
        y=np.pad(noise.numpy(), (1024, 2048)),
        sr=RATE,
        n_fft=2048,
        hop_length=240,
        n_mels=80,
        fmin=20,
        fmax=20_000,
        htk=True,
        norm=None,
        center=False,
    )
    triangles = librosa.filters.mel(sr=RATE, n_fft=2048, n_mels=80, fmin=20, fmax=20_000, htk=True, norm=None)
    some = triangles.sum(1) > 0  # librosa leaves bands without a bin empty
    level = 10 * np.log10(power[some, :201] / triangles.sum(1)[some, None] / 512**2 + 1e-10)
    ours = mfcc(noise, RATE, 240, 80, 80)
    from scipy.fft import idct

    bands = idct(ours.numpy(), type=2, norm="ortho", axis=-1)[:, some]
    np.testing.assert_allclose(bands, level.T, atol=0.3)


def test_pitch_hardly_matters_and_timbre_does():
    t = torch.arange(RATE) / RATE

    def tone(f0_hz, slope):
        return sum(k**-slope * torch.sin(2 * torch.pi * k * f0_hz * t) for k in range(1, 40)) * 0.1

    def shape(sound):
        return mfcc(sound, RATE, 240, 13)[50:150, 1:].mean(0)

    pitch = (shape(tone(200.0, 1.0)) - shape(tone(212.0, 1.0))).norm()
    timbre = (shape(tone(200.0, 1.0)) - shape(tone(200.0, 2.0))).norm()
    assert timbre > 2 * pitch


def test_there_is_one_for_each_frame_and_silence_is_finite():
    assert mfcc(torch.zeros(2, 480), RATE, 240).shape == (2, 3, 30)
    assert torch.isfinite(mfcc(torch.zeros(480), RATE, 240)).all()
