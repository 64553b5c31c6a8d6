"""What links a request to others: its id, the client's own or one that is made here, and W3C's trace context."""

import itertools
import re
import secrets
from collections.abc import Mapping

from serving.calls import REQUEST_ID_HEADER

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# W3C Trace Context, section 3.2: version, trace-id, parent-id, flags; an id of zeros is none.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def request_id(metadata: Mapping[str, str]) -> str | None:
    """The id that the client gave this request; None for none, or for text that is no id."""
    sent = metadata.get(REQUEST_ID_HEADER)
    return sent if sent is not None and _REQUEST_ID.fullmatch(sent) else None


class RequestIds:
    """Names requests that came without an id: a beginning that is this server's own, and a number."""

    def __init__(self, beginning: str = "") -> None:
        self._beginning = beginning or secrets.token_hex(6)
        self._numbers = itertools.count(1)

    def identify(self, metadata: Mapping[str, str]) -> str:
        """The id of a request: the one that it came with, or a new one."""
        return request_id(metadata) or f"{self._beginning}-{next(self._numbers):x}"


def trace_id(metadata: Mapping[str, str]) -> str | None:
    """The trace that the request belongs to; None for none."""
    sent = metadata.get("traceparent")
    match = _TRACEPARENT.fullmatch(sent) if sent is not None else None
    return match[1] if match else None
