"""Audio files: what is read is what was written; bad files are refused in one line; outputs are whole or absent."""

import errno
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from retimbre import audio
from retimbre.audio import AudioError, Reader, Writer, find, read, write


def sine(n_samples: int, sample_rate: int = 48_000, hz: float = 440, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(n_samples) / sample_rate)).astype(np.float32)


def refusal(path: Path) -> str:
    """The message with which a file is refused: one line that names the file."""
    with pytest.raises(AudioError) as caught:
        read(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message and ";" in message, message
    return message


# What must work


@pytest.mark.parametrize(
    ("suffix", "subtype", "tolerance"),
    [
        (".wav", "PCM_U8", 2**-7),
        (".wav", "PCM_16", 2**-15),
        (".wav", "PCM_24", 2**-23),
        (".wav", "PCM_32", 2**-24),
        (".wav", "FLOAT", 0),
        (".wav", "DOUBLE", 0),
        (".flac", "PCM_24", 2**-23),
        (".aiff", "PCM_24", 2**-23),
        (".caf", "PCM_24", 2**-23),
        (".au", "PCM_16", 2**-15),
        (".w64", "PCM_24", 2**-23),
        (".ogg", "VORBIS", 0.02),
    ],
)
def test_reads_every_encoding_to_its_precision(tmp_path: Path, suffix: str, subtype: str, tolerance: float) -> None:
    path = tmp_path / f"a{suffix}"
    expected = sine(4800)
    sf.write(path, expected, 48_000, subtype=subtype)
    got, sample_rate = read(path)
    assert sample_rate == 48_000 and got.dtype == np.float32
    np.testing.assert_allclose(got, expected, atol=tolerance)


@pytest.mark.parametrize("sample_rate", [8_000, 11_025, 44_100, 96_000, 192_000])
def test_reads_every_rate_unchanged(tmp_path: Path, sample_rate: int) -> None:
    write(tmp_path / "a.wav", sine(1000, sample_rate), sample_rate)
    got, rate = read(tmp_path / "a.wav")
    assert (rate, len(got)) == (sample_rate, 1000)


def test_a_single_sample_is_a_sound(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", np.array([0.25], dtype=np.float32), 48_000)
    np.testing.assert_array_equal(read(tmp_path / "a.wav")[0], np.float32([0.25]))


def test_neither_level_nor_offset_changes(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.full(100, 0.3, dtype=np.float32), 48_000, subtype="FLOAT")
    np.testing.assert_array_equal(read(tmp_path / "a.wav")[0], np.float32(0.3))


def test_wav_from_a_pipe_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    sf.write(path, sine(1000), 48_000, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[at + 4 : at + 8] = b"\xff" * 4
    path.write_bytes(data)
    assert len(read(path)[0]) == 1000


# Mono


def test_channels_become_their_mean(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    channels = 0.1 * rng.standard_normal((5000, 2)).astype(np.float32)
    sf.write(tmp_path / "a.wav", channels, 48_000, subtype="FLOAT")
    np.testing.assert_allclose(read(tmp_path / "a.wav")[0], channels.mean(axis=1), atol=1e-7)


@pytest.mark.parametrize("other", [-0.9, 0.0], ids=["opposite polarity", "one side silent"])
def test_channels_that_cancel_leave_the_strongest(tmp_path: Path, other: float) -> None:
    strong = sine(5000)
    sf.write(tmp_path / "a.wav", np.stack([other * strong, strong], axis=1), 48_000, subtype="FLOAT")
    np.testing.assert_array_equal(read(tmp_path / "a.wav")[0], strong)


def test_eight_equal_channels_keep_their_level(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.tile(sine(5000)[:, None], 8), 48_000, subtype="FLOAT")
    np.testing.assert_allclose(read(tmp_path / "a.wav")[0], sine(5000), atol=1e-6)


@given(block_length=st.integers(1, 3000), channels=st.integers(1, 3), seed=st.integers(0, 99))
def test_blocks_equal_the_whole(
    tmp_path_factory: pytest.TempPathFactory, block_length: int, channels: int, seed: int
) -> None:
    path = tmp_path_factory.mktemp("blocks") / "a.flac"
    sf.write(path, 0.1 * np.random.default_rng(seed).standard_normal((2000, channels)), 44_100)
    whole, _ = read(path)
    with Reader(path) as reader:
        blocks = list(reader.blocks(block_length))
        again = list(reader.blocks(block_length))
    assert all(len(block) == block_length for block in blocks[:-1])
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
    np.testing.assert_array_equal(np.concatenate(again), whole)


def test_reader_tells_the_length(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", np.zeros((24_000, 2), dtype=np.float32), 48_000)
    with Reader(tmp_path / "a.wav") as reader:
        assert (reader.n_samples, reader.seconds, reader.channels, reader.sample_rate) == (24_000, 0.5, 2, 48_000)


# What is refused


def test_missing_file(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "a.wav")


def test_folder(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    assert "0 bytes" in refusal(tmp_path / "a.wav")


def test_no_samples(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.zeros(0), 48_000)
    assert "0 samples" in refusal(tmp_path / "a.wav")


@pytest.mark.parametrize("suffix", [".wav", ".aiff", ".au", ".caf", ".w64", ".flac"])
def test_truncated(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    sf.write(path, 0.1 * np.random.default_rng(0).standard_normal(200_000), 48_000)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert "cut short" in refusal(path)


def test_truncated_wav_says_how_much_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    sf.write(path, sine(96_000), 48_000, subtype="PCM_16")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 96_000])
    assert "1.00 s of 2.00 s" in refusal(path)


def test_text_named_wav(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("not a sound\n" * 100)
    assert "is not .wav audio" in refusal(tmp_path / "a.wav")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_that_are_not_numbers(tmp_path: Path, bad: float, channels: int) -> None:
    sound = np.zeros((96_000, channels), dtype=np.float32)
    sound[72_000, -1] = bad
    sf.write(tmp_path / "a.wav", sound, 48_000, subtype="FLOAT")
    assert "at 1.500 s" in refusal(tmp_path / "a.wav")


@pytest.mark.parametrize("sample_rate", [4_000, 384_000])
def test_sample_rate_out_of_range(tmp_path: Path, sample_rate: int) -> None:
    sf.write(tmp_path / "a.wav", np.zeros(100), sample_rate)
    assert f"{sample_rate} Hz" in refusal(tmp_path / "a.wav")


def test_flac_of_unknown_length(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    sf.write(path, sine(100_000), 48_000, subtype="PCM_24")
    data = bytearray(path.read_bytes())
    # STREAMINFO holds 36 bits for the number of samples, 0 where a pipe could not know it (FLAC format, section 8.2).
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(data)
    assert "how long" in refusal(path)


@pytest.mark.parametrize("suffix", [".m4a", ".aac", ".mp4", ".wma"])
def test_unsupported_format(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_bytes(bytes(100))
    assert "convert it to WAV or FLAC" in refusal(tmp_path / f"a{suffix}")


def test_headerless_audio(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(bytes(100))
    assert "convert it to WAV or FLAC" in refusal(tmp_path / "a.raw")


def test_permission_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.wav", sine(100), 48_000)

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)  # changing the mode would not stop root
    assert "may not be read" in refusal(tmp_path / "a.wav")


# Writing


def test_default_is_24_bit(tmp_path: Path) -> None:
    for suffix in (".wav", ".flac", ".aiff", ".caf"):
        write(tmp_path / f"a{suffix}", sine(100), 48_000)
        assert sf.info(tmp_path / f"a{suffix}").subtype == "PCM_24"


def test_a_short_wav_is_a_plain_wav(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", sine(100), 48_000)
    data = (tmp_path / "a.wav").read_bytes()
    assert data[:4] == b"RIFF" and data[8:12] == b"WAVE"
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8


def test_blocks_written_are_the_whole(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).uniform(-1, 1, (150_000, 2)).astype(np.float32)
    with Writer(tmp_path / "a.wav", 44_100, 2, subtype="FLOAT") as writer:
        for block in np.split(sound, [1, 70, 140_000]):
            writer.write(block)
    np.testing.assert_array_equal(sf.read(tmp_path / "a.wav", dtype="float32")[0], sound)


@pytest.mark.parametrize("suffix", [".wav", ".w64", ".aiff", ".au", ".caf", ".flac"])
@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("channels", [1, 2])
def test_codes_written_are_the_nearest(tmp_path: Path, suffix: str, bits: int, channels: int) -> None:
    path, largest = tmp_path / f"a{suffix}", 2 ** (bits - 1) - 1
    sound = np.random.default_rng(0).uniform(-1, 1, (channels, 70_001)).astype(np.float32)
    sound[:, 1::2] *= 2.0 ** (3 - bits)  # a few codes high
    sound[:, :6] = [1, -1, 1 - 2**-24, 0, 2.0**-bits, 3 * 2.0**-bits]  # the last two lie half-way between codes
    write(path, sound.T, 48_000, subtype=f"PCM_{bits}")  # the transpose: memory order is not the file's
    codes = sf.read(path, dtype="int32", always_2d=True)[0].T >> (32 - bits)
    exact = sound.astype(np.float64) * 2 ** (bits - 1)
    assert codes.shape == exact.shape and np.abs(codes - np.minimum(exact, largest)).max() <= 0.5
    np.testing.assert_array_equal(codes[:, 0], largest)
    np.testing.assert_array_equal(codes[:, 1], -largest - 1)


@pytest.mark.parametrize("suffix", [".wav", ".aiff", ".flac"])
def test_16_bit_codes_are_read_as_they_are(tmp_path: Path, suffix: str) -> None:
    codes = np.arange(-(2**15), 2**15).astype(np.int16)
    sf.write(tmp_path / f"a{suffix}", codes, 48_000, subtype="PCM_16")
    np.testing.assert_array_equal(read(tmp_path / f"a{suffix}")[0], codes / np.float64(2**15))


def test_clipping_is_hard_and_counted(tmp_path: Path) -> None:
    sound = np.float32([0.5, 1.0, 1.5, -1.0, -3.0])
    assert write(tmp_path / "a.wav", sound, 48_000) == 2
    np.testing.assert_allclose(read(tmp_path / "a.wav")[0], [0.5, 1, 1, -1, -1], atol=2**-22)


def test_an_existing_file_is_kept_unless_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write(path, sine(100), 48_000)
    before = path.read_bytes()
    with pytest.raises(AudioError, match="exists already"):
        write(path, sine(200), 48_000)
    assert path.read_bytes() == before
    write(path, sine(200), 48_000, overwrite=True)
    assert len(read(path)[0]) == 200


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write(path, sine(100), 48_000)
    (tmp_path / "link.wav").symlink_to(path)
    for name in (path, tmp_path / "link.wav"):
        with pytest.raises(AudioError, match="also an input"):
            Writer(name, 48_000, overwrite=True, inputs=[path])


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_file_leaves_nothing(tmp_path: Path, suffix: str, error: type[BaseException]) -> None:
    with pytest.raises(error), Writer(tmp_path / f"a{suffix}", 48_000) as writer:
        writer.write(sine(100_000))
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "a.wav"
    write(old, sine(100), 48_000)
    before = old.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sf.SoundFile, "write", full)
    with pytest.raises(AudioError, match=r"No space left on device.*Free some space"):
        write(old, sine(100_000), 48_000, overwrite=True)
    assert list(tmp_path.iterdir()) == [old] and old.read_bytes() == before


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff", ".ogg"])
@pytest.mark.parametrize("n_samples", [3000, 300_000])
def test_a_file_that_the_system_stops_leaves_nothing(tmp_path: Path, suffix: str, n_samples: int) -> None:
    resource = pytest.importorskip("resource")
    noise = 0.1 * np.random.default_rng(0).standard_normal(n_samples).astype(np.float32)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Short files reach the disk on closing only, where libsndfile reports nothing.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500 if suffix != ".ogg" else 20_000, hard))
    try:
        if suffix == ".ogg" and n_samples == 3000:
            return  # fits
        with pytest.raises(AudioError, match="writing failed"):
            write(tmp_path / f"a{suffix}", noise, 48_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_samples_that_are_not_numbers_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"0\.500 s"):
        write(tmp_path / "a.wav", np.where(np.arange(48_000) == 24_000, np.nan, 0), 48_000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "sample_rate", "says"),
    [("a.m4a", 48_000, "name it .wav"), ("a", 48_000, "name it .wav"), ("a.mp3", 96_000, "96000 Hz")],
)
def test_what_cannot_be_written_is_said(tmp_path: Path, name: str, sample_rate: int, says: str) -> None:
    with pytest.raises(AudioError, match=says):
        write(tmp_path / name, sine(100), sample_rate)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="create it first"):
        write(tmp_path / "no" / "a.wav", sine(100), 48_000)


# Finding


def test_finds_audio_in_folders_sorted_once_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.wav", "a.FLAC", "sub/c.mp3", "sub/.hidden.wav", ".cache/d.wav", "notes.txt", "._b.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find([tmp_path, tmp_path / "b.wav"])
    assert [os.path.relpath(path, tmp_path) for path in found] == ["a.FLAC", "b.wav", os.path.join("sub", "c.mp3")]


def test_finding_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no audio files"):
        find([tmp_path])
    with pytest.raises(AudioError, match="no such file"):
        find([tmp_path / "a.wav"])


def test_every_suffix_that_is_found_can_be_written_and_read(tmp_path: Path) -> None:
    for suffix in audio.SUFFIXES:
        write(tmp_path / f"a{suffix}", sine(48_000), 48_000)
        got, _ = read(tmp_path / f"a{suffix}")
        middle = slice(12_000, 36_000)
        assert np.corrcoef(got[middle], sine(48_000)[middle])[0, 1] > 0.99, suffix
