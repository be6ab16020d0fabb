"""Differentiable sound synthesis and analysis in PyTorch, usable without the rest of retimbre (it imports only torch).

- `units`: pitch, level, and the grid of 200 control frames a second.
- `oscillators`: harmonics of one fundamental, exactly (`sine_bank`) and fast (`harmonic_oscillator`).
- `noise`: white noise shaped frame by frame.
- `filters`: convolution offline, in blocks, and with a response that changes every frame.
- `reverbs`: trainable rooms.
- `loudness`: the A curve, and loudness on the frame grid.
- `spectra`: spectrogram magnitudes with a fast gradient.
- `cepstra`: the shape of a spectrum in few numbers.
- `losses`: the multi-scale spectral loss.

Everything with memory is ``f(..., state=None) -> (audio, state)``: None starts a stream, one call is offline, and any
split into blocks gives the same sound and the same gradients. Randomness is an argument.
"""

from retimbre.dsp.cepstra import mfcc
from retimbre.dsp.filters import (
    FirState,
    fft_convolve,
    interpolation_matrix,
    linear_phase_fir,
    stream_convolve,
    time_varying_fir,
)
from retimbre.dsp.losses import N_FFTS, multi_scale_spectral_loss, random_resolutions, spectral_magnitudes
from retimbre.dsp.loudness import LOUDNESS_FLOOR_DB, a_weighted_loudness, a_weighting_db
from retimbre.dsp.noise import NoiseState, filtered_noise, noise_length, white_noise
from retimbre.dsp.oscillators import OscillatorState, harmonic_oscillator, sine_bank
from retimbre.dsp.reverbs import DecayReverb, ImpulseResponseReverb, decaying_noise
from retimbre.dsp.spectra import stft_magnitude
from retimbre.dsp.units import (
    FRAME_RATE,
    IntervalGrid,
    amplitude_to_db,
    db_to_amplitude,
    db_to_power,
    exp_sigmoid,
    frames_for_samples,
    hz_to_midi,
    interval_grid,
    interval_start,
    interval_starts,
    join_intervals,
    midi_to_hz,
    place_in_grid,
    power_to_db,
    samples_for_frames,
    split_intervals,
)

__all__ = [
    "FRAME_RATE",
    "LOUDNESS_FLOOR_DB",
    "N_FFTS",
    "DecayReverb",
    "FirState",
    "ImpulseResponseReverb",
    "IntervalGrid",
    "NoiseState",
    "OscillatorState",
    "a_weighted_loudness",
    "a_weighting_db",
    "amplitude_to_db",
    "db_to_amplitude",
    "db_to_power",
    "decaying_noise",
    "exp_sigmoid",
    "fft_convolve",
    "filtered_noise",
    "frames_for_samples",
    "harmonic_oscillator",
    "hz_to_midi",
    "interpolation_matrix",
    "interval_grid",
    "interval_start",
    "interval_starts",
    "join_intervals",
    "linear_phase_fir",
    "mfcc",
    "midi_to_hz",
    "multi_scale_spectral_loss",
    "noise_length",
    "place_in_grid",
    "power_to_db",
    "random_resolutions",
    "samples_for_frames",
    "sine_bank",
    "spectral_magnitudes",
    "split_intervals",
    "stft_magnitude",
    "stream_convolve",
    "time_varying_fir",
    "white_noise",
]
