"""A room as a few dozen numbers: decay times and levels per band, and a seed that makes the rest.

Late reverberation is noise that decays exponentially in each band (Moorer 1979; Polack 1988). A second exponential
stands for early reflections, which die away faster, or for a space behind, which rings longer. The noise is the
engine's, so the numbers are the room: the same response comes out here, in training and in any language
(`docs/definitions.md`, Room). Half octaves, two exponentials and the colour of the direct sound are enough for speech
in a fitted room to differ from speech in the measured one as two draws of noise differ (BENCHMARKS.md, Fitted rooms).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retimbre.engine import Floats, resample
from retimbre.errors import RetimbreError
from retimbre.rooms.bands import ROOM_RATE, Array, coloured_click, noise_bands

if TYPE_CHECKING:
    from retimbre.rooms.measure import Report

MAX_LENGTH_S = 10.0
RESPONSES = (".wav", ".flac", ".aif", ".aiff")

_UNHEARD_DB = 40.0
# Of each band, where there are any.
_MORE = ("second_decay_s", "second_level_db", "colour_db", "decay_spread", "level_spread_db")
_LATE_S = 0.05  # after the direct sound
_MIDDLE_HZ = 125 * 2 ** (np.arange(11) / 2)  # half octaves to 4 kHz


@dataclass(frozen=True)
class Room:
    """What a room adds to a dry sound.

    Attributes:
        band_hz: centres of the bands, rising, [bands]; the first and the last reach to 0 Hz and Nyquist.
        decay_s: time in which each band falls by 60 dB, [bands].
        level_db: energy of the room's answer in each band relative to the direct sound (minus the
            direct-to-reverberant ratio), [bands].
        length_s: of the response; what decays more slowly is cut off there.
        seed: of the noise.
        name: of the place, the session, or whatever tells it from others.
        predelay_s: from the direct sound to the beginning of the answer.
        second_decay_s: decay times of a second part of the answer, [bands]; or empty, and there is none.
        second_level_db: its energy relative to the direct sound, [bands].
        gain_db: of everything, the direct sound too.
        colour_db: more gain of everything in each band, [bands]: what loudspeaker, microphone and walls do to the
            direct sound. Empty where it arrives as it was.
        decay_spread: standard error of the logarithm of each decay time, where the room was estimated, [bands]; or
            empty, and nothing is known of it.
        level_spread_db: standard error of each level, [bands].

    Raises:
        ValueError: the numbers are no room's.
    """

    band_hz: tuple[float, ...]
    decay_s: tuple[float, ...]
    level_db: tuple[float, ...]
    length_s: float
    seed: int = 0
    name: str = ""
    predelay_s: float = 0.0
    second_decay_s: tuple[float, ...] = ()
    second_level_db: tuple[float, ...] = ()
    gain_db: float = 0.0
    colour_db: tuple[float, ...] = ()
    decay_spread: tuple[float, ...] = ()
    level_spread_db: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no room is and no computer should be asked to render."""
        bands = np.array(self.band_hz, np.float64)
        # Comparisons are false for NaN.
        if not (1 <= len(bands) <= 64 and (bands > 0).all() and (bands <= 96_000).all() and (np.diff(bands) > 0).all()):
            raise ValueError("a room needs 1 to 64 bands that rise from above 0 to 96000 Hz")
        for decays, levels in self._parts:
            if not bands.shape == decays.shape == levels.shape:
                raise ValueError("a room needs a decay time and a level for each band")
            if not ((decays >= 0.01).all() and (decays <= 30).all()):
                raise ValueError("the decay times of a room must lie between 0.01 and 30 s")
            if not ((levels >= -120).all() and (levels <= 30).all()):
                raise ValueError("the levels of a room must lie between -120 and 30 dB")
        if not 0.01 <= self.length_s <= MAX_LENGTH_S:
            raise ValueError(f"the response of a room must last 0.01 to {MAX_LENGTH_S:g} s")
        if not 0 <= self.predelay_s <= min(1.0, self.length_s - 0.005):
            raise ValueError("the predelay of a room must lie between 0 and 1 s, and end before its response")
        colour = np.array(self.colour_db, np.float64)
        if colour.size and not (colour.shape == bands.shape and (np.abs(colour) <= 80).all()):
            raise ValueError("the colour of a room must be -80 to 80 dB for each band")
        for spread in map(np.array, (self.decay_spread, self.level_spread_db)):
            if spread.size and not (spread.shape == bands.shape and (spread >= 0).all() and (spread <= 100).all()):
                raise ValueError("the spreads of a room must be one for each band, from 0 to 100")
        if not -60 <= self.gain_db <= 30:
            raise ValueError("the gain of a room must lie between -60 and 30 dB")
        if not 0 <= self.seed < 2**31:
            raise ValueError("the seed of a room must be a whole number from 0 to 2147483647")

    @classmethod
    def from_json(cls, data: Any) -> Room:
        """Read what `to_json` wrote; KeyError, TypeError or ValueError say that it is not there or not sane.

        What only later versions of retimbre wrote may be missing, and what else there is does no harm.
        """
        bands, decays, levels = (tuple(map(float, data[key])) for key in ("band_hz", "decay_s", "level_db"))
        name = "".join(letter for letter in str(data["name"]) if letter.isprintable())  # it comes to a terminal
        more: dict[str, Any] = {key: float(data.get(key, 0)) for key in ("predelay_s", "gain_db")}
        more |= {key: tuple(map(float, data.get(key, ()))) for key in _MORE}
        return cls(bands, decays, levels, float(data["length_s"]), int(data["seed"]), name[:64], **more)

    def to_json(self) -> dict[str, Any]:
        """As a card holds it: what is not there is left out."""
        optional = {field.name: field.default for field in fields(self)[6:]}
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
            if key not in optional or value != optional[key]
        }

    @classmethod
    def from_rir(cls, rir: npt.NDArray[np.floating], sample_rate: int, name: str = "", seed: int = 0) -> Room:
        """Fit a room to a measured impulse response [samples]; see `retimbre.rooms.fit.fit`.

        Raises:
            RetimbreError: the response is silent, or tells no decay.
        """
        from retimbre.rooms.fit import fit

        return fit(rir, sample_rate, name, seed)

    @classmethod
    def estimate(cls, sound: Floats, sample_rate: int, name: str = "") -> Room:
        """Hear the room of a recording [samples] of speech or music; see `retimbre.rooms.estimate.estimate`.

        Raises:
            RetimbreError: the recording tells no room; the message says why.
        """
        from retimbre.rooms.estimate import estimate

        return estimate(sound, sample_rate, name).room

    def at(self, hz: npt.ArrayLike) -> tuple[Array, Array]:
        """What late reverberation is at some frequencies: its decay times in seconds and levels in dB, [n] each.

        The one exponential from the direct sound on that has the energy of the answer 50 ms later, and lies then as
        far from its end on average.
        """
        parts = [self.part_at(place, hz) for place in range(1 + bool(self.second_decay_s))]
        waited_s = max(0.0, _LATE_S - self.predelay_s)
        left = np.stack([10 ** (level_db / 10 - 6 * waited_s / decay_s) for decay_s, level_db in parts])
        decay_s = np.average([decay_s for decay_s, _ in parts], axis=0, weights=left)
        return decay_s, 10 * np.log10(left.sum(axis=0)) + 60 * _LATE_S / decay_s

    def scale(self, *, decay: float = 1.0, distance: float = 1.0) -> Room:
        """A room that rings longer, or is heard from further away.

        Args:
            decay: factor of all decay times. The reverberation grows louder with them, as it does with less absorption.
            distance: factor of the distance from the source: the direct sound falls by 6 dB when it doubles, the
                reverberation stays as it is.

        Raises:
            ValueError: a factor is not above 0, or makes what is no room.
        """
        if not (0 < decay < math.inf and 0 < distance < math.inf):
            raise ValueError("decay and distance are factors above 0")
        away_db = 20 * math.log10(distance)
        up_db = 10 * math.log10(decay) + away_db
        return replace(
            self,
            decay_s=tuple(decay * value for value in self.decay_s),
            level_db=tuple(value + up_db for value in self.level_db),
            second_decay_s=tuple(decay * value for value in self.second_decay_s),
            second_level_db=tuple(value + up_db for value in self.second_level_db),
            gain_db=self.gain_db - away_db,
            length_s=min(MAX_LENGTH_S, self.length_s * max(1.0, decay)),
        )

    def blend(self, other: Room, share: float = 0.5) -> Room:
        """A room between this one (`share` 0) and another (1): ratios of times and dB in proportion.

        Raises:
            ValueError: the share does not lie between 0 and 1.
        """
        if not 0 <= share <= 1:
            raise ValueError("the share of the other room must lie between 0 and 1")

        def mean(mine: Any, theirs: Any) -> Any:
            return (1 - share) * mine + share * theirs

        def part(place: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
            (decay_s, level_db), (theirs_s, theirs_db) = (room.part_at(place, self.band_hz) for room in (self, other))
            times = np.exp(mean(np.log(decay_s), np.log(theirs_s)))
            return tuple(times.tolist()), tuple(mean(level_db, theirs_db).tolist())

        colour = mean(*(room._colour_at(self.band_hz) for room in (self, other)))
        first, second = part(0), part(1) if self.second_decay_s or other.second_decay_s else ((), ())
        return Room(
            self.band_hz,
            *first,
            length_s=mean(self.length_s, other.length_s),
            seed=self.seed,
            name=f"{self.name}+{other.name}"[:64],
            predelay_s=mean(self.predelay_s, other.predelay_s),
            second_decay_s=second[0],
            second_level_db=second[1],
            gain_db=mean(self.gain_db, other.gain_db),
            colour_db=tuple(colour.tolist()) if self.colour_db or other.colour_db else (),
        )

    def answer(self, sample_rate: int, channel: int = 0) -> Floats:
        """The room's answer to a click without the click itself, [samples]; the first sample is zero.

        Channels differ in the noise that they are made of, and in nothing else.
        """
        n_taps, gap = taps(self.length_s), 1 + taps(self.predelay_s)
        time_s = np.arange(1, n_taps - gap + 1) / ROOM_RATE
        answer, gain_db = np.zeros(n_taps), self.gain_db + self._colour_at(self.band_hz)
        for band, noise in enumerate(noise_bands(len(time_s), self.band_hz, self.seed, channel=channel)):
            power = sum(_power(time_s, decay_s[band], level_db[band]) for decay_s, level_db in self._parts)
            answer[gap:] += 10 ** (gain_db[band] / 20) * np.sqrt(power) * noise
        # Fewer samples a second must add up to the same gain.
        return resample(answer.astype(np.float32), ROOM_RATE, sample_rate) * np.float32(ROOM_RATE / sample_rate)

    def to_rir(self, sample_rate: int = ROOM_RATE, channels: int = 1) -> Floats:
        """The room impulse response: the direct sound at sample 0, and the room's answer.

        Args:
            sample_rate: in Hz.
            channels: 1, or 2 with the same direct sound and answers that are not correlated.

        Returns:
            [samples], or [samples, 2]. The direct sound is 1, times `gain_db`, and coloured if the room is.
        """
        if channels not in (1, 2):
            raise ValueError(f"a response has 1 or 2 channels, not {channels}")
        response = np.stack([self.answer(sample_rate, channel) for channel in range(channels)], axis=1)
        click = coloured_click(self.band_hz, self.colour_db, sample_rate) if self.colour_db else np.ones(1)
        click = click[: len(response), None]
        response[: len(click)] += (10 ** (self.gain_db / 20) * click).astype(np.float32)
        return response[:, 0] if channels == 1 else response

    def save_wav(self, path: Path, sample_rate: int = ROOM_RATE, channels: int = 1, *, overwrite: bool = False) -> None:
        """Write the impulse response as a 32-bit float file, for any convolution reverb; see `to_rir`.

        It is scaled so that its peak is 1: such programs set the level themselves.

        Raises:
            RetimbreError: the file cannot be written.
        """
        save_response(path, self.to_rir(sample_rate, channels), sample_rate, overwrite=overwrite)

    def as_loud_as_dry(self) -> Room:
        """With the gain that keeps the power of a sound of equal power in the octaves from 125 Hz to 4 kHz."""
        power = 1 + sum(10 ** (self.part_at(place, _MIDDLE_HZ)[1] / 10) for place in range(2))
        power = power * 10 ** (self._colour_at(_MIDDLE_HZ) / 10)
        return replace(self, gain_db=round(-10 * math.log10(float(power.mean())), 2))

    def report(self, sample_rate: int = ROOM_RATE) -> Report:
        """What ISO 3382-1 measures in the response."""
        from retimbre.rooms.measure import measure

        return measure(self.to_rir(sample_rate), sample_rate)

    @property
    def _parts(self) -> list[tuple[Array, Array]]:
        """Decay times and levels of each part of the answer, [bands] each."""
        both = [(self.decay_s, self.level_db), (self.second_decay_s, self.second_level_db)]
        parts = [(np.array(decays, np.float64), np.array(levels, np.float64)) for decays, levels in both]
        return parts if parts[1][0].size or parts[1][1].size else parts[:1]

    def part_at(self, place: int, hz: npt.ArrayLike) -> tuple[Array, Array]:
        """Decay times and levels of a part of the answer (0 or 1) at some frequencies, [n] each.

        A second part that is not there decays as the first and is not heard.
        """
        parts = self._parts
        decay_s, level_db = (self._over_bands(hz, values) for values in parts[min(place, len(parts) - 1)])
        return decay_s, level_db if place < len(parts) else level_db - _UNHEARD_DB

    def _colour_at(self, hz: npt.ArrayLike) -> Array:
        return self._over_bands(hz, np.array(self.colour_db or (0.0,) * len(self.band_hz)))

    def _over_bands(self, hz: npt.ArrayLike, values: Array) -> Array:
        """Values of the bands at some frequencies, linear over log frequency."""
        return np.interp(np.log2(np.maximum(hz, self.band_hz[0])), np.log2(self.band_hz), values)


def check_suffix(path: Path) -> None:
    """Refuse a name that no response can have: lossy formats would move and smear the direct sound.

    Raises:
        RetimbreError: the suffix is none of the formats.
    """
    if path.suffix.lower() not in RESPONSES:
        raise RetimbreError(
            f"{path}: responses are written as .wav, .flac or .aiff, numbers as .json; change the suffix"
        )


def save_response(path: Path, response: Floats, sample_rate: int, *, overwrite: bool = False) -> None:
    """Write an impulse response [samples] or [samples, channels], scaled to a peak of 1, as 32-bit float if WAV."""
    from retimbre.audio import write

    check_suffix(path)
    subtype = "FLOAT" if path.suffix.lower() == ".wav" else None
    write(path, response / np.abs(response).max(), sample_rate, overwrite=overwrite, subtype=subtype)


def _power(time_s: Array, decay_s: float, level_db: float) -> Array:
    """Of one part of the answer in one band, [samples]."""
    # An exponential that falls 60 dB in T seconds has the energy T sr / (6 ln 10).
    start = 10 ** (level_db / 10) * (6 * math.log(10) / (decay_s * ROOM_RATE))
    return start * np.exp(-6 * math.log(10) * time_s / decay_s)


def taps(length_s: float) -> int:
    """Samples of a response at `ROOM_RATE`."""
    return round(length_s * ROOM_RATE)
