"""TFRecord files in pure Python.

Format: length (uint64, little endian), masked crc32c of the length, data, masked crc32c of the data. Source: TensorFlow,
tensorflow/core/lib/io/record_writer.h and lib/hash/crc32c.h (kMaskDelta).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import google_crc32c

from model_export.errors import SourceError

_MASK_DELTA: Final = 0xA282EAD8
_HEADER: Final = struct.Struct("<QI")
_FOOTER: Final = struct.Struct("<I")


def write_records(path: Path, records: Iterable[bytes]) -> None:
    """Write one TFRecord file."""
    with path.open("wb") as file:
        for data in records:
            length = struct.pack("<Q", len(data))
            file.write(length + _FOOTER.pack(_masked(length)) + data + _FOOTER.pack(_masked(data)))


def read_records(path: Path) -> Iterator[bytes]:
    """Yield the records of a TFRecord file. Raises SourceError for a missing, cut or damaged one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"expected a TFRecord file at {path}, received {error.strerror}; export the model again"
        raise SourceError(message) from error
    start = 0
    while start < len(content):
        try:
            size, header_check = _HEADER.unpack_from(content, start)
            end = start + _HEADER.size + size
            (data_check,) = _FOOTER.unpack_from(content, end)
        except struct.error as error:
            message = f"expected whole TFRecords in {path}, received a file that ends too early; export the model again"
            raise SourceError(message) from error
        data = content[start + _HEADER.size : end]
        if (_masked(content[start : start + 8]), _masked(data)) != (header_check, data_check):
            message = (
                f"expected intact TFRecords in {path}, received a wrong checksum; export the model again"
            )
            raise SourceError(message)
        yield data
        start = end + _FOOTER.size


def _masked(data: bytes) -> int:
    check = int(google_crc32c.value(data))
    return (((check >> 15) | (check << 17)) + _MASK_DELTA) & 0xFFFFFFFF
