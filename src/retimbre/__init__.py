"""retimbre: play any monophonic sound as any instrument.

import retimbre

cello = retimbre.load("cello")
sound, sample_rate = retimbre.read("voice.wav")
controls = retimbre.analyze(sound, sample_rate)      # f0_hz, periodicity, loudness_db, 200 frames a second
fitted, _ = retimbre.adjust(controls, cello)         # octave, loudness
params = cello.decode(fitted)                        # harmonic amplitudes, noise magnitudes
music = retimbre.synthesize(params, sample_rate)     # or cello.play(fitted, sample_rate) at once
retimbre.write("cello.wav", music, sample_rate)
"""

from retimbre.analysis import analyze
from retimbre.audio import read, write
from retimbre.controls import Controls
from retimbre.errors import RetimbreError
from retimbre.instrument import Instrument, SynthParams, load, shipped, synthesize
from retimbre.transfer import Settings, adjust, transfer, transfer_file

__version__ = "0.1.0"

__all__ = [
    "Controls",
    "Instrument",
    "RetimbreError",
    "Settings",
    "SynthParams",
    "adjust",
    "analyze",
    "load",
    "read",
    "shipped",
    "synthesize",
    "transfer",
    "transfer_file",
    "write",
]
