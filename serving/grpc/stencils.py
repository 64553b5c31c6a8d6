"""Where the numbers are in a serialized PredictRequest: its fixed octets, with holes for them.

Clients ask the same model again and again, and of one request and the next only the numbers differ: names,
types, shapes and every length stay. A stencil is what stays. Since all tags and lengths are among its fixed
octets, a message of the same length that agrees with them has its numbers in the same places, whatever they
are: nothing of it need be parsed. Wire format: protobuf.dev, Encoding.
"""

import dataclasses
from collections.abc import Iterator

MAX_FIELDS = 64
"""A message of more is not worth a stencil, and must not cost a walk through all of them."""
_INPUTS, _KEY, _VALUE = 2, 1, 2
_FIRST_VALUES = 4
"""From here on the fields of TensorProto are values; before it stand dtype, shape and version."""
_RAW_VALUES = frozenset({4, 5, 6, 9, 12, 18})
"""tensor_content and the packed lists that are the memory of an array: float, double, complex, float8."""
_VARINT, _EIGHT, _DELIMITED, _FOUR = 0, 1, 2, 5
_Field = tuple[int, int, int, int]
"""Number, wire type, and where its content begins and ends."""


class _NoStencil(Exception):
    pass


@dataclasses.dataclass(frozen=True, slots=True)
class Hole:
    """The numbers of one input: `message[start:end]`."""

    alias: str
    start: int
    end: int


class Stencil:
    """The octets that a message of one length must have for its numbers to be in `holes`."""

    __slots__ = ("_parts", "fixed_bytes", "holes", "start")

    def __init__(self, message: bytes, holes: list[Hole]) -> None:
        self.holes = holes
        edges = [0, *(edge for hole in holes for edge in (hole.start, hole.end)), len(message)]
        spans = zip(edges[::2], edges[1::2], strict=True)
        self._parts = [(message[start:end], start) for start, end in spans if start < end]
        self.start = message[: holes[0].start]
        """The octets before the first hole: most messages need no other comparison."""
        self.fixed_bytes = sum(len(part) for part, _ in self._parts)

    def fits(self, message: bytes) -> bool:
        """Whether `message`, of the same length as the first one, differs from it in numbers only."""
        # A loop: a generator costs twice as much.
        for part, offset in self._parts:  # noqa: SIM110
            if not message.startswith(part, offset):
                return False
        return True


def cut_stencil(message: bytes) -> Stencil | None:
    """The stencil of a valid PredictRequest; None where an input has no numbers or they are not raw memory."""
    try:
        holes = [
            _hole(message, start, end)
            for number, wire, start, end in _fields(message, 0, len(message))
            if number == _INPUTS and wire == _DELIMITED
        ]
    except (_NoStencil, IndexError, UnicodeDecodeError):
        return None
    aliases = {hole.alias for hole in holes}
    return Stencil(message, holes) if holes and len(aliases) == len(holes) else None


def _hole(message: bytes, start: int, end: int) -> Hole:
    """Of one entry of the map `inputs`, which must have its key and its tensor once each."""
    entry = list(_fields(message, start, end))
    found = {number: (first, last) for number, _, first, last in entry}
    if len(entry) != len(found) or found.keys() != {_KEY, _VALUE}:
        raise _NoStencil
    values = [field for field in _fields(message, *found[_VALUE]) if field[0] >= _FIRST_VALUES]
    if len(values) != 1 or values[0][0] not in _RAW_VALUES or values[0][1] != _DELIMITED:
        raise _NoStencil
    key_start, key_end = found[_KEY]
    return Hole(message[key_start:key_end].decode(), values[0][2], values[0][3])


def _fields(message: bytes, start: int, end: int) -> Iterator[_Field]:
    count = 0
    while start < end:
        count += 1
        tag, start = _varint(message, start)
        wire, stop = tag & 7, start
        if wire == _VARINT:
            _, stop = _varint(message, start)
        elif wire == _DELIMITED:
            length, start = _varint(message, start)
            stop = start + length
        elif wire in {_EIGHT, _FOUR}:
            stop = start + (8 if wire == _EIGHT else 4)
        if (stop == start and wire != _DELIMITED) or stop > end or count > MAX_FIELDS:
            raise _NoStencil
        yield tag >> 3, wire, start, stop
        start = stop


def _varint(message: bytes, start: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet = message[start]
        start += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value, start
        shift += 7
        if shift > 63:
            raise _NoStencil
