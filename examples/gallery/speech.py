"""Lines spoken and sung by espeak-ng, kept beside this file as `speech/*.ogg`, so that nobody else needs the program.

Run `python examples/gallery/speech.py` where espeak-ng is installed to make them again. It knows no singing: each
syllable is spoken on one pitch, tuned, and held by repeating its vowel for as long as the note lasts.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray
from tunes import FRERE_JACQUES, Note

from retimbre.analysis import analyze

FOLDER = Path(__file__).parent / "speech"

SPOKEN = {
    "weather": (
        "en-gb-scotland",
        "And now the weather. Rain in the morning, rain at noon, and, for a change, rain in the evening.",
    ),
    "lost": (
        "en-us",
        "Hello? Is anybody there? I have been walking in the dark for quite a while, and I can hear that this place is "
        "very, very large. If you can hear me, say something. Say anything at all.",
    ),
    "guide": (
        "en-gb-x-rp",
        "Ladies and gentlemen, welcome to the museum of rooms. On your left you hear a cellar. On your right you hear "
        "a church. Please do not clap, the rooms are asleep. Thank you, and mind the echo.",
    ),
}
"""Voice and words of each line."""

SYLLABLES = 2 * "frè re ja que " + 2 * "dor mé vou " + 2 * "son né lé ma ti neu " + 2 * "din dan don "
OCTAVES_DOWN = 1
BEAT_S = 0.5

Curve = NDArray[np.float64]


def say(voice: str, text: str, pitch: int = 50, speed: int = 150, *, flat: bool = False) -> tuple[Curve, int]:
    """What espeak-ng makes of a text: sound [samples], and its rate."""
    text = f"<speak><prosody range='0'>{text}</prosody></speak>" if flat else text
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "said.wav")
        command = ["espeak-ng", "-m", "-v", voice, "-p", str(pitch), "-s", str(speed), "-w", str(path), text]
        subprocess.run(command, check=True)
        sound, rate = sf.read(path, dtype="float64")
    return sound, rate


def tuned(syllable: str, hz: float) -> tuple[Curve, int]:
    """A syllable on a pitch: espeak-ng comes near, a slower or faster tape does the rest."""
    pitch = round(float(np.interp(np.log2(hz), np.log2([53.6, 68.6, 89.0, 118.4, 157.8]), [0, 25, 50, 75, 99])))
    sound, rate = say("fr", syllable, pitch, 110, flat=True)
    heard = analyze(sound.astype(np.float32), rate)
    ratio = hz / float(np.median(heard.f0_hz[heard.voiced]))
    return np.interp(np.arange(0, len(sound), ratio), np.arange(len(sound)), sound), rate


def held(sound: Curve, rate: int, hz: float, seconds: float) -> Curve:
    """A syllable as long as a note: some periods of its vowel, where it is loudest, again and again."""
    power = np.convolve(np.square(sound), np.ones(rate // 20), "same")
    loud = np.flatnonzero(power > 0.02 * power.max())
    sound = sound[loud[0] : loud[-1]]
    missing = round(seconds * rate) - len(sound)
    if missing > 0:
        period = rate / hz
        loop = round(round(0.06 * rate / period) * period)
        at = int(np.clip(np.argmax(power) - loud[0], loop, len(sound) - 2 * loop))
        fade = 0.5 - 0.5 * np.cos(np.pi * np.arange(loop) / loop)
        joint = (1 - fade) * sound[at : at + loop] + fade * sound[at - loop : at]
        times = -(-missing // loop)
        sound = np.concatenate([sound[:at], np.tile(joint, times), sound[at:]])
    sound = sound[: round(seconds * rate)].copy()
    edge = round(0.03 * rate)
    sound[-edge:] *= np.linspace(1, 0, edge)
    return sound / np.sqrt(np.mean(np.square(sound)))


def sung(tune: list[Note], syllables: list[str], beat_s: float) -> tuple[Curve, int]:
    """A tune, one syllable a note."""
    parts, words, rate = [], iter(syllables), 22_050
    for note in tune:
        seconds = note.beats * beat_s
        whole = np.zeros(round(seconds * rate))
        if note.key is not None:
            hz = 440 * 2 ** ((note.key - 69) / 12 - OCTAVES_DOWN)
            sound, rate = tuned(next(words), hz)
            voice = held(sound, rate, hz, seconds - 0.04)
            whole[: len(voice)] = voice
        parts.append(whole)
    return np.concatenate(parts), rate


def write(name: str, sound: Curve, rate: int) -> None:
    """Keep a line, with a peak of -3 dB and a moment of silence around it."""
    sound = np.pad(0.7 * sound / np.abs(sound).max(), round(0.15 * rate))
    path = FOLDER / f"{name}.ogg"
    sf.write(path, sound, rate, format="OGG", subtype="VORBIS")
    print(f"{path.name}: {len(sound) / rate:.1f} s, {path.stat().st_size // 1000} kB")


def main() -> None:
    """Make all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, (voice, text) in SPOKEN.items():
        write(name, *say(voice, text))
    write("frere_jacques", *sung(FRERE_JACQUES, SYLLABLES.split(), BEAT_S))


if __name__ == "__main__":
    main()
