"""One connection to a server that we chose: its calls, multiplexed, each finished once.

    CONNECTING ──SETTINGS received──▶ READY ──GOAWAY or streams used up──▶ LEAVING ──last call done──▶ closed
    any ──connection lost or broken──▶ closed; calls that the server may have seen fail with UNAVAILABLE,
                                       those that it has not (GOAWAY, REFUSED_STREAM) are handed back

The frames that are alike on both sides are `control`'s; what differs is here. An upstream is trusted more
than a client: it is held to the protocol and to the size of a message, not to rates.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from serving.http2 import codes, control
from serving.http2.codes import ErrorCode, Setting, StatusCode
from serving.http2.errors import ConnectionFault, StatusError, StreamFault
from serving.http2.exchanges import PREFIX_BYTES, Exchange
from serving.http2.frames import (
    UINT32,
    goaway_frame,
    parse_uint32,
    ping_frame,
    reset_frame,
    settings_frame,
    strip_padding,
    strip_priority,
    window_update_frame,
)
from serving.http2.heads import HeadReader
from serving.http2.limits import Limits
from serving.http2.reading import FrameReader
from serving.http2.replies import ReplyHead, error_of_reset, read_reply
from serving.http2.sending import Outbox

_WINDOW_BYTES: Final = 2**30


class ClientConnection(asyncio.Protocol):
    """Carries calls to one server. `freed` is called when a call ends, `refused` with one the server never saw."""

    outbox: Outbox[Exchange]
    _transport: asyncio.Transport

    def __init__(
        self, limits: Limits, *, freed: Callable[[], None], refused: Callable[[Exchange], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        self.streams: dict[int, Exchange] = {}
        self.is_ready = loop.create_future()
        self.is_leaving = False
        self.is_acknowledged = False
        self.expected_kind: int | None = codes.SETTINGS
        self.max_peer_streams = 2**31
        self.heard_at = loop.time()
        self.pinged_at: float | None = None
        self._loop = loop
        self._limits = limits
        self._freed = freed
        self._refused = refused
        self._next_stream_id = 1
        self._received_bytes = 0
        self._block: tuple[int, int, bytearray] | None = None
        self._reader = FrameReader(max_frame_bytes=codes.DEFAULT_FRAME_BYTES, expects_preface=False)
        self._heads: HeadReader[ReplyHead] = HeadReader(read_reply, max_header_bytes=limits.max_header_bytes)

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.outbox = Outbox(self._transport, self._loop, lambda _exchange: None)
        settings = {
            Setting.ENABLE_PUSH: 0,
            # A whole answer fits the window of its stream: no call ever waits for a window of ours.
            Setting.INITIAL_WINDOW_SIZE: min(
                self._limits.max_message_bytes + PREFIX_BYTES, codes.MAX_WINDOW_BYTES
            ),
            Setting.MAX_HEADER_LIST_SIZE: self._limits.max_header_bytes,
        }
        window = window_update_frame(0, _WINDOW_BYTES - codes.DEFAULT_WINDOW_BYTES)
        self.outbox.write(codes.PREFACE + settings_frame(settings) + window)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_leaving = True
        self.outbox.stop()
        reason = f"the connection to the server was lost ({exc or 'closed'})"
        error = StatusError(StatusCode.UNAVAILABLE, reason)
        if not self.is_ready.done():
            self.is_ready.set_exception(error)
            self.is_ready.exception()  # read here: a connection that is lost twice over has nobody else to read it
        for stream_id in list(self.streams):
            self._end(stream_id, None, error)

    def pause_writing(self) -> None:
        self.outbox.pause()

    def resume_writing(self) -> None:
        self.outbox.resume()

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        self.heard_at = self._loop.time()
        self.outbox.hold()
        try:
            for kind, flags, stream_id, payload in self._reader.read(data):
                if self.expected_kind is not None and kind != self.expected_kind:
                    raise ConnectionFault(
                        ErrorCode.PROTOCOL_ERROR, f"a frame of type {kind} must not come here"
                    )
                try:
                    _RECEIVERS.get(kind, control.ignore_unknown)(self, flags, stream_id, payload)
                except StreamFault as fault:
                    self.outbox.write(reset_frame(fault.stream_id, fault.code))
                    self._fail(fault.stream_id, StatusCode.INTERNAL, str(fault))
        except ConnectionFault as fault:
            self.outbox.write(goaway_frame(0, fault.code, str(fault)))
            self.close()
        self.outbox.flush()

    # The client's side.

    @property
    def has_room(self) -> bool:
        is_usable = self.is_ready.done() and not self.is_leaving
        return is_usable and len(self.streams) < self.max_peer_streams

    def open(self, exchange: Exchange) -> None:
        exchange.begin(self._next_stream_id, self)
        self._next_stream_id += 2
        if self._next_stream_id > codes.MAX_STREAM_ID:
            self.is_leaving = True
        self.streams[exchange.stream_id] = exchange
        self.outbox.send_request(exchange, exchange.block, exchange.message)

    def give_up(self, exchange: Exchange) -> None:
        """Nobody waits for this call any more."""
        if self.streams.get(exchange.stream_id) is exchange:
            self.outbox.forget(exchange.stream_id)
            self.outbox.write(reset_frame(exchange.stream_id, ErrorCode.CANCEL))
            self._forget(exchange.stream_id)

    def inspect(self, now: float) -> None:
        """Ping a server that owes us answers and is silent; cut the connection when it stays so."""
        if self.pinged_at is not None and self.heard_at <= self.pinged_at:
            if now - self.pinged_at >= self._limits.keepalive_timeout_seconds:
                self._transport.abort()
        elif self.streams and now - self.heard_at >= self._limits.keepalive_idle_seconds:
            self.pinged_at = now
            self.outbox.write(ping_frame(b"are you?"))

    def close(self) -> None:
        self.is_leaving = True
        self.outbox.flush()
        self.outbox.stop()
        self._transport.close()

    # The frames' side: `control.Controlled`.

    def charge(self) -> None: ...

    def charge_reset(self, stream_id: int) -> None: ...

    def greeted(self) -> None:
        if not self.is_ready.done():
            self.expected_kind = None
            self.is_ready.set_result(None)

    def ping_answered(self, payload: bytes) -> None: ...

    def expect_opened(self, stream_id: int, what: str) -> None:
        if not stream_id & 1 or stream_id >= self._next_stream_id:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"{what} must be on a stream that was opened")

    def abandon(self, stream_id: int) -> None:
        self._forget(stream_id)

    def leave(self) -> None:
        self.is_leaving = True
        self._freed()
        if not self.streams:
            self.close()

    def receive_goaway(self, flags: int, stream_id: int, payload: bytes) -> None:
        control.receive_goaway(self, flags, stream_id, payload)
        last_stream_id = UINT32.unpack_from(payload)[0] & codes.MAX_STREAM_ID
        for unseen in [stream for stream in self.streams if stream > last_stream_id]:
            self._hand_back(unseen)

    def receive_reset(self, _flags: int, stream_id: int, payload: bytes) -> None:
        code = parse_uint32(payload, "RST_STREAM")
        self.expect_opened(stream_id, "RST_STREAM")
        if code == ErrorCode.REFUSED_STREAM:
            self._hand_back(stream_id)
        else:
            self._end(stream_id, None, error_of_reset(code))

    def receive_headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        exchange = self.streams.get(stream_id)
        if exchange is None:
            self.expect_opened(stream_id, "HEADERS")
        elif flags == codes.END_HEADERS and (head := self._heads.recall(payload)) is not None:
            exchange.head = exchange.head or head  # the short way of nearly all
            return
        if flags & codes.PADDED_OR_PRIORITY:
            payload = strip_priority(flags, strip_padding(flags, payload), stream_id)
        if flags & codes.END_HEADERS:
            self._receive_block(flags, stream_id, payload)
        else:
            self._block = (stream_id, flags, bytearray(payload))
            self.expected_kind = codes.CONTINUATION

    def receive_continuation(self, flags: int, stream_id: int, payload: bytes) -> None:
        if self._block is None or self._block[0] != stream_id:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "CONTINUATION must follow its own header block")
        _, first_flags, octets = self._block
        octets += payload
        self._heads.check_block_size(len(octets))
        if flags & codes.END_HEADERS:
            self._block = self.expected_kind = None
            self._receive_block(first_flags, stream_id, bytes(octets))

    def _receive_block(self, flags: int, stream_id: int, block: bytes) -> None:
        head = self._heads.read(block)
        exchange = self.streams.get(stream_id)
        if exchange is None:
            return
        if not flags & codes.END_STREAM:
            exchange.head = exchange.head or head
            return
        error = head.error()
        if error is not None:
            self._end(stream_id, None, error)
        else:
            self._end_with_body(stream_id, exchange)

    def receive_data(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._received_bytes += len(payload)
        if self._received_bytes >= _WINDOW_BYTES // 4:
            self.outbox.write(window_update_frame(0, self._received_bytes))
            self._received_bytes = 0
        exchange = self.streams.get(stream_id)
        if exchange is None:
            self.expect_opened(stream_id, "DATA")
            return
        if flags & codes.PADDED:
            payload = strip_padding(flags, payload)
        if exchange.append(payload) > self._limits.max_message_bytes + PREFIX_BYTES:
            self.outbox.write(reset_frame(stream_id, ErrorCode.CANCEL))
            message = (
                f"an answer must have at most {self._limits.max_message_bytes} bytes, the server's has more"
            )
            self._fail(stream_id, StatusCode.RESOURCE_EXHAUSTED, message)
        elif flags & codes.END_STREAM:
            cut_off = StatusError(StatusCode.INTERNAL, "the answer ended without trailers")
            self._end(stream_id, None, (exchange.head or ReplyHead()).error() or cut_off)

    def _end_with_body(self, stream_id: int, exchange: Exchange) -> None:
        body = exchange.body
        if len(body) < PREFIX_BYTES or body[0] or UINT32.unpack_from(body, 1)[0] != len(body) - PREFIX_BYTES:
            self._fail(stream_id, StatusCode.INTERNAL, "the answer must be one message, uncompressed")
        else:
            self._end(stream_id, bytes(memoryview(body)[PREFIX_BYTES:]), None)  # one copy, of either type

    def _fail(self, stream_id: int, code: StatusCode, message: str) -> None:
        self._end(stream_id, None, StatusError(code, message))

    def _end(self, stream_id: int, answer: bytes | None, error: StatusError | None) -> None:
        exchange = self._forget(stream_id)
        if exchange is not None:
            exchange.settle(answer, error)

    def _hand_back(self, stream_id: int) -> None:
        exchange = self._forget(stream_id)
        if exchange is not None:
            self._refused(exchange)

    def _forget(self, stream_id: int) -> Exchange | None:
        exchange = self.streams.pop(stream_id, None)
        if self.outbox.forget(stream_id):
            # Answered before all of the message was sent: the server need not wait for the rest.
            self.outbox.write(reset_frame(stream_id, ErrorCode.CANCEL))
        if self.is_leaving and not self.streams and not self._transport.is_closing():
            self._loop.call_soon(self.close)
        self._freed()
        return exchange


_RECEIVERS: Final[dict[int, Callable[[ClientConnection, int, int, bytes], None]]] = {
    codes.DATA: ClientConnection.receive_data,
    codes.HEADERS: ClientConnection.receive_headers,
    codes.PRIORITY: control.receive_priority,
    codes.RST_STREAM: ClientConnection.receive_reset,
    codes.SETTINGS: control.receive_settings,
    codes.PUSH_PROMISE: control.refuse_push,
    codes.PING: control.receive_ping,
    codes.GOAWAY: ClientConnection.receive_goaway,
    codes.WINDOW_UPDATE: control.receive_window_update,
    codes.CONTINUATION: ClientConnection.receive_continuation,
}
