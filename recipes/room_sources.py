"""Dry sounds that the room estimator learns from: speech, music and single notes in phrases, mono at 16 kHz.

Speech is read out by espeak-ng and Flite, music played by FluidSynth with FluidR3_GM, by retimbre's own instruments and
from the training recordings of ../shared/audio, one note after another. Words and melodies are made up here.
"""

from __future__ import annotations

import csv
import io
import math
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import soundfile as sf
from numpy.random import Generator

from retimbre import audio
from retimbre.controls import FRAME_RATE, Controls
from retimbre.engine import Floats, resample
from retimbre.instrument import load
from retimbre.rooms.listen import LISTEN_RATE

SOUND_FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")  # Debian: fluid-soundfont-gm
SECONDS = 24.0
"""Length of a source."""

LANGUAGES = "en-us en-gb de fr-fr es it pt nl sv pl cs tr fi hu ro el eo cy lt sw".split()
VARIANTS = ("", "+m1", "+m2", "+m3", "+m6", "+m8", "+f1", "+f2", "+f3", "+klatt", "+klatt3", "+Alex", "+linda", "+rob")
TEST_LANGUAGES = "en-gb-scotland da nb id hr sk".split()
TEST_VARIANTS = ("+m5", "+m7", "+f4", "+f5", "+croak")
PROGRAMS = (0, 4, 6, 9, 11, 13, 14, 16, 19, 21, 24, 25, 26, 27, 29, 32, 33, 40, 42, 45, 48, 52, 53, 56, 57, 60, 61, 64)
PROGRAMS += (65, 68, 70, 71, 73, 75, 78, 79, 80, 81, 85, 104, 105, 106, 108, 110, 114)
DRUM_KITS = (0, 8, 16, 25, 40)
TEST_PROGRAMS = (1, 12, 22, 41, 46, 58, 66, 72, 74, 107)
OTHER_PROGRAMS = tuple(sorted(set(range(120)) - {*PROGRAMS, *TEST_PROGRAMS}))
FLITE_VOICES = ("kal16", "slt", "rms", "awb")
INSTRUMENTS = ("alto_saxophone", "bassoon", "cello", "male_voice")  # those that no held-out recording went into
RECORDED = ("cello", "sax_alto", "sax_soprano", "sax_baritone", "bassoon", "trumpet", "french_horn", "voice_male")
TEST_RECORDED = ("flute", "trombone", "sax_tenor")
"""Instruments whose recordings are kept for tests."""


@dataclass(frozen=True)
class Note:
    """A note of a phrase: when, for how long, MIDI pitch, MIDI velocity."""

    start_s: float
    seconds: float
    pitch: int
    velocity: int


def melody(rng: Generator, low: int, high: int, *, chords: float = 0.0, seconds: float = SECONDS) -> list[Note]:
    """A walk over a scale in one of several manners: tied or short notes, with many rests or few.

    Args:
        rng: what makes it up.
        low: lowest pitch.
        high: highest pitch.
        chords: share of the notes that are chords.
        seconds: how long it is.
    """
    scale = [0, 2, 4, 5, 7, 9, 11] if rng.random() < 0.6 else [0, 2, 3, 5, 7, 8, 10]
    key, place = rng.integers(12), rng.integers(40)
    pitches = [p for p in range(low, high + 1) if (p - key) % 12 in scale]
    place = int(rng.integers(len(pitches)))
    beat_s, rests = np.exp(rng.uniform(np.log(0.12), np.log(0.7))), rng.choice([0.04, 0.12, 0.3])
    gate_low, gate_high = [(0.15, 0.5), (0.4, 0.9), (0.85, 1.0), (1.0, 1.08)][rng.integers(4)]
    loud = rng.integers(70, 115)
    notes, at = [], float(rng.uniform(0, 0.3))
    while at < seconds:
        length = beat_s * rng.choice([0.5, 1, 1, 1, 2, 2, 4])
        if rng.random() < rests:
            at += length * rng.choice([1, 1, 2])
            continue
        place = int(np.clip(place + rng.choice([-4, -2, -1, -1, 0, 1, 1, 2, 4]), 0, len(pitches) - 1))
        tones = (0, 2, 4) if rng.random() < chords else (0,)
        velocity = int(np.clip(loud + rng.normal(0, 9), 25, 127))
        held = length * rng.uniform(gate_low, gate_high)
        notes += [
            Note(at, held, pitches[min(place + tone, len(pitches) - 1)], velocity)
            for tone in dict.fromkeys(min(tone, len(pitches) - 1 - place) for tone in tones)
        ]
        at += length
    return notes


