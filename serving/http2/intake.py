"""The frames that carry calls: HEADERS with CONTINUATION opens one, DATA brings its message.

A header block is always decoded, even for a stream that is refused or gone: the blocks after it depend on
what it does to the compression state. RFC 9113 sections 5.1, 6.1, 6.2 and 6.10.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from serving.http2 import codes, control
from serving.http2.calls import Answer, CallContext
from serving.http2.codes import ErrorCode, StatusCode
from serving.http2.dispatch import dispatch
from serving.http2.duplex import Duplex
from serving.http2.errors import ConnectionFault, StatusError, StreamFault
from serving.http2.frames import strip_padding, strip_priority, window_update_frame
from serving.http2.requests import MalformedHead, RequestHead, check_trailers
from serving.http2.responses import Refusal, refuse_call
from serving.http2.streams import Stream

if TYPE_CHECKING:
    from serving.http2.connection import Connection

MAX_CONTINUATIONS: Final = 32
SMALL_DATA_BYTES: Final = 128
"""A piece of a message below this costs more to handle than to send, and is charged."""
MAX_DISCARDED_BYTES: Final = 64 * 1024
"""What is read and thrown away of a request that is refused, before its client is asked to stop."""
_TOO_MANY_STREAMS: Final = refuse_call(
    StatusCode.RESOURCE_EXHAUSTED, "the server has as many streaming calls as it may; try again later"
)
_UNKNOWN_METHOD: Final = refuse_call(StatusCode.UNIMPLEMENTED, "Method not found!")


class HeaderBlock:
    """A header block whose end has not come."""

    __slots__ = ("flags", "frame_count", "octets", "started_at", "stream_id")

    def __init__(self, stream_id: int, flags: int, octets: bytes, started_at: float) -> None:
        self.stream_id = stream_id
        self.flags = flags
        self.octets = bytearray(octets)
        self.started_at = started_at
        self.frame_count = 0


def receive_headers(connection: Connection, flags: int, stream_id: int, payload: bytes) -> None:
    if flags == codes.END_HEADERS and connection.last_stream_id < stream_id and stream_id & 1:
        # The short way of nearly all: a head that came before, for a message that follows.
        head = connection.heads.recall(payload)
        if head is not None:
            connection.last_stream_id = stream_id
            _open(connection, flags, stream_id, head)
            return
    if not stream_id & 1:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"a client's stream must be odd, got {stream_id}")
    if flags & codes.PADDED_OR_PRIORITY:
        payload = strip_priority(flags, strip_padding(flags, payload), stream_id)
    if flags & codes.END_HEADERS:
        _receive_block(connection, flags, stream_id, payload)
    else:
        connection.block = HeaderBlock(stream_id, flags, payload, connection.heard_at)
        connection.expected_kind = codes.CONTINUATION


def receive_continuation(connection: Connection, flags: int, stream_id: int, payload: bytes) -> None:
    block = connection.block
    if block is None or block.stream_id != stream_id:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "CONTINUATION must follow its own header block")
    block.octets += payload
    block.frame_count += 1
    if block.frame_count > MAX_CONTINUATIONS:
        raise ConnectionFault(
            ErrorCode.ENHANCE_YOUR_CALM, f"a header block must have at most {MAX_CONTINUATIONS} continuations"
        )
    connection.heads.check_block_size(len(block.octets))
    if flags & codes.END_HEADERS:
        connection.block = connection.expected_kind = None
        _receive_block(connection, block.flags, stream_id, bytes(block.octets))


def _receive_block(connection: Connection, flags: int, stream_id: int, block: bytes) -> None:
    if stream_id > connection.last_stream_id:
        connection.last_stream_id = stream_id
        try:
            head = connection.heads.read(block)
        except MalformedHead as error:
            raise StreamFault(stream_id, ErrorCode.PROTOCOL_ERROR, str(error)) from error
        _open(connection, flags, stream_id, head)
        return
    fields = connection.heads.fields(block)
    if stream_id in connection.receiving:
        if not flags & codes.END_STREAM:
            raise StreamFault(stream_id, ErrorCode.PROTOCOL_ERROR, "trailers must end their stream")
        try:
            check_trailers(fields or ())
        except MalformedHead as error:
            raise StreamFault(stream_id, ErrorCode.PROTOCOL_ERROR, str(error)) from error
        _complete(connection, connection.receiving[stream_id], b"", 0)
    elif stream_id in connection.streams:
        raise StreamFault(stream_id, ErrorCode.STREAM_CLOSED, "a stream that was ended must stay so")
    elif stream_id not in connection.forgotten:
        raise ConnectionFault(
            ErrorCode.STREAM_CLOSED, f"stream {stream_id} is closed; streams must be opened in order"
        )


def _open(connection: Connection, flags: int, stream_id: int, head: RequestHead) -> None:
    if len(connection.streams) >= connection.max_open_streams:
        raise StreamFault(stream_id, ErrorCode.REFUSED_STREAM, "the server is going away or has enough to do")
    handler = connection.service.handlers.get(head.path, _refuse_method)
    stream = connection.open_stream(stream_id, head, handler)
    if head.refusal is not None or handler is _refuse_method:
        stream.refusal = head.refusal or _open_duplex(connection, stream)
    if flags & codes.END_STREAM:
        _complete(connection, stream, b"", 0)
    else:
        connection.receiving[stream_id] = stream


def _open_duplex(connection: Connection, stream: Stream) -> Refusal | None:
    """Start a streaming call, if it is one and there is room; else the refusal."""
    service = connection.service
    handler = service.streaming.get(stream.path)
    if handler is None:
        return _UNKNOWN_METHOD
    if len(service.streaming_tasks) >= service.limits.max_streaming_calls:
        return _TOO_MANY_STREAMS
    stream.duplex = Duplex(connection, stream, service)
    task = stream.duplex.start(handler)
    service.streaming_tasks.add(task)
    task.add_done_callback(service.streaming_tasks.discard)
    return None


def _feed(stream: Stream, duplex: Duplex, content: bytes, flow_bytes: int, *, is_last: bool) -> None:
    try:
        if content or flow_bytes:
            duplex.feed(content, flow_bytes)
        if is_last:
            duplex.end()
    except StatusError as error:
        stream.break_off(error)


def _refuse_method(_message: bytes, _call: CallContext) -> Answer:
    raise StatusError(StatusCode.UNIMPLEMENTED, "Method not found!")


def receive_data(connection: Connection, flags: int, stream_id: int, payload: bytes) -> None:
    flow_bytes = len(payload)
    increment = connection.inbox.count(flow_bytes)
    if increment:
        connection.outbox.write(window_update_frame(0, increment))
    stream = connection.receiving.get(stream_id)
    if flags == codes.END_STREAM and stream is not None:
        message = connection.inbox.take_whole(stream, payload)
        if message is not None:
            del connection.receiving[stream_id]
            dispatch(connection.service, stream, message)
            return
    if flags & codes.PADDED:
        payload = strip_padding(flags, payload)
    if stream is None:
        _refuse_data(connection, stream_id)
    elif flags & codes.END_STREAM:
        _complete(connection, stream, payload, flow_bytes)
    else:
        _continue(connection, stream, payload, flow_bytes)


def _complete(connection: Connection, stream: Stream, content: bytes, flow_bytes: int) -> None:
    connection.receiving.pop(stream.stream_id, None)
    if stream.duplex is not None:
        connection.inbox.use_window(stream, flow_bytes)
        _feed(stream, stream.duplex, content, flow_bytes, is_last=True)
        return
    try:
        if stream.refusal is not None:
            connection.inbox.discard(stream, content, flow_bytes)
            connection.inbox.check_content_length(stream, stream.discarded_bytes)
            connection.outbox.send_refusal(stream, stream.refusal)
            return
        message = connection.inbox.complete(stream, content, flow_bytes)
    except StatusError as error:
        stream.fail(error)
    else:
        dispatch(connection.service, stream, message)


def _continue(connection: Connection, stream: Stream, content: bytes, flow_bytes: int) -> None:
    if len(content) < SMALL_DATA_BYTES:
        connection.charge()
    if stream.refusal is not None:
        connection.inbox.discard(stream, content, flow_bytes)
        if stream.discarded_bytes > MAX_DISCARDED_BYTES:
            connection.cut_short(stream, stream.refusal.block)
        return
    if stream.duplex is not None:
        connection.inbox.use_window(stream, flow_bytes)
        _feed(stream, stream.duplex, content, flow_bytes, is_last=False)
        return
    try:
        increment = connection.inbox.append(stream, content, flow_bytes)
    except StatusError as error:
        stream.fail(error)
        return
    if increment:
        connection.outbox.write(window_update_frame(stream.stream_id, increment))


def _refuse_data(connection: Connection, stream_id: int) -> None:
    connection.expect_opened(stream_id, "DATA")
    # What was under way when we ended the stream is no fault; its share of the window is given back.
    if stream_id not in connection.forgotten:
        raise StreamFault(stream_id, ErrorCode.STREAM_CLOSED, "a stream that was ended must stay so")


FRAME_RECEIVERS: Final[dict[int, Callable[[Connection, int, int, bytes], None]]] = {
    codes.DATA: receive_data,
    codes.HEADERS: receive_headers,
    codes.PRIORITY: control.receive_priority,
    codes.RST_STREAM: control.receive_reset,
    codes.SETTINGS: control.receive_settings,
    codes.PUSH_PROMISE: control.refuse_push,
    codes.PING: control.receive_ping,
    codes.GOAWAY: control.receive_goaway,
    codes.WINDOW_UPDATE: control.receive_window_update,
    codes.CONTINUATION: receive_continuation,
}
