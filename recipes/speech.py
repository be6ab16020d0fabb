"""Speech whose voiced and unvoiced parts are known, for `recipes/gate.py`.

What Flite says, with the time of each phoneme (kal16: joined from recordings; slt, rms, awb: models of recorded
speakers), and what eSpeak NG whispers. Both are programs of Debian (`apt-get install flite espeak-ng`).
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.random import Generator

from retimbre import audio
from retimbre.engine import Floats, resample

RATE, HOP = 16_000, 80
PITCHED, NONE, UNKNOWN = 1, 0, -1
UNVOICED = frozenset("p t k f s sh th ch pau".split())
VOICED = frozenset(
    "aa ae ah ao aw ax axr ay eh er ey ih iy ow oy uh uw m n ng".split()
)  # the rest may be either: b d g v z dh hh, and l r w y after p t k
GUARD = 3  # hops on both sides of a change that do not count: a voice does not begin or end at once
SOFT = 10**-3.5  # of the loudest power: softer vowels are creaks and ends of sentences, that may be breath
VOICES = ("kal16", "kal16", "slt", "rms", "awb")
WHISPERS = ("en+whisper", "en+whisperf", "de+whisper", "fr+whisperf", "es+whisper", "it+whisperf", "en-us+whisper")
WORDS = (
    "sixty fifty picture passing path actor hat chosen fish soft shape after packet taxi cloth sketch thirsty teeth "
    "stop whisper office question past perhaps each coast pocket safe station people fast kitchen hotel cousin water "
    "moon yellow singing rain morning always evening Lorna minor ruin hollow common wonderful along highway pepper "
    "puppet tick tock catch chapter church shift thick thin thought traffic café paper coffee copper speak strict "
    "splash scratch text silk harp hip half behind ahoy ahead rehearse house his hers phrase physics system seashell "
    "seven zero eleven village judge garden bottle double ready under bigger visit measure leisure this that other"
).split()


def said(rng: Generator) -> tuple[Floats, np.ndarray]:
    """A sentence of random words: its samples, and PITCHED, NONE or UNKNOWN for each hop."""
    words = " ".join(str(rng.choice(WORDS)) + ("," if rng.random() < 0.15 else "") for _ in range(rng.integers(4, 9)))
    stretch, mean, spread = rng.uniform(0.8, 1.4), rng.uniform(95, 220), rng.uniform(5, 30)
    settings = {"duration_stretch": stretch, "int_f0_target_mean": mean, "int_f0_target_stddev": spread}
    options = [word for name, value in settings.items() for word in ("--setf", f"{name}={value:.2f}")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = ["flite", "-voice", str(rng.choice(VOICES)), *options, "-psdur", "-t", words, "-o", str(path)]
        ends = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        sound, rate = audio.read(path)
    size = np.exp(rng.uniform(np.log(0.8), np.log(1.25)))  # of the speaker
    sound = resample(sound, round(rate * size), RATE)
    frames = len(sound) // HOP
    truth, start = np.full(frames, NONE), 0
    for phoneme, end in (word.split(":") for word in ends):
        stop = min(frames, round(float(end) / size * RATE / HOP))
        truth[start:stop] = PITCHED if phoneme in VOICED else NONE if phoneme in UNVOICED else UNKNOWN
        start = stop
    return sound[: frames * HOP], doubted(sound, truth)


def periodic(sound: Floats, frames: int) -> np.ndarray:
    """Highest normalised autocorrelation of 40 ms around each hop, from 60 to 500 Hz (Boersma 1993), [frames]."""
    size = 640
    window = np.hanning(size + 2)[1:-1]
    parts = np.lib.stride_tricks.sliding_window_view(np.pad(sound, size // 2), size)[HOP // 2 :: HOP][:frames]
    parts = window * (parts - parts.mean(1, keepdims=True))
    both = [np.fft.irfft(np.abs(np.fft.rfft(x, 2 * size)) ** 2)[..., :size] for x in (parts, window)]
    return (both[0] / (both[0][:, :1] + 1e-12) / (both[1] / both[1][0]))[:, RATE // 500 : RATE // 60].max(1)


def doubted(sound: Floats, truth: np.ndarray) -> np.ndarray:
    """Truth without what is too near to a change, without soft vowels, and without what sounds to the contrary.

    That is a voice that hums into a closure, or breath in a vowel.
    """
    power = np.square(sound[: len(truth) * HOP].reshape(-1, HOP)).mean(1)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(truth, GUARD, mode="edge"), 2 * GUARD + 1)
    same, period = (around == truth[:, None]).all(1), periodic(sound, len(truth))
    pitched = same & (truth == PITCHED) & (power > SOFT * power.max()) & (period > 0.5)
    none = same & (truth == NONE) & (period < 0.6)
    return np.select([pitched, none], [PITCHED, NONE], UNKNOWN)


def whispered(rng: Generator) -> tuple[Floats, np.ndarray]:
    """The same without a voice."""
    words = " ".join(str(rng.choice(WORDS)) for _ in range(rng.integers(3, 7)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whispered.wav"
        voice, speed = str(rng.choice(WHISPERS)), str(rng.integers(110, 240))
        subprocess.run(["espeak-ng", "-v", voice, "-s", speed, "-w", str(path), words], check=True)
        sound, rate = audio.read(path)
    sound = resample(sound, rate, RATE)
    frames = len(sound) // HOP
    return sound[: frames * HOP], np.full(frames, NONE)


def utterances(count: int) -> list[tuple[Floats, np.ndarray]]:
    """So many sentences, an eighth of them whispered."""
    for program in ("flite", "espeak-ng"):
        if not shutil.which(program):
            raise SystemExit(f"{program} is not installed: apt-get install flite espeak-ng")
    return [(whispered if seed % 8 == 7 else said)(np.random.default_rng([seed, 1])) for seed in range(count)]
