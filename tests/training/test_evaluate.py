"""An instrument measured against sounds of which the answer is known, its own above all."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch

from retimbre import audio
from retimbre.cli import main
from retimbre.controls import Controls
from retimbre.errors import RetimbreError
from retimbre.instrument import Instrument, load
from retimbre.training import evaluate, reconstruct
from retimbre.training.recording import SAMPLE_RATE, Recording, make_recording

SHARED = Path(__file__).parents[2] / "../shared/audio"


def notes(*midi: float, low_db: float = -45.0, high_db: float = -15.0) -> Controls:
    """Notes of a second that swell and fade, with silence between."""
    swell = low_db + (high_db - low_db) * np.sin(np.pi * np.linspace(0, 1, 200)) ** 2
    f0_hz = np.repeat(440 * 2 ** ((np.array(midi) - 69) / 12), 240)
    sounds = np.tile(np.concatenate([np.ones(200), np.zeros(40)]), len(midi))
    loudness = np.tile(np.concatenate([swell, np.full(40, -100.0)]), len(midi))
    return Controls(*(np.append(curve, curve[-1]) for curve in (f0_hz, sounds, loudness)))


def played(instrument: Instrument, controls: Controls, seed: int = 1) -> Recording:
    return Recording(Path("own.wav"), instrument.play(controls, SAMPLE_RATE, seed=seed), controls)


def muted(instrument: Instrument, part: slice) -> Instrument:
    """Without some of the network's outputs."""
    weights = {name: weight.copy() for name, weight in instrument.weights.items()}
    weights["output.weight"][:, part], weights["output.bias"][part] = 0, -50
    return Instrument(instrument.card, weights)


@pytest.fixture(scope="module")
def cello() -> Instrument:
    return load("cello")


@pytest.fixture(scope="module")
def own(cello: Instrument) -> evaluate.Evaluation:
    return evaluate.evaluate(cello, [played(cello, notes(43, 48, 55)), played(cello, notes(50, 57, 60))])


def test_its_own_rendering_differs_by_the_noise_alone(cello: Instrument, own: evaluate.Evaluation) -> None:
    assert own.pitch_median_cents < 2 and own.pitch_p95_cents < 5
    assert own.pitch_within_50_cents > 0.995 and own.pitch_kept > 0.99
    assert own.loudness_error_db < 0.3
    assert own.harmonic_to_noise_db == pytest.approx(own.harmonic_to_noise_recorded_db, abs=1)
    assert own.centroid_slope == pytest.approx(own.centroid_slope_recorded, abs=0.01)
    assert own.centroid_slope_ratio == pytest.approx(1, abs=0.03)
    assert own.timbre_distance_db < 0.3
    assert own.log_spectral_distance_db < 7.9
    same = evaluate.evaluate(cello, [played(cello, notes(43, 48, 55), seed=0)])
    assert (same.spectral_loss, same.log_spectral_distance_db, same.timbre_distance_db) == (0, 0, 0)


def test_an_error_of_a_known_size_is_measured(cello: Instrument) -> None:
    controls = notes(48, 55)
    sharp = controls.replace(f0_hz=controls.f0_hz * np.float32(2 ** (30 / 1200)))
    off = Recording(Path("x.wav"), cello.play(controls, SAMPLE_RATE), sharp)
    assert evaluate.evaluate(cello, [off]).pitch_median_cents == pytest.approx(30, abs=2)
    loud = Recording(Path("x.wav"), 2 * cello.play(controls, SAMPLE_RATE), controls)
    measured = evaluate.evaluate(cello, [loud])
    assert measured.loudness_error_db == pytest.approx(6.02, abs=0.1)
    assert measured.timbre_distance_db == pytest.approx(0, abs=0.02)


def test_a_timbre_that_ignores_loudness_has_no_slope(cello: Instrument) -> None:
    weights = {name: weight.copy() for name, weight in cello.weights.items()}
    weights["input.weight"][1] = 0  # deaf to loudness
    deaf = Instrument(cello.card, weights)
    measured = evaluate.evaluate(deaf, [played(cello, notes(43, 48, 55))])
    assert measured.centroid_slope_recorded > 0.1
    assert abs(measured.centroid_slope_ratio) < 0.1


def test_the_harmonic_share_is_that_of_the_branches(cello: Instrument) -> None:
    harmonics, recording = cello.network.harmonics, played(cello, notes(48, 55))
    pure, breath = muted(cello, slice(harmonics, None)), muted(cello, slice(harmonics))
    assert evaluate.evaluate(pure, [recording]).harmonic_share == pytest.approx(1, abs=1e-3)
    assert evaluate.evaluate(breath, [recording]).harmonic_share == pytest.approx(0, abs=1e-3)


