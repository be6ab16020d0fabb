import numpy as np
import pytest
import scipy.signal
import torch

from retimbre.dsp import DecayReverb, ImpulseResponseReverb, multi_scale_spectral_loss
from retimbre.rooms.bands import band_noise

BANDS_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)


def decay_reverb(sample_rate: int, length_s: float = 1.0, band_hz=BANDS_HZ, seed: int = 0, **changes) -> DecayReverb:
    noise = band_noise(round(length_s * sample_rate) - 1, band_hz, seed, sample_rate)
    return DecayReverb(torch.from_numpy(noise), sample_rate, **changes)


def click(n_samples: int) -> torch.Tensor:
    audio = torch.zeros(1, n_samples)
    audio[0, 0] = 1
    return audio


@pytest.mark.parametrize("make", (lambda: ImpulseResponseReverb(800, 16000), lambda: decay_reverb(16000, 0.05)))
def test_a_click_comes_back_as_itself_then_the_room(make):
    reverb = make()
    with torch.no_grad():
        if isinstance(reverb, ImpulseResponseReverb):
            reverb.wet.normal_(generator=torch.Generator().manual_seed(0))
        out, tail = reverb(click(300))
    room = reverb.impulse_response().detach()
    assert room[0] == 0
    everything = torch.cat([out, tail], dim=1)[0]
    torch.testing.assert_close(everything[: len(room)], room + click(len(room))[0], rtol=0, atol=1e-5)
    assert everything[len(room) :].abs().max() < 1e-5


def test_an_untrained_room_is_no_room():
    audio = torch.randn(1, 500, generator=torch.Generator().manual_seed(0))
    out, tail = ImpulseResponseReverb(100, 48000)(audio)
    torch.testing.assert_close(out, audio)
    assert not tail.any()


def test_the_envelope_makes_late_samples_dear():
    reverb = ImpulseResponseReverb(4801, 48000, decay_s=0.1)
    reverb.wet.data.fill_(1.0)
    response = reverb.impulse_response()
    assert response[4800].item() == pytest.approx(1e-3, rel=1e-3)  # -60 dB at 0.1 s
    assert response[2400].item() == pytest.approx(10**-1.5, rel=1e-3)


def test_bands_decay_in_the_time_they_claim():
    reverb = decay_reverb(16000, length_s=1.5, band_hz=(2000.0, 5000.0), seed=4)
    reverb.log_decay_s.data.copy_(torch.tensor([1.2, 0.4]).log())
    response = reverb.impulse_response().detach().double().numpy()
    for (low_hz, high_hz), decay_s in (((100, 1900), 1.2), ((5200, 7500), 0.4)):
        band = scipy.signal.sosfilt(scipy.signal.butter(6, (low_hz, high_hz), "band", fs=16000, output="sos"), response)
        energy_db = 10 * np.log10(np.cumsum(band[::-1] ** 2)[::-1])  # Schroeder's backward integral
        energy_db -= energy_db[0]
        t = np.arange(len(band)) / 16000
        fit = (energy_db < -5) & (energy_db > -35)
        assert -60 / np.polyfit(t[fit], energy_db[fit], 1)[0] == pytest.approx(decay_s, rel=0.08)


@pytest.mark.parametrize("sample_rate", (16000, 48000))
def test_level_is_that_of_the_answer_relative_to_the_direct_sound(sample_rate):
    reverb = decay_reverb(sample_rate, length_s=1.0, decay_s=0.5, wet_level_db=-15.0)
    response = reverb.impulse_response().detach().numpy()
    gain = np.abs(np.fft.rfft(response)) ** 2
    assert 10 * np.log10(gain.mean()) == pytest.approx(-15, abs=0.3)


def test_the_same_seed_is_the_same_room():
    first, again, other = (decay_reverb(16000, 0.1, seed=seed).impulse_response() for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert abs(torch.corrcoef(torch.stack([first, other]))[0, 1]) < 0.2


def test_decay_and_level_are_learned_from_another_noise():
    target = decay_reverb(16000, 0.5, (1000.0,), decay_s=0.25, wet_level_db=-6.0, seed=1).impulse_response().detach()
    reverb = decay_reverb(16000, 0.5, (1000.0,), decay_s=0.8, wet_level_db=0.0, seed=2)
    rates = [{"params": [reverb.log_decay_s], "lr": 0.05}, {"params": [reverb.wet_level_db], "lr": 0.5}]
    optimizer = torch.optim.Adam(rates)
    for _ in range(120):
        optimizer.zero_grad()
        multi_scale_spectral_loss(reverb.impulse_response(), target, (256,)).backward()
        optimizer.step()
    assert reverb.decay_s.item() == pytest.approx(0.25, rel=0.1)
    assert reverb.wet_level_db.item() == pytest.approx(-6, abs=1)
