"""A request and a response, whole."""

import dataclasses
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any

from serving.calls import Trace


# Not frozen: one is made for every request, and freezing doubles what that costs (0.9 us against 0.4).
@dataclasses.dataclass(kw_only=True, slots=True)
class Request:
    """A request whose body has arrived."""

    method: str
    path: str
    """As sent, without the query; still percent-encoded."""
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    trace: Trace | None = None


@dataclasses.dataclass(kw_only=True, slots=True)
class Response:
    """What is to be sent back."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    def head(self, *, close: bool) -> bytes:
        """The status line and headers, serialized."""
        if self.status == HTTPStatus.OK and not close and not self.headers and self.content_type == _JSON:
            return _PLAIN_HEAD % len(self.body)  # nearly every answer
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += ["connection: close"] if close else []
        lines += [f"content-type: {self.content_type}", f"content-length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("latin-1")


Handler = Callable[[Request], Coroutine[Any, None, Response]]
"""Answers a request. It raises nothing but cancellation: the client went away. It runs as `Steps`, without a task."""

_JSON = "application/json"
_PLAIN_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
