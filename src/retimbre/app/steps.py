"""The line from sound to sound as the app walks it: each step is kept in a file, named by a hash of its ingredients.

So moving a slider repeats only what depends on it: analysis and decoding are there already when the mix is changed.
Files lie in the folder of one session and go with it. Nothing here knows of the web; it runs in worker processes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from retimbre import audio
from retimbre.analysis import analyze
from retimbre.app.edits import Edits, Standing, loud_db
from retimbre.app.limits import KEPT_MB
from retimbre.base import choose
from retimbre.controls import Controls
from retimbre.engine import Convolver, Floats, resample
from retimbre.errors import RetimbreError
from retimbre.files import replacing
from retimbre.instrument import Instrument, SynthParams, synthesize
from retimbre.transfer import Settings, adjust, choose_room, natural_rate, range_warnings

RINGING_S = 4.0
"""How long a room may ring on after the sound has ended."""

PEAK = 0.97
"""What comes out louder than this is turned down as a whole."""

_FADE_S = 0.3  # of a ringing that is cut off


@dataclass(frozen=True)
class Order:
    """What a visitor wants to hear.

    Attributes:
        source: a sound file, whose name tells its content (`Session.keep`), as those of all files here do.
        instrument: a name, a blend or a file.
        octave: octaves up, or "auto".
        semitones: further up.
        fit: whether dynamics are matched to the instrument's.
        loudness_db: played so much louder: it changes the timbre, not the volume.
        gate_db: loudness below which there is silence; None chooses it.
        controls: a CSV to be played as it is, in the place of what was heard in the source.
        edits: a file of what was drawn on the curves (`retimbre.app.edits`).
        harmonics: gain of the harmonic part.
        noise: gain of the noise.
        room: as `retimbre.transfer.choose_room` takes it.
    """

    source: str
    instrument: str = "cello"
    octave: int | Literal["auto"] = "auto"
    semitones: float = 0.0
    fit: bool = True
    loudness_db: float = 0.0
    gate_db: float | None = None
    controls: str | None = None
    edits: str | None = None
    harmonics: float = 1.0
    noise: float = 1.0
    room: str = "none"


@dataclass(frozen=True, eq=False)
class Heard:
    """A source: the sound [samples], its rate, and what the analysis heard."""

    sound: Floats
    sample_rate: int
    controls: Controls


@dataclass(frozen=True, eq=False)
class Adjusted:
    """Controls that suit the instrument, where they lie now, and what was done to them."""

    controls: Controls
    standing: Standing
    told: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Fitted:
    """What the instrument plays: controls, edits included, synthesiser parameters, and what was done to them."""

    controls: Controls
    params: SynthParams
    told: dict[str, Any]


class Shelf:
    """Where the steps of one session are kept."""

    def __init__(self, folder: Path) -> None:
        """Use a folder that exists."""
        self.folder = folder

    def arrays(self, kind: str, parts: Iterable[Any], make: Callable[[], dict[str, Any]]) -> dict[str, np.ndarray]:
        """Arrays by name, made if they are not there."""
        path = self.path(kind, parts, ".npz")
        if not path.exists():
            made = make()
            with replacing(path) as part, part.open("wb") as file:
                np.savez(file, **made)
        with np.load(path, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}

    def file(self, kind: str, parts: Iterable[Any], suffix: str, make: Callable[[Path], Any]) -> Path:
        """A file, made if it is not there."""
        path = self.path(kind, parts, suffix)
        if not path.exists():
            try:
                make(path)
            except BaseException:
                path.unlink(missing_ok=True)  # half of it is worse than nothing
                raise
        return path

    def path(self, kind: str, parts: Iterable[Any], suffix: str) -> Path:
        """Where it is or shall be; being asked for keeps it young."""
        told = json.dumps([str(part) if isinstance(part, Path) else part for part in parts])
        path = self.folder / f"{kind}-{hashlib.sha256(told.encode()).hexdigest()[:24]}{suffix}"
        if path.exists():
            os.utime(path)
        return path

    def forget_oldest(self, megabytes: float = KEPT_MB) -> None:
        """Remove what has not been asked for for longest, until no more than this is left; what was brought stays."""
        made = [entry for entry in self.folder.iterdir() if entry.is_file() and "-" in entry.name]
        sizes = {entry: (entry.stat().st_mtime, entry.stat().st_size) for entry in made}
        over = sum(size for _, size in sizes.values()) - megabytes * 1e6
        for entry, (_, size) in sorted(sizes.items(), key=lambda item: item[1][0]):
            if over <= 0:
                break
            entry.unlink(missing_ok=True)
            over -= size


def check(source: Path, minutes: float) -> float:
    """Seconds of a sound file that may be used.

    Raises:
        RetimbreError: it cannot be read, or is too long.
    """
    if (seconds := audio.length_s(source)) > 60 * minutes:  # before it is read through: it may be days of silence
        raise RetimbreError(f"{source}: lasts {seconds / 60:.1f} minutes; {minutes:g} may be used here, cut it")
    with audio.Reader(source) as reader:
        for _ in reader.blocks():
            pass
        return reader.seconds


def check_length(folder: Path, minutes: float) -> None:
    """See that the recordings of a folder are not too long together.

    Raises:
        RetimbreError: they are, or there are none.
    """
    seconds = 0.0
    for path in audio.find([folder]):
        with contextlib.suppress(RetimbreError):  # the doctor says what is wrong with it
            seconds += audio.length_s(path)
    if seconds > 60 * minutes:
        raise RetimbreError(
            f"Together these last {seconds / 60:.0f} minutes; {minutes:g} may be used here, and 20 are plenty: "
            "bring fewer, or shorter ones."
        )


def hear(shelf: Shelf, source: str) -> Heard:
    """Read and analyse a source."""

    def make() -> dict[str, Any]:
        sound, rate = audio.read(source)
        return {"sound": sound, "rate": rate, **_curves(analyze(sound, rate))}

    held = shelf.arrays("heard", [Path(source).name], make)
    return Heard(held["sound"], int(held["rate"]), _controls(held))


def adjusted(shelf: Shelf, order: Order) -> Adjusted:
    """Adjust what was heard to the instrument, or take the controls that are given."""
    parts = [asdict(replace(order, edits=None, harmonics=1.0, noise=1.0, room="none"))]

    def make() -> dict[str, Any]:
        if order.controls:
            controls, told = Controls.load_csv(order.controls), {"octave": 0, "gate_db": None, "outside": 0.0}
            cents = 0.0
        else:
            settings = Settings(order.octave, order.semitones, fit_loudness=order.fit, gate_db=order.gate_db)
            controls, done = adjust(hear(shelf, order.source).controls, choose(order.instrument), settings)
            told = {"octave": done.octave, "gate_db": done.gate_db, "outside": done.outside_range}
            controls = controls.replace(loudness_db=controls.loudness_db + np.float32(order.loudness_db))
            cents = 1200 * done.octave + 100 * order.semitones
        standing = Standing(cents, loud_db(controls))
        return {**_curves(controls), "told": json.dumps(told), "standing": json.dumps(asdict(standing))}

    held = shelf.arrays("adjusted", parts, make)
    return Adjusted(_controls(held), Standing(**json.loads(str(held["standing"]))), json.loads(str(held["told"])))


def fit(shelf: Shelf, order: Order) -> Fitted:
    """Adjust, change what was drawn otherwise, and decode."""
    parts = [asdict(replace(order, harmonics=1.0, noise=1.0, room="none"))]

    def make() -> dict[str, Any]:
        instrument, base = choose(order.instrument), adjusted(shelf, order)
        controls, told = base.controls, base.told
        if order.edits:
            controls = Edits.load(order.edits, len(controls)).applied(controls, base.standing)
        told["warnings"] = _warnings(controls, instrument, told["outside"])
        params = instrument.decode(controls)
        return {
            **_curves(controls),
            "harmonic_amplitudes": params.harmonic_amplitudes,
            "noise_magnitudes": params.noise_magnitudes,
            "noise_band_hz": params.noise_band_hz,
            "told": json.dumps(told),
        }

    held = shelf.arrays("fitted", parts, make)
    params = (held[name] for name in ("harmonic_amplitudes", "noise_magnitudes", "noise_band_hz"))
    return Fitted(_controls(held), SynthParams(held["f0_hz"], *params), json.loads(str(held["told"])))


def _warnings(controls: Controls, instrument: Instrument, outside: float) -> list[str]:
    if not controls.voiced.any():
        return ["No pitch was found, so there is nothing to play: sing, whistle or play one note at a time."]
    return [
        f"{warning[0].upper()}{warning[1:]}.".replace("--octave", "another octave")
        for warning in range_warnings(outside, instrument)
    ]


def play(shelf: Shelf, order: Order) -> Path:
    """Synthesise and place in the room: a WAV file, at least as long as the source."""
    return shelf.file("played", [asdict(order)], ".wav", lambda path: _play(shelf, order, path))


def _play(shelf: Shelf, order: Order, path: Path) -> None:
    rate = natural_rate(hear(shelf, order.source).sample_rate)
    dry = _dry(shelf, order, rate)
    response = _response(shelf, order, rate) if order.room != "none" else None
    audio.write(path, _level(dry if response is None else _placed(dry, response, rate)), rate, overwrite=True)


def _response(shelf: Shelf, order: Order, rate: int) -> Floats:
    def make() -> dict[str, Any]:
        room = choose_room(order.room, choose(order.instrument))
        return {"response": room.to_rir(rate) if room else np.ones(1, np.float32)}

    whose = order.instrument if order.room == "own" else ""
    return shelf.arrays("room", [order.room, whose, rate], make)["response"]


def _dry(shelf: Shelf, order: Order, rate: int) -> Floats:
    """Harmonics and noise, mixed: they are kept apart, so that their gains cost nothing."""
    whole = asdict(replace(order, harmonics=1.0, noise=1.0, room="none"))

    def make() -> dict[str, Any]:
        params = fit(shelf, order).params
        still, toneless = np.zeros_like(params.noise_magnitudes), np.zeros_like(params.harmonic_amplitudes)
        return {
            "tone": synthesize(replace(params, noise_magnitudes=still), rate),
            "noise": synthesize(replace(params, harmonic_amplitudes=toneless), rate),
        }

    held = shelf.arrays("dry", [whole, rate], make)
    return (np.float32(order.harmonics) * held["tone"] + np.float32(order.noise) * held["noise"]).astype(np.float32)


def _placed(dry: Floats, response: Floats, rate: int) -> Floats:
    """In the room, which rings on."""
    rest = min(len(response) - 1, round(RINGING_S * rate))
    wet = Convolver(response).process(np.concatenate([dry, np.zeros(rest, np.float32)]))
    fade = min(rest, round(_FADE_S * rate))
    wet[len(wet) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return wet


def _level(sound: Floats) -> Floats:
    peak = float(np.abs(sound).max(initial=0))
    return sound * np.float32(PEAK / peak) if peak > PEAK else sound


def before(shelf: Shelf, source: str) -> Path:
    """The source as retimbre hears it: mono, in a format that every browser plays."""

    def make(path: Path) -> None:
        heard = hear(shelf, source)
        sound, rate = heard.sound, natural_rate(heard.sample_rate)
        audio.write(path, resample(sound, heard.sample_rate, rate), rate, overwrite=True)

    return shelf.file("before", [Path(source).name], ".wav", make)


def tone(shelf: Shelf, controls: Controls, name: str, rate: int = 48_000) -> Path:
    """Controls as a plain tone, to hear what they say: pitch and loudness, and nothing else."""

    def make(path: Path) -> None:
        frames = np.arange(len(controls)) * (rate / controls.frame_rate)
        at = np.arange(round(controls.seconds * rate))
        hz = np.interp(at, frames, controls.f0_hz)
        level = np.where(controls.voiced, 10 ** (np.minimum(controls.loudness_db + 10, 0) / 20), 0)
        sound = np.interp(at, frames, level) * np.sin(2 * np.pi * np.cumsum(hz / rate))
        peak = float(np.abs(sound).max(initial=1e-6))
        audio.write(path, (0.5 * sound / peak).astype(np.float32), rate, overwrite=True)

    return shelf.file("tone", [name], ".wav", make)


def _curves(controls: Controls) -> dict[str, Floats]:
    return {name: getattr(controls, name) for name in ("f0_hz", "periodicity", "loudness_db")}


def _controls(held: dict[str, np.ndarray]) -> Controls:
    return Controls(held["f0_hz"], held["periodicity"], held["loudness_db"])