def words(rng: Generator, seconds: float = 2 * SECONDS) -> str:
    """Made-up sentences, enough for so many seconds."""
    onsets, vowels = "p b t d k g f s m n l r v h st tr pl sh ch z w".split(), "a e i o u ai ou ea".split()
    codas = ("", "", "", "n", "s", "t", "l", "r", "m", "k", "st", "nd")
    text, count = [], 0
    while count < 3 * seconds:
        sentence = [
            "".join("".join(map(rng.choice, (onsets, vowels, codas))) for _ in range(rng.choice([1, 1, 2, 3])))
            for _ in range(rng.integers(2, 14))
        ]
        count += len(sentence)
        text.append(" ".join(word + ("," if rng.random() < 0.12 else "") for word in sentence))
    ends = (". ", ". ", "! ", "? ", ".\n\n")
    return "".join(sentence + ends[rng.integers(len(ends))] for sentence in text)


def speech(rng: Generator, voice: str) -> Floats:
    """espeak-ng reads out made-up words."""
    pace = ["-s", str(rng.integers(110, 200)), "-p", str(rng.integers(15, 85)), "-g", str(rng.integers(0, 6))]
    command = ["espeak-ng", "-v", voice, *pace, "--stdout", words(rng)]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    sound, rate = sf.read(io.BytesIO(data), dtype="float32")
    return _fitted(resample(sound[: int(SECONDS * rate)], rate, LISTEN_RATE))


def recorded_speech(rng: Generator, voice: str) -> Floats:
    """Flite, which was made from recordings of people, reads out sentences, as a smaller or larger person would."""
    sentences: list[Floats] = []
    while sum(map(len, sentences)) < SECONDS * LISTEN_RATE:
        settings = {"duration_stretch": rng.uniform(0.8, 1.3), "int_f0_target_stddev": rng.uniform(5, 30)}
        options = [word for name, value in settings.items() for word in ("--setf", f"{name}={value:.2f}")]
        text = words(rng, 6.0).split(". ")[0][:300]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "said.wav")
            subprocess.run(["flite", "-voice", voice, *options, "-t", text, "-o", str(path)], check=True)
            sound, rate = audio.read(path)
        sentences += [resample(sound, round(rate * math.exp(rng.uniform(-0.2, 0.2))), LISTEN_RATE)]
        sentences += [np.zeros(int(rng.uniform(0.05, 0.6) * LISTEN_RATE), np.float32)]
    return _fitted(np.concatenate(sentences))


