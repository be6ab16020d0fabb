"""What `tensorboard --logdir NAME.training` shows: losses, and what the held-out recordings sound and look like."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from retimbre.dsp import stft_magnitude

SHOWN = 3  # clips
EVERY = 3  # validations


class Journal:
    """A TensorBoard log."""

    def __init__(self, folder: Path, step: int) -> None:
        """Append to the log in `folder`, dropping what a killed run wrote beyond `step`."""
        from torch.utils.tensorboard.writer import SummaryWriter

        if not step:  # a new run: curves of an earlier one would lie over it
            for old in folder.glob("events.out.tfevents.*"):
                old.unlink()
        self._writer = SummaryWriter(str(folder), purge_step=step or None, flush_secs=2)
        self._calls = 0

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Add one point to each curve."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def sounds(self, step: int, target: Tensor, estimate: Tensor, sample_rate: int) -> None:
        """Every few calls, add the loudest clips as they are and as they should be, to hear and to see."""
        if self._calls % EVERY == 0:
            for place, index in enumerate(target.square().mean(-1).topk(min(SHOWN, len(target))).indices.tolist()):
                for name, sound in (("recording", target[index]), ("instrument", estimate[index])):
                    level = 0.9 / float(sound.abs().max().clamp(min=1e-3))
                    self._writer.add_audio(f"clip {place + 1}/{name}", level * sound, step, sample_rate)
                pair = torch.cat([_picture(target[index]), _picture(estimate[index])], dim=1)
                self._writer.add_image(f"clip {place + 1}", pair, step, dataformats="HW")
        self._calls += 1

    def close(self) -> None:
        """Write what is pending."""
        self._writer.close()


def _picture(sound: Tensor) -> Tensor:
    """Spectrogram as a grey image [bins, frames], low frequencies below, 0 to 12 kHz at 48 kHz."""
    magnitude = stft_magnitude(sound, 1024).T  # [bins, frames]
    level = 20 * magnitude[:256].clamp(min=1e-5).log10()
    return ((level + 100) / 80).clamp(0, 1).flip(0)
