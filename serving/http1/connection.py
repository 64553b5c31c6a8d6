"""One HTTP/1.1 connection.

    IDLE ──first byte──> RECEIVING ──last byte──> ANSWERING ──written──> IDLE (or closed)
      └──keep-alive over──> closed    └──deadline or limit──> refused, closed

Requests are answered one by one, in order. Reading goes on while it is ANSWERING, so that a client that goes
away is noticed, until a client sends more without waiting: from then on the kernel's buffers fill, not ours.
Limits are checked before bytes are kept.
"""

import asyncio
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote_to_bytes

import httptools

from serving.http1.messages import Request, Response
from serving.steps import Steps

if TYPE_CHECKING:
    from serving.http1.server import HttpServer

_STARTING = object()
"""Stands for an answer whose first step is running."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(asyncio.Protocol):
    """Callbacks of the transport and of the parser; the state is in the fields below."""

    def __init__(self, server: "HttpServer") -> None:
        self._server = server
        self._limits = server.limits
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._answering: Steps[Response] | object | None = None
        self._keeps_alive = True
        self._is_head = False
        self._can_write = True
        self._is_paused = False
        self._is_closing = False
        self._is_receiving = False
        self._counted_bytes = 0
        self.expires_at = self._loop.time() + self._limits.keep_alive_seconds
        self._reset()

    # -- the transport calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(
            "asyncio.Transport", transport
        )  # uvloop's transports share no class with asyncio's
        self._handler = self._server.handler_for(transport)
        self._server.add(self)
        if len(self._server.connections) > self._limits.max_connections:
            self.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        self._server.remove(self)
        self._uncount()
        if isinstance(self._answering, Steps):
            self._answering.cancel()

    def data_received(self, data: bytes) -> None:
        if not self._is_receiving:
            self._is_receiving = True
            self.expires_at = self._loop.time() + self._limits.receive_timeout_seconds
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(
                HTTPStatus.NOT_IMPLEMENTED, "expected HTTP/1.1 requests, got an upgrade to another protocol"
            )
        except httptools.HttpParserError as error:
            # A callback that refused has closed already, and its error comes back through the parser.
            self._refuse(HTTPStatus.BAD_REQUEST, f"expected an HTTP/1.1 request, got: {error}")
        if self._waiting and not self._is_paused and self._transport is not None:
            self._transport.pause_reading()
            self._is_paused = True

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._can_write = False

    def resume_writing(self) -> None:
        self._can_write = True
        self._answer_next()

    # -- the parser calls these

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value) + 4)
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        length = self._headers.get("content-length", "0")
        if self._parser.should_upgrade():
            self._refuse(
                HTTPStatus.NOT_IMPLEMENTED, "expected HTTP/1.1 requests, got an upgrade to another protocol"
            )
        elif int(length) > self._limits.max_request_bytes:
            self._refuse_size()
        elif self._headers.get("expect", "").lower() == "100-continue" and self._transport is not None:
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.max_request_bytes:
            self._refuse_size()
        elif self._server.receiving_bytes + len(body) > self._limits.receive_budget_bytes:
            self._refuse(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too many large requests are arriving at once; try again later",
            )
        elif not self._is_closing:
            self._body.append(body)
            self._server.receiving_bytes += len(body)
            self._counted_bytes += len(body)

    def on_message_complete(self) -> None:
        if self._is_closing:
            return
        path, _, query = self._url.partition(b"?")
        request = Request(
            method=self._parser.get_method().decode("latin-1"),
            path=path.decode("latin-1"),
            query=query.decode("latin-1"),
            headers=self._headers,
            body=self._body[0] if len(self._body) == 1 else b"".join(self._body),
        )
        self._waiting.append((request, self._parser.should_keep_alive()))
        self._reset()
        self._answer_next()

    # -- what happens then

    def expire(self) -> None:
        """Its time is up: refuse half a request, close an idle connection; an answer being made may finish.

        A client that does not read its answer is cut off: closing politely would wait for it to read.
        """
        if not self._can_write:
            self.abort()
            return
        if self._answering is not None or self._waiting:
            return
        if self._is_receiving:
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT,
                f"expected the whole request within {self._limits.receive_timeout_seconds} s",
            )
        else:
            self._close()

    def close_when_idle(self) -> None:
        """Close now if nothing is under way, else after the answer."""
        if self._answering is None and not self._waiting and not self._is_receiving:
            self._close()

    def abort(self) -> None:
        """Close now, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def _answer_next(self) -> None:
        # A loop, not a recursion: many requests that need no waiting may have come in one piece.
        while self._waiting and self._answering is None and self._can_write and self._transport is not None:
            request, self._keeps_alive = self._waiting.popleft()
            self._is_head = request.method == "HEAD"
            self._answering = _STARTING
            steps = Steps(self._handler(request), self._finish)
            if self._answering is _STARTING:
                self._answering = steps

    def _finish(self, response: Response | None, _error: BaseException | None) -> None:
        self._answering = None
        if response is None:  # cancelled: the client went away
            self.abort()
            return
        self._send(
            response, close=not self._keeps_alive or self._server.is_draining, with_body=not self._is_head
        )
        if self._transport is not None and not self._is_closing:
            self.expires_at = self._loop.time() + self._limits.keep_alive_seconds
            if self._waiting:
                self._loop.call_soon(self._answer_next)
            else:
                self._resume_reading()

    def _resume_reading(self) -> None:
        if self._is_paused and not self._waiting and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()

    def _send(self, response: Response, *, close: bool, with_body: bool = True) -> None:
        if self._transport is None:
            return
        head = response.head(close=close)
        self._transport.write(head + response.body if with_body else head)
        if close:
            self._close()

    def _refuse_size(self) -> None:
        self._refuse(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"expected a body of at most {self._limits.max_request_bytes} bytes, got more",
        )

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        if self._is_closing:
            return
        self._waiting.clear()
        self._send(self._server.refusal(status, message), close=True)

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._limits.max_header_bytes:
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"expected a request line and headers of at most {self._limits.max_header_bytes} bytes, got more",
            )
            self._headers.clear()

    def _uncount(self) -> None:
        self._server.receiving_bytes -= self._counted_bytes
        self._counted_bytes = 0

    def _close(self) -> None:
        self._is_closing = True
        if self._transport is not None:
            self._transport.close()

    def _reset(self) -> None:
        self._uncount()
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._body_bytes = self._head_bytes = 0
        self._is_receiving = False


def decode_segment(segment: str) -> str | None:
    """A path segment with its percent-escapes resolved once; None when it hides something.

    What is hidden: another escape, a separator, a control character, or bytes that are no UTF-8.
    """
    try:
        text = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return None
    is_plain = text.isprintable() and not set(text) & set("%/\\:") and text not in {"", ".", ".."}
    return text if is_plain else None
