"""The doors that a server opens, made from its settings: limits of HTTP, and the transport that carries gRPC."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from serving.grpc import Method
from serving.grpc.framed import FramedServer
from serving.grpc.streaming import streaming_methods
from serving.http1 import RECEIVE_BUDGET_BYTES, Limits
from serving.settings import ServingSettings

if TYPE_CHECKING:
    from serving.grpc.aio import GrpcServer


def http_limits(settings: ServingSettings) -> Limits:
    return Limits(
        max_request_bytes=settings.max_request_bytes,
        receive_budget_bytes=max(RECEIVE_BUDGET_BYTES, 4 * settings.max_request_bytes),
        max_header_bytes=settings.max_header_bytes,
        max_connections=settings.max_connections,
        receive_timeout_seconds=settings.receive_timeout_seconds,
        keep_alive_seconds=settings.keep_alive_seconds,
    )


def make_grpc_server(
    table: Mapping[str, Method], settings: ServingSettings, *, is_ready: Callable[[], bool]
) -> "FramedServer | GrpcServer":
    """The transport that carries `table`, and the streaming methods of every server beside it."""
    streaming = streaming_methods(table.keys(), is_ready=is_ready)
    if settings.grpc_transport == "http2":
        return FramedServer(table, settings, streaming)
    from serving.grpc.aio import GrpcServer  # grpcio is a big import for those who do without it

    return GrpcServer(table, settings, streaming)
