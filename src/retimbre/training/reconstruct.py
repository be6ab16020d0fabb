"""One recording played again from its own controls, and how far the two are apart, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from retimbre.dsp import a_weighted_loudness, multi_scale_spectral_loss
from retimbre.dsp.spectra import stft_magnitude
from retimbre.engine import FRAME_RATE, Convolver, Floats, Synth
from retimbre.instrument import Instrument
from retimbre.training import independent
from retimbre.training.measure import harmonics_and_noise
from retimbre.training.recording import HOP, SAMPLE_RATE, Recording
from retimbre.training.sessions import learned_room
from retimbre.training.timbre import FRAME_STEP, Envelopes, envelopes

LSD_RANGE_DB = 60.0
"""Of the log-spectral distance, below the loudest bin of each frame."""

_N_FFT = 2048
_PIECE = 3000  # frames of 20 ms whose harmonics are measured at once


@dataclass(frozen=True, eq=False)
class Heard:
    """What was measured of a recording and its reconstruction, over the frames that sound and have a pitch.

    Attributes:
        samples: length of the recording.
        spectral_loss: multi-scale, of all of it.
        log_spectral_distance_db: [frames of the spectrum].
        cents: from the recording's pitch to the reconstruction's, where the judge hears both, [frames of the judge].
        judged: frames in which the judge hears a pitch in the recording.
        loudness_error_db: reconstruction less recording, [frames].
        harmonic_to_noise_db: of recording and reconstruction, [2, frames].
        energy: of the dry reconstruction's harmonics, and of its noise.
        recorded, played: the envelopes of both.
    """

    samples: int
    spectral_loss: float
    log_spectral_distance_db: np.ndarray
    cents: np.ndarray
    judged: int
    loudness_error_db: np.ndarray
    harmonic_to_noise_db: np.ndarray
    energy: tuple[float, float]
    recorded: Envelopes
    played: Envelopes


def reconstruct(instrument: Instrument, recording: Recording) -> tuple[Floats, Floats]:
    """Play a recording's controls as they are: the dry sound, and its harmonics alone, both [samples] at 48 kHz."""
    sound = instrument.play(recording.controls, SAMPLE_RATE)
    synth = Synth(SAMPLE_RATE, instrument.network.harmonics, instrument.noise_band_hz)
    return sound, synth.process(instrument.decode(recording.controls).rows(), noise_gain=0)


def in_its_room(instrument: Instrument, recording: Recording, dry: Floats) -> Floats:
    """What the recording would have been of a dry sound, [samples]: heard in the same room, if it has one."""
    room = learned_room(instrument, recording)
    return Convolver(room.to_rir(SAMPLE_RATE)).process(dry) if room else dry


def listen(instrument: Instrument, recording: Recording) -> Heard:
    """Play a recording again, in its room, and measure."""
    dry, tone = reconstruct(instrument, recording)
    played = in_its_room(instrument, recording, dry)
    recorded, controls = recording.audio, recording.controls
    chosen = controls.voiced & recording.sounding
    pair = torch.from_numpy(np.stack([recorded, played]))
    cents, judged = _pitch(recorded, played, chosen)
    loudness = a_weighted_loudness(pair, SAMPLE_RATE).numpy()[:, chosen]
    inside = np.repeat(chosen[:-1], HOP)
    return Heard(
        len(recorded),
        float(multi_scale_spectral_loss(pair[1], pair[0])),
        log_spectral_distance_db(pair[1], pair[0], recording.sounding),
        cents,
        judged,
        loudness[1] - loudness[0],
        np.stack([_harmonic_to_noise_db(sound, controls.f0_hz, chosen) for sound in (recorded, played)]),
        (_energy(tone[inside]), _energy(dry[inside] - tone[inside])),
        *(envelopes(sound, SAMPLE_RATE, controls, chosen) for sound in (recorded, played)),
    )


def _energy(sound: Floats) -> float:
    return float(np.sum(np.square(sound), dtype=np.float64))


def timbres(instrument: Instrument, recording: Recording) -> tuple[Envelopes, Envelopes]:
    """The envelopes of a recording and of its reconstruction, in its room."""
    played = in_its_room(instrument, recording, reconstruct(instrument, recording)[0])
    controls, chosen = recording.controls, recording.controls.voiced & recording.sounding
    recorded, ours = (envelopes(sound, SAMPLE_RATE, controls, chosen) for sound in (recording.audio, played))
    return recorded, ours


def log_spectral_distance_db(estimate: torch.Tensor, target: torch.Tensor, sounding: np.ndarray) -> np.ndarray:
    """Root mean square over frequency of the difference of two spectra in dB (Gray and Markel 1976), [spectra].

    Both are raised to `LSD_RANGE_DB` below the target's loudest bin, and bins where neither rises above that are left
    out: what is hardly heard does not count. Two noises of one spectrum are 7.9 dB apart, so that is what a perfect
    instrument has where it is noise.

    Args:
        estimate: audio [samples] at 48 kHz.
        target: audio [samples].
        sounding: control frames that count, [frames].
    """
    ours, theirs = (stft_magnitude(sound, _N_FFT).clamp_min(1e-10) for sound in (estimate, target))
    floor = theirs.amax(-1, keepdim=True) * 10 ** (-LSD_RANGE_DB / 20)
    gap_db = 20 * (torch.maximum(ours, floor) / torch.maximum(theirs, floor)).log10()
    heard = (torch.maximum(ours, theirs) > floor).sum(-1).clamp_min(1)
    centre = (np.arange(len(gap_db)) * (_N_FFT // 4) + _N_FFT // 2) // HOP
    return (gap_db.square().sum(-1) / heard).sqrt().numpy()[sounding[np.minimum(centre, len(sounding) - 1)]]


def _pitch(recorded: Floats, played: Floats, chosen: np.ndarray) -> tuple[np.ndarray, int]:
    """Cents where the judge hears a pitch in both, and in how many frames it does in the recording."""
    theirs, ours = (independent.pitch(sound, SAMPLE_RATE) for sound in (recorded, played))
    frame = np.round(np.arange(len(theirs.f0_hz)) * independent.HOP_S * FRAME_RATE).astype(int)
    judged = theirs.voiced & chosen[np.minimum(frame, len(chosen) - 1)]
    both = judged & ours.voiced
    return 1200 * np.log2(ours.f0_hz[both] / theirs.f0_hz[both]), int(judged.sum())


def _harmonic_to_noise_db(sound: Floats, f0_hz: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Power of the harmonics over that of the noise between and under them, every 20 ms, [frames]."""
    band_hz = torch.linspace(0, SAMPLE_RATE / 2, 49)
    hop, balance = FRAME_STEP * HOP, []
    for at in range(0, len(sound) // hop, _PIECE):
        part = sound[at * hop : (at + _PIECE) * hop]
        frames = slice(FRAME_STEP * at, FRAME_STEP * (at + len(part) // hop) + 1, FRAME_STEP)
        tones, noise = harmonics_and_noise(
            torch.from_numpy(part[: len(part) // hop * hop])[None],
            torch.from_numpy(f0_hz[frames])[None],
            200,
            band_hz,
            SAMPLE_RATE,
        )
        power, breath = tones[0].square().sum(-1) / 2, torch.trapezoid(noise[0].square(), dx=1 / 48)
        balance.append((10 * torch.log10((power + 1e-12) / (breath + 1e-12))).numpy()[chosen[frames]])
    return np.concatenate(balance)
