"""The numbers of a room from its measured impulse response.

In each half octave the energy of what follows the direct sound, in slots of time that grow longer, is matched in dB
with one exponential, or with two where that is clearly closer. The direct sound gives the colour. No draw of noise
enters, so the numbers hold for any seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retimbre.engine import resample
from retimbre.errors import RetimbreError
from retimbre.rooms.bands import ROOM_BANDS_HZ, ROOM_RATE, Array, band_weights
from retimbre.rooms.doubts import doubt
from retimbre.rooms.figures import with_air
from retimbre.rooms.measure import LOWEST_DIRECT_HZ, Arrival, decay, find_direct
from retimbre.rooms.room import MAX_LENGTH_S, Room

_USABLE_DB = 15.0  # of decay that a band must show; others follow their neighbours
_FEWEST = 3  # bands that must show it
_GAIN_DB = 0.25  # of error that a second exponential must save
_MORE = 1.05  # energy over that of the slower part, from which on there is another
_GAP_DB = 0.05  # of the answer's energy that may come before it is said to begin
_SLOT_S, _PERIODS, _GROWTH = 0.004, 2.0, 1.3  # first slot: at least so long, and so many periods; then ever longer
_CLEAR = 1.0  # energy of a slot over that of its noise, from which on it counts
_FALL = 6 * math.log(10)  # of the energy's logarithm in a decay time
_DIM_DB = -60.0  # of a band's colour below the brightest; of what is not heard


@dataclass(frozen=True, eq=False)
class Band:
    """What a response holds in one band after its direct sound.

    Attributes:
        hz: centre.
        edges_s: of the slots that stand out of the noise, from the beginning of the answer on, [slots + 1].
        energy: in each slot, without the noise, as of a click of that energy, [slots].
        usable: whether it shows decay enough to be matched.
    """

    hz: float
    edges_s: Array
    energy: Array
    usable: bool


def fit(rir: npt.NDArray[np.floating], sample_rate: int, name: str = "", seed: int = 0) -> Room:
    """Fit a room to a measured impulse response.

    Below 500 Hz the direct sound cannot be told from what follows; the room's answer there is as strong as a diffuse
    field has it, in proportion to the decay time. Above what the sample rate holds, air absorbs more and nothing else
    changes.

    Args:
        rir: [samples].
        sample_rate: in Hz.
        name: of the room.
        seed: of its noise.

    Returns:
        A room as loud as the dry sound is on average over the octaves from 125 Hz to 4 kHz.

    Raises:
        RetimbreError: the response is silent, shows no decay of 15 dB, or does not look like an impulse response.
    """
    response, rate = np.asarray(rir, np.float64), sample_rate
    if rate > ROOM_RATE:
        response, rate = resample(np.asarray(rir, np.float32), rate, ROOM_RATE).astype(np.float64), ROOM_RATE
    direct = find_direct(response, rate)
    if why := doubt(response, rate, direct.start):
        raise RetimbreError(
            f"this does not look like an impulse response: {why}. The room of a recording is heard by: retimbre room "
            "estimate; if it is a response, play in it as it is: retimbre room apply"
        )
    if len(response) - direct.start < 0.05 * rate or not response[direct.end :].any():
        raise RetimbreError("the impulse response holds no more than its direct sound; record or export it again")
    bands = tuple(hz for hz in ROOM_BANDS_HZ if hz * 2**0.25 <= rate / 2)
    begin = _answer_begins(response, rate, direct, bands[-1])
    parts = [_band(response[begin:], rate, bands, place) for place in range(len(bands))]
    usable = np.array([part.usable for part in parts])
    if usable.sum() < _FEWEST:  # of noise alone, one or two by chance
        raise RetimbreError("the impulse response shows no decay of 15 dB; it is too noisy or too short")
    matches = np.array([match(part) for part in parts if part.usable])
    first_s, second_s, share = _filled(bands, matches[:, 1:], usable)
    energy = np.array([part.energy.sum() for part in parts])
    energy[usable] = matches[:, 0]
    energy = _told_apart(energy, bands, rate)
    level_db = _levels(response, rate, direct, bands, energy, usable, share * second_s + (1 - share) * first_s)
    colour_db = 10 * np.log10(energy) - level_db
    colour_db = np.maximum(colour_db, colour_db.max() + _DIM_DB)
    first = with_air(bands, first_s, level_db + 10 * np.log10(1 - share))
    second = with_air(bands, second_s, level_db + 10 * np.log10(np.maximum(share, 1e-6)))
    return _room(name, seed, (begin - direct.peak) / rate, first, second, colour_db)


def match(band: Band) -> tuple[float, float, float, float]:
    """Match the energy in slots of time with one or two exponentials.

    Returns:
        Energy of all, decay time of the part that is the stronger 15 dB down, that of the other, and the other's share
        of the energy, 0 if there is one part only.
    """
    wanted_db = 10 * np.log10(band.energy)
    end_s = float(band.edges_s[-1])
    fallen_db = max(10.0, float(wanted_db[0] - wanted_db[-1]))
    span_s = 60 / fallen_db * end_s
    decays = np.geomspace(0.03 * span_s, 2.5 * span_s, 32)
    shares = 1 / (1 + np.exp(-np.linspace(-8, 8, 25)))

    def best(first_s: Array, second_s: Array, share: Array) -> Array:
        """Error and energy in dB, and parameters of the best of all combinations."""
        one, two = (-np.diff(np.exp(-_FALL * band.edges_s / each[:, None])) for each in (first_s, second_s))
        share = share[:, None, None, None]
        apart = wanted_db - 10 * np.log10(share * two[None, None] + (1 - share) * one[None, :, None] + 1e-30)
        energy_db = apart.mean(axis=-1)  # [shares, first, second]
        error = apart.std(axis=-1)
        place = np.unravel_index(np.argmin(error), error.shape)
        return np.array([error[place], energy_db[place], first_s[place[1]], second_s[place[2]], share[place[0]].item()])

    single, double = best(decays, decays[:1], np.zeros(1)), best(decays, decays, shares)
    for width in (0.06, 0.02):
        around = np.exp(np.linspace(-width, width, 7))
        odds = np.log(double[4] / (1 - double[4])) + 5 * np.log(around)
        single = best(single[2] * around, single[3:4], np.zeros(1))
        double = best(double[2] * around, double[3] * around, 1 / (1 + np.exp(-odds)))
    chosen = double if single[0] - double[0] >= _GAIN_DB else single
    energy, first, second, share = _as_strong(band, *map(float, chosen[1:]))
    if _weaker_late(first, second, share):
        first, second, share = second, first, 1 - share
    return energy, first, second, share


def _as_strong(
    band: Band, energy_db: float, first_s: float, second_s: float, share: float
) -> tuple[float, float, float, float]:
    """The match with the energy that there is: what few slots hold, a match in dB overlooks.

    The part that decays more slowly stays as it was matched, unless it is stronger than all; the other makes up the
    rest, and where there is no other, one that comes as soon as the rest does on average.
    """
    if share and second_s > first_s:
        first_s, second_s, share = second_s, first_s, 1 - share
    slow = 10 ** (energy_db / 10) * (1 - share)
    left = slow * np.exp(-_FALL * band.edges_s / first_s)
    whole = float(band.energy.sum() + left[-1])
    if slow > whole / _MORE:
        return whole, first_s, first_s, 0.0
    if not share:
        rest = np.maximum(band.energy + np.diff(left), 0)
        soon_s = float(rest @ (band.edges_s[1:] + band.edges_s[:-1])) / 2 / max(float(rest.sum()), 1e-30)
        second_s = float(np.clip(_FALL * soon_s, 0.03, first_s))
    return whole, first_s, second_s, 1 - slow / whole


def _weaker_late(first_s: float, second_s: float, share: float) -> bool:
    """Whether the first part is the weaker where the whole has fallen by 15 dB."""
    time_s = np.linspace(0, 0.5 * max(first_s, second_s), 500)
    one, two = (1 - share) * 10 ** (-6 * time_s / first_s), share * 10 ** (-6 * time_s / second_s)
    down = int(np.argmax(one + two <= 10**-1.5))
    return bool(two[down] > one[down])


def _band(answer: Array, sample_rate: int, bands: tuple[float, ...], place: int) -> Band:
    """The answer [samples] in one band."""
    hz = bands[place]
    curve = decay(answer, sample_rate, 0, hz, hz)
    early = round(12 / hz * sample_rate)
    n_fft = 1 << (len(answer) + 2 * early - 1).bit_length()
    weight = _weight(np.fft.rfftfreq(n_fft, 1 / sample_rate), bands, place)
    power = np.roll(np.fft.irfft(weight * np.fft.rfft(answer, n_fft), n_fft), early) ** 2 / _unit(
        bands, place, sample_rate
    )
    power = np.concatenate([[power[: early + 1].sum()], power[early + 1 : early + len(answer)]])
    noise = float(power[curve.knee :].mean()) if curve.noise > 0 and curve.knee < len(power) else 0.0
    edges = [0]
    width = max(_SLOT_S, _PERIODS / hz) * sample_rate
    while edges[-1] + width <= curve.knee:
        edges.append(edges[-1] + round(width))
        width *= _GROWTH
    both = np.add.reduceat(power, edges)[:-1] if len(edges) > 1 else np.zeros(0)
    floor = noise * np.diff(edges)
    energy = np.asarray(both - floor, np.float64)
    clear = energy > np.maximum(_CLEAR * floor, 1e-12 * both.sum())
    count = len(clear) if clear.all() else int(np.argmin(clear))
    if count < 4 or curve.range_db < _USABLE_DB:
        whole = max(float(power[: curve.knee].sum()) - noise * curve.knee, 1e-30)
        return Band(hz, np.array([0, curve.knee / sample_rate]), np.array([whole]), usable=False)
    return Band(hz, np.array(edges[: count + 1]) / sample_rate, energy[:count], usable=True)


def _weight(hz: npt.NDArray[np.floating], bands: tuple[float, ...], place: int) -> Array:
    """Gain of a band that, unlike a room's, ends on either side: what lies beyond the outermost is left out."""
    around = (bands[place] / 2**0.5, bands[place], bands[place] * 2**0.5)
    return np.interp(np.log2(np.maximum(hz, 1e-3)), np.log2(around), (0, 1, 0))


