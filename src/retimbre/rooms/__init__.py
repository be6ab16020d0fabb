"""Rooms: what one is (`room`), how it is heard in a recording (`decays`), taken out (`dereverb`), put in (`convolve`).

Needs no PyTorch; `retimbre.dsp.DecayReverb` is a room that can be trained.
"""
