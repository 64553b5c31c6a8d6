"""The server: listens, gives every connection what all of them share, and ends in order.

server = UnaryServer({"/package.Service/Method": handler})
await server.start(port=8500)
...
await server.drain(grace_seconds=30)
await server.close()
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from serving.http2.calls import Handler, StreamingHandler
from serving.http2.limits import Limits
from serving.http2.patience import inspect
from serving.http2.protocol import ServerProtocol
from serving.http2.service import Service, share

BACKLOG: Final = 1024


class UnaryServer:
    """Answers unary gRPC calls, and the few streaming ones that it is given; every method belongs to the event loop that `start` ran on."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        *,
        streaming: Mapping[str, StreamingHandler] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._handlers = dict(handlers)
        self._streaming = dict(streaming or {})
        self._limits = limits or Limits()
        self._service: Service | None = None
        self._servers: list[asyncio.Server] = []
        self._inspection: asyncio.TimerHandle | None = None

    async def start(
        self,
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        path: str | Path | None = None,
        sock: socket.socket | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Listen on `host` and `port` (0: any free one), a unix socket at `path`, or a bound `sock`.

        May be called more than once, to listen in several places. `ssl_context` is told to speak `h2` only.
        """
        loop = asyncio.get_running_loop()
        service = self._prepare(loop)
        patience = self._limits.preface_seconds if ssl_context else None
        if ssl_context is not None:
            ssl_context.set_alpn_protocols(["h2"])

        def connect() -> ServerProtocol:
            return ServerProtocol(service)

        if path is not None:
            server = await loop.create_unix_server(
                connect, str(path), ssl=ssl_context, backlog=BACKLOG, ssl_handshake_timeout=patience
            )
        elif sock is not None:
            server = await loop.create_server(
                connect, sock=sock, ssl=ssl_context, backlog=BACKLOG, ssl_handshake_timeout=patience
            )
        else:
            server = await loop.create_server(
                connect, host, port or 0, ssl=ssl_context, backlog=BACKLOG, ssl_handshake_timeout=patience
            )
        self._servers.append(server)

    @property
    def ports(self) -> list[int]:
        """The TCP ports that are listened on."""
        names = [sock.getsockname() for server in self._servers for sock in server.sockets]
        return [name[1] for name in names if isinstance(name, tuple)]

    @property
    def connection_count(self) -> int:
        return len(self._service.connections) if self._service else 0

    @property
    def open_call_count(self) -> int:
        return (
            sum(len(connection.streams) for connection in self._service.connections) if self._service else 0
        )

    async def drain(self, *, grace_seconds: float) -> bool:
        """Accept no more, let clients move away, and wait until their open calls are answered.

        Returns whether all of them were within `grace_seconds`.
        """
        for server in self._servers:
            server.close()
        if self._service is None:
            return True
        connections = self._service.connections
        for connection in list(connections):
            connection.drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                while connections:
                    await next(iter(connections)).lost.wait()
        return not connections

    async def close(self) -> None:
        """Close every connection now; calls that are still open are cancelled."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        service, self._service = self._service, None
        if service is None:
            return
        if self._inspection is not None:
            self._inspection.cancel()
        for connection in list(service.connections):
            connection.close()
        tasks = [*service.tasks, *service.streaming_tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._wait_closed(service)

    async def _wait_closed(self, service: Service) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                while service.connections:
                    await next(iter(service.connections)).lost.wait()
        for connection in list(service.connections):
            connection.abort()

    def _prepare(self, loop: asyncio.AbstractEventLoop) -> Service:
        if self._service is None:
            self._service = share(loop, self._handlers, self._streaming, self._limits)
            self._inspect_later(self._service)
        return self._service

    def _inspect_later(self, service: Service) -> None:
        self._inspection = service.loop.call_later(self._limits.patience_seconds, self._inspect, service)

    def _inspect(self, service: Service) -> None:
        now = service.loop.time()
        for connection in list(service.connections):
            inspect(connection, now)
        self._inspect_later(service)
