import pytest
import torch
from contract import check_contract, cuts
from hypothesis import given, settings

from retimbre.dsp import (
    DecayReverb,
    ImpulseResponseReverb,
    filtered_noise,
    harmonic_oscillator,
    interval_start,
    noise_length,
    samples_for_frames,
    sine_bank,
    stream_convolve,
    time_varying_fir,
    white_noise,
)
from retimbre.rooms.bands import band_noise

FRAMES = 24
RATES = (48000, 44100)
rates = pytest.mark.parametrize("sample_rate", RATES)
examples = settings(max_examples=6, deadline=None, derandomize=True)


def seeded(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("oscillator", (harmonic_oscillator, sine_bank))
@rates
@given(cuts=cuts(FRAMES))
@examples
def test_oscillator(oscillator, sample_rate, cuts):
    f0_hz = (300 + 2000 * seeded(2, FRAMES)).requires_grad_()
    amplitudes = seeded(2, FRAMES, 12).requires_grad_()

    def process(start, stop, state):
        return oscillator(f0_hz[:, start:stop], amplitudes[:, start:stop], sample_rate, state)

    check_contract(process, FRAMES, cuts, [f0_hz, amplitudes])


@rates
@given(cuts=cuts(FRAMES))
@examples
def test_noise(sample_rate, cuts):
    magnitudes = seeded(2, FRAMES, 9).requires_grad_()
    noise = white_noise(2, FRAMES, sample_rate, torch.Generator().manual_seed(1)).requires_grad_()
    band_hz = torch.linspace(100, 20000, 9)

    def process(start, stop, state):
        return filtered_noise(magnitudes[:, start:stop], band_hz, noise[:, start:stop], sample_rate, state)

    check_contract(process, FRAMES, cuts, [magnitudes, noise])


@rates
@pytest.mark.parametrize("n_taps", (1, 90, 700))  # shorter and longer than an interval
@given(cuts=cuts(FRAMES))
@examples
def test_time_varying_fir(sample_rate, n_taps, cuts):
    audio = (seeded(2, samples_for_frames(FRAMES, sample_rate)) - 0.5).requires_grad_()
    responses = (seeded(2, FRAMES, n_taps) - 0.5).requires_grad_()

    def process(start, stop, state):
        block = slice(interval_start(max(start - 1, 0), sample_rate), interval_start(stop - 1, sample_rate))
        return time_varying_fir(audio[:, block], responses[:, start:stop], sample_rate, state)

    check_contract(process, FRAMES, cuts, [audio, responses])


@given(cuts=cuts(500))
@examples
def test_stream_convolve(cuts):
    audio = (seeded(2, 500) - 0.5).requires_grad_()
    response = (seeded(2, 130) - 0.5).requires_grad_()
    check_contract(lambda i, j, tail: stream_convolve(audio[:, i:j], response, tail), 500, cuts, [audio, response])


@rates
@pytest.mark.parametrize("kind", ("impulse response", "decay"))
@given(cuts=cuts(900))
@examples
def test_reverb(sample_rate, kind, cuts):
    if kind == "decay":
        reverb = DecayReverb(
            torch.from_numpy(band_noise(319, (500.0, 2000.0), 0, sample_rate)), sample_rate, decay_s=0.01
        )
    else:
        reverb = ImpulseResponseReverb(400, sample_rate, decay_s=0.01)
        reverb.wet.data.copy_(seeded(399) - 0.5)
    audio = (seeded(2, 900) - 0.5).requires_grad_()
    leaves = [audio, *reverb.parameters()]
    check_contract(lambda i, j, tail: reverb(audio[:, i:j], tail), 900, cuts, leaves)


def test_contract_catches_a_forgotten_state():
    amplitudes = seeded(1, FRAMES, 3)
    f0_hz = 300 + seeded(1, FRAMES)

    def without_phase(start, stop, state):
        if state is not None:
            state = state._replace(phase=torch.zeros_like(state.phase))
        return harmonic_oscillator(f0_hz[:, start:stop], amplitudes[:, start:stop], 48000, state)

    with pytest.raises(AssertionError, match="sound"):
        check_contract(without_phase, FRAMES, [5, 11])


def test_noise_numbers_at_common_rates():
    expected = {16000: 256, 22050: 256, 44100: 512, 48000: 512, 96000: 1024}
    assert {rate: noise_length(rate) for rate in expected} == expected
