"""The head of a call: header fields, checked by HTTP/2's rules and then by gRPC's.

What breaks HTTP/2 is a malformed request and resets its stream. What is good HTTP/2 but no gRPC call is
answered: the head then carries a `refusal`, a finished answer that says why. A head knows nothing of
its stream or the time, so that a connection can reuse it for every later call with the same header block.
Sources: RFC 9113 section 8; "gRPC over HTTP/2" (`doc/PROTOCOL-HTTP2.md` of grpc/grpc).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from serving.http2.codes import StatusCode
from serving.http2.hpack import Field
from serving.http2.metadata import read_binary, read_text
from serving.http2.responses import Refusal, refuse_call, refuse_request

_NAME_OCTETS: Final = bytes(range(ord("a"), ord("z") + 1)) + b"0123456789!#$%&'*+-.^_`|~"
_VALUE_OCTETS: Final = bytes(octet for octet in range(256) if octet not in b"\0\r\n")
_PSEUDO_NAMES: Final = frozenset({b":method", b":scheme", b":path", b":authority"})
_CONNECTION_NAMES: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
_WHITESPACE: Final = b" \t"
_TIMEOUT: Final = re.compile(rb"([0-9]{1,8})([HMSmun])")
_UNIT_SECONDS: Final = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_CONTENT_TYPE: Final = re.compile(rb"application/grpc(?:[+;].*)?")


class MalformedHead(ValueError):
    """The fields break RFC 9113 section 8; the stream is reset with PROTOCOL_ERROR."""


@dataclass(frozen=True, kw_only=True)
class RequestHead:
    """What the header fields of one call say."""

    path: str
    timeout_seconds: float | None = None
    content_length: int | None = None
    encoding: bytes = b"identity"
    fields: tuple[Field, ...] = ()
    refusal: Refusal | None = None

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        return read_text(self.fields)

    @cached_property
    def binary_metadata(self) -> Mapping[str, bytes]:
        return read_binary(self.fields)


def read_head(fields: Sequence[Field]) -> RequestHead:
    """The head that `fields` describe; raises `MalformedHead`."""
    _check_octets(fields)
    pseudo, regular = _split(fields)
    method, path = pseudo.get(b":method"), pseudo.get(b":path")
    if method is None or not path or not pseudo.get(b":scheme"):
        raise MalformedHead("a request must have :method, :scheme and :path")
    caller_fields = tuple(field for field in fields if field[0] not in pseudo)
    return _read_grpc(method, path.decode("latin-1"), regular, caller_fields)


def check_trailers(fields: Sequence[Field]) -> None:
    """Trailing fields of a request mean nothing to gRPC, but must be well formed; raises `MalformedHead`."""
    _check_octets(fields)
    pseudo, _ = _split(fields)
    if pseudo:
        raise MalformedHead("trailers must have no pseudo-header fields")


def read_or_refuse(max_header_bytes: int) -> Callable[[Sequence[Field] | None], RequestHead]:
    """A `read_head` that also takes None, for fields of more than `max_header_bytes`, and refuses them."""
    message = f"request headers must have at most {max_header_bytes} bytes; send less metadata"
    oversized = RequestHead(path="", refusal=refuse_call(StatusCode.RESOURCE_EXHAUSTED, message))
    return lambda fields: oversized if fields is None else read_head(fields)


def _check_octets(fields: Sequence[Field]) -> None:
    # All names, then all values, in one pass of C each: a loop over octets costs more than decoding them.
    names = b"".join([name[1:] if name[:1] == b":" else name for name, _ in fields])
    if names.translate(None, _NAME_OCTETS):
        raise MalformedHead("field names must be lowercase tokens")
    if b"".join([value for _, value in fields]).translate(None, _VALUE_OCTETS):
        raise MalformedHead("field values must hold no NUL, CR or LF")


def _split(fields: Sequence[Field]) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    pseudo: dict[bytes, bytes] = {}
    regular: dict[bytes, bytes] = {}
    for name, value in fields:
        if value and (value[0] in _WHITESPACE or value[-1] in _WHITESPACE):
            raise MalformedHead("field values must not begin or end with whitespace")
        if name[:1] != b":":
            if not name or name in _CONNECTION_NAMES:
                raise MalformedHead("a request must have no connection-specific fields")
            if name == b"content-length" and regular.get(name, value) != value:
                raise MalformedHead("content-length must not contradict itself")
            regular[name] = value
        elif regular or name in pseudo or name not in _PSEUDO_NAMES:
            raise MalformedHead("pseudo-header fields must be known, single and first")
        else:
            pseudo[name] = value
    if regular.get(b"te", b"trailers") != b"trailers":
        raise MalformedHead("te must be trailers")
    return pseudo, regular


def _read_grpc(
    method: bytes, path: str, regular: dict[bytes, bytes], fields: tuple[Field, ...]
) -> RequestHead:
    content_type = regular.get(b"content-type", b"")
    timeout = regular.get(b"grpc-timeout")
    refusal: Refusal | None = None
    if method != b"POST":
        refusal = refuse_request(405, "gRPC calls are made with POST")
    elif not _CONTENT_TYPE.fullmatch(content_type):
        refusal = refuse_request(415, "gRPC calls have content-type application/grpc")
    elif b"te" not in regular:
        refusal = refuse_call(
            StatusCode.INTERNAL, "calls must have te: trailers; a proxy may have removed it"
        )
    elif timeout is not None and not _TIMEOUT.fullmatch(timeout):
        refusal = refuse_call(StatusCode.INTERNAL, "grpc-timeout must be up to eight digits and a unit")
    return RequestHead(
        path=path,
        timeout_seconds=None if timeout is None or refusal else _read_timeout(timeout),
        content_length=_read_length(regular.get(b"content-length")),
        encoding=regular.get(b"grpc-encoding", b"identity"),
        fields=fields,
        refusal=refusal,
    )


def _read_timeout(timeout: bytes) -> float:
    return int(timeout[:-1]) * _UNIT_SECONDS[timeout[-1:]]


def _read_length(content_length: bytes | None) -> int | None:
    if content_length is None:
        return None
    if not content_length.isdigit() or len(content_length) > 18:
        raise MalformedHead("content-length must be a number")
    return int(content_length)
