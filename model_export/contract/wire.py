"""Protocol buffers read as bytes: which fields a message has and where they lie, nothing more.

A SavedModel is mostly weights. Walking its fields by their lengths and stepping over what nobody asked for reads 100 MB in the time
of a few thousand small fields, in constant memory, and needs no generated classes. The encoding is that of
"Protocol Buffers Documentation, Encoding". Bytes from a stranger are the normal case here: every length is checked against the
message that holds it, and the number of fields is limited, so that a file of crumbs cannot hold the reader for minutes.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Final, NamedTuple

from model_export.errors import ContractError

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

MAX_FIELDS: Final = 8_000_000
"""A graph of 100 000 nodes has about 4 million fields worth reading; this many take a few seconds."""

_MAX_VARINT_BITS: Final = 64
_TAG_LIMIT: Final = 1 << 32
_UNSIGNED_64: Final = 1 << 64
_SIGN_64: Final = 1 << 63


class Field(NamedTuple):
    """One field: its number, its wire type, and either its value or where its bytes lie."""

    number: int
    kind: int
    start: int
    """First byte of the content; the value itself where `kind` is VARINT."""
    end: int
    """One past the last byte of the content; unused where `kind` is VARINT."""


class Message:
    """A file or a byte string, read field by field; all readers of one file share one limit on fields."""

    def __init__(self, buffer: bytes | mmap.mmap, *, where: str, max_fields: int = MAX_FIELDS) -> None:
        self.buffer = buffer
        self.where = where
        self._fields_left = max_fields

    def fields(self, start: int = 0, end: int | None = None) -> Iterator[Field]:
        """Yield the fields between two offsets, the whole buffer by default.

        Raises ContractError where the bytes are not a message, or the file has more fields than the limit.
        """
        stop = len(self.buffer) if end is None else end
        position = start
        buffer, new = self.buffer, tuple.__new__
        # The hot loop of every contract: numbers of one byte are read in place, and fields are made without NamedTuple's own
        # constructor. Together that cuts the time of a graph of many small nodes (3.7 s to 1.3 s for 100 000).
        while position < stop:
            self._fields_left -= 1
            if self._fields_left < 0:
                raise self._too_many()
            tag = buffer[position]
            position += 1
            if tag > 0x7F:
                tag, position = self._long_tag(position - 1, stop)
            kind = tag & 7
            if kind == BYTES and position < stop:
                length = buffer[position]
                position += 1
                if length > 0x7F:
                    length, position = self._varint(position - 1, stop)
                begin, position = position, position + length
            elif kind == VARINT:
                begin, position = self._varint(position, stop)
                yield new(Field, (self._number(tag, position), kind, begin, begin))
                continue
            elif kind in {FIXED64, FIXED32}:
                begin, position = position, position + (8 if kind == FIXED64 else 4)
            elif kind == BYTES:
                raise self.damaged(position, "a field that ends too early")
            else:
                raise self.damaged(position, f"wire type {kind}, which no SavedModel uses")
            if position > stop:
                raise self.damaged(begin, "a field that is longer than the message around it")
            yield new(Field, (tag >> 3 or self._number(tag, begin), kind, begin, position))

    def text(self, field: Field) -> str:
        """Return a field's content as text. Raises ContractError where it is not UTF-8 text."""
        if field.kind != BYTES:
            raise self.damaged(field.start, "a number where text belongs")
        try:
            return self.buffer[field.start : field.end].decode()
        except UnicodeDecodeError as error:
            raise self.damaged(field.start, "text that is not UTF-8") from error

    def content(self, field: Field) -> bytes:
        """Return a field's bytes. Raises ContractError for a number."""
        if field.kind != BYTES:
            raise self.damaged(field.start, "a number where a message belongs")
        return bytes(self.buffer[field.start : field.end])

    def within(self, field: Field) -> Iterator[Field]:
        """Yield the fields of a nested message."""
        if field.kind != BYTES:
            raise self.damaged(field.start, "a number where a message belongs")
        return self.fields(field.start, field.end)

    def damaged(self, position: int, found: str) -> ContractError:
        """Return the error that says what was found where."""
        return ContractError(
            f"{self.where}: expected a SavedModel protocol buffer, received {found} near byte {position}; "
            "the file is damaged or something else: export the model again"
        )

    def _long_tag(self, position: int, stop: int) -> tuple[int, int]:
        tag, position = self._varint(position, stop)
        if tag >= _TAG_LIMIT:
            # TensorFlow's parser keeps 32 bits of a tag: a larger one would be another field there than here.
            raise self.damaged(position, "a field number that is too large")
        return tag, position

    def _number(self, tag: int, position: int) -> int:
        if tag < 8:
            raise self.damaged(position, "a field without a number")
        return tag >> 3

    def _too_many(self) -> ContractError:
        return ContractError(
            f"{self.where}: expected a graph of reasonable size, received more fields than the reader's limit; "
            "export the model again as one frozen graph"
        )

    def _varint(self, position: int, stop: int) -> tuple[int, int]:
        value = shift = 0
        while position < stop:
            byte = self.buffer[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value % _UNSIGNED_64, position
            shift += 7
            if shift >= _MAX_VARINT_BITS + 6:
                raise self.damaged(position, "a number of more than ten bytes")
        raise self.damaged(position, "a number that ends too early")


def signed(value: int) -> int:
    """Return the int64 that a varint stands for: -1 is written as the largest unsigned number."""
    return value - _UNSIGNED_64 if value & _SIGN_64 else value
