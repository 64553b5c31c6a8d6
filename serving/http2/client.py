"""A client for unary calls over one multiplexed connection, made to pass messages on to an upstream.

It connects when first asked and again when the connection is gone; while that fails, calls fail at once
with UNAVAILABLE until a pause is over, which grows with each failure. A call that the server certainly has
not seen (it was going away, or refused the stream) is tried once more; no other call is.
"""

import asyncio
import contextlib
import random
import ssl
from collections import deque
from collections.abc import Callable
from typing import Final, cast

from serving.http2.client_connection import ClientConnection
from serving.http2.codes import StatusCode
from serving.http2.deadlines import Deadlines
from serving.http2.errors import StatusError
from serving.http2.exchanges import Exchange, Finish, encode_head, encode_timeout
from serving.http2.limits import Limits

MAX_WAITING: Final = 1024
"""Calls that may wait for a connection or for one of its streams."""
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
PAUSE_GROWTH: Final = 1.6  # as gRPC's connection backoff
CONNECT_SECONDS: Final = 10.0


class UnaryClient:
    """Makes unary calls to one server; all of it belongs to one event loop."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        path: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._path = path
        self._ssl_context = ssl_context
        self._limits = limits or Limits()
        self._authority = "localhost" if path else f"{host}:{port}"
        self._scheme = "http" if ssl_context is None else "https"
        if ssl_context is not None:
            ssl_context.set_alpn_protocols(["h2"])
        self._connection: ClientConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._inspection: asyncio.TimerHandle | None = None
        self._deadlines: Deadlines | None = None
        self._waiting: deque[Exchange] = deque()
        self._pause_seconds = 0.0
        self._pause_ends_at = 0.0
        self._is_closed = False

    async def ask(
        self,
        method: str,
        message: bytes,
        *,
        timeout_seconds: float | None = None,
        metadata: tuple[tuple[str, str | bytes], ...] = (),
    ) -> bytes:
        """The answer to one call; raises `StatusError`. Cancelling it cancels the call."""
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def finish(answer: bytes | None, error: StatusError | None) -> None:
            if answered.done():
                return
            if error is not None:
                answered.set_exception(error)
            else:
                answered.set_result(answer or b"")

        cancel = self.begin(method, message, finish, timeout_seconds=timeout_seconds, metadata=metadata)
        try:
            return await answered
        finally:
            cancel()

    def begin(
        self,
        method: str,
        message: bytes,
        finish: Finish,
        *,
        timeout_seconds: float | None = None,
        metadata: tuple[tuple[str, str | bytes], ...] = (),
    ) -> Callable[[], None]:
        """Start a call; `finish` is called once, perhaps at once. Returns what cancels it; then it never is."""
        loop = asyncio.get_running_loop()
        block = encode_head(method, self._scheme, self._authority, metadata)
        if timeout_seconds is not None:
            block += encode_timeout(timeout_seconds)
        exchange = Exchange(block, message, finish, self)
        if timeout_seconds is not None:
            self._deadlines = self._deadlines or Deadlines(loop)
            self._deadlines.add(exchange, loop.time() + timeout_seconds)
        self._start(exchange)
        return exchange.cancel

    def remove(self, exchange: Exchange) -> None:
        """Part of `Keeper`: the call is over."""
        if self._deadlines is not None and exchange.tick is not None:
            self._deadlines.discard(exchange)
        if exchange.carrier is None:
            with contextlib.suppress(ValueError):
                self._waiting.remove(exchange)

    async def close(self) -> None:
        """Close the connection; open calls fail with UNAVAILABLE."""
        self._is_closed = True
        if self._inspection is not None:
            self._inspection.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        self._fail_waiting(StatusError(StatusCode.UNAVAILABLE, "the client is closed"))
        if self._connection is not None:
            self._connection.close()

    def _start(self, exchange: Exchange) -> None:
        connection = self._connection
        if connection is not None and connection.has_room and not self._waiting:
            connection.open(exchange)
        elif self._is_closed:
            exchange.end(None, StatusError(StatusCode.UNAVAILABLE, "the client is closed"))
        elif len(self._waiting) >= MAX_WAITING:
            exchange.end(
                None,
                StatusError(
                    StatusCode.RESOURCE_EXHAUSTED, f"{MAX_WAITING} calls wait for the server already"
                ),
            )
        else:
            self._waiting.append(exchange)
            self._move()

    def _move(self) -> None:
        """Let waiting calls onto the connection, and see that there is one."""
        if not self._waiting:
            return
        connection = self._connection
        while self._waiting and connection is not None and connection.has_room:
            connection.open(self._waiting.popleft())
        is_usable = connection is not None and not connection.is_leaving
        if self._waiting and not is_usable and self._connecting is None:
            self._connect()

    def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._pause_ends_at:
            self._fail_waiting(
                StatusError(StatusCode.UNAVAILABLE, f"{self._authority} could not be reached a moment ago")
            )
            return
        self._connecting = loop.create_task(self._make_connection())

    async def _make_connection(self) -> None:
        connection = ClientConnection(self._limits, freed=self._move, refused=self._try_again)
        transport: asyncio.BaseTransport | None = None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                transport = await self._open_transport(connection)
                await connection.is_ready
        except (OSError, StatusError) as error:  # TimeoutError is an OSError too
            self._connecting = None
            if transport is not None:
                cast("asyncio.Transport", transport).abort()
            self._pause(asyncio.get_running_loop().time())
            reason = f"{self._authority} cannot be reached: {str(error) or type(error).__name__}"
            self._fail_waiting(StatusError(StatusCode.UNAVAILABLE, reason))
            return
        self._connecting = None
        self._pause_seconds = 0.0
        self._connection = connection
        if self._inspection is None:
            self._inspect()
        self._move()

    async def _open_transport(self, connection: ClientConnection) -> asyncio.BaseTransport:
        loop = asyncio.get_running_loop()
        tls = self._ssl_context
        name = self._host if tls else None
        transport: asyncio.BaseTransport
        if self._path is not None:
            transport, _ = await loop.create_unix_connection(lambda: connection, self._path)
        else:
            transport, _ = await loop.create_connection(
                lambda: connection, self._host, self._port, ssl=tls, server_hostname=name
            )
        if tls is not None and transport.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
            transport.abort()
            raise StatusError(StatusCode.UNAVAILABLE, "the server must speak HTTP/2, offered by ALPN as h2")
        return transport

    def _pause(self, now: float) -> None:
        grown = max(FIRST_PAUSE_SECONDS, self._pause_seconds * PAUSE_GROWTH)
        self._pause_seconds = min(LONGEST_PAUSE_SECONDS, grown)
        jitter = random.uniform(0.8, 1.2)  # noqa: S311 - spreads clients, protects nothing
        self._pause_ends_at = now + self._pause_seconds * jitter

    def _try_again(self, exchange: Exchange) -> None:
        exchange.carrier = None
        if exchange.is_second_try:
            exchange.end(None, StatusError(StatusCode.UNAVAILABLE, "the server refused the call twice"))
        else:
            exchange.is_second_try = True
            self._start(exchange)

    def _fail_waiting(self, error: StatusError) -> None:
        while self._waiting:
            self._waiting.popleft().end(None, error)

    def _inspect(self) -> None:
        loop = asyncio.get_running_loop()
        if self._connection is not None:
            self._connection.inspect(loop.time())
        self._inspection = loop.call_later(self._limits.patience_seconds, self._inspect)