def gm_music(rng: Generator, programs: Sequence[int], *, drums: bool = False) -> list[Floats]:
    """FluidSynth plays a melody on each of the programs (or a beat on each of the drum kits), without its effects."""
    file = mido.MidiFile(ticks_per_beat=1000)
    track = mido.MidiTrack()
    file.tracks.append(track)
    events, channel = [], 9 if drums else 0
    for place, program in enumerate(programs):
        begin = place * (SECONDS + 2)
        events.append((begin, mido.Message("control_change", channel=channel, control=123, value=0)))
        events.append((begin, mido.Message("program_change", channel=channel, program=program)))
        events.append(
            (begin, mido.Message("control_change", channel=channel, control=1, value=int(rng.choice([0, 0, 60, 110]))))
        )
        for note in _beat(rng) if drums else melody(rng, *_range(program, rng), chords=rng.choice([0, 0, 0.3])):
            sounding = {"channel": channel, "note": note.pitch}
            events.append((begin + note.start_s, mido.Message("note_on", velocity=note.velocity, **sounding)))
            stop = min(note.start_s + note.seconds, SECONDS)
            events.append((begin + stop, mido.Message("note_off", **sounding)))
    last = 0
    for time_s, message in sorted(events, key=lambda event: event[0]):
        ticks = round(time_s * 2000)
        track.append(message.copy(time=ticks - last))
        last = ticks
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "score.mid"), Path(folder, "sound.wav")
        file.save(score)
        dry = ["-R", "0", "-C", "0", "-g", "0.4", "-r", str(LISTEN_RATE)]
        command = ["fluidsynth", "-ni", *dry, "-o", "synth.dynamic-sample-loading=1", "-F", str(sound)]
        subprocess.run([*command, str(SOUND_FONT), str(score)], capture_output=True, check=True)
        played = sf.read(sound, dtype="float32", always_2d=True)[0][:, 0]
    starts = [round(place * (SECONDS + 2) * LISTEN_RATE) for place in range(len(programs))]
    return [_fitted(played[start : start + round(SECONDS * LISTEN_RATE)]) for start in starts]


def _range(program: int, rng: Generator) -> tuple[int, int]:
    low = int(rng.integers(28, 40)) if program in (32, 33) else int(rng.integers(43, 68))
    return low, low + int(rng.integers(10, 22))


def _beat(rng: Generator) -> list[Note]:
    """A pattern of one or two bars, repeated with variations."""
    step_s, steps = rng.uniform(0.1, 0.3), int(rng.choice([8, 16, 16]))
    voices = rng.choice(
        [35, 36, 38, 40, 42, 44, 46, 45, 47, 50, 37, 39, 51, 54, 56, 60, 62, 76], int(rng.integers(1, 5))
    )
    patterns = {int(voice): rng.random(steps) < rng.choice([0.12, 0.25, 0.5]) for voice in voices}
    return [
        Note(place * step_s, 0.1, voice, int(rng.integers(60, 125)))
        for place in range(int(SECONDS / step_s))
        for voice, pattern in patterns.items()
        if pattern[place % steps] != (rng.random() < 0.05)
    ]


def own_instrument(rng: Generator, name: str) -> Floats:
    """A shipped instrument of retimbre plays a melody, dry."""
    instrument = load(name)
    low, high = (int(instrument.card["pitch"][key]) for key in ("low", "high"))
    frames = round(SECONDS * FRAME_RATE)
    loudness = np.full(frames, -100.0)
    midi, voiced = np.full(frames, float(low)), np.zeros(frames)
    quantiles = instrument.card["loudness"]["quantiles"]
    top = quantiles[-2]
    for note in melody(rng, low, high):
        start, stop = round(note.start_s * FRAME_RATE), round((note.start_s + note.seconds) * FRAME_RATE)
        stop = min(max(stop, start + 8), frames - 20)
        if start >= stop:
            continue
        level = top - 18 * rng.random() * rng.random()
        attack, release = int(rng.integers(2, 14)), int(rng.integers(2, 16))
        span = np.arange(start, stop)
        vibrato = rng.choice([0, 0.25]) * np.sin(2 * np.pi * (5.5 * (span - start) / FRAME_RATE + rng.random()))
        midi[start:] = note.pitch
        midi[start:stop] += vibrato
        voiced[start : stop + release] = 1
        loudness[start:stop] = level + np.minimum(0, 40 * ((span - start) / attack - 1))
        loudness[stop : stop + release] = level - 50 * np.arange(1, release + 1) / release
        loudness[stop + release :] = -100
    controls = Controls(440 * 2 ** ((midi - 69) / 12), voiced, loudness)
    return _fitted(instrument.play(controls, LISTEN_RATE, seed=int(rng.integers(2**31))))


