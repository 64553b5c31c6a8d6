"""One HTTP/1.1 connection to an upstream: a request out, its response in, then the next.

    CONNECTING ──> IDLE ──send──> WAITING ──first byte──> RECEIVING ──last byte──> IDLE (or closed)
                                     └──lost, broken, given up──> closed, who waits is told

A connection that is lost while IDLE has hurt nobody. One that is lost while WAITING, after it had served before,
is most likely one that the upstream had closed for being idle: `has_heard` and `is_reused` tell the pool.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

import httptools

from serving.http1 import Response
from serving.upstream.response_heads import ResponseHeads

if TYPE_CHECKING:
    from serving.upstream.pool import Pool

_DROPPED: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
    | {"content-length", "content-type", "date"}
)
"""Headers that are about the connection to us, that `Response` writes itself, or that nobody needs twice."""
_JSON: Final = "application/json"


class BrokenResponse(Exception):
    """What came is no HTTP response, or is larger than allowed."""


Done = Callable[[Response | None, Exception | None], None]
"""Told once: the response, or why there is none."""


class UpstreamConnection(asyncio.Protocol):
    """Callbacks of the transport and of the parser."""

    def __init__(self, pool: "Pool", heads: ResponseHeads, *, max_response_bytes: int) -> None:
        self._pool = pool
        self._heads = heads
        self._whole: bytes | None = None
        """What came, as long as it came in one piece."""
        self._max_response_bytes = max_response_bytes
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._done: Done | None = None
        self._is_head = False
        self.is_reused = False
        """Whether it has served a request before the one that is under way."""
        self.has_heard = False
        """Whether anything of the response has come."""
        self._reset()

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, head: bytes, body: bytes, done: Done, *, is_head: bool) -> None:
        """Send one whole request on an idle connection; `done` is called later, never from here."""
        assert self._transport is not None
        self._done, self._is_head, self.has_heard = done, is_head, False
        # One piece if it is small: a second system call costs more than the copy.
        if len(body) < 65_536:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))

    def give_up(self) -> None:
        """Nobody waits any more: close, since a response that comes later must not meet another's request."""
        self._done = None
        self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # -- the transport calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._done is None:  # nobody asked
            self.close()
            return
        if not self.has_heard and not self._is_head:
            response = self._heads.read(data)
            if response is not None:
                self._complete(response)
                return
        self._whole = None if self.has_heard else data
        self.has_heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(BrokenResponse(f"its response is no HTTP/1.1: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._fail(error or ConnectionResetError("it closed the connection before the response was whole"))
        self._pool.lost(self)

    # -- the parser calls these

    def on_header(self, name: bytes, value: bytes) -> None:
        text = name.decode("latin-1").lower()
        if text == "content-type":
            self._content_type = value.decode("latin-1")
        elif text not in _DROPPED:
            self._headers.append((text, value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        if self._is_head:
            self._finish()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)
        self._body_bytes += len(body)
        if self._body_bytes > self._max_response_bytes:
            self._fail(BrokenResponse(f"its response has more than {self._max_response_bytes} bytes"))

    def on_message_complete(self) -> None:
        if not self._is_head and self._parser.get_status_code() >= 200:
            self._finish()
        self._reset()

    def _finish(self) -> None:
        response = Response(
            body=self._body[0] if len(self._body) == 1 else b"".join(self._body),
            status=self._parser.get_status_code(),
            content_type=self._content_type,
            headers=tuple(self._headers),
        )
        # After a HEAD the parser would wait for a body that never comes.
        if self._is_head or not self._parser.should_keep_alive():
            self.close()
        elif self._whole is not None:
            self._heads.learn(self._whole, response)
        self._complete(response)

    def _complete(self, response: Response) -> None:
        done, self._done = self._done, None
        if done is None:  # more than was asked for: nobody can say whose it is
            self.close()
            return
        self.is_reused = True
        self._pool.freed(self)
        done(response, None)

    def _fail(self, error: Exception) -> None:
        done, self._done = self._done, None
        self.close()
        if done is not None:
            done(None, error)

    def _reset(self) -> None:
        self._content_type = _JSON
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._body_bytes = 0
