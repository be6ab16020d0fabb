"""Make examples/whistle.flac: a tune and a whistler of the project's own, so that the demo owes nothing to anyone.

The tune was written for this file. The whistler is additive synthesis: a strong fundamental, two weak harmonics,
breath around the pitch and above it, glides between slurred notes, vibrato that grows in, and phrases that swell.
Run `python examples/make_examples.py`; the same seed gives the same file.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

Curve = NDArray[np.float64]

SAMPLE_RATE = 48_000
SEED = 7
BEAT_S = 0.64
LEAD_S = 0.45
SEMITONES = {"B5": 83, "D6": 86, "E6": 88, "F#6": 90, "G6": 91, "A6": 93, "B6": 95}  # MIDI numbers


class Note(NamedTuple):
    """One note: pitch name or "" for a rest, beats, whether it is slurred from the one before, level in dB."""

    name: str
    beats: float
    slurred: bool = False
    level_db: float = 0.0


TUNE = [
    # A question that climbs a fourth and steps back down, ...
    Note("B5", 0.5, level_db=-7),
    Note("D6", 0.5, slurred=True, level_db=-5),
    Note("E6", 1.0, slurred=True, level_db=-3),
    Note("F#6", 1.5, level_db=-2),
    Note("E6", 0.5, slurred=True, level_db=-5),
    Note("D6", 1.0, slurred=True, level_db=-7),
    Note("", 0.5),
    # ... the same asked from above, softly, ...
    Note("A6", 1.5, level_db=-6),
    Note("F#6", 0.5, slurred=True, level_db=-8),
    Note("G6", 0.5, level_db=-8),
    Note("E6", 1.5, slurred=True, level_db=-9),
    Note("", 0.5),
    # ... and the answer: a run to the top and a long way home.
    Note("D6", 0.5, level_db=-6),
    Note("E6", 0.5, level_db=-4),
    Note("F#6", 0.5, level_db=-3),
    Note("A6", 0.5, slurred=True, level_db=-1),
    Note("B6", 1.5, slurred=True, level_db=0),
    Note("A6", 0.5, slurred=True, level_db=-3),
    Note("F#6", 0.5, slurred=True, level_db=-5),
    Note("E6", 0.5, level_db=-6),
    Note("D6", 2.5, slurred=True, level_db=-5),
    Note("", 0.8),
]


def smooth(curve: Curve, seconds: float) -> Curve:
    """Blur with a raised-cosine window of the given length [samples] -> [samples]."""
    window = np.hanning(int(seconds * SAMPLE_RATE) | 1)
    padded = np.pad(curve, len(window) // 2, mode="edge")
    n_fft = 1 << int(np.ceil(np.log2(len(padded) + len(window))))
    product = np.fft.rfft(padded, n_fft) * np.fft.rfft(window / window.sum(), n_fft)
    return np.fft.irfft(product, n_fft)[len(window) - 1 :][: len(curve)]


def slow_noise(rng: np.random.Generator, n_samples: int, seconds: float) -> Curve:
    """Noise of unit variance that wanders over `seconds` [samples]."""
    curve = smooth(rng.standard_normal(n_samples), seconds)
    return curve / curve.std()


def score(rng: np.random.Generator) -> tuple[Curve, Curve, Curve]:
    """Turn the tune into curves: pitch in semitones, breath (0 to 1) and tone level (linear), all [samples]."""
    n_samples = int((LEAD_S + BEAT_S * sum(note.beats for note in TUNE)) * SAMPLE_RATE)
    time_s = np.arange(n_samples) / SAMPLE_RATE
    pitch = np.full(n_samples, float(SEMITONES[TUNE[0].name]))
    scoop, vibrato = np.zeros(n_samples), np.zeros(n_samples)
    breath, tone = np.zeros(n_samples), np.zeros(n_samples)
    # No two players' vibrato keeps time: the rate wanders around 5.5 a second.
    turns = np.cumsum(5.5 + 0.35 * slow_noise(rng, n_samples, 0.9)) / SAMPLE_RATE
    start_s = LEAD_S
    for index, note in enumerate(TUNE):
        stop_s = start_s + note.beats * BEAT_S
        follower = TUNE[index + 1] if index + 1 < len(TUNE) else Note("", 0)
        if note.name:
            begin_s = start_s + rng.normal(0, 0.008)
            end_s = stop_s - (0.0 if follower.slurred else 0.055)
            since_s = time_s - begin_s
            sounding = (since_s >= 0) & (time_s < end_s)
            level = 10 ** (note.level_db / 20)
            arch = 1 - 0.25 * np.cos(2 * np.pi * np.clip(since_s / (end_s - begin_s), 0, 1))
            # A tongued note is in place when it starts; a slurred one glides there.
            placed = since_s >= (0 if note.slurred else -0.06)
            pitch[placed] = SEMITONES[note.name]
            tone[sounding] = (level * arch)[sounding]
            # Breath comes before the tone speaks, and stays a little after it.
            breath[(since_s >= -0.045) & (time_s < end_s + 0.04)] = level
            if not note.slurred:
                scoop[placed] = -0.7 * np.exp(-np.maximum(since_s[placed], 0) / 0.035)
            growth = np.clip((since_s - 0.28) / 0.5, 0, 1) * (note.beats >= 1)
            vibrato[sounding] = (0.4 * growth * np.sin(2 * np.pi * turns))[sounding]
        start_s = stop_s
    drift = 0.04 * slow_noise(rng, n_samples, 0.35) + 0.012 * slow_noise(rng, n_samples, 0.03)
    pitch = smooth(pitch, 0.11) + smooth(scoop, 0.01) + smooth(vibrato, 0.05) + drift
    tremor = 1 + 0.04 * slow_noise(rng, n_samples, 0.08)
    return pitch, smooth(breath, 0.06), smooth(tone, 0.07) * tremor


def whistle(seed: int = SEED) -> Curve:
    """Whistle the tune.

    Args:
        seed: of everything that a player does not do twice the same.

    Returns:
        The audio [samples] at SAMPLE_RATE, with a peak of -3 dB.
    """
    rng = np.random.default_rng(seed)
    pitch, breath, tone = score(rng)
    n_samples = len(pitch)
    f0_hz = 440 * 2 ** ((pitch - 69) / 12)
    phase = 2 * np.pi * np.cumsum(f0_hz / SAMPLE_RATE)
    sound = tone * (np.sin(phase) + 0.02 * tone * np.sin(2 * phase + 0.4) + 0.008 * tone * np.sin(3 * phase))
    # Breath through the lips resonates where they are tuned: slow noise moved up to the pitch.
    around = slow_noise(rng, n_samples, 0.006) * np.cos(phase) + slow_noise(rng, n_samples, 0.006) * np.sin(phase)
    sound += 0.022 * breath * around
    # The rest of it is air, strongest at a few kHz.
    frequency_hz = np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE)
    hiss = np.fft.rfft(rng.standard_normal(n_samples)) * np.exp(-0.5 * (np.log2((frequency_hz + 1) / 3500) / 0.9) ** 2)
    sound += 0.012 * breath * np.fft.irfft(hiss, n_samples)
    sound *= 10 ** (-3 / 20) / np.abs(sound).max()
    # A quiet room and a microphone: noise that falls by 3 dB an octave, at -72 dB.
    floor = np.fft.irfft(np.fft.rfft(rng.standard_normal(n_samples)) / np.sqrt(frequency_hz + 40), n_samples)
    return sound + 10 ** (-72 / 20) * floor / floor.std()


def main() -> None:
    """Write the file beside this one."""
    sound = whistle()
    path = Path(__file__).with_name("whistle.flac")
    sf.write(path, np.clip(sound, -1, 1), SAMPLE_RATE, subtype="PCM_16")
    print(f"{path}: {len(sound) / SAMPLE_RATE:.1f} s, {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
