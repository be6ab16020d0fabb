"""How good is an instrument? Measured on recordings that training never saw, by analysers that share nothing with it.

- Reconstruction: each recording is played from its own controls and compared with itself.
- Dynamics: whether loudness drives the timbre as it does in the recordings.
- Transfer: whether other sounds, played with the instrument, take its timbre and lose their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retimbre import audio
from retimbre.analysis import analyze
from retimbre.engine import resample
from retimbre.errors import RetimbreError
from retimbre.instrument import Instrument
from retimbre.training import independent
from retimbre.training.corpus import split
from retimbre.training.reconstruct import Heard, listen, timbres
from retimbre.training.recording import SAMPLE_RATE, Recording
from retimbre.training.timbre import Envelopes, Timbre, centroid_slope, distance_db, envelopes, join, timbre
from retimbre.transfer import adjust

MIN_PITCHED_FRAMES = 25
"""Envelopes of a source sound, half a second, for its timbre to be known."""


@dataclass(frozen=True)
class Transfer:
    """Distances in timbre of a source sound played with the instrument, in dB (`timbre.distance_db`).

    Attributes:
        source: name of the sound.
        to_instrument_db: from the output to the recordings of the instrument.
        to_source_db: from the output to the source.
        source_to_instrument_db: how far the source had to go.
    """

    source: str
    to_instrument_db: float
    to_source_db: float
    source_to_instrument_db: float


@dataclass(frozen=True)
class Evaluation:
    """Figures of an instrument, ready for JSON; None where the recordings do not tell.

    Attributes:
        recordings: how many were measured.
        seconds: their length.
        spectral_loss: multi-scale spectral loss (`retimbre.dsp`), mean over time.
        log_spectral_distance_db: mean over frames.
        pitch_judge: the independent tracker that compared pitches.
        pitch_median_cents: median distance in pitch of reconstruction and recording.
        pitch_p95_cents: its 95th percentile.
        pitch_within_50_cents: share of frames.
        pitch_kept: share of the recording's frames with a pitch that have one in the reconstruction.
        loudness_error_db: mean absolute difference in A-weighted loudness.
        harmonic_to_noise_db: of the reconstructions, median over frames.
        harmonic_to_noise_recorded_db: of the recordings.
        harmonic_share: of the reconstruction's energy, in the harmonic branch.
        centroid_slope: octaves of spectral centroid / f0 for 10 dB of loudness, of the reconstructions. Measured on
            what training heard, too, where it is known: few held-out recordings share a pitch and differ in loudness.
        centroid_slope_recorded: of the recordings.
        centroid_slope_ratio: the former over the latter; 1 is right, 0 is one timbre at every loudness.
        timbre_distance_db: from the reconstructions to the recordings.
        timbre_spread_db: from one half of the recordings to the other: what is within reach.
        transfers: of the source sounds, if any were given.
        transfer_to_instrument_db: mean over the transfers.
        transfer_to_source_db: mean over the transfers.
        transfer_ratio: the former over the latter; half or less is the goal.
    """

    recordings: int
    seconds: float
    spectral_loss: float | None
    log_spectral_distance_db: float | None
    pitch_judge: str
    pitch_median_cents: float | None
    pitch_p95_cents: float | None
    pitch_within_50_cents: float | None
    pitch_kept: float | None
    loudness_error_db: float | None
    harmonic_to_noise_db: float | None
    harmonic_to_noise_recorded_db: float | None
    harmonic_share: float | None
    centroid_slope: float | None
    centroid_slope_recorded: float | None
    centroid_slope_ratio: float | None
    timbre_distance_db: float | None
    timbre_spread_db: float | None
    transfers: tuple[Transfer, ...] = ()
    transfer_to_instrument_db: float | None = None
    transfer_to_source_db: float | None = None
    transfer_ratio: float | None = None


def evaluate(instrument: Instrument, recordings: Sequence[Recording], known: Sequence[Recording] = ()) -> Evaluation:
    """Measure an instrument on recordings that training never saw; dynamics on those that it did, as well.

    Raises:
        RetimbreError: no independent pitch tracker is installed.
    """
    heard = [listen(instrument, recording) for recording in recordings]
    return summarize(heard, (), [timbres(instrument, recording) for recording in known])


def summarize(
    heard: Sequence[Heard], transfers: Sequence[Transfer] = (), known: Sequence[tuple[Envelopes, Envelopes]] = ()
) -> Evaluation:
    """The figures of all recordings together.

    Args:
        heard: of the recordings that training never saw.
        transfers: of other sounds.
        known: envelopes of what training saw, recorded and played.
    """
    samples = np.array([one.samples for one in heard])
    cents = np.abs(np.concatenate([one.cents for one in heard]))
    balance = np.concatenate([one.harmonic_to_noise_db for one in heard], axis=1)
    tone, noise = np.sum([one.energy for one in heard], axis=0)
    recorded, played = join([one.recorded for one in heard]), join([one.played for one in heard])
    dynamics = [pair[::-1] for pair in [(one.recorded, one.played) for one in heard] + [*known]]
    slopes = [centroid_slope(join(list(sounds))) for sounds in zip(*dynamics, strict=True)]
    halves = [[one.recorded for one in heard[start::2]] for start in (0, 1)]
    spread = distance_db(*(timbre(join(half)) for half in halves)) if len(heard) > 1 else float("nan")
    gone, left = (
        np.mean([getattr(one, name) for one in transfers] or [np.nan]) for name in ("to_instrument_db", "to_source_db")
    )
    some = len(cents) > 0
    return Evaluation(
        len(heard),
        round(float(samples.sum()) / SAMPLE_RATE, 1),
        _figure(np.average([one.spectral_loss for one in heard], weights=samples), 4),
        _figure(np.mean(np.concatenate([one.log_spectral_distance_db for one in heard])), 2),
        independent.judge(),
        _figure(np.median(cents), 1) if some else None,
        _figure(np.percentile(cents, 95), 1) if some else None,
        _figure(np.mean(cents <= 50), 4) if some else None,
        _figure(len(cents) / max(1, sum(one.judged for one in heard)), 4),
        _figure(np.mean(np.abs(np.concatenate([one.loudness_error_db for one in heard]))), 2),
        _figure(np.median(balance[1]), 1),
        _figure(np.median(balance[0]), 1),
        _figure(tone / (tone + noise) if tone + noise else np.nan, 4),
        _figure(slopes[0], 3),
        _figure(slopes[1], 3),
        _figure(slopes[0] / slopes[1] if slopes[1] else np.nan, 2),
        _figure(distance_db(timbre(played), timbre(recorded)), 2),
        _figure(spread, 2),
        tuple(transfers),
        _figure(gone, 2),
        _figure(left, 2),
        _figure(gone / left, 2),
    )


def held_out(instrument: Instrument, recordings: list[Recording]) -> tuple[list[Recording], list[Recording]]:
    """Of the recordings that an instrument was made from, those that its training held out, and those that it saw.

    Raises:
        RetimbreError: they are not the recordings that its card tells of.
    """
    card = instrument.card
    try:
        settings = card["training"]["config"]
        training, rest = split(recordings, settings["held_out"], settings["seed"])
        told = card["training"]["recordings"], card["evaluation"]["held_out_recordings"]
    except (KeyError, TypeError) as error:
        raise RetimbreError(
            f"{instrument.name}: its card does not say what was held out; leave out --held-out"
        ) from error
    if told != (len(training), len(rest)):
        raise RetimbreError(
            f"{instrument.name}: was trained on {told[0]} recordings with {told[1]} held out, not on these "
            f"{len(recordings)}; give the same folder or recipe, or leave out --held-out"
        )
    return rest, training


def _figure(value: float | np.floating, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None


def target(recorded: Sequence[Envelopes]) -> Timbre:
    """The instrument's own timbre: that of its recordings."""
    return timbre(join(list(recorded)))


