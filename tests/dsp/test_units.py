from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from retimbre.dsp import units

RATES = (8000, 11025, 16000, 22050, 44100, 48000, 96000)
rates = pytest.mark.parametrize("sample_rate", RATES)


def test_midi_of_known_notes():
    f0_hz = torch.tensor([440.0, 261.6255653, 27.5, 4186.009045], dtype=torch.float64)
    torch.testing.assert_close(units.hz_to_midi(f0_hz), torch.tensor([69.0, 60, 21, 108], dtype=torch.float64))
    torch.testing.assert_close(units.midi_to_hz(units.hz_to_midi(f0_hz)), f0_hz)


def test_no_pitch_is_midi_0_with_no_gradient():
    f0_hz = torch.zeros(1, requires_grad=True)
    midi = units.hz_to_midi(f0_hz)
    midi.backward()
    assert abs(midi.item()) < 1e-5 and f0_hz.grad.item() == 0


def test_levels_round_trip_and_stop_at_the_floor():
    level_db = torch.tensor([-90.0, -20.0, 0.0, 6.0], dtype=torch.float64)
    torch.testing.assert_close(units.amplitude_to_db(units.db_to_amplitude(level_db)), level_db)
    torch.testing.assert_close(units.power_to_db(units.db_to_power(level_db)), level_db)
    assert units.amplitude_to_db(torch.tensor(-0.1)).item() == pytest.approx(-20)
    assert units.amplitude_to_db(torch.zeros(()), floor_db=-80.0).item() == pytest.approx(-80)
    assert units.power_to_db(torch.zeros(())).item() == pytest.approx(-100)


def test_exp_sigmoid_is_the_closed_form_with_a_live_gradient():
    x = np.linspace(-12, 12, 49)
    expected = 2 * (1 / (1 + np.exp(-x))) ** np.log(10) + 1e-7
    np.testing.assert_allclose(units.exp_sigmoid(torch.from_numpy(x)).numpy(), expected, rtol=1e-12)
    low = torch.tensor(-30.0, requires_grad=True)
    units.exp_sigmoid(low).backward()
    assert low.grad.item() == pytest.approx(2 * np.log(10) * np.exp(-30 * np.log(10)), rel=1e-4)


@rates
@settings(max_examples=30, derandomize=True)
@given(first=st.integers(0, 10**9))
def test_grid_is_exact_however_long_the_stream(sample_rate, first):
    step = Fraction(sample_rate, 200)
    starts = [ceil((first + i) * step) for i in range(5)]
    assert units.interval_starts(first, 4, sample_rate).tolist() == starts
    assert [units.interval_start(first + i, sample_rate) for i in range(5)] == starts

    interval, w = units.place_in_grid(starts[0], starts[-1] - starts[0], sample_rate)
    positions = [Fraction(200 * n, sample_rate) for n in range(starts[0], starts[-1])]
    assert interval.tolist() == [floor(p) for p in positions]
    np.testing.assert_allclose(w.numpy(), [float(p - floor(p)) for p in positions], rtol=0, atol=1e-15)

    grid = units.interval_grid(first, 4, sample_rate)
    torch.testing.assert_close(units.join_intervals(grid.weight, grid), w, rtol=0, atol=0)
    assert grid.sample.flatten()[grid.slot].tolist() == list(range(grid.n_samples))


@rates
def test_frames_and_samples_count_each_other(sample_rate):
    for n_samples in (0, 1, 220, 221, 441, 48000, 123457):
        n_frames = units.frames_for_samples(n_samples, sample_rate)
        assert n_frames == ceil(Fraction(200 * n_samples, sample_rate)) + 1
        assert units.samples_for_frames(n_frames, sample_rate) >= n_samples
        assert n_samples == 0 or units.samples_for_frames(n_frames - 2, sample_rate) < n_samples


def test_intervals_before_the_stream():
    assert units.interval_start(-1, 44100) == -220
    assert units.interval_starts(-1, 2, 44100).tolist() == [-220, 0, 221]


def test_splitting_and_joining_is_lossless_and_pads_with_silence():
    grid = units.interval_grid(7, 5, 44100)
    samples = torch.arange(1.0, grid.n_samples + 1).expand(2, -1)
    slots = units.split_intervals(samples, grid)
    assert torch.equal(units.join_intervals(slots, grid), samples)
    assert slots.sum() == samples.sum()
