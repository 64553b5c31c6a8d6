"""What a server says of a call: the head, the trailers, a reset, or an HTTP error of something in between.

Sources: "gRPC over HTTP/2"; `doc/http-grpc-status-mapping.md` of grpc/grpc for answers without `grpc-status`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from serving.http2.codes import ErrorCode, StatusCode
from serving.http2.errors import StatusError
from serving.http2.hpack import Field
from serving.http2.metadata import read_binary, read_text

_PUSHBACK: Final = b"grpc-retry-pushback-ms"
"""The one name of gRPC's own that is meant for whoever called (gRFC A6)."""
_OF_HTTP: Final = {
    400: StatusCode.INTERNAL,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.UNIMPLEMENTED,
    429: StatusCode.UNAVAILABLE,
    502: StatusCode.UNAVAILABLE,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.UNAVAILABLE,
}
_OF_RESET: Final = {
    ErrorCode.REFUSED_STREAM: StatusCode.UNAVAILABLE,
    ErrorCode.CANCEL: StatusCode.CANCELLED,
    ErrorCode.ENHANCE_YOUR_CALM: StatusCode.RESOURCE_EXHAUSTED,
    ErrorCode.INADEQUATE_SECURITY: StatusCode.PERMISSION_DENIED,
}


@dataclass(frozen=True, kw_only=True)
class ReplyHead:
    """One header block of an answer: its head, its trailers, or both in one."""

    http_status: int | None = None
    status: StatusCode | None = None
    message: str = ""
    fields: tuple[Field, ...] = ()

    def error(self) -> StatusError | None:
        """How the call failed, judged by the last header block of its answer; None: it ended well."""
        if self.status is StatusCode.OK:
            return None
        if self.status is None:
            status = _OF_HTTP.get(self.http_status or 0, StatusCode.UNKNOWN)
            return StatusError(
                status, f"the server answered with HTTP status {self.http_status}, not as gRPC"
            )
        metadata: tuple[tuple[str, str | bytes], ...] = (
            *(
                (_PUSHBACK.decode(), value.decode("latin-1"))
                for name, value in self.fields
                if name == _PUSHBACK
            ),
            *read_text(self.fields).items(),
            *read_binary(self.fields).items(),
        )
        return StatusError(self.status, self.message, metadata=metadata)


OVERSIZED: Final = ReplyHead(
    status=StatusCode.RESOURCE_EXHAUSTED, message="the server's answer has too many headers"
)


def read_reply(fields: Sequence[Field] | None) -> ReplyHead:
    """The block with `fields`; None stands for one over the limit."""
    if fields is None:
        return OVERSIZED
    found = dict(fields)
    return ReplyHead(
        http_status=_read_number(found.get(b":status")),
        status=_read_status(found.get(b"grpc-status")),
        message=unquote_to_bytes(found.get(b"grpc-message", b"")).decode("utf-8", "replace"),
        fields=tuple(field for field in fields if not field[0].startswith(b":")),
    )


def error_of_reset(code: int) -> StatusError:
    """What RST_STREAM with `code` means for its call."""
    try:
        reason = ErrorCode(code)
    except ValueError:
        return StatusError(StatusCode.INTERNAL, f"the server reset the call with unknown code {code}")
    return StatusError(
        _OF_RESET.get(reason, StatusCode.INTERNAL), f"the server reset the call: {reason.name}"
    )


def _read_number(text: bytes | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None


def _read_status(text: bytes | None) -> StatusCode | None:
    if text is None:
        return None
    number = _read_number(text)
    return StatusCode(number) if number is not None and number <= max(StatusCode) else StatusCode.UNKNOWN
