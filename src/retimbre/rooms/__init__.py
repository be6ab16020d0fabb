"""Rooms: what one is (`room`, `measured`), by name (`library`); heard in a sound (`estimate`, `decays`).

A measured impulse response is read (`measure`), turned into numbers (`fit`) and drawn (`drawing`); a recording is put
into a room (`place`) or loses one (`dereverb`), or both, to sound as in that of another recording (`match`). Needs no
PyTorch; `retimbre.dsp.DecayReverb` is a room that can be trained.
"""
