"""From a folder of recordings to an instrument (PyTorch, the extra `train`; `doctor` does without).

- `recording`: one file, read and analysed; `corpus`: find, check and split them. `doctor` says what is wrong with them.
- `polyphony`: one note or several?
- `measure`: harmonics and noise floor read straight off the spectrum.
- `decoder`: the network, with gradients.
- `model`: controls to audio, with gradients.
- `train`: the loop.
- `journal`: what TensorBoard shows; `follow` reads it while it is written.
- `evaluate`: how good an instrument is; `reconstruct` (one recording played again), `timbre` (spectral envelopes as
  statistics), `independent` (another tracker's pitch) and `page` (the picture) serve it.
"""
