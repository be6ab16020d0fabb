"""Ogg files of the same bytes for the same sound: libsndfile numbers each stream at random (RFC 3533, section 6)."""

from __future__ import annotations

import struct
import zlib

_HEADER = 27  # bytes of a page before its table of segments
_SERIAL, _CHECKSUM = 14, 22  # places in it
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def renumbered(data: bytes, serial: int = 1) -> bytes:
    """A file of one stream, with this number in the place of its own.

    Raises:
        ValueError: it is no Ogg file.
    """
    pages, at = [], 0
    while at < len(data):
        if data[at : at + 4] != b"OggS":
            raise ValueError("no page of an Ogg file begins where one should")
        table = at + _HEADER
        end = table + data[at + _HEADER - 1]
        end += sum(data[table:end])
        page = bytearray(data[at:end])
        struct.pack_into("<I", page, _SERIAL, serial)
        struct.pack_into("<I", page, _CHECKSUM, 0)
        struct.pack_into("<I", page, _CHECKSUM, checksum(page))
        pages.append(bytes(page))
        at = end
    return b"".join(pages)


def checksum(page: bytes | bytearray) -> int:
    """CRC-32 as Ogg counts it: zlib's, from the other end of each byte, and without its two inversions."""
    found = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{found:032b}"[::-1], 2)
