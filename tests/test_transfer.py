"""Fitting a sound to an instrument, and playing it: pitch by whole octaves, dynamics into the instrument's own."""

from pathlib import Path

import numpy as np
import pytest

from retimbre import audio
from retimbre.analysis import analyze
from retimbre.controls import Controls
from retimbre.instrument import Instrument, Player, load
from retimbre.transfer import (
    GATE_BELOW_LOUD_DB,
    Settings,
    adjust,
    natural_rate,
    play_blocks,
    transfer,
    transfer_file,
)

STEEPEST = 2.0  # dB a dB: what the fit may stretch dynamics by
QUIET = Settings(fit_loudness=False)


@pytest.fixture(scope="module")
def cello() -> Instrument:
    return load("cello")


def hz(midi: float) -> float:
    return float(440 * 2 ** ((midi - 69) / 12))


def db(values: np.ndarray) -> np.ndarray:
    return 20 * np.log10(np.maximum(np.abs(values), 1e-12))


def rms_db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))


def sung(midi: float | np.ndarray = 57.0, loudness_db: float | np.ndarray = -30.0, frames: int = 2001) -> Controls:
    """Voiced throughout."""
    f0_hz = np.broadcast_to(440 * 2 ** ((np.asarray(midi) - 69) / 12), frames)
    return Controls(f0_hz, np.ones(frames), np.broadcast_to(loudness_db, frames))


def swelling(from_db: float, to_db: float, frames: int = 2001) -> np.ndarray:
    """Every loudness between the two, equally often, up and down four times."""
    phase = np.arange(frames) / frames * 8 % 2
    return from_db + (to_db - from_db) * np.minimum(phase, 2 - phase)


def note(
    hz: float, seconds: float = 1.0, sample_rate: int = 48_000, level_db: float | np.ndarray = -20.0
) -> np.ndarray:
    """Ten harmonics, 1/k, below Nyquist."""
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    waves = [np.sin(2 * np.pi * k * hz * t + k) / k for k in range(1, 11) if k * hz < 0.45 * sample_rate]
    return (10 ** (np.asarray(level_db) / 20) * np.sum(waves, axis=0)).astype(np.float32)


def swell(n_samples: int, sample_rate: int = 48_000) -> np.ndarray:
    """Levels of a phrase, -50 to -15 dB."""
    t = np.arange(n_samples) / sample_rate
    return -32.5 + 17.5 * np.cos(2 * np.pi * 1.5 * t)


def pitch_of(sound: np.ndarray, sample_rate: int, low: float = 60.0, high: float = 1000.0) -> float:
    """Period of the middle by autocorrelation, refined on harmonics: knows nothing of the engine."""
    middle = sound[len(sound) // 4 : 3 * len(sound) // 4].astype(np.float64)
    n = 1 << (2 * len(middle) - 1).bit_length()
    power = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), n)) ** 2
    r = np.fft.irfft(power)[: int(sample_rate / low) + 2]
    first = int(sample_rate / high)
    peaks = [i for i in range(max(1, first), len(r) - 1) if r[i - 1] < r[i] >= r[i + 1]]
    best = max(r[i] for i in peaks)
    at = next(i for i in peaks if r[i] > 0.9 * best)
    curve = r[at - 1] - 2 * r[at] + r[at + 1]
    return sample_rate / (at + 0.5 * (r[at - 1] - r[at + 1]) / curve)


def cents(a: float, b: float) -> float:
    return abs(1200 * np.log2(a / b))


# Pitch


@pytest.mark.parametrize("midi", [36, 45, 57, 69, 80])
def test_a_sound_in_range_stays_in_its_octave(cello: Instrument, midi: float) -> None:
    adjusted, adjustment = adjust(sung(midi), cello)
    assert adjustment.octave == 0 and adjustment.outside_range == 0
    np.testing.assert_array_equal(adjusted.f0_hz, sung(midi).f0_hz)


def test_a_melody_over_the_whole_range_stays_in_its_octave(cello: Instrument) -> None:
    pitch = cello.network.pitch
    melody = np.linspace(pitch.low + 1, pitch.high - 1, 2001)
    assert adjust(sung(melody), cello)[1].octave == 0


@pytest.mark.parametrize("midi", [94.4, 90, 100, 107, 24])
def test_a_sound_out_of_range_moves_by_the_rounded_difference_of_the_medians(cello: Instrument, midi: float) -> None:
    adjusted, adjustment = adjust(sung(midi), cello)
    pitch = cello.network.pitch
    octaves = round((pitch.centre - midi) / 12)
    assert adjustment.octave == octaves != 0
    np.testing.assert_allclose(adjusted.f0_hz, hz(midi + 12 * octaves), rtol=1e-5)
    assert adjustment.outside_range == 0


