"""Header blocks of answers: constants for the good case, written on demand for the others.

A unary answer is HEADERS, one message in DATA, and HEADERS again with the status. Both blocks of the good
case never change, so that an answer is one join of bytes. Source: "gRPC over HTTP/2".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from serving.http2.codes import StatusCode
from serving.http2.hpack import encode_field
from serving.http2.metadata import encode_metadata

_STATUS_200: Final = b"\x88"  # index 8 of the static table
_CONTENT_TYPE: Final = encode_field(b"content-type", b"application/grpc")
_ACCEPT_ENCODING: Final = encode_field(b"grpc-accept-encoding", b"identity")

ANSWER_BLOCK: Final = _STATUS_200 + _CONTENT_TYPE
OK_TRAILERS_BLOCK: Final = encode_field(b"grpc-status", b"0")

# Peers refuse header lists beyond some 8 KiB; a status text that long is cut, not lost.
_MAX_MESSAGE_BYTES: Final = 1024


def trailers_block(
    status: StatusCode = StatusCode.OK, message: str = "", metadata: Iterable[tuple[str, str | bytes]] = ()
) -> bytes:
    """How a call ended, for the end of an answer that has begun."""
    block = encode_field(b"grpc-status", b"%d" % status)
    if message:
        block += encode_field(b"grpc-message", percent_encode(message))
    return block + encode_metadata(metadata)


def trailers_only_block(
    status: StatusCode, message: str = "", metadata: Iterable[tuple[str, str | bytes]] = ()
) -> bytes:
    """How a call ended, as the whole answer."""
    # Said with every refusal, since a client that compresses must learn from it to stop.
    return ANSWER_BLOCK + _ACCEPT_ENCODING + trailers_block(status, message, metadata)


@dataclass(frozen=True)
class Refusal:
    """The whole answer to something that is no call: a header block and, for those who speak no gRPC, a text."""

    block: bytes
    text: bytes = b""


def refuse_call(status: StatusCode, message: str) -> Refusal:
    """For a gRPC client."""
    return Refusal(trailers_only_block(status, message))


def refuse_request(http_status: int, message: str) -> Refusal:
    """For a client that speaks HTTP/2 but no gRPC."""
    status_field = b"\x08\x03%d" % http_status  # :status, named by index 8 of the static table
    return Refusal(status_field + encode_field(b"content-type", b"text/plain"), message.encode() + b"\n")


def percent_encode(message: str) -> bytes:
    """`message` as `grpc-message` carries it: UTF-8 with everything but printable ASCII in percent form."""
    cut = message.strip().encode("utf-8", "replace")[:_MAX_MESSAGE_BYTES].decode("utf-8", "ignore")
    return b"".join(
        b"%c" % octet if 0x20 <= octet <= 0x7E and octet != 0x25 else b"%%%02X" % octet
        for octet in cut.encode()
    )
