"""The steps of the app: what comes out is in tune, and a slider repeats no more than it must."""

import io
import os
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from retimbre.app import steps, tasks
from retimbre.app.examples import TUNE, examples
from retimbre.app.steps import Order, Shelf
from retimbre.controls import Controls
from retimbre.errors import RetimbreError
from tests.browser.sounds import keys_heard, level_db

KEYS = sorted({key for key, _, _ in TUNE if key})


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> Order:
    """The hummed example, in a folder of its own."""
    path = tmp_path_factory.mktemp("session") / "0123456789ab.wav"
    path.write_bytes(examples()["A hummed tune"][1])
    return Order(str(path))


@pytest.fixture(scope="module")
def folder(order: Order) -> str:
    return str(Path(order.source).parent)


def heard(folder: str, order: Order) -> tuple[np.ndarray, int]:
    return soundfile.read(tasks.transform(folder, asdict(order))["after"], dtype="float32")


def off_key(sound: np.ndarray, rate: int, keys: list[int]) -> float:
    """Median distance in semitones from the nearest of these keys, by an independent tracker."""
    return float(np.median(np.abs(keys_heard(sound, rate)[:, None] - keys).min(axis=1)))


def test_the_notes_that_were_hummed_are_played(folder: str, order: Order) -> None:
    assert off_key(*heard(folder, order), KEYS) < 0.2
    up = heard(folder, replace(order, octave=1, semitones=1))
    assert off_key(*up, [key + 13 for key in KEYS]) < 0.2


def test_the_examples_are_in_tune() -> None:
    for name, data in examples().values():
        sound, rate = soundfile.read(io.BytesIO(data), dtype="float32")
        assert name and len(sound) > 5 * rate and 0.05 < np.abs(sound).max() <= 1
    hum, rate = soundfile.read(io.BytesIO(examples()["A hummed tune"][1]), dtype="float32")
    assert off_key(hum, rate, KEYS) < 0.2


def test_a_slider_repeats_only_what_depends_on_it(folder: str, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tasks.transform(folder, asdict(order))
    monkeypatch.setattr(steps, "analyze", None)
    other = tasks.transform(folder, asdict(replace(order, loudness_db=-6.0)))
    assert other["after"] != first["after"]
    monkeypatch.setattr(steps, "adjust", None)
    monkeypatch.setattr(steps, "synthesize", None)
    assert tasks.transform(folder, asdict(order)) == first
    softer, rate = heard(folder, replace(order, noise=0.5))
    assert softer.shape == heard(folder, order)[0].shape and rate == 48_000


def test_without_harmonics_there_is_no_pitch(folder: str, order: Order) -> None:
    noise, rate = heard(folder, replace(order, harmonics=0.0))
    assert len(keys_heard(noise, rate)) < 0.1 * 200 * len(noise) / rate
    assert -80 < level_db(noise) < level_db(heard(folder, order)[0])


def test_softer_playing_changes_the_timbre_and_not_only_the_volume(folder: str, order: Order) -> None:
    def share_above(sound: np.ndarray, hz: float, rate: int) -> float:
        power = np.abs(np.fft.rfft(sound)) ** 2
        return float(power[round(hz * len(sound) / rate) :].sum() / power.sum())

    loud, soft = heard(folder, order), heard(folder, replace(order, loudness_db=-20.0))
    assert share_above(soft[0], 1500, soft[1]) < 0.7 * share_above(loud[0], 1500, loud[1])


def test_a_room_rings_on_and_dies_away(folder: str, order: Order) -> None:
    dry, rate = heard(folder, order)
    wet, _ = heard(folder, replace(order, room="church"))
    rest = wet[len(dry) :]
    assert len(rest) > 0.5 * rate
    assert level_db(rest[: rate // 10]) > level_db(rest[-rate // 10 :]) + 20


def test_edited_controls_are_played_as_they_are(folder: str, order: Order, tmp_path: Path) -> None:
    told = Controls.load_csv(tasks.controls_csv(folder, asdict(order)))
    edited = tmp_path / "edited.csv"
    told.replace(f0_hz=told.f0_hz * np.float32(2 ** (3 / 12))).save_csv(edited)
    assert off_key(*heard(folder, replace(order, controls=str(edited))), [key + 3 for key in KEYS]) < 0.2


def test_the_notes_can_be_had_as_midi(folder: str, order: Order) -> None:
    import mido

    file = mido.MidiFile(tasks.midi(folder, asdict(order)))
    played = [message.note for message in file.tracks[0] if message.type == "note_on" and message.velocity]
    assert played == [key for key, _, _ in TUNE if key]


def test_nothing_clips(folder: str, order: Order) -> None:
    sound, _ = heard(folder, replace(order, harmonics=2.0, noise=2.0, room="tunnel", loudness_db=12.0))
    assert np.abs(sound).max() <= steps.PEAK + 1e-4


def test_silence_gets_a_word_and_stays_silent(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros(48_000, np.float32), 48_000)
    result = tasks.transform(str(tmp_path), asdict(Order(str(tmp_path / "none.wav"))))
    assert "No pitch" in result["warnings"][0]
    assert level_db(soundfile.read(result["after"])[0]) < -90


def test_a_sound_that_is_too_long_is_refused(order: Order) -> None:
    with pytest.raises(RetimbreError, match="minutes"):
        tasks.check(order.source, 0.1)


def test_what_was_not_asked_for_longest_is_forgotten_first(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for place in range(4):
        path = shelf.file("step", [place], ".bin", lambda path: path.write_bytes(bytes(1000)))
        os.utime(path, (place, place))
    (tmp_path / "brought.wav").write_bytes(bytes(9000))
    shelf.path("step", [0], ".bin")  # asked for again
    shelf.forget_oldest(0.002)
    left = [place for place in range(4) if shelf.path("step", [place], ".bin").exists()]
    assert left == [0, 3] and (tmp_path / "brought.wav").exists()


def test_every_step_can_be_seen_and_heard(folder: str, order: Order) -> None:
    made = tasks.explain(folder, asdict(order))
    assert off_key(*soundfile.read(made["sounds"]["heard"], dtype="float32"), KEYS) < 0.2
    both, tone, noise = (soundfile.read(made["sounds"][name])[0] for name in ("dry", "harmonics", "noise"))
    assert np.abs(both - tone - noise).max() < 1e-5  # 24-bit files
    assert all("mask-image" in picture for picture in made["pictures"].values())