def test_stray_frames_do_not_move_a_sound(cello: Instrument) -> None:
    midi = np.full(2001, 57.0)
    midi[::20] = 100  # 5 % of octave errors
    assert adjust(sung(midi), cello)[1].octave == 0


def test_pitches_of_silence_and_noise_do_not_count(cello: Instrument) -> None:
    controls = sung(57)
    f0_hz, periodicity, loudness = controls.f0_hz.copy(), controls.periodicity.copy(), controls.loudness_db.copy()
    f0_hz[:1000], loudness[:1000] = 3000, -90  # hiss before the music, as some tracker would read it
    f0_hz[1000:1300], periodicity[1000:1300] = 3000, 0.1
    assert adjust(Controls(f0_hz, periodicity, loudness), cello)[1].octave == 0


@pytest.mark.parametrize(("octave", "semitones"), [(1, 0.0), (-2, 0.0), (0, 7.0), (1, -3.5)])
def test_a_transposition_is_done_as_asked(cello: Instrument, octave: int, semitones: float) -> None:
    adjusted, adjustment = adjust(sung(57), cello, Settings(octave=octave, semitones=semitones))
    assert adjustment.octave == octave
    np.testing.assert_allclose(adjusted.f0_hz, hz(57 + 12 * octave + semitones), rtol=1e-5)


def test_what_lies_outside_the_range_is_counted(cello: Instrument) -> None:
    midi = np.where(np.arange(2000) < 500, 20, 57)
    assert adjust(sung(midi, frames=2000), cello, Settings(octave=0))[1].outside_range == pytest.approx(0.25)


def test_voicing_is_kept_and_made_definite(cello: Instrument) -> None:
    controls = sung().replace(periodicity=np.linspace(0, 1, 2001))
    adjusted, _ = adjust(controls, cello)
    np.testing.assert_array_equal(adjusted.voiced, controls.voiced)
    # docs/definitions.md: the weight of the harmonics is 0 at 0.4 and 1 at 0.6
    assert ((adjusted.periodicity >= 0.6 - 1e-6) | (adjusted.periodicity <= 0.4 + 1e-6)).all()


# Loudness


def test_wide_dynamics_take_the_quantiles_of_the_instrument(cello: Instrument) -> None:
    controls = sung(57, swelling(-60, -20))
    adjusted, _ = adjust(controls, cello)
    theirs = np.array(cello.card["loudness"]["quantiles"])
    shares = np.linspace(0, 1, len(theirs))
    inside = (shares >= 0.08) & (shares <= 0.92)
    ours = np.quantile(adjusted.loudness_db, shares)
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=1)


@pytest.mark.parametrize("span_db", [0.0, 0.3, 3.0, 12.0, 40.0])
def test_louder_stays_louder_and_no_slope_exceeds_the_steepest(cello: Instrument, span_db: float) -> None:
    controls = sung(57, swelling(-30 - span_db, -30))
    gate_db = -30 - GATE_BELOW_LOUD_DB
    adjusted, _ = adjust(controls, cello)
    order = np.argsort(controls.loudness_db)
    order = order[controls.loudness_db[order] > gate_db]
    source, fitted = (c.loudness_db[order].astype(np.float64) for c in (controls, adjusted))
    assert (np.diff(fitted) >= -1e-5).all()
    # between frames half a decibel apart: the points are rounded to 0.01 dB
    later = np.searchsorted(source, source + 0.5)
    pairs = later < len(source)
    slopes = (fitted[later[pairs]] - fitted[pairs]) / (source[later[pairs]] - source[pairs])
    assert not len(slopes) or slopes.max() <= 1.05 * STEEPEST
    assert fitted.max() - fitted.min() <= 1.05 * STEEPEST * span_db + 1e-3


def test_a_steady_sound_becomes_one_of_middle_loudness(cello: Instrument) -> None:
    adjusted, _ = adjust(sung(57, -62.0), cello)
    np.testing.assert_allclose(adjusted.loudness_db, np.median(cello.card["loudness"]["quantiles"]), atol=1)


@pytest.mark.parametrize("gain_db", [-30.0, -6.0, 20.0])
def test_a_fitted_sound_does_not_depend_on_its_gain(cello: Instrument, gain_db: float) -> None:
    loudness = swelling(-45, -25)
    plain, _ = adjust(sung(57, loudness), cello)
    louder, _ = adjust(sung(57, loudness + gain_db), cello)
    np.testing.assert_allclose(louder.loudness_db, plain.loudness_db, atol=0.1)


