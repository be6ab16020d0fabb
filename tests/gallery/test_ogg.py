"""Ogg files: the same sound gives the same bytes, and is still heard."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from retimbre.gallery.ogg import checksum, renumbered


def written(path: Path) -> bytes:
    """Half a second of a tone, as libsndfile writes it."""
    soundfile.write(path, 0.3 * np.sin(0.05 * np.arange(24_000)), 48_000, format="OGG", subtype="VORBIS")
    return path.read_bytes()


def test_its_number_is_all_that_changes(tmp_path: Path) -> None:
    data = written(tmp_path / "one.ogg")
    changed = renumbered(data, 7)
    assert len(changed) == len(data) and changed[14:18] == bytes([7, 0, 0, 0])
    assert renumbered(changed, int.from_bytes(data[14:18], "little")) == data  # libsndfile's checksums, too
    (tmp_path / "two.ogg").write_bytes(changed)
    assert np.array_equal(soundfile.read(tmp_path / "one.ogg")[0], soundfile.read(tmp_path / "two.ogg")[0])
    assert renumbered(written(tmp_path / "three.ogg"), 7) == changed


def test_the_checksum_is_that_of_the_standard() -> None:
    """The remainder of a division by the polynomial 0x04c11db7, bit by bit."""
    for data in (b"", b"\x01", b"retimbre", bytes(range(256))):
        rest = 0
        for byte in data:
            rest ^= byte << 24
            for _ in range(8):
                rest = (rest << 1 ^ 0x04C11DB7 if rest >> 31 else rest << 1) & 0xFFFFFFFF
        assert checksum(bytearray(data)) == rest


def test_what_is_no_ogg_is_refused() -> None:
    with pytest.raises(ValueError, match="Ogg"):
        renumbered(b"RIFF" + bytes(40))
