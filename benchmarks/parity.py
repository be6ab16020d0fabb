"""Does the engine play what was trained? The same numbers into C and into PyTorch."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.report import Cell, Options, Section, Table, at_most
from benchmarks.signals import singing
from retimbre.analysis import analyze
from retimbre.dsp import filtered_noise, harmonic_oscillator, noise_length
from retimbre.engine import Floats, Synth
from retimbre.instrument import load
from retimbre.training.decoder import Decoder
from retimbre.training.model import render
from retimbre.transfer import adjust

METHOD = (
    "Power of the difference between the engine's sound and PyTorch's relative to the sound: the cello's weights, the "
    "controls of a synthetic voice, the same white numbers."
)


def difference_db(actual: Floats, expected: Floats) -> float:
    """Power of the difference relative to the expected signal."""
    error = np.mean(np.square(actual.astype(np.float64) - expected))
    return float(10 * np.log10(error / np.mean(np.square(expected, dtype=np.float64)) + 1e-30))


def run(options: Options) -> Section:
    """Compare decoder, harmonics, noise, and all of it."""
    cello = load("cello")
    controls, _ = adjust(analyze(singing(2 if options.quick else 20, 48_000), 48_000), cello)
    curves = np.stack([controls.f0_hz, controls.periodicity, controls.loudness_db], axis=1)
    decoder = Decoder(cello.network)
    decoder.load(cello.weights)
    params = cello.decode(controls)
    band_hz = torch.from_numpy(cello.noise_band_hz)
    f0_hz, amplitudes, magnitudes = (
        torch.from_numpy(part)[None] for part in (params.f0_hz, params.harmonic_amplitudes, params.noise_magnitudes)
    )
    rows: list[list[Cell]] = []
    with torch.inference_mode():
        harmonics, noises, _ = decoder(torch.from_numpy(curves)[None])
        decoded = np.concatenate([harmonics[0].numpy(), noises[0].numpy()], axis=1)
        decoding = difference_db(params.rows()[:, 1:], decoded)
        for rate in (16_000, 44_100, 48_000, 96_000):
            shape = (len(controls), noise_length(rate))
            white = np.random.default_rng(rate).standard_normal(shape, dtype=np.float32)

            def engine(harmonic_gain: float, noise_gain: float, rate: int = rate, white: Floats = white) -> Floats:
                synth = Synth(rate, cello.network.harmonics, cello.noise_band_hz)
                return synth.process(params.rows(), noise=white, harmonic_gain=harmonic_gain, noise_gain=noise_gain)

            noise = torch.from_numpy(white)[None]
            tone, _ = harmonic_oscillator(f0_hz, amplitudes, rate)
            breath, _ = filtered_noise(magnitudes, band_hz, noise, rate)
            whole = render(decoder, torch.from_numpy(curves)[None], noise, rate)
            pairs = ((engine(1, 0), tone), (engine(0, 1), breath), (engine(1, 1), whole))
            rows.append([rate, decoding, *(difference_db(ours, theirs[0].numpy()) for ours, theirs in pairs)])
    goals = [
        at_most(f"engine against PyTorch at {row[0]} Hz", float(row[-1] or 0), -80, ".1f", "dB")
        for row in rows
        if row[0] in (44_100, 48_000)
    ]
    decibels = ("decoder, dB", "harmonics, dB", "noise, dB", "controls to sound, dB")
    columns = {"sample rate, Hz": "", **dict.fromkeys(decibels, ".1f")}
    return Section("Engine against PyTorch", METHOD, [Table("Difference", columns, rows)], goals)
