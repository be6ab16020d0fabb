"""Whether a recording can tell a room at all: what is silent, steady, too noisy or too short cannot."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from retimbre.engine import Floats
from retimbre.errors import RetimbreError
from retimbre.rooms.figures import HALF_OCTAVES_HZ
from retimbre.rooms.listen import HOP, LISTEN_RATE, MELS, mel_centres_hz

SHORTEST_S = 3.0
"""Of a recording that a room can be heard in."""

_SILENT = 1e-4  # peak
_CLIPPED = 2e-5  # share of samples that stand still at the top
_TOP = 0.2  # lowest peak at which standing still may be clipping
_SMOOTH = 10  # frames: a tenth of a second
_STEADY_DB = 7.0  # what loud and quiet moments of a band must lie apart
_NOISY_DB = 12.0  # ... and of all bands together, lest noise hides decays
_SOUND_DB = 30.0  # below the loudest moment: what counts as sound
_LEAST_SOUND_S = 1.0
_UNHEARD_DB = 70.0  # below the loudest band


class Reference:
    """Looks at a recording block by block."""

    def __init__(self, sample_rate: int) -> None:
        """Nothing was seen yet of a recording at `sample_rate` Hz."""
        self._rate = sample_rate
        self._samples = self._still = 0
        self._peak = self._sound_s = 0.0
        self._band_range_db = self._range_db = 0.0
        self._loud_db = np.full(MELS, -math.inf)

    @property
    def seconds(self) -> float:
        """What was seen."""
        return self._samples / self._rate

    def inspect(self, sound: Floats) -> None:
        """Look at samples [n] as they were recorded, where clipping can be seen.

        Raises:
            RetimbreError: a sample is NaN or infinite.
        """
        if not len(sound):
            return
        level = np.abs(sound)
        peak = float(level.max())
        if not math.isfinite(peak):
            raise RetimbreError("holds samples that are no numbers; export it again")
        self._peak = max(self._peak, peak)
        self._samples += len(sound)
        if peak > _TOP:
            self._still += int(np.count_nonzero((sound[1:] == sound[:-1]) & (level[1:] > 0.98 * peak)))

    def hear(self, levels: Floats) -> bool:
        """Look at a window, levels in dB [frames, MELS]; whether it changes enough for decays to be heard in it."""
        power = np.exp(np.float32(math.log(10) / 10) * levels[: len(levels) // _SMOOTH * _SMOOTH])
        smooth = power.reshape(-1, _SMOOTH, MELS).mean(axis=1) + 1e-12
        whole = 10 * np.log10(smooth.sum(axis=1))
        loud_db, quiet_db = np.quantile(whole, [0.95, 0.05])
        tops, bottoms = np.quantile(10 * np.log10(smooth), [0.95, 0.05], axis=0)
        self._loud_db = np.maximum(self._loud_db, tops)
        # What lies far below the loudest band may be leakage and rounding. A quarter of the others must change, so
        # that one trembling partial is not enough.
        band_range_db = float(np.quantile((tops - bottoms)[tops > tops.max() - 30], 0.75))
        self._band_range_db = max(self._band_range_db, band_range_db)
        self._range_db = max(self._range_db, float(loud_db - quiet_db))
        sound_s = np.count_nonzero(whole > whole.max() - _SOUND_DB) * _SMOOTH * HOP / LISTEN_RATE
        self._sound_s = max(self._sound_s, sound_s)
        return self._peak > _SILENT and band_range_db > _STEADY_DB

    def check(self) -> None:
        """Refuse what can tell no room.

        Raises:
            RetimbreError: with the reason and what to do.
        """
        if not self._peak > _SILENT:
            raise RetimbreError("is silent; take a recording of speech or music")
        if self.seconds < SHORTEST_S:
            raise RetimbreError(
                f"lasts {self.seconds:.1f} s, too short to tell a room; take {SHORTEST_S:g} s at least, better 10"
            )
        if self._sound_s < _LEAST_SOUND_S:
            raise RetimbreError(
                f"holds {self._sound_s:.1f} s of sound, too little to tell a room; take {SHORTEST_S:g} s at least"
            )
        if self._band_range_db <= _STEADY_DB:
            raise RetimbreError(
                "is steady all through (a held tone, or noise that covers everything), and a room is heard where "
                "sounds end; take speech, or music with rests"
            )

    def heard(self) -> npt.NDArray[np.bool_]:
        """Of the half octaves, those that the recording holds sound in, [bands]."""
        level_db = np.interp(HALF_OCTAVES_HZ, mel_centres_hz(), self._loud_db)
        return level_db > self._loud_db.max() - _UNHEARD_DB

    def warnings(self) -> Iterator[str]:
        """What makes figures less sure."""
        if self._still > _CLIPPED * self._samples:
            yield "is clipped, which hides decays: the figures are rough; record it more quietly"
        if self._range_db < _NOISY_DB:
            yield (
                f"its quiet moments lie {self._range_db:.0f} dB below the loud ones: noise, or others who play or "
                "speak, may hide the room"
            )
        heard = self.heard()
        if not heard[-1]:
            top_hz = HALF_OCTAVES_HZ[int(np.flatnonzero(heard)[-1])]
            yield f"holds nothing above {top_hz * 2**0.25:.0f} Hz: the room above is a guess"
