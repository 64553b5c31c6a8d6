"""gRPC metadata: header fields that belong to the caller, as text or, under names in `-bin`, as bytes.

A name that comes twice is one value joined by a comma, as HTTP and gRPC both say. Fields of the protocol
itself (`grpc-timeout`, `te`, ...) are left out, as in every gRPC library.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Final

from serving.http2.hpack import Field, encode_field

_PROTOCOL_NAMES: Final = frozenset({b"te", b"content-type", b"content-length"})


def read_text(fields: Iterable[Field]) -> Mapping[str, str]:
    """The caller's textual metadata, names in lower case."""
    found: dict[str, str] = {}
    for name, value in fields:
        if name in _PROTOCOL_NAMES or name.startswith(b"grpc-") or name.endswith(b"-bin"):
            continue
        key, text = name.decode("ascii"), value.decode("latin-1")
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


def read_binary(fields: Iterable[Field]) -> Mapping[str, bytes]:
    """The caller's binary metadata; of a name that comes twice, the last value. What is no base64 is left out."""
    found: dict[str, bytes] = {}
    for name, value in fields:
        if name.endswith(b"-bin"):
            decoded = _decode_base64(value)
            if decoded is not None:
                found[name.decode("ascii")] = decoded
    return found


def _decode_base64(value: bytes) -> bytes | None:
    last = value.rpartition(b",")[2].strip()
    try:
        return base64.b64decode(last + b"=" * (-len(last) % 4), validate=True)
    except binascii.Error:
        return None


def encode_metadata(metadata: Iterable[tuple[str, str | bytes]]) -> bytes:
    """A header block of `metadata`; `bytes` need a name in `-bin` and travel as base64.

    Raises `ValueError` for a name or a value that no header field can carry.
    """
    return b"".join(_encode_item(name, value) for name, value in metadata)


def _encode_item(name: str, value: str | bytes) -> bytes:
    if name.endswith("-bin") != isinstance(value, bytes):
        raise ValueError(f"metadata must be bytes exactly where its name ends in -bin, got {name!r}")
    encoded = base64.b64encode(value).rstrip(b"=") if isinstance(value, bytes) else value.encode("ascii")
    if (
        not name.isascii()
        or not name.replace("-", "").replace("_", "").replace(".", "").isalnum()
        or name != name.lower()
    ):
        raise ValueError(f"a metadata name must be lowercase letters, digits, '-', '_' and '.', got {name!r}")
    if any(octet < 0x20 or octet > 0x7E for octet in encoded):
        raise ValueError(
            f"the metadata value of {name!r} must be printable ASCII; use a name in -bin for bytes"
        )
    return encode_field(name.encode("ascii"), encoded)
