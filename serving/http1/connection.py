"""One HTTP/1.1 connection.

    IDLE ──first byte──> RECEIVING ──last byte──> ANSWERING ──written──> IDLE (or closed)
      └──keep-alive over──> closed    └──deadline or limit──> refused, closed

Requests are answered one by one, in order. Reading goes on while it is ANSWERING, so that a client that goes
away is noticed, until a client sends more without waiting: from then on the kernel's buffers fill, not ours.
Limits are checked before bytes are kept. A request that comes in one piece with a head that the parser has taken
before goes from IDLE to ANSWERING without it.
"""

import asyncio
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import httptools

from serving.http1.heads import END_OF_HEAD, LONGEST_BYTES
from serving.http1.messages import LATER, Head, Request, Response, plain_head
from serving.http1.strictness import add_field, objection
from serving.steps import Steps

if TYPE_CHECKING:
    from serving.http1.server import HttpServer

_UPGRADE = "expected HTTP/1.1 requests, got an upgrade to another protocol"
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
        self._answering: Request | None = None
        self._keeps_alive = True
        self._can_write = True
        self._is_paused = False
        self._is_closing = False
        self._is_receiving = False
        self._counted_bytes = 0
        self._head: Head | None = None
        self.has_asked = False
        self.expires_at = self._loop.time() + self._limits.keep_alive_seconds
        self._reset()

    # -- the transport calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast: uvloop's transports share no class with asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._handler = self._server.handler_for(transport)
        self._server.add(self)
        if len(self._server.connections) > self._limits.max_connections:
            self.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        self._server.remove(self)
        self._uncount()
        if self._answering is not None:
            self._answering.cancel()

    def data_received(self, data: bytes) -> None:
        if self._is_receiving:
            self._parse(data)
            return
        end = data.find(END_OF_HEAD) + len(END_OF_HEAD)
        octets = data[:end]
        head = self._server.heads.find(octets)
        if head is None:
            self._parse_head(octets, data[end:])
        elif len(data) == end + head.body_bytes and self._can_answer():
            request = Request(head.method, head.path, head.query, head.headers, data[end:], head, self)
            self._begin(request, keeps_alive=True)
        else:
            self._parse(data)

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
        if self._head is None:  # what comes behind chunks is no header: it could claim to be somebody else's
            add_field(self._headers, name.decode("latin-1").lower(), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        headers = self._headers
        path, _, query = self._url.partition(b"?")
        self._head = Head(
            self._parser.get_method().decode("latin-1"),
            path.decode("latin-1"),
            query.decode("latin-1"),
            headers,
            int(headers.get("content-length", "0")),
        )
        wrong = objection(self._parser.get_http_version(), headers)
        if wrong:
            self._refuse(HTTPStatus.BAD_REQUEST, wrong)
        elif self._parser.should_upgrade():
            self._refuse(HTTPStatus.NOT_IMPLEMENTED, _UPGRADE)
        elif self._head.body_bytes > self._limits.max_request_bytes:
            self._refuse_size()
        elif headers.get("expect", "").lower() == "100-continue" and self._transport is not None:
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
        head = self._head
        if self._is_closing or head is None:
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        request = Request(head.method, head.path, head.query, head.headers, body, head, self)
        self._waiting.append((request, self._parser.should_keep_alive()))
        self._reset()
        self._answer_next()

    # -- what happens then

    def finish(self, request: Request, response: Response | bytes | None) -> None:
        """What `Request.answer` does; an answer to a request that was cut off meanwhile is dropped."""
        if self._answering is not request:
            return
        self._answering = None
        if response is None:  # cancelled: the client went away
            self.abort()
            return
        self._send(response, request, close=not self._keeps_alive or self._server.is_draining)
        if self._transport is not None and not self._is_closing:
            self.expires_at = self._server.idle_until
            if self._waiting:
                self._loop.call_soon(self._answer_next)
            elif self._is_paused:
                self._is_paused = False
                self._transport.resume_reading()

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

    def _parse_head(self, octets: bytes, rest: bytes) -> None:
        """Parse the beginning of a message, and remember its head if that is all that such a request is about."""
        if not octets.endswith(END_OF_HEAD) or len(octets) > LONGEST_BYTES:
            self._parse(octets + rest)
            return
        self._parse(octets)
        head = self._head
        if head is not None and self._is_all_told(head):
            self._server.heads.remember(octets, head)
        if rest and not self._is_closing:
            self._parse(rest)

    def _is_all_told(self, head: Head) -> bool:
        """Whether nothing is left to do for such a request but to wait for its body and to answer."""
        is_whole = head.body_bytes > 0 and not self._body_bytes and not self._is_closing
        return is_whole and self._parser.should_keep_alive() and "expect" not in head.headers

    def _parse(self, data: bytes) -> None:
        if not self._is_receiving:
            self._is_receiving = True
            self.expires_at = self._loop.time() + self._limits.receive_timeout_seconds
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(HTTPStatus.NOT_IMPLEMENTED, _UPGRADE)
        except httptools.HttpParserError as error:
            # A callback that refused has closed already, and its error comes back through the parser.
            self._refuse(HTTPStatus.BAD_REQUEST, f"expected an HTTP/1.1 request, got: {error}")
        if self._waiting and not self._is_paused and self._transport is not None:
            self._transport.pause_reading()
            self._is_paused = True

    def _can_answer(self) -> bool:
        return self._answering is None and self._can_write and not self._waiting and not self._is_closing

    def _answer_next(self) -> None:
        # A loop, not a recursion: many requests that need no waiting may have come in one piece.
        while self._waiting and self._answering is None and self._can_write and self._transport is not None:
            request, keeps_alive = self._waiting.popleft()
            self._begin(request, keeps_alive=keeps_alive)

    def _begin(self, request: Request, *, keeps_alive: bool) -> None:
        self._answering, self._keeps_alive, self.has_asked = request, keeps_alive, True
        answer = self._handler(request)
        if isinstance(answer, (bytes, Response)):
            self.finish(request, answer)
        elif answer is not LATER:
            steps = Steps(answer, lambda response, _error: self.finish(request, response))
            if self._answering is request:
                request.on_cancel = steps.cancel

    def _send(self, response: Response | bytes, request: Request | None, *, close: bool) -> None:
        if self._transport is None:
            return
        fields = b"" if request is None else request.answer_fields
        with_body = request is None or request.method != "HEAD"
        if isinstance(response, bytes):
            if with_body and not close:
                self._transport.write(plain_head(len(response), fields) + response)
                return
            response = Response(body=response)
        head = response.head(close=close, fields=fields)
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
        self._send(self._server.refusal(status, message), None, close=True)

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
        self._head = None
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._body_bytes = self._head_bytes = 0
        self._is_receiving = False