def test_the_log_spectral_distance_of_a_gain_and_of_two_noises() -> None:
    first, second = torch.from_numpy(0.1 * np.random.default_rng(0).standard_normal((2, 96_000))).float()
    everywhere = np.ones(401, bool)
    np.testing.assert_allclose(reconstruct.log_spectral_distance_db(2 * first, first, everywhere), 6.02, atol=0.01)
    # The level of a bin of noise has a standard deviation of 5.57 dB, the difference of two 7.88 dB.
    assert reconstruct.log_spectral_distance_db(second, first, everywhere).mean() == pytest.approx(7.88, abs=0.15)


def test_every_figure_can_be_written_as_json(own: evaluate.Evaluation) -> None:
    assert json.loads(json.dumps(asdict(own), allow_nan=False))["recordings"] == 2
    assert f"{own.spectral_loss:.3f}" in evaluate.table(own)


def test_a_transfer_comes_nearer_to_the_instrument_than_to_its_source(cello: Instrument, tmp_path: Path) -> None:
    t = np.arange(96_000) / SAMPLE_RATE
    flute = sum(np.sin(2 * np.pi * 196 * k * t) / k**3 for k in range(1, 30)) * np.sin(np.pi * t / 2) ** 2
    hiss = 1e-5 * np.random.default_rng(0).standard_normal(len(t))
    audio.write(tmp_path / "flute.wav", (0.3 * flute + hiss).astype(np.float32), SAMPLE_RATE)
    audio.write(tmp_path / "short.wav", (0.3 * flute[40_000:56_000]).astype(np.float32), SAMPLE_RATE)
    target = evaluate.target([reconstruct.timbres(cello, played(cello, notes(48, 51, 55, 58)))[0]])
    warned: list[str] = []
    far = evaluate.transfer_distance(tmp_path / "flute.wav", cello, target, warned.append)
    assert far is not None and far.to_instrument_db < 0.5 * far.to_source_db
    assert far.source_to_instrument_db > 2 * far.to_instrument_db
    assert evaluate.transfer_distance(tmp_path / "short.wav", cello, target, warned.append) is None
    assert len(warned) == 1 and "short.wav" in warned[0]
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    assert evaluate.transfer_distance(tmp_path / "broken.wav", cello, target, warned.append) is None
    assert len(warned) == 2 and "broken.wav" in warned[1]


def test_recordings_that_the_card_does_not_tell_of_are_refused(cello: Instrument) -> None:
    one = played(cello, notes(48))
    with pytest.raises(RetimbreError, match="not on these 3"):
        evaluate.held_out(cello, [one, one, one])


@pytest.fixture
def folder(cello: Instrument, tmp_path: Path) -> Path:
    (tmp_path / "takes").mkdir()
    for place, midi in enumerate((48, 55, 62)):
        sound = cello.play(notes(midi, midi + 2, midi + 3, midi + 5), SAMPLE_RATE, seed=place)
        sf.write(tmp_path / "takes" / f"{place}.wav", sound, SAMPLE_RATE)
    return tmp_path / "takes"


def test_the_command_prints_json_and_draws_a_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = folder.parent / "page.png"
    arguments = ["eval", "cello", str(folder), "--sources", str(folder), "--picture", str(page), "--json"]
    assert main(arguments) == 0
    said = capsys.readouterr()
    figures = json.loads(said.out)
    assert figures["instrument"] == "cello" and figures["recordings"] == 3 and said.err == ""
    assert figures["pitch_median_cents"] < 3 and figures["timbre_distance_db"] < 2
    assert [one["source"] for one in figures["transfers"]] == ["0", "1", "2"]
    assert page.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert main(arguments) == 2 and "exists" in capsys.readouterr().err


def test_the_command_refuses_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = folder.parent / "empty"
    empty.mkdir()
    for arguments in (
        ["nosuch", str(folder)],
        ["cello", str(empty)],
        ["cello", str(folder), "--sources", str(empty)],
        ["cello", str(folder), "--held-out"],
        ["cello", str(folder), "--picture", "page.txt"],
    ):
        assert main(["eval", *arguments]) == 2
        said = capsys.readouterr()
        assert said.out == "" and said.err.startswith("retimbre: ") and said.err.count("\n") == 1, said.err


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the recordings in ../shared/audio")
def test_the_cello_plays_real_notes_as_they_were(cello: Instrument) -> None:
    files = [SHARED / "train" / "cello" / f"bigcat_{name}.flac" for name in ("C3_mf_sus_d", "A3_f_sus_d", "A3_p_sus_d")]
    recordings = [make_recording(file, *audio.read(file)) for file in files]
    measured = evaluate.evaluate(cello, recordings)
    assert measured.pitch_median_cents < 5 and measured.pitch_within_50_cents > 0.97
    assert measured.loudness_error_db < 2
    assert measured.timbre_distance_db < 5
    source = evaluate.transfer_distance(
        SHARED / "sources" / "malevoice_aa_A3.flac",
        cello,
        evaluate.target([reconstruct.timbres(cello, recording)[0] for recording in recordings]),
        print,
    )
    assert source is not None and source.to_instrument_db < source.to_source_db / 2