def transfer_distance(
    source: Path, instrument: Instrument, target: Timbre, warn: Callable[[str], None]
) -> Transfer | None:
    """Play a sound with the instrument as `retimbre transfer` does, and see where its timbre went.

    Source and output are filed under the pitch and loudness that the instrument was asked for, which is where the
    instrument's own recordings are filed: all three are compared at the same notes, whatever octave and level the
    source came in.

    Returns:
        None where the source cannot be read or has too little pitch, which `warn` is told.
    """
    try:
        sound, rate = audio.read(source)
    except audio.AudioError as error:
        warn(f"left out: {error}")
        return None
    controls = analyze(sound, rate)
    asked, adjustment = adjust(controls, instrument)
    chosen = controls.voiced & (controls.loudness_db > adjustment.gate_db)
    if chosen.sum() < 4 * MIN_PITCHED_FRAMES:
        warn(f"left out: {source}: has less than half a second with a pitch")
        return None
    before = envelopes(resample(sound - sound.mean(), rate, SAMPLE_RATE), SAMPLE_RATE, controls, chosen, filed=asked)
    after = envelopes(instrument.play(asked, SAMPLE_RATE), SAMPLE_RATE, asked, chosen)
    theirs, ours = (timbre(part, target.loudness_edges) for part in (before, after))
    return Transfer(
        source.stem,
        *(round(distance_db(*pair), 2) for pair in ((ours, target), (ours, theirs), (theirs, target))),
    )


