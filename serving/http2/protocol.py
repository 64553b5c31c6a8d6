"""The seam to asyncio: accepts connections, feeds them with frames and tells them what the socket can take.

All frames of one read are handled before anything is written, so that their answers leave in one write.
"""

import asyncio
from typing import cast

from serving.http2.codes import ErrorCode
from serving.http2.connection import Connection, Phase
from serving.http2.control import ignore_unknown
from serving.http2.errors import ConnectionFault, StreamFault
from serving.http2.intake import FRAME_RECEIVERS
from serving.http2.service import Service


class ServerProtocol(asyncio.Protocol):
    """Carries one accepted connection."""

    _transport: asyncio.Transport
    _connection: Connection | None = None

    def __init__(self, service: Service) -> None:
        self._service = service

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        connections = self._service.connections
        if len(connections) >= self._service.limits.max_connections or not _speaks_http2(transport):
            self._transport.abort()
            return
        self._connection = Connection(self._service, self._transport)
        connections.add(self._connection)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - every reason ends the same way
        if self._connection is not None:
            self._service.connections.discard(self._connection)
            self._connection.lose()

    def pause_writing(self) -> None:
        if self._connection is not None:
            # Whoever does not read our answers is not read either, or its pings alone could fill our memory.
            self._connection.outbox.pause()
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._connection is not None:
            self._transport.resume_reading()
            self._connection.outbox.resume()

    def data_received(self, data: bytes) -> None:
        connection = self._connection
        if connection is None or connection.phase is Phase.CLOSED:
            return
        connection.note_arrival(self._service.loop.time())
        connection.outbox.hold()
        find_receiver = FRAME_RECEIVERS.get
        kind = None
        try:
            for kind, flags, stream_id, payload in connection.reader.read(data):
                if connection.expected_kind is not None:
                    _check_order(connection, kind)
                try:
                    find_receiver(kind, ignore_unknown)(connection, flags, stream_id, payload)
                except StreamFault as fault:
                    connection.reset(fault)
        except ConnectionFault as fault:
            connection.fail(fault)
        if kind is not None:
            connection.frame_started_at = connection.heard_at  # of what is left behind the last whole frame
        connection.outbox.flush()


def _speaks_http2(transport: asyncio.BaseTransport) -> bool:
    tls = transport.get_extra_info("ssl_object")
    return tls is None or tls.selected_alpn_protocol() == "h2"


def _check_order(connection: Connection, kind: int) -> None:
    expected_kind = connection.expected_kind
    if kind != expected_kind:
        raise ConnectionFault(
            ErrorCode.PROTOCOL_ERROR, f"a frame of type {expected_kind} must come next, got {kind}"
        )
