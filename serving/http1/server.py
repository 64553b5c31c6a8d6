"""Listens, and keeps the clock of all connections."""

import asyncio
import contextlib
import dataclasses
import math
import ssl
from collections.abc import Callable, Iterable
from http import HTTPStatus

from serving.http1.connection import Connection
from serving.http1.heads import Heads
from serving.http1.messages import QuickHandler, Response

_SWEEP_SECONDS = 0.5
"""How often deadlines are looked at: one timer for all connections costs less than one per request."""
_BACKLOG = 1024
_FIRST_REQUEST_SECONDS = 1.0
"""How long a closing server waits for the first request of a new connection; a round trip or two, across any continent."""
RECEIVE_BUDGET_BYTES = 256 << 20


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a client may take."""

    max_request_bytes: int = 64 << 20
    max_header_bytes: int = 16_384
    max_connections: int = 4096
    receive_timeout_seconds: float = 20.0
    keep_alive_seconds: float = 75.0
    receive_budget_bytes: int = RECEIVE_BUDGET_BYTES
    """What the bodies of all connections that are still arriving may occupy together."""


class HttpServer:
    """Serves one handler on one address."""

    def __init__(
        self,
        handler: QuickHandler,
        limits: Limits,
        *,
        refusal: Callable[[HTTPStatus, str], Response],
        greet: Callable[[asyncio.BaseTransport], QuickHandler] | None = None,
    ) -> None:
        self.handler_for = greet or (lambda _transport: handler)
        """Asked once for each connection: a handler may depend on who is at its other end."""
        self.limits = limits
        self.refusal = refusal
        """Writes the answer to a request that is refused before the handler sees it."""
        self.connections: set[Connection] = set()
        self.heads = Heads()
        self.is_draining = False
        self.receiving_bytes = 0
        """What half-received bodies occupy now."""
        self.idle_until = math.inf
        """When a connection that falls idle now is closed, up to a sweep later: kept here, so that no answer asks the clock."""
        self._all_closed = asyncio.Event()
        self._all_closed.set()
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    async def listen(self, address: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        """Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self), address, port, backlog=_BACKLOG, ssl=tls
        )
        self._sweep()

    @property
    def port(self) -> int:
        """The port that was bound, also when 0 was asked for."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def start_draining(self) -> None:
        """From now on every answer closes its connection, so that clients look for another server."""
        self.is_draining = True

    async def close(self, *, grace_seconds: float) -> None:
        """Accept nothing new, let answers that are being made finish within the grace, then close."""
        self.start_draining()
        if self._server is not None:
            self._server.close()
        await asyncio.sleep(0)  # the loop has still to make the connections that it has accepted
        # What was opened a moment ago has its first request on the way, and nobody has told its client to go elsewhere.
        first_seconds = min(grace_seconds, _FIRST_REQUEST_SECONDS)
        await self._empty([each for each in self.connections if each.has_asked], first_seconds)
        await self._empty(self.connections, grace_seconds - first_seconds)
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in list(self.connections):
            connection.abort()

    async def _empty(self, idle: Iterable[Connection], seconds: float) -> None:
        for connection in list(idle):
            connection.close_when_idle()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.wait_until_empty()

    async def wait_until_empty(self) -> None:
        """Until no connection is open."""
        await self._all_closed.wait()

    def add(self, connection: Connection) -> None:
        self.connections.add(connection)
        self._all_closed.clear()

    def remove(self, connection: Connection) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self._all_closed.set()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self.idle_until = now + _SWEEP_SECONDS + self.limits.keep_alive_seconds
        for connection in [connection for connection in self.connections if connection.expires_at <= now]:
            connection.expire()
        self._sweeper = loop.call_later(_SWEEP_SECONDS, self._sweep)
