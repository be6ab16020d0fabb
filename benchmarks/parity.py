"""Does the engine play what was trained? The same numbers into C and into PyTorch."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.report import Cell, Options, Section, Table, at_most
from benchmarks.signals import singing
from retimbre.analysis import analyze
from retimbre.dsp import filtered_noise, harmonic_oscillator, noise_length
from retimbre.engine import Floats, Synth
from retimbre.instrument import SynthParams, load
from retimbre.training.decoder import Decoder
from retimbre.training.model import render
from retimbre.transfer import adjust

METHOD = (
    "Power of the difference between the engine's sound and PyTorch's, relative to the sound: same weights (of a "
    "shipped instrument), same controls (of a synthetic voice), same white numbers."
)


def difference_db(actual: Floats, expected: Floats) -> float:
    """Power of the difference relative to the expected signal."""
    error = np.mean(np.square(actual.astype(np.float64) - expected))
    return float(10 * np.log10(error / np.mean(np.square(expected, dtype=np.float64)) + 1e-30))


def run(options: Options) -> Section:
    """Compare decoder, harmonics, noise, and all of it."""
    instrument = load(options.to)
    controls, _ = adjust(analyze(singing(2 if options.quick else 20, 48_000), 48_000), instrument)
    curves = np.stack([controls.f0_hz, controls.periodicity, controls.loudness_db], axis=1)
    decoder = Decoder(instrument.network)
    decoder.load(instrument.weights)
    params = instrument.decode(controls)
    with torch.inference_mode():
        decoded = torch.cat(decoder(torch.from_numpy(curves)[None])[:2], dim=2)[0].numpy()
        decoding = difference_db(params.rows()[:, 1:], decoded)
        rates = (16_000, 44_100, 48_000, 96_000)
        rows: list[list[Cell]] = [[rate, decoding, *at_rate(rate, params, decoder, curves)] for rate in rates]
    goals = [
        at_most(f"engine against PyTorch at {row[0]} Hz", float(row[-1] or 0), -80, ".1f", "dB")
        for row in rows
        if row[0] in (44_100, 48_000)
    ]
    decibels = ("decoder, dB", "harmonics, dB", "noise, dB", "controls to sound, dB")
    columns = {"sample rate, Hz": "d", **dict.fromkeys(decibels, ".1f")}
    return Section("Engine against PyTorch", METHOD, [Table("Difference", columns, rows)], goals)


def at_rate(rate: int, params: SynthParams, decoder: Decoder, curves: Floats) -> list[float]:
    """Differences in dB of the harmonics, of the noise, and of the sound made from the controls."""
    shape = (len(curves), noise_length(rate))
    white = np.random.default_rng(rate).standard_normal(shape, dtype=np.float32)
    parts = (params.f0_hz, params.harmonic_amplitudes, params.noise_magnitudes, white)
    f0_hz, amplitudes, magnitudes, noise = (torch.from_numpy(part)[None] for part in parts)
    tone, _ = harmonic_oscillator(f0_hz, amplitudes, rate)
    breath, _ = filtered_noise(magnitudes, torch.from_numpy(params.noise_band_hz), noise, rate)
    sound = render(decoder, torch.from_numpy(curves)[None], noise, rate)
    differences = []
    for harmonic_gain, noise_gain, expected in ((1, 0, tone), (0, 1, breath), (1, 1, sound)):
        synth = Synth(rate, params.harmonic_amplitudes.shape[1], params.noise_band_hz)
        actual = synth.process(params.rows(), noise=white, harmonic_gain=harmonic_gain, noise_gain=noise_gain)
        differences.append(difference_db(actual, expected[0].numpy()))
    return differences
