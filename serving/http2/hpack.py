"""Header compression (RFC 7541): a decoder with its dynamic table, and the one way we encode.

We decode whatever a peer sends, within limits. We encode only literals without indexing and without
Huffman: they leave no state behind, so a finished block is a constant that fits every connection.
"""

from collections import deque
from typing import Final, TypeAlias

from serving.http2.errors import CompressionFault
from serving.http2.huffman import decode_huffman
from serving.http2.static_table import STATIC_TABLE

Field: TypeAlias = tuple[bytes, bytes]

ENTRY_OVERHEAD_BYTES: Final = 32  # RFC 7541 section 4.1
MAX_INTEGER: Final = 2**31 - 1
_STATIC_COUNT: Final = len(STATIC_TABLE)


def decode_integer(block: bytes, offset: int, prefix_mask: int) -> tuple[int, int]:
    """The integer at `offset` (section 5.1) and the offset behind it; `IndexError` when it is cut off."""
    value = block[offset] & prefix_mask
    offset += 1
    if value < prefix_mask:
        return value, offset
    for shift in range(0, 35, 7):
        octet = block[offset]
        offset += 1
        value += (octet & 0x7F) << shift
        if octet < 0x80:
            break
    else:
        raise CompressionFault("an integer must fit in 31 bits, and its encoding in six octets")
    if value > MAX_INTEGER:
        raise CompressionFault(f"an integer must be at most {MAX_INTEGER}, got {value}")
    return value, offset


def decode_string(block: bytes, offset: int) -> tuple[bytes, int]:
    """The string at `offset` (section 5.2) and the offset behind it; `IndexError` when it is cut off."""
    is_huffman = block[offset] & 0x80
    length, offset = decode_integer(block, offset, 0x7F)
    end = offset + length
    if end > len(block):
        raise IndexError(end)
    encoded = block[offset:end]
    return (decode_huffman(encoded) if is_huffman else encoded), end


class HeaderDecoder:
    """Turns header blocks into fields, in the order in which the connection received them.

    `generation` counts the changes of the dynamic table: while it stands still, equal blocks mean equal
    fields, which is what makes remembering a decoded block correct.
    """

    def __init__(self, *, max_table_bytes: int = 4096, max_list_bytes: int = 16_384) -> None:
        self.generation = 0
        self._max_table_bytes = max_table_bytes
        self._max_list_bytes = max_list_bytes
        self._table: deque[Field] = deque()
        self._table_bytes = 0
        self._table_limit_bytes = max_table_bytes

    def decode(self, block: bytes) -> list[Field] | None:
        """The fields of one whole block, or None when they are larger than `max_list_bytes`.

        A block that is too large is decoded to its end all the same, since later blocks depend on what it
        does to the table. Raises `CompressionFault` when the block is malformed.
        """
        try:
            return self._decode_fields(block, self._resize_table(block))
        except IndexError:
            raise CompressionFault("a header block must not end in the middle of a field") from None

    def _resize_table(self, block: bytes) -> int:
        offset = 0
        while offset < len(block) and block[offset] & 0xE0 == 0x20:
            limit_bytes, offset = decode_integer(block, offset, 0x1F)
            if limit_bytes > self._max_table_bytes:
                raise CompressionFault(
                    f"the dynamic table must be at most {self._max_table_bytes} bytes, got {limit_bytes}"
                )
            self._table_limit_bytes = limit_bytes
            self.generation += 1
            self._evict(0)
        return offset

    def _decode_fields(self, block: bytes, offset: int) -> list[Field] | None:
        fields: list[Field] = []
        list_bytes = 0
        while offset < len(block):
            octet = block[offset]
            if octet & 0x80:
                index, offset = decode_integer(block, offset, 0x7F)
                field = self._look_up(index)
            elif octet & 0x40:
                field, offset = self._decode_literal(block, offset, 0x3F)
                self._insert(field)
            elif octet & 0x20:
                raise CompressionFault("a table size update must stand at the start of a header block")
            else:
                field, offset = self._decode_literal(block, offset, 0x0F)
            list_bytes += len(field[0]) + len(field[1]) + ENTRY_OVERHEAD_BYTES
            if list_bytes <= self._max_list_bytes:
                fields.append(field)
        return fields if list_bytes <= self._max_list_bytes else None

    def _decode_literal(self, block: bytes, offset: int, prefix_mask: int) -> tuple[Field, int]:
        index, offset = decode_integer(block, offset, prefix_mask)
        if index:
            name = self._look_up(index)[0]
        else:
            name, offset = decode_string(block, offset)
        value, offset = decode_string(block, offset)
        return (name, value), offset

    def _look_up(self, index: int) -> Field:
        if 0 < index <= _STATIC_COUNT:
            return STATIC_TABLE[index - 1]
        if 0 < index <= _STATIC_COUNT + len(self._table):
            return self._table[index - _STATIC_COUNT - 1]
        raise CompressionFault(f"a field index must point into the tables, got {index}")

    def _insert(self, field: Field) -> None:
        size_bytes = len(field[0]) + len(field[1]) + ENTRY_OVERHEAD_BYTES
        self.generation += 1
        self._evict(size_bytes)
        if size_bytes <= self._table_limit_bytes:
            self._table.appendleft(field)
            self._table_bytes += size_bytes

    def _evict(self, incoming_bytes: int) -> None:
        while self._table and self._table_bytes + incoming_bytes > self._table_limit_bytes:
            name, value = self._table.pop()
            self._table_bytes -= len(name) + len(value) + ENTRY_OVERHEAD_BYTES


def encode_integer(value: int, prefix_mask: int, pattern: int = 0) -> bytes:
    """`value` behind the bits of `pattern`, as section 5.1 writes it."""
    if value < prefix_mask:
        return bytes((pattern | value,))
    value -= prefix_mask
    octets = bytearray((pattern | prefix_mask,))
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def encode_field(name: bytes, value: bytes) -> bytes:
    """One field as a literal without indexing (section 6.2.2), its name written out."""
    return b"".join((b"\0", encode_integer(len(name), 0x7F), name, encode_integer(len(value), 0x7F), value))
