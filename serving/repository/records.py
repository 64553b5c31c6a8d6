"""Reads TFRecord files without TensorFlow (tensorflow/core/lib/io/record_writer.h).

Each record is its length as 8 bytes, a masked CRC32C of those, the content, and a masked CRC32C of that. The
first sum is checked, because a wrong length would read nonsense; the second would cost a second for some
megabytes in Python, and whoever parses the content notices just as well.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from serving.errors import ModelError

_HEADER = struct.Struct("<QI")
_FOOTER_BYTES = 4
_CASTAGNOLI = 0x82F63B78
_MASK = 0xA282EAD8


def read_records(path: Path) -> Iterator[bytes]:
    """The records of a file, in order. Raises ModelError when it is cut off or no TFRecord file."""
    content = path.read_bytes()
    position = 0
    while position < len(content):
        start = position + _HEADER.size
        if start > len(content):
            raise _broken(path, position)
        length, checksum = _HEADER.unpack_from(content, position)
        position = start + length + _FOOTER_BYTES
        if checksum != masked_crc32c(content[start - _HEADER.size : start - _FOOTER_BYTES]) or position > len(
            content
        ):
            raise _broken(path, start - _HEADER.size)
        yield content[start : start + length]


def masked_crc32c(content: bytes) -> int:
    """The checksum of TFRecord files; one table look-up per byte, so for short content only."""
    register = 0xFFFFFFFF
    for byte in content:
        register = _TABLE[(register ^ byte) & 0xFF] ^ (register >> 8)
    checksum = register ^ 0xFFFFFFFF
    return ((checksum >> 15 | checksum << 17) + _MASK) & 0xFFFFFFFF


def _table() -> list[int]:
    table = []
    for value in range(256):
        register = value
        for _ in range(8):
            register = register >> 1 ^ (_CASTAGNOLI if register & 1 else 0)
        table.append(register)
    return table


_TABLE = _table()


def _broken(path: Path, position: int) -> ModelError:
    return ModelError(
        f"expected a TFRecord at byte {position} of {path}, got something else; write the file again"
    )