def _unit(bands: tuple[float, ...], place: int, sample_rate: int) -> float:
    """Energy of a click of 1 in a band."""
    hz = np.linspace(0, sample_rate / 2, 1 << 15)
    return float(np.square(_weight(hz, bands, place)).mean())


def _told_apart(energy: Array, bands: tuple[float, ...], sample_rate: int) -> Array:
    """Energies that a room must have in its bands, which overlap, to show those that were measured."""
    hz = np.linspace(0, sample_rate / 2, 1 << 13)
    rendered, heard = band_weights(hz, bands), np.stack([_weight(hz, bands, place) for place in range(len(bands))])
    heard = np.square(heard) / np.square(heard).sum(axis=1, keepdims=True)
    found = energy
    for _ in range(4):
        found = found * np.clip(energy / (heard @ np.square(np.sqrt(found) @ rendered)), 0.3, 3)
    return found


def _filled(bands: tuple[float, ...], shapes: Array, usable: npt.NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Shapes of all bands, those that are not usable after their neighbours."""
    octave = np.log2(bands)
    first, second, share = shapes.T
    first_s, second_s = (np.exp(np.interp(octave, octave[usable], np.log(part))) for part in (first, second))
    return np.clip(first_s, 0.02, 20), np.clip(second_s, 0.02, 20), np.interp(octave, octave[usable], share)


def _answer_begins(response: Array, sample_rate: int, direct: Arrival, highest_hz: float) -> int:
    """Sample at which the room's answer begins to be heard."""
    curve = decay(response[direct.end :], sample_rate, 0, LOWEST_DIRECT_HZ, min(8000.0, highest_hz))
    late = min(int(np.argmax(curve.level_db < -_GAP_DB)), round(0.5 * sample_rate))
    return min(direct.end + late, direct.peak + round(0.9 * sample_rate))


def _levels(
    response: Array,
    sample_rate: int,
    direct: Arrival,
    bands: tuple[float, ...],
    energy: Array,
    usable: npt.NDArray[np.bool_],
    decay_s: Array,
) -> Array:
    """Energy of the answer over that of the direct sound in each band, in dB."""
    told = usable & (np.array(bands) >= LOWEST_DIRECT_HZ)
    if not told.any():
        raise RetimbreError("the impulse response is too noisy from 500 Hz up to tell its direct sound; measure again")
    heard = response[max(0, direct.start - round(0.001 * sample_rate)) : direct.end]
    n_fft = 1 << 14
    power, hz = np.square(np.abs(np.fft.rfft(heard, n_fft))), np.fft.rfftfreq(n_fft, 1 / sample_rate)
    weights = np.stack([np.square(_weight(hz, bands, place)) for place in range(len(bands))])
    click = _told_apart((weights @ power) / weights.sum(axis=1), bands, sample_rate)
    level = 10 * np.log10(energy / np.maximum(click, 1e-12 * energy))
    diffuse = 10 * np.log10(decay_s)
    octave = np.log2(bands)
    level = diffuse + np.interp(octave, octave[told], (level - diffuse)[told])
    return np.clip(level, -60, 28)


def _room(
    name: str, seed: int, predelay_s: float, first: tuple[Array, Array], second: tuple[Array, Array], colour_db: Array
) -> Room:
    """With as many digits as mean something, without a second part that is not heard, as loud as the dry sound."""

    def numbers(values: npt.ArrayLike, digits: int) -> tuple[float, ...]:
        return tuple(np.round(np.maximum(values, _DIM_DB), digits).tolist())

    bands = ROOM_BANDS_HZ[: len(first[0])]
    heard = second[1] > first[1] - 30
    longest_s = predelay_s + float(np.maximum(first[0], np.where(heard, second[0], 0)).max())
    colour_db = np.pad(colour_db, (0, len(bands) - len(colour_db)), mode="edge")
    middle = [place for place, hz in enumerate(bands) if hz <= 4000]
    colour_db = colour_db - 10 * math.log10(float(np.mean(10 ** (colour_db[middle] / 10))))
    return Room(
        bands,
        numbers(first[0], 3),
        numbers(first[1], 2),
        round(min(MAX_LENGTH_S, max(0.1, 1.05 * longest_s)), 2),
        seed,
        name,
        round(predelay_s, 4),
        numbers(second[0], 3) if heard.any() else (),
        numbers(second[1], 2) if heard.any() else (),
        colour_db=numbers(colour_db, 1),
    ).as_loud_as_dry()
