"""Does Magenta.js play what the engine plays?"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.magenta_js import VERSION, Magenta, launched, opened, without_noise
from benchmarks.report import Cell, Options, Section, Table, at_most, progress
from retimbre.controls import Controls
from retimbre.engine import FRAME_RATE, Floats, Synth
from retimbre.export.magenta import FRAMES, SAMPLE_RATE, export
from retimbre.instrument import Instrument, load, shipped, synthesize

THEIR_RATE = 250
NOTES = 4
"""Of a second each, over the range of pitch and loudness."""

STRONGEST = 10
QUIET = "-without-noise"
STEADY_S = (0.3, 0.95)
"""Part of a note that is measured."""

METHOD = (
    f"@magenta/music {VERSION} from npm, as it is, in headless Chromium (WebGL in software). A clip of four steady "
    "notes of a second each, low to high and soft to loud, goes through the exported graph (`mm.DDSP`, its model's "
    "`predict`) and through the engine at 16 kHz. Amplitudes of harmonics by least squares at the known pitch, over "
    "0.65 s of each note; the difference is the largest over the ten strongest harmonics of each. Noise is another "
    "each time, so harmonics are compared with the noise put to zero in both; what differs with it, in Magenta.js from "
    "the engine and in the engine from itself with another seed, and the noise's own level, are told beside it. Time: "
    "median of five renderings after the first, and the first, in which shaders are compiled."
)


@dataclass(frozen=True)
class Clip:
    """Steady notes: MIDI numbers and loudness in dB on our scale, a second each."""

    midi: Floats
    loudness_db: Floats

    @property
    def f0_hz(self) -> Floats:
        """Of each note."""
        return (440 * 2 ** ((self.midi - 69) / 12)).astype(np.float32)

    def magenta(self, offset_db: float) -> tuple[Floats, Floats]:
        """Magenta's controls: Hz, and dB on its scale."""
        return np.repeat(self.f0_hz, THEIR_RATE), np.repeat(self.loudness_db, THEIR_RATE) + np.float32(offset_db)

    def controls(self) -> Controls:
        """Ours; the last frame is the end."""
        curves = (np.append(np.repeat(one, FRAME_RATE), one[-1:]) for one in (self.f0_hz, self.loudness_db))
        f0_hz, loudness_db = curves
        return Controls(f0_hz, np.ones(len(f0_hz), np.float32), loudness_db)


def clip(instrument: Instrument) -> Clip:
    """Notes of an instrument, low to high, soft to loud."""
    pitch = instrument.network.pitch
    midi = np.quantile([pitch.low, pitch.centre, pitch.high], np.linspace(0.15, 0.85, NOTES))
    levels = np.quantile(instrument.card["loudness"]["quantiles"], np.linspace(0.2, 0.9, NOTES))
    return Clip(midi.astype(np.float32), levels.astype(np.float32))


def _steady(note: int) -> slice:
    return slice(*(int((note + edge) * SAMPLE_RATE) for edge in STEADY_S))


def _waves(count: int, f0_hz: float) -> Floats:
    """Cosines and sines of the harmonics below Nyquist, [count, 2 harmonics]."""
    k = np.arange(1, int(np.ceil(SAMPLE_RATE / 2 / f0_hz)))
    turns = 2 * np.pi * np.outer(np.arange(count), k) * f0_hz / SAMPLE_RATE
    return np.concatenate([np.cos(turns), np.sin(turns)], axis=1)


def _fit(waves: Floats, audio: Floats) -> Floats:
    """Least squares by the normal equations: these waves are nearly at right angles."""
    return np.linalg.solve(waves.T @ waves, waves.T @ audio)


def harmonic_levels_db(audio: Floats, f0_hz: float) -> Floats:
    """Levels in dB of the harmonics below Nyquist of a steady note [samples] at 16 kHz, by least squares."""
    parts = _fit(_waves(len(audio), f0_hz), audio)
    return (20 * np.log10(np.hypot(*parts.reshape(2, -1)) + 1e-12)).astype(np.float32)


def differences_db(theirs: Floats, ours: Floats, notes: Clip) -> Floats:
    """Largest difference over the ten strongest harmonics, of each note [notes]."""
    found = []
    for place, f0_hz in enumerate(notes.f0_hz):
        levels = [harmonic_levels_db(audio[_steady(place)], float(f0_hz)) for audio in (ours, theirs)]
        strongest = np.argsort(levels[0])[-STRONGEST:]
        found.append(np.abs(levels[0] - levels[1])[strongest].max())
    return np.array(found, np.float32)


def noise_level_db(audio: Floats, notes: Clip) -> float:
    """Level in dB of what harmonics leave of the steady parts [samples]."""
    left = []
    for place, f0_hz in enumerate(notes.f0_hz):
        part = audio[_steady(place)]
        waves = _waves(len(part), float(f0_hz))
        left.append(part - waves @ _fit(waves, part))
    return 10 * float(np.log10(np.mean(np.square(left))))


def run(options: Options) -> Section:
    """Play every shipped instrument in both."""
    names = shipped()[:1] if options.quick else shipped()
    turns = 1 if options.quick else 5
    rows: list[list[Cell]] = []
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        reports = {name: export(load(name), Path(folder, name)) for name in names}
        for name in names:
            without_noise(Path(folder, name), Path(folder, name + QUIET))
        with opened(browser, Path(folder)) as magenta:
            rows += [[name, *_measure(magenta, name, reports[name], turns)] for name in progress(names, "instruments")]
    columns = {
        "instrument": "",
        "harmonics differ by dB": ".4f",
        "with noise dB": ".2f",
        "engine, other seed dB": ".2f",
    }
    columns |= {"noise differs by dB": "+.2f", "MB": ".2f", "first s": ".2f", "4 s in s": ".2f"}
    worst = max(float(row[1]) for row in rows if isinstance(row[1], float))
    scales = [[name, *report["loudness_scale"].values()] for name, report in reports.items()]
    tables = [
        Table("Instruments in Magenta.js against the engine at 16 kHz", columns, rows),
        Table("Magenta's loudness less ours", {"instrument": "", "dB": ".1f", "median deviation dB": ".1f"}, scales),
    ]
    goals = [at_most("Magenta.js against the engine, ten strongest harmonics", worst, 1, ".3f", "dB")]
    return Section("Magenta.js", METHOD, tables, goals)


def _measure(magenta: Magenta, name: str, report: dict[str, Any], turns: int) -> list[Cell]:
    instrument = load(name)
    notes = clip(instrument)
    controls, params = notes.magenta(report["loudness_scale"]["offset_db"]), instrument.decode(notes.controls())
    assert len(controls[0]) == FRAMES
    magenta.load(name + QUIET)
    _, bare = magenta.predict(*controls)
    synth = Synth(SAMPLE_RATE, instrument.network.harmonics, instrument.noise_band_hz)
    alone = differences_db(bare, synth.process(params.rows(), noise_gain=0), notes).max()
    magenta.load(name)
    played = [magenta.predict(*controls) for _ in range(turns + 1)]
    theirs, times = played[-1][1], [spent for spent, _ in played]
    ours, again = (synthesize(params, SAMPLE_RATE, seed=seed) for seed in (0, 1))
    noisy = [float(differences_db(other, ours, notes).max()) for other in (theirs, again)]
    noise = noise_level_db(theirs, notes) - noise_level_db(ours, notes)
    return [float(alone), *noisy, noise, report["bytes"] / 1e6, times[0], float(np.median(times[1:]))]
