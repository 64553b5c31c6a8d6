"""The doors that a server opens, whatever is behind them: the monitoring, REST and console ports, and gRPC.

What is asked in front of a door is `serving.entrances`; here is where it listens, within which limits, and how it
is closed. The server that computes and the one that passes on open theirs alike.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from serving.entrances import Entrances
from serving.grpc import Method
from serving.grpc.framed import FramedServer
from serving.grpc.streaming import streaming_methods
from serving.http1 import RECEIVE_BUDGET_BYTES, HttpServer, Limits, Request, Response
from serving.http1.messages import QuickHandler
from serving.monitoring import FOR_OPERATORS, probe_handler
from serving.rest.errors import refusal
from serving.settings import ServingSettings
from serving.tls import server_context

if TYPE_CHECKING:
    from serving.grpc.aio import GrpcServer

log = logging.getLogger(__name__)

Routes = Mapping[str, Callable[[Request], Response]]


class Doors:
    """The doors of one server."""

    def __init__(self, settings: ServingSettings, entrances: Entrances) -> None:
        self._settings = settings
        self._entrances = entrances
        self._http: dict[str, HttpServer] = {}
        self._grpc: FramedServer | GrpcServer | None = None
        self.grpc_port = 0
        """The bound port, also when the system chose it; 0 for none."""

    @property
    def rest_port(self) -> int:
        """The bound port, also when the system chose it."""
        return self._http["rest"].port

    async def open_monitoring(self, routes: Routes) -> Routes:
        """Open the port for operators, if there is one; which of the routes are left for clients. Raises OSError."""
        port = self._settings.monitoring_port
        if not port:
            return routes
        await self._listen(
            "monitoring", HttpServer(probe_handler(routes), self._limits(), refusal=refusal), port
        )
        return {path: route for path, route in routes.items() if path not in FOR_OPERATORS}

    async def open_rest(self, handler: QuickHandler) -> None:
        """Raises OSError when the port is taken, SettingsError for certificates that cannot be used."""
        greet, refuse = self._entrances.for_rest(handler, refusal)
        server = HttpServer(handler, self._limits(), refusal=refuse, greet=greet)
        await self._listen("rest", server, self._settings.rest_api_port, tls=self._tls())

    async def open_console(self, handler: QuickHandler, *, page: Collection[str], state: str) -> None:
        """`page` is what everybody may load, `state` where it asks how the server stands. Raises what `open_rest` raises."""
        greet = self._entrances.for_console(handler, page, state)
        server = HttpServer(handler, self._limits(), refusal=refusal, greet=greet)
        await self._listen("console", server, self._settings.console_port, tls=self._tls())

    async def open_grpc(self, table: Mapping[str, Method], *, is_ready: Callable[[], bool]) -> None:
        """Raises OSError when the port or the socket is taken, SettingsError for certificates that cannot be used."""
        settings = self._settings
        if not settings.port and not settings.grpc_socket_path:
            return
        server = self._grpc = _make_grpc(self._entrances.for_grpc(table), settings, is_ready=is_ready)
        if settings.port:
            self.grpc_port = await server.listen(settings.listen_address, settings.port)
            log.info("listening for gRPC on %s:%d", settings.listen_address, self.grpc_port)
        if settings.grpc_socket_path:
            await server.listen_on_socket(settings.grpc_socket_path)
            log.info("listening for gRPC on %s", settings.grpc_socket_path)
        await server.start()

    def start_draining(self) -> None:
        """Close connections after their answers; go on answering."""
        for server in self._http.values():
            server.start_draining()

    async def close(self, *, grace_seconds: float) -> None:
        """Accept nothing new, finish what is running within the grace."""
        closings = [server.close(grace_seconds=grace_seconds) for server in self._http.values()]
        if self._grpc is not None:
            closings.append(self._grpc.close(grace_seconds=grace_seconds))
        await asyncio.gather(*closings)

    async def _listen(
        self, name: str, server: HttpServer, port: int, *, tls: ssl.SSLContext | None = None
    ) -> None:
        await server.listen(self._settings.listen_address, port, tls=tls)
        self._http[name] = server
        log.info("listening for %s on %s:%d", name, self._settings.listen_address, port)

    def _tls(self) -> ssl.SSLContext | None:
        settings = self._settings
        return server_context(settings.ssl_config_file) if settings.enable_rest_tls else None

    def _limits(self) -> Limits:
        settings = self._settings
        return Limits(
            max_request_bytes=settings.max_request_bytes,
            receive_budget_bytes=max(RECEIVE_BUDGET_BYTES, 4 * settings.max_request_bytes),
            max_header_bytes=settings.max_header_bytes,
            max_connections=settings.max_connections,
            receive_timeout_seconds=settings.receive_timeout_seconds,
            keep_alive_seconds=settings.keep_alive_seconds,
        )


def _make_grpc(
    table: Mapping[str, Method], settings: ServingSettings, *, is_ready: Callable[[], bool]
) -> "FramedServer | GrpcServer":
    """The transport that carries `table`, and the streaming methods of every server beside it."""
    streaming = streaming_methods(table.keys(), is_ready=is_ready)
    if settings.grpc_transport == "http2":
        return FramedServer(table, settings, streaming)
    from serving.grpc.aio import GrpcServer  # grpcio is a big import for those who do without it

    return GrpcServer(table, settings, streaming)