def recorded_notes(folder: Path, names: Sequence[str]) -> dict[str, list[tuple[int, Floats]]]:
    """Recorded notes by instrument: pitch, and the note at 16 kHz."""
    notes: dict[str, list[tuple[int, Floats]]] = {name: [] for name in names}
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name = row["inst"]
            if row["set"] != "train" or name not in notes or not row["midi"] or float(row["sec"]) > 12:
                continue
            sound, rate = audio.read(folder / row["file"])
            sound = resample(sound - sound.mean(), rate, LISTEN_RATE)
            loud = np.flatnonzero(np.abs(sound) > 0.1 * np.abs(sound).max())
            notes[name].append((int(float(row["midi"])), sound[max(0, loud[0] - 160) :]))
    return notes


def recorded_phrase(rng: Generator, notes: Sequence[tuple[int, Floats]]) -> Floats:
    """A melody of recorded notes, each cut off by a short fade, as no room had answered it."""
    pitches = np.array([pitch for pitch, _ in notes])
    sound = np.zeros(round((SECONDS + 1) * LISTEN_RATE), np.float32)
    low = int(rng.integers(pitches.min(), max(pitches.min() + 1, pitches.max() - 12)))
    for note in melody(rng, low, max(low + 8, min(low + 19, int(pitches.max())))):
        apart = np.abs(pitches - note.pitch)
        taken = notes[int(rng.choice(np.flatnonzero(apart == apart.min())))][1]
        fade = int(rng.uniform(0.01, 0.08) * LISTEN_RATE)
        length = min(round(note.seconds * LISTEN_RATE) + fade, len(taken))
        fade = min(fade, length)
        piece = taken[:length] / (np.abs(taken[:length]).max() + 1e-6) * 10 ** ((note.velocity - 127) / 60)
        piece[length - fade :] *= np.linspace(1, 0, fade, dtype=np.float32) ** 2
        start = round(note.start_s * LISTEN_RATE)
        piece = piece[: max(0, len(sound) - start)]
        sound[start : start + len(piece)] += piece
    return _fitted(sound)


def _fitted(sound: Floats) -> Floats:
    """Of the length of a source, with a peak of 1."""
    sound = np.pad(sound, (0, max(0, round(SECONDS * LISTEN_RATE) - len(sound))))[: round(SECONDS * LISTEN_RATE)]
    return (sound / (np.abs(sound).max() + 1e-9)).astype(np.float32)


def make_sources(folder: Path, seed: int, say: Callable[[str], None] = print) -> dict[str, list[Floats]]:
    """All training sources by kind: "speech" and "music"."""
    rng = np.random.default_rng(seed)
    spoken = [
        speech(rng, language + VARIANTS[(place + turn) % len(VARIANTS)])
        for turn in range(40)
        for place, language in enumerate(LANGUAGES)
    ]
    spoken += [recorded_speech(rng, voice) for voice in FLITE_VOICES for _ in range(45)]
    say(f"{len(spoken)} sources of speech")
    # Some programs play nothing at some pitches.
    music = [sound for _ in range(2) for sound in gm_music(rng, OTHER_PROGRAMS) if sound.any()]
    for _ in range(12):
        music += gm_music(rng, PROGRAMS)
    music += gm_music(rng, DRUM_KITS * 12, drums=True)
    say(f"{len(music)} with FluidSynth")
    music += [own_instrument(rng, name) for name in INSTRUMENTS for _ in range(15)]
    notes = recorded_notes(folder, RECORDED)
    music += [recorded_phrase(rng, notes[name]) for name in RECORDED for _ in range(25)]
    say(f"{len(music)} sources of music")
    return {"speech": spoken, "music": music}


def make_test_sources(folder: Path, seed: int, count: int) -> dict[str, list[Floats]]:
    """Sources with voices, programs and recordings that no training source has."""
    rng = np.random.default_rng(seed)
    voices = [language + variant for language in TEST_LANGUAGES for variant in TEST_VARIANTS]
    notes = recorded_notes(folder, TEST_RECORDED)
    programs = [int(program) for program in rng.choice(TEST_PROGRAMS, -(-count // 2))]
    music = gm_music(rng, programs)
    music += [recorded_phrase(rng, notes[TEST_RECORDED[place % 3]]) for place in range(count - len(music))]
    return {"speech": [speech(rng, voice) for voice in rng.choice(voices, count)], "music": music}
