"""Every number that the README states, measured: one file a claim, `python -m benchmarks` writes BENCHMARKS.md.

- `speed`: each step of the line, the whole line, and the synthesiser against PyTorch and against sine banks.
- `memory`: resident memory and time against the length of the input.
- `pitch`: the pitch tracker beside SwiftF0 and pYIN, on labelled notes, exact melodies and tones, noise and silence.
- `voicing`: whether, and how soon, the analysis knows that there is a pitch: singing, speech, gaps, onsets, noises.
- `transfer`: whether the instrument plays what was sung (`sources` holds the measurement).
- `training`: validation loss over time, with and without the warm start.
- `practice`: what each part of the phrases made of notes gives, on what training never heard.
- `room_fit`: whether a fitted room sounds like the measured one (`room_distance` holds the measurement).
- `parity`: the engine against PyTorch.
- `live`: how late live playing is, and how heavy.
- `live_host`: whether the desktop host loses blocks, minutes on end.
- `live_page`: how heavy and how late the live page is, in a browser.
- `sizes`: what has to be downloaded, and how long the command takes to answer.

Each has `run(options) -> Section`; `report` holds what they have in common, `signals` the sounds they make themselves.
"""
