"""A room as its measured impulse response, kept as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retimbre import audio
from retimbre.engine import Floats, resample
from retimbre.errors import RetimbreError
from retimbre.rooms.bands import OCTAVE_BANDS_HZ
from retimbre.rooms.doubts import doubt
from retimbre.rooms.measure import find_direct, measure
from retimbre.rooms.room import save_response

if TYPE_CHECKING:
    from retimbre.rooms.measure import Report

LONGEST_S = 30.0
"""Of a response: what is longer is a recording of something else."""

_LEAD_S = 0.001  # of the response that is kept before the direct sound
_LOUDEST_HZ = (125.0, 4000.0)


@dataclass(frozen=True, eq=False)
class MeasuredRoom:
    """A measured room impulse response, which stands wherever a `Room` does.

    Attributes:
        response: [samples, channels], with whatever silence before the direct sound.
        sample_rate: in Hz.
        name: of the room.

    Raises:
        RetimbreError: the response is silent.
    """

    response: Floats
    sample_rate: int
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse what holds no direct sound."""
        find_direct(self.response[:, 0], self.sample_rate)

    @property
    def length_s(self) -> float:
        """Of the response."""
        return len(self.response) / self.sample_rate

    @classmethod
    def load(cls, path: Path) -> MeasuredRoom:
        """Read an audio file.

        Raises:
            RetimbreError: it cannot be read, is silent, or is too long to be an impulse response.
        """
        if (seconds := audio.length_s(path)) > LONGEST_S:
            raise RetimbreError(
                f"{path}: lasts {seconds:.0f} s, too long for an impulse response; "
                f"cut it to {LONGEST_S:g} s, or is it a recording?"
            )
        with audio.Reader(path) as reader:
            response, rate = np.concatenate(list(reader.channel_blocks())), reader.sample_rate
        try:
            return cls(response, rate, path.stem)
        except RetimbreError as error:
            raise RetimbreError(f"{path}: {error}") from None

    def to_rir(self, sample_rate: int, channels: int = 1) -> Floats:
        """The response from its direct sound on, as loud as the dry sound in equal octaves from 125 Hz to 4 kHz.

        Args:
            sample_rate: in Hz.
            channels: 1, the first of the response; or 2, its first two, or the same twice if it has one.

        Returns:
            [samples], or [samples, 2]. At most a millisecond comes before the direct sound.
        """
        if channels not in (1, 2):
            raise ValueError(f"a response has 1 or 2 channels, not {channels}")
        taken = self.response[:, [0, min(1, self.response.shape[1] - 1)][:channels]]
        starts = [find_direct(one, self.sample_rate).start for one in taken.T if one.any()]
        taken = taken[max(0, min(starts) - round(_LEAD_S * self.sample_rate)) :]
        # Fewer samples a second must add up to the same gain.
        gain = np.float32(self.sample_rate / sample_rate / _gain(taken[:, 0], self.sample_rate))
        response = gain * np.stack(
            [resample(np.ascontiguousarray(one), self.sample_rate, sample_rate) for one in taken.T], axis=1
        )
        return response[:, 0] if channels == 1 else response

    def save_wav(
        self, path: Path, sample_rate: int | None = None, channels: int = 1, *, overwrite: bool = False
    ) -> None:
        """Write the response as a 32-bit float file with a peak of 1; see `to_rir`.

        Raises:
            RetimbreError: the file cannot be written.
        """
        rate = sample_rate or self.sample_rate
        save_response(path, self.to_rir(rate, channels), rate, overwrite=overwrite)

    def doubt(self) -> str | None:
        """Why the first channel cannot be an impulse response; None if it can."""
        first = self.response[:, 0].astype(np.float64)
        return doubt(first, self.sample_rate, find_direct(first, self.sample_rate).start)

    def report(self) -> Report:
        """What ISO 3382-1 measures in the first channel, at its own rate."""
        return measure(self.response[:, 0], self.sample_rate)


def _gain(response: npt.NDArray[np.floating], sample_rate: int) -> float:
    """Of a response for a sound of equal power in all octaves."""
    n_fft = max(len(response), sample_rate // 20)  # so that every octave has bins
    power = np.square(np.abs(np.fft.rfft(response.astype(np.float64), n_fft)))
    hz = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    centres = [centre for centre in OCTAVE_BANDS_HZ if _LOUDEST_HZ[0] <= centre <= _LOUDEST_HZ[1]]
    octaves = [power[(hz > centre / np.sqrt(2)) & (hz <= centre * np.sqrt(2))] for centre in centres]
    return float(np.sqrt(np.mean([octave.mean() for octave in octaves if octave.size])))
