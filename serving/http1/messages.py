"""A request and a response, whole, and how one becomes the other.

A handler answers at once (a `Response`, or the bytes of the commonest one), as a coroutine, or `LATER` through
the request itself: each of these costs a microsecond or two less than the next but one, and a request whose answer
is kept must not pay for those that wait.
"""

import dataclasses
import functools
from collections.abc import Callable, Coroutine, Iterable, Mapping
from enum import Enum
from http import HTTPStatus
from typing import Any, Final, Protocol

from serving.calls import Trace


@dataclasses.dataclass(slots=True, eq=False)
class Head:
    """The request line and the headers. Equal bytes give the same object for as long as it is remembered."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body_bytes: int = 0
    """The announced length of the body."""
    note: object = None
    """What a handler found out from the head alone, for the next request that has the same."""


class Later(Enum):
    """The type of `LATER`; a sentinel, so that a forgotten `return` is noticed."""

    LATER = "later"


LATER: Final = Later.LATER


class Carrier(Protocol):
    """Who takes the answer to a request to its sender."""

    def finish(self, request: "Request", response: "Response | bytes | None") -> None:
        """Told once; None when there is no answer, because nobody waits for one."""


# Not frozen: one is made for every request, and freezing doubles what that costs (0.9 us against 0.4).
@dataclasses.dataclass(slots=True, eq=False)
class Request:
    """A request whose body has arrived."""

    method: str
    path: str
    """As sent, without the query; still percent-encoded."""
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    head: Head | None = None
    carrier: Carrier | None = None
    on_cancel: Callable[[], object] | None = None
    """Set by who answers later: called when the sender has gone away before the answer."""
    trace: Trace | None = None
    answer_fields: bytes = b""
    """Header fields of whatever answer this gets, serialized (`write_fields`): for what is the same for many requests."""

    def answer(self, response: "Response | bytes | None") -> None:
        """Complete a request that was put off with `LATER`; None when nobody waits any more."""
        if self.carrier is not None:
            self.carrier.finish(self, response)

    def cancel(self) -> None:
        """Tell who answers, if that is wanted, that nobody waits any more."""
        if self.on_cancel is not None:
            self.on_cancel()


@dataclasses.dataclass(kw_only=True, slots=True)
class Response:
    """What is to be sent back."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    def head(self, *, close: bool, fields: bytes = b"") -> bytes:
        """The status line and headers, serialized; `fields` are those of its request."""
        status = f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n".encode()
        lines = ["connection: close"] if close else []
        lines += [f"content-type: {self.content_type}", f"content-length: {len(self.body)}", "", ""]
        return status + write_fields(self.headers) + fields + "\r\n".join(lines).encode("latin-1")


@functools.lru_cache(maxsize=4096)
def plain_head(body_bytes: int, fields: bytes = b"") -> bytes:
    """The head of nearly every answer: 200, JSON, and the connection stays."""
    return b"HTTP/1.1 200 OK\r\n%bcontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (
        fields,
        body_bytes,
    )


def write_fields(headers: Iterable[tuple[str, str]]) -> bytes:
    """Header fields as they stand in a head."""
    return b"".join([f"{name}: {value}\r\n".encode("latin-1") for name, value in headers])


Answer = Response | bytes | Coroutine[Any, None, Response] | Later
"""Bytes are the body of a 200 in JSON. A coroutine runs as `Steps`, without a task."""
QuickHandler = Callable[[Request], Answer]
"""Answers a request. It raises nothing."""
Handler = Callable[[Request], Coroutine[Any, None, Response]]
"""The plain kind of it, which can be awaited. It raises nothing but cancellation: the client went away."""
