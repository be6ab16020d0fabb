"""Rooms: what one is (`room`, `measured`), by name (`library`); heard in a sound (`decays`), taken out (`dereverb`).

A measured impulse response is read (`measure`), turned into numbers (`fit`) and drawn (`drawing`); a recording is put
into a room (`place`), or into that of another recording (`match`). Needs no PyTorch; `retimbre.dsp.DecayReverb` is a room that can be trained.
"""
