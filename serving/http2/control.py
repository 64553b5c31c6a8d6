"""The frames that carry no call: each checked, charged against the peer's allowance and obeyed.

RFC 9113 sections 6.3 to 6.9. A function gets the connection, flags, stream and payload of one frame.
"""

from __future__ import annotations

from typing import Any, Protocol

from serving.http2 import codes
from serving.http2.codes import ErrorCode, Setting
from serving.http2.errors import ConnectionFault, StreamFault
from serving.http2.frames import (
    SETTINGS_ACK,
    check_dependency,
    parse_settings,
    parse_uint32,
    ping_frame,
)
from serving.http2.sending import Outbox


class Controlled(Protocol):
    """What control frames change, on either side of a connection."""

    outbox: Outbox[Any]  # its streams are a server's or a client's
    expected_kind: int | None
    is_acknowledged: bool
    max_peer_streams: int

    @property
    def streams(self) -> dict[int, Any]: ...

    def charge(self) -> None:
        """Count a frame that brings no message."""

    def charge_reset(self, stream_id: int) -> None:
        """Count a stream that the peer has reset."""

    def greeted(self) -> None:
        """SETTINGS have come."""

    def ping_answered(self, payload: bytes) -> None: ...

    def expect_opened(self, stream_id: int, what: str) -> None:
        """Raises `ConnectionFault` unless the stream was opened once."""

    def abandon(self, stream_id: int) -> None:
        """The peer has reset a stream."""

    def leave(self) -> None:
        """The peer goes away once the open streams are done."""


def receive_settings(connection: Controlled, flags: int, stream_id: int, payload: bytes) -> None:
    _expect_connection(stream_id, "SETTINGS")
    if flags & codes.ACK:
        if connection.expected_kind == codes.SETTINGS:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a connection must begin with its own SETTINGS")
        if payload:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "an acknowledgement of SETTINGS must be empty")
        connection.is_acknowledged = True
        return
    connection.charge()
    connection.greeted()
    for identifier, value in parse_settings(payload):
        _apply_setting(connection, identifier, value)
    connection.outbox.write(SETTINGS_ACK)


def _apply_setting(connection: Controlled, identifier: int, value: int) -> None:
    if identifier == Setting.INITIAL_WINDOW_SIZE:
        if value > codes.MAX_WINDOW_BYTES:
            raise ConnectionFault(
                ErrorCode.FLOW_CONTROL_ERROR, f"INITIAL_WINDOW_SIZE must be at most 2^31 - 1, got {value}"
            )
        connection.outbox.set_initial_window(value, connection.streams)
    elif identifier == Setting.MAX_FRAME_SIZE:
        if not codes.DEFAULT_FRAME_BYTES <= value <= codes.MAX_FRAME_BYTES:
            raise ConnectionFault(
                ErrorCode.PROTOCOL_ERROR, f"MAX_FRAME_SIZE must be from 2^14 to 2^24 - 1, got {value}"
            )
        connection.outbox.max_frame_bytes = value
    elif identifier == Setting.MAX_CONCURRENT_STREAMS:
        connection.max_peer_streams = value
    elif identifier == Setting.ENABLE_PUSH and value > 1:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"ENABLE_PUSH must be 0 or 1, got {value}")


def receive_ping(connection: Controlled, flags: int, stream_id: int, payload: bytes) -> None:
    _expect_connection(stream_id, "PING")
    if len(payload) != 8:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"PING must have eight bytes, got {len(payload)}")
    connection.charge()
    if flags & codes.ACK:
        connection.ping_answered(payload)
    else:
        connection.outbox.write(ping_frame(payload, flags=codes.ACK))


def receive_window_update(connection: Controlled, _flags: int, stream_id: int, payload: bytes) -> None:
    increment = parse_uint32(payload, "WINDOW_UPDATE") & codes.MAX_WINDOW_BYTES
    if stream_id == 0:
        if increment == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE must be above 0")
        connection.outbox.grow_window(increment)
        return
    connection.expect_opened(stream_id, "WINDOW_UPDATE")
    if increment == 0:
        raise StreamFault(stream_id, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE must be above 0")
    stream = connection.streams.get(stream_id)
    if stream is not None:  # else it was answered while the update was under way
        connection.outbox.grow_stream_window(stream, increment)


def receive_reset(connection: Controlled, _flags: int, stream_id: int, payload: bytes) -> None:
    parse_uint32(payload, "RST_STREAM")
    connection.expect_opened(stream_id, "RST_STREAM")
    connection.charge_reset(stream_id)
    connection.abandon(stream_id)


def receive_priority(connection: Controlled, _flags: int, stream_id: int, payload: bytes) -> None:
    _expect_stream(stream_id, "PRIORITY")
    connection.charge()
    if len(payload) != 5:
        raise StreamFault(stream_id, ErrorCode.FRAME_SIZE_ERROR, "PRIORITY must have five bytes")
    check_dependency(payload, stream_id)


def receive_goaway(connection: Controlled, _flags: int, stream_id: int, payload: bytes) -> None:
    _expect_connection(stream_id, "GOAWAY")
    if len(payload) < 8:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "GOAWAY must have at least eight bytes")
    # The client opens nothing more; its open calls are answered, then we close.
    connection.leave()


def refuse_push(_connection: Controlled, _flags: int, _stream_id: int, _payload: bytes) -> None:
    raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a client must not send PUSH_PROMISE")


def refuse_continuation(_connection: Controlled, _flags: int, _stream_id: int, _payload: bytes) -> None:
    raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "CONTINUATION must follow a header block that goes on")


def ignore_unknown(connection: Controlled, _flags: int, _stream_id: int, _payload: bytes) -> None:
    connection.charge()


def _expect_connection(stream_id: int, what: str) -> None:
    if stream_id:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"{what} must be on stream 0, got {stream_id}")


def _expect_stream(stream_id: int, what: str) -> None:
    if not stream_id:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"{what} must be on a stream, got 0")
