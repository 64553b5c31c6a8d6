"""Protocol buffers as text, for servers that read their configuration so: plain values in, and no way for a value to end its field.

Format: protobuf.dev, "Text Format Language Specification": strings are quoted, and whatever is neither letter, digit nor harmless is a
three-digit octal escape of its UTF-8 bytes. A name with a quote and a newline in it stays one string.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

Value: TypeAlias = "str | bool | int | Mapping[str, Value] | Sequence[Value]"
"""A field: a message is a mapping, a repeated field a list."""

_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ./_-:@=+,")


def text_proto(message: Mapping[str, Value]) -> str:
    """Return `message` in text format, one field a line, in the order of its keys."""
    return "".join(f"{line}\n" for line in _lines(message))


def _lines(message: Mapping[str, Value]) -> Iterator[str]:
    for name, value in message.items():
        repeated = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        for each in repeated:
            yield from _field(name, each)


def _field(name: str, value: Value) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield f"{name} {{"
        yield from (f"  {line}" for line in _lines(value))
        yield "}"
    else:
        yield f"{name}: {_scalar(value)}"


def _scalar(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    assert isinstance(value, str), "messages and lists are fields of their own"
    return '"' + "".join(chr(byte) if byte in _PLAIN else f"\\{byte:03o}" for byte in value.encode()) + '"'