def table(evaluation: Evaluation) -> str:
    """The figures as lines for a terminal."""
    e = evaluation

    def known(value: float | None, form: str, unit: str = "") -> str:
        return f"{value:{form}}{unit}" if value is not None else "not known"

    lines = [
        f"{e.recordings} recordings, {e.seconds:.0f} s",
        "",
        "played from their own controls",
        f"  multi-scale spectral loss   {known(e.spectral_loss, '.3f')}",
        f"  log-spectral distance       {known(e.log_spectral_distance_db, '.1f', ' dB')}",
        f"  pitch error                 median {known(e.pitch_median_cents, '.1f', ' cents')}, "
        f"95 % below {known(e.pitch_p95_cents, '.1f', ' cents')} ({e.pitch_judge})",
        f"    within 50 cents           {known(e.pitch_within_50_cents, '.1%')}",
        f"    with a pitch still        {known(e.pitch_kept, '.1%')}",
        f"  loudness error              {known(e.loudness_error_db, '.1f', ' dB')}",
        f"  harmonics over noise        {known(e.harmonic_to_noise_db, '.1f', ' dB')} "
        f"(recordings {known(e.harmonic_to_noise_recorded_db, '.1f', ' dB')})",
        f"  energy in the harmonics     {known(e.harmonic_share, '.1%')}",
        f"  timbre to the recordings    {known(e.timbre_distance_db, '.1f', ' dB')} "
        f"(one half of them to the other {known(e.timbre_spread_db, '.1f', ' dB')})",
        "",
        "loudness drives timbre (centroid / f0, octaves for 10 dB)",
        f"  instrument                  {known(e.centroid_slope, '+.2f')}",
        f"  recordings                  {known(e.centroid_slope_recorded, '+.2f')}",
        f"  ratio                       {known(e.centroid_slope_ratio, '.2f')}",
    ]
    if e.transfers:
        width = max(26, *(len(one.source) for one in e.transfers))
        lines += ["", f"{'transfer, timbre in dB':<{width + 2}}  to instrument  to source  ratio"]
        rows = [(one.source, one.to_instrument_db, one.to_source_db) for one in e.transfers]
        rows.append(("mean", e.transfer_to_instrument_db or 0.0, e.transfer_to_source_db or 0.0))
        for name, to_instrument, to_source in rows:
            ratio = known(to_instrument / to_source if to_source else None, ".2f")
            lines.append(f"  {name:<{width}}  {to_instrument:13.1f}  {to_source:9.1f}  {ratio:>5}")
        near = sum(one.to_instrument_db <= one.to_source_db / 2 for one in e.transfers)
        lines.append(f"  {near} of {len(e.transfers)} came at least twice as near to the instrument as to their source")
    return "\n".join(lines)