@pytest.mark.parametrize("gain", [0.05, 0.3])
def test_a_fitted_file_does_not_depend_on_its_gain(cello: Instrument, gain: float) -> None:
    sound = note(220, 2.0, level_db=swell(96_000))
    plain, quieter = (transfer(x, 48_000, cello) for x in (sound, np.float32(gain) * sound))
    assert rms_db(quieter) == pytest.approx(rms_db(plain), abs=0.1)
    blocks = [x[: len(x) // 2400 * 2400].reshape(-1, 2400) for x in (plain, quieter)]  # 50 ms
    levels = [10 * np.log10(np.mean(np.square(x, dtype=np.float64), axis=1)) for x in blocks]
    loud = levels[0] > levels[0].max() - 30
    np.testing.assert_allclose(levels[1][loud], levels[0][loud], atol=0.5)


def test_without_the_fit_loudness_reaches_the_network_as_it_is(cello: Instrument) -> None:
    """20 dB are more than a volume control: cellos played louder are brighter, and the spectrum shows it."""
    soft, loud = (
        cello.decode(adjust(sung(57, level), cello, QUIET)[0]).harmonic_amplitudes[-1] for level in (-42.0, -22.0)
    )
    np.testing.assert_allclose(adjust(sung(57, -42.0), cello, QUIET)[0].loudness_db, -42.0, atol=1e-4)
    gain_db = 10 * np.log10((loud**2).sum() / (soft**2).sum())
    assert 10 < gain_db < 30
    k = np.arange(1, len(soft) + 1)
    centroid = [float((k * a**2).sum() / (a**2).sum()) for a in (soft, loud)]
    shape = [db(a[:20]) - 10 * np.log10((a**2).sum()) for a in (soft, loud)]
    assert centroid[1] > centroid[0] and np.abs(shape[1] - shape[0]).max() > 1


def test_with_the_fit_dynamics_reach_the_network(cello: Instrument) -> None:
    adjusted, _ = adjust(sung(57, swelling(-50, -30)), cello)
    level = 10 * np.log10((cello.decode(adjusted).harmonic_amplitudes ** 2).sum(axis=1))
    heard = sung(57, swelling(-50, -30)).loudness_db
    assert level[heard > -33].mean() - level[heard < -47].mean() > 8


# Silence and noise


@pytest.mark.parametrize("fit", [True, False])
def test_digital_silence_stays_silent(cello: Instrument, fit: bool) -> None:
    out = transfer(np.zeros(48_000, np.float32), 48_000, cello, Settings(fit_loudness=fit))
    assert db(out).max() <= -80


@pytest.mark.parametrize("fit", [True, False])
@pytest.mark.parametrize("level_db", [-20.0, -50.0, -70.0])
def test_silence_beside_a_sound_stays_silent_however_quiet_the_sound(
    cello: Instrument, level_db: float, fit: bool
) -> None:
    sound = np.concatenate([np.zeros(48_000), note(220, 1.0, level_db=level_db), np.zeros(48_000)])
    out = transfer(sound, 48_000, cello, Settings(fit_loudness=fit))
    silent = np.concatenate([out[: 48_000 - 4800], out[96_000 + 4800 :]])  # 0.1 s for the loudness window to empty
    assert rms_db(silent) <= -80 and db(silent).max() <= -80


def test_faint_noise_between_notes_is_not_made_into_music(cello: Instrument) -> None:
    rng = np.random.default_rng(0)
    sound = np.concatenate([note(220, 1.0, level_db=-20), np.zeros(48_000)])
    sound += (10 ** (-75 / 20) * rng.standard_normal(len(sound))).astype(np.float32)
    out = transfer(sound, 48_000, cello)
    assert rms_db(out[52_800:]) < rms_db(out[:48_000]) - 50


@pytest.mark.parametrize("level_db", [-50.0, -30.0, -12.0])
def test_white_noise_has_no_pitch_and_becomes_no_tone(cello: Instrument, level_db: float) -> None:
    noise = 10 ** (level_db / 20) * np.random.default_rng(1).standard_normal(8 * 48_000)
    controls = analyze(noise, 48_000)
    assert controls.voiced.mean() < 0.02
    out = transfer(noise, 48_000, cello)
    frames = np.lib.stride_tricks.sliding_window_view(out, 4096)[::2048] * np.hanning(4096)
    spectrum = 10 * np.log10((np.abs(np.fft.rfft(frames)) ** 2).mean(axis=0) + 1e-20)
    around = np.array([np.median(spectrum[max(0, i - 15) : i + 16]) for i in range(len(spectrum))])
    audible = spectrum > spectrum.max() - 50
    assert (spectrum - around)[10:][audible[10:]].max() < 8  # a tone would stand 20 dB and more above its surroundings


def test_a_gate_silences_what_lies_below_it(cello: Instrument) -> None:
    levels = np.repeat([-20.0, -50.0], 48_000)
    sound = note(220, 2.0, level_db=levels)
    out = transfer(sound, 48_000, cello, Settings(gate_db=-35))
    assert rms_db(out[56_000:90_000]) < rms_db(out[10_000:40_000]) - 40


# The sound


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 22_050, 44_100, 48_000, 88_200, 96_000])
def test_every_rate_gives_the_same_note(cello: Instrument, sample_rate: int) -> None:
    out = transfer(note(220, 1.0, sample_rate), sample_rate, cello)
    rate = natural_rate(sample_rate)
    assert rate == (sample_rate if sample_rate >= 44_100 else 48_000) and len(out) == rate
    assert cents(pitch_of(out, rate), 220) < 5
    reference = transfer(note(220, 1.0), 48_000, cello)
    assert rms_db(out[rate // 4 :]) == pytest.approx(rms_db(reference[12_000:]), abs=0.5)


@pytest.mark.parametrize("midi", [36, 45, 57.3, 69, 81])
def test_what_goes_in_as_a_note_comes_out_as_that_note(cello: Instrument, midi: float) -> None:
    out = transfer(note(hz(midi)), 48_000, cello)
    assert cents(pitch_of(out, 48_000), hz(midi)) < 5


def test_a_whistle_comes_out_octaves_lower(cello: Instrument) -> None:
    t = np.arange(48_000) / 48_000
    out = transfer(0.1 * np.sin(2 * np.pi * 1900 * t), 48_000, cello)
    assert cents(pitch_of(out, 48_000), 1900 / 8) < 5


@pytest.mark.parametrize("n_samples", [1, 2, 239, 240, 241, 44_099, 48_001])
@pytest.mark.parametrize(("rate", "output_rate"), [(48_000, None), (44_100, None), (44_100, 48_000), (16_000, 16_000)])
def test_the_output_is_as_long_as_the_input(
    cello: Instrument, n_samples: int, rate: int, output_rate: int | None
) -> None:
    out = transfer(note(220, n_samples / rate, rate), rate, cello, output_rate=output_rate)
    assert len(out) == round(n_samples * (output_rate or rate) / rate) and np.isfinite(out).all()


def test_a_seed_gives_one_sound_and_another_seed_another(cello: Instrument) -> None:
    sound = note(220, 0.5)
    first, again, other = (transfer(sound, 48_000, cello, Settings(seed=seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert rms_db(other) == pytest.approx(rms_db(first), abs=0.5)


def test_the_gain_is_of_the_output_alone(cello: Instrument) -> None:
    sound = note(220, 0.5)
    plain, softer = (transfer(sound, 48_000, cello, Settings(gain_db=gain)) for gain in (0, -12))
    np.testing.assert_allclose(softer, plain * 10 ** (-12 / 20), atol=1e-7)


def test_blocks_are_the_whole(cello: Instrument) -> None:
    controls, _ = adjust(analyze(note(220, 5.0, level_db=swell(240_000)), 48_000), cello)
    whole = cello.play(controls, 48_000, seed=7)
    blocks = list(play_blocks(controls, cello, 48_000, len(whole), Settings(seed=7)))
    assert len(blocks) > 1
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-5)
    player, parts, at = Player(cello, 48_000, seed=7), [], 0
    for length in [1, 1, 7, 100, 333, len(controls)]:
        part = slice(at, at + length)
        if at < len(controls):
            parts.append(
                player.process(Controls(controls.f0_hz[part], controls.periodicity[part], controls.loudness_db[part]))
            )
        at += length
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


def test_a_file_is_what_the_array_is(cello: Instrument, tmp_path: Path) -> None:
    sound = note(330, 1.5, 44_100, swell(66_150, 44_100))
    audio.write(tmp_path / "in.wav", sound, 44_100, subtype="FLOAT")
    shares: list[float] = []
    report = transfer_file(tmp_path / "in.wav", tmp_path / "out.wav", cello, progress=shares.append)
    got, rate = audio.read(tmp_path / "out.wav")
    assert rate == report["sample_rate"] == 44_100
    np.testing.assert_allclose(got, np.clip(transfer(sound, 44_100, cello), -1, 1), atol=2e-7)
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1)
    assert report["median_f0_hz"] == pytest.approx(330, rel=0.003) and report["seconds"] == 1.5
    assert report["peak_db"] == pytest.approx(db(got).max(), abs=0.1)
