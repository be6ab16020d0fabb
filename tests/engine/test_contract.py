"""Cutting a stream into blocks changes not one bit, and latency is what is declared."""

import math
from fractions import Fraction

import numpy as np
import pytest
from contract import check_contract
from hypothesis import given, settings

from retimbre.engine import FRAME_RATE, Analyzer, Decoder, Resampler, Synth, n_frames, n_samples
from tests.engine.signals import NETWORK, block_cuts, melody, random_weights, wandering_controls

RATES = (8000, 16000, 22050, 44100, 48000, 96000, 192000)
examples = settings(max_examples=5)
SECONDS, FRAMES = 0.75, 130


@pytest.mark.parametrize("lookahead", (True, False))
@pytest.mark.parametrize("sample_rate", RATES)
def test_analyzer(sample_rate, lookahead):
    audio = melody(sample_rate, SECONDS)

    def process(start, stop, state):
        state = state or Analyzer(sample_rate, lookahead)
        return state.process(audio[start:stop]).T, state

    @given(cuts=block_cuts(len(audio)))
    @examples
    def check(cuts):
        check_contract(process, len(audio), cuts, tolerance=0)

    check()


def decoder() -> Decoder:
    net = NETWORK
    scales = [60, 24, 108, -30, -55, -8]
    flat = np.concatenate([np.float32(scales), *(w.ravel() for w in random_weights().values())])
    return Decoder(flat, net.channels, net.layers, net.harmonics, net.bands, net.pitches)


@given(cuts=block_cuts(FRAMES))
@settings(max_examples=15)
def test_decoder(cuts):
    controls = wandering_controls(FRAMES)

    def process(start, stop, state):
        state = state or decoder()
        return state.process(controls[start:stop]).T, state

    check_contract(process, FRAMES, cuts, tolerance=0)


@pytest.mark.parametrize("given_noise", (True, False))
@pytest.mark.parametrize("sample_rate", RATES[1:])
def test_synth(sample_rate, given_noise):
    parameters = decoder().process(wandering_controls(FRAMES))
    # Upper harmonics that are loud in one frame and at -101 dB in the next two, as after a consonant.
    quiet = np.arange(FRAMES) % 3 > 0
    parameters[quiet, 1], parameters[quiet, 2:61] = 1, np.float32(0.9e-5)
    band_hz = np.float32(NETWORK.noise_band_hz)
    length = Synth(sample_rate, NETWORK.harmonics, band_hz).noise_length
    noise = np.random.default_rng(1).standard_normal((FRAMES, length)).astype(np.float32)

    def process(start, stop, state):
        state = state or Synth(sample_rate, NETWORK.harmonics, band_hz)
        return state.process(parameters[start:stop], seed=5, noise=noise[start:stop] if given_noise else None), state

    @given(cuts=block_cuts(FRAMES))
    @examples
    def check(cuts):
        check_contract(process, FRAMES, cuts, tolerance=0)

    check()


@pytest.mark.parametrize(
    "rates", ((44100, 48000), (48000, 16000), (8000, 48000), (96000, 44100), (192000, 8000), (47999, 48000))
)
def test_resampler(rates):
    audio = np.random.default_rng(2).uniform(-1, 1, rates[0] // 5).astype(np.float32)

    def process(start, stop, state):
        state = state or Resampler(*rates)
        out = state.process(audio[start:stop])
        return (np.concatenate([out, state.flush()]) if stop == len(audio) else out), state

    @given(cuts=block_cuts(len(audio)))
    @examples
    def check(cuts):
        check_contract(process, len(audio), cuts, tolerance=0)

    check()


@pytest.mark.parametrize("sample_rate", (8000, 44100, 192000))
@pytest.mark.parametrize("lookahead", (True, False))
def test_latency_is_what_is_declared(sample_rate, lookahead):
    """Frame i is out once the audio up to its instant, the latency and the resampler's reach (2.2 ms) are in."""
    analyzer, frames, latest = Analyzer(sample_rate, lookahead), 0, 0.0
    audio, step = melody(sample_rate, 1.5), sample_rate // 1000
    for at in range(0, len(audio), step):
        heard_s = min(at + step, len(audio)) / sample_rate
        new = len(analyzer.process(audio[at : at + step]))
        if new and at:
            latest = max(latest, heard_s - frames / FRAME_RATE)
        frames += new
    declared = Analyzer.LATENCY_FRAMES / FRAME_RATE if lookahead else 0
    assert latest <= declared + 0.0032  # and the millisecond of a block
    assert latest >= declared - 1.5 / FRAME_RATE, "declares more than it needs"


@pytest.mark.parametrize("lookahead", (True, False))
def test_a_frame_does_not_depend_on_what_comes_after_it(lookahead):
    """Live: nothing after its instant. Offline: nothing after its latency."""
    sample_rate = 16000
    audio = melody(sample_rate, 1.6)
    other, at = audio.copy(), 16000
    other[at:] = np.random.default_rng(0).uniform(-1, 1, len(audio) - at)
    first, second = (Analyzer(sample_rate, lookahead).process(x) for x in (audio, other))
    same = at * FRAME_RATE // sample_rate + 1 - (Analyzer.LATENCY_FRAMES if lookahead else 0)
    np.testing.assert_array_equal(first[:same], second[:same])
    assert not np.array_equal(first[same : same + 100], second[same : same + 100])


@pytest.mark.parametrize("sample_rate", (16000, 22050, 44100, 47999, 192000))
def test_lengths_follow_the_definition(sample_rate):
    """ceil((F - 1) sr / 200) samples of F frames, as fractions."""
    band_hz = np.float32([0, 1000])
    synth, made = Synth(sample_rate, 2, band_hz), 0
    for frames in range(1, 140):
        made += len(synth.process(np.zeros((1, 5), np.float32)))
        exact = math.ceil(Fraction((frames - 1) * sample_rate, 200))
        assert made == n_samples(frames, sample_rate) == exact, f"{frames} frames"
    for samples in (1, 79, 80, 81, 4410, 48000):
        assert n_frames(samples, sample_rate) == math.ceil(Fraction(200 * samples, sample_rate)) + 1
