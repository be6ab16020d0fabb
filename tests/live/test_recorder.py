"""What was heard and played, in two files, whole or not at all."""

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from retimbre import audio
from retimbre.errors import RetimbreError
from retimbre.live import recorder as module
from retimbre.live.recorder import Names, Recorder

RATE = 16_000


def record(recorder: Recorder, heard: np.ndarray, sound: np.ndarray, block: int = 128) -> None:
    recorder.start()
    for at in range(0, len(heard), block):
        recorder.take(heard[at : at + block], sound[at : at + block])
    recorder.stop()


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, n).astype(np.float32)


def test_every_sample_is_there_to_24_bits(tmp_path: Path) -> None:
    recorder = Recorder(Names(tmp_path), RATE)
    heard, sound = noise(50_000, 1), noise(50_000, 2)
    record(recorder, heard, sound, 333)
    assert [path.name for path in recorder.files] == ["take_1_input.wav", "take_1_output.wav"]
    for path, truth in zip(recorder.files, (heard, sound), strict=True):
        assert sf.info(path).subtype == "PCM_24" and sf.info(path).format.startswith("WAV")
        np.testing.assert_allclose(audio.read(path)[0], truth, atol=2**-23)
    assert (recorder.lost, recorder.trouble()) == (0, "")


def test_takes_are_numbered_and_nothing_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "take_2_output.wav").write_text("mine")
    recorder = Recorder(Names(tmp_path), RATE)
    for _ in range(2):
        record(recorder, noise(256), noise(256))
    assert [path.name for path in recorder.files[::2]] == ["take_1_input.wav", "take_3_input.wav"]
    assert (tmp_path / "take_2_output.wav").read_text() == "mine"


def test_a_prefix_names_the_first_take_and_is_not_replaced_unasked(tmp_path: Path) -> None:
    wish = tmp_path / "song"
    recorder = Recorder(Names(wish), RATE)
    for _ in range(2):
        record(recorder, noise(256), noise(256))
    assert [path.name for path in recorder.files[::2]] == ["song_input.wav", "song_2_input.wav"]
    with pytest.raises(RetimbreError, match=r"song_input.wav: exists already.*--force"):
        Names(wish)
    recorder = Recorder(Names(wish, force=True), RATE)
    record(recorder, noise(512), noise(512))
    assert sf.info(tmp_path / "song_input.wav").frames == 512 and sf.info(tmp_path / "song_2_input.wav").frames == 256
    with pytest.raises(RetimbreError, match="does not exist"):
        Names(tmp_path / "nowhere" / "song")


def test_a_drivers_nan_is_silence(tmp_path: Path) -> None:
    heard = np.full(256, np.nan, np.float32)
    recorder = Recorder(Names(tmp_path), RATE)
    record(recorder, heard, noise(256))
    assert not audio.read(recorder.files[0])[0].any()


def test_a_full_disk_leaves_no_file_and_playing_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: audio.Writer, block: np.ndarray) -> None:
        raise audio.AudioError(f"{self.path}: writing failed (No space left on device)")

    monkeypatch.setattr(audio.Writer, "write", full)
    recorder = Recorder(Names(tmp_path), RATE)
    recorder.start()
    recorder.take(noise(128), noise(128))
    while recorder.running:
        time.sleep(0.01)
    recorder.take(noise(128), noise(128))  # no matter
    recorder.stop()
    assert "No space left" in recorder.trouble() and recorder.trouble() == ""
    assert recorder.files == [] and list(tmp_path.iterdir()) == []


def test_a_slow_disk_loses_samples_and_counts_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RING_S", 0.1)
    monkeypatch.setattr(module, "_WAKE_S", 3600)  # the disk sleeps until the end
    recorder = Recorder(Names(tmp_path), RATE)
    sound = noise(2_000)
    record(recorder, sound, sound, 100)
    assert recorder.lost == 400
    np.testing.assert_allclose(audio.read(recorder.files[1])[0], sound[:1600], atol=2**-23)


def test_nothing_is_kept_between_takes(tmp_path: Path) -> None:
    recorder = Recorder(Names(tmp_path), RATE)
    recorder.take(noise(128), noise(128))
    recorder.stop()
    assert recorder.seconds == 0 and not list(tmp_path.iterdir())
