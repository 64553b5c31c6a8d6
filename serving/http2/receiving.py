"""The receiving half of a connection: windows that we give, and messages put together from DATA frames.

The connection's window is topped up as data is read. A stream's window starts at `stream_window_bytes`;
a longer message is granted the rest once its prefix has told its length, the length is allowed, and the
server's receive budget has room for it. So memory is promised before it is used, and never twice.
"""

from typing import Final

from serving.http2.budget import ReceiveBudget
from serving.http2.codes import DEFAULT_WINDOW_BYTES, ErrorCode, StatusCode
from serving.http2.errors import ConnectionFault, StatusError, StreamFault
from serving.http2.frames import UINT32
from serving.http2.limits import Limits
from serving.http2.requests import RequestHead
from serving.http2.streams import Stream

PREFIX_BYTES: Final = 5
_unpack_word = UINT32.unpack_from


class Inbox:
    """What one connection receives."""

    def __init__(self, limits: Limits, budget: ReceiveBudget) -> None:
        self._limits = limits
        self._budget = budget
        # The protocol gives 64 KiB - 1 before our WINDOW_UPDATE; the rest is granted in the greeting.
        self._window_bytes = limits.connection_window_bytes
        # What is longer than a window may overrun it.
        self._max_plain_bytes = min(limits.max_message_bytes, limits.stream_window_bytes - PREFIX_BYTES)
        self._low_bytes = limits.connection_window_bytes // 2

    @property
    def greeting_increment(self) -> int:
        """What raises the connection's window from the protocol's default to ours."""
        return self._limits.connection_window_bytes - DEFAULT_WINDOW_BYTES

    def count(self, flow_bytes: int) -> int:
        """Take the payload of one DATA frame, padding included, from the connection's window.

        Returns what to give back to that window now; 0 while more than half of it is left.
        """
        self._window_bytes -= flow_bytes
        if self._window_bytes > self._low_bytes:
            return 0
        if self._window_bytes < 0:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "the connection's window must not be overrun")
        used_bytes = self._limits.connection_window_bytes - self._window_bytes
        self._window_bytes = self._limits.connection_window_bytes
        return used_bytes

    def append(self, stream: Stream, content: bytes, flow_bytes: int) -> int:
        """Keep one piece of a message that goes on; returns by how much to grow the stream's window.

        Raises `StatusError` for a message that is refused, `StreamFault` for an overrun window.
        """
        self.use_window(stream, flow_bytes)
        if stream.body is None:
            stream.body = bytearray()
        stream.body += content
        if stream.body_bytes is None and len(stream.body) >= PREFIX_BYTES:
            self._reserve(stream, stream.body)
        if stream.body_bytes is None:
            return 0
        if len(stream.body) > stream.body_bytes:
            raise StatusError(
                StatusCode.UNIMPLEMENTED, "a unary call must send exactly one message, got more"
            )
        return self._grant(stream, stream.body_bytes - len(stream.body))

    def complete(self, stream: Stream, content: bytes, flow_bytes: int) -> bytes:
        """The whole message, whose last piece is `content`.

        Raises `StatusError` for what is not one message, `StreamFault` for an overrun window or a length that
        contradicts the head.
        """
        if stream.body is not None or flow_bytes > self._limits.stream_window_bytes:
            self.use_window(stream, flow_bytes)
        if stream.body is not None:
            stream.body += content
            content = bytes(stream.body)
            self.release(stream)
        if stream.head.content_length is not None:
            self.check_content_length(stream, len(content))
        return unwrap(stream.head, content, self._limits.max_message_bytes)

    def take_whole(self, stream: Stream, payload: bytes) -> bytes | None:
        """The message of a call that is whole in its one DATA frame, as nearly all are.

        None where anything about it is not plain: then the general way finds out what.
        """
        length = len(payload) - PREFIX_BYTES
        if (
            length < 0
            or payload[0]
            or _unpack_word(payload, 1)[0] != length
            or length > self._max_plain_bytes
            or stream.body is not None
            or stream.refusal is not None
            or stream.duplex is not None
            or (stream.head.content_length is not None and stream.head.content_length != len(payload))
        ):
            return None
        return payload[PREFIX_BYTES:]

    def discard(self, stream: Stream, content: bytes, flow_bytes: int) -> None:
        """Count a piece of a request that is refused, without keeping it; raises `StreamFault`."""
        self.use_window(stream, flow_bytes)
        stream.discarded_bytes += len(content)

    def check_content_length(self, stream: Stream, content_bytes: int) -> None:
        if stream.head.content_length not in (None, content_bytes):
            raise StreamFault(
                stream.stream_id, ErrorCode.PROTOCOL_ERROR, "content-length must be the length of the content"
            )

    def release(self, stream: Stream) -> None:
        """Give back what was kept for the message of `stream`."""
        stream.body = None
        self._budget.release(stream.reserved_bytes)
        stream.reserved_bytes = 0

    def use_window(self, stream: Stream, flow_bytes: int) -> None:
        stream.window_used_bytes += flow_bytes
        if stream.window_used_bytes > self._limits.stream_window_bytes + stream.window_granted_bytes:
            raise StreamFault(
                stream.stream_id, ErrorCode.FLOW_CONTROL_ERROR, "a stream's window must not be overrun"
            )

    def _reserve(self, stream: Stream, body: bytearray) -> None:
        message_bytes = _unpack_word(body, 1)[0]
        check_length(message_bytes, self._limits.max_message_bytes)
        stream.body_bytes = body_bytes = message_bytes + PREFIX_BYTES
        if not self._budget.reserve(body_bytes):
            raise StatusError(
                StatusCode.RESOURCE_EXHAUSTED, "the server has no memory for another message; try again later"
            )
        stream.reserved_bytes = body_bytes

    def _grant(self, stream: Stream, missing_bytes: int) -> int:
        window_bytes = (
            self._limits.stream_window_bytes + stream.window_granted_bytes - stream.window_used_bytes
        )
        increment = max(0, missing_bytes - window_bytes)
        stream.window_granted_bytes += increment
        return increment


def check_length(message_bytes: int, max_message_bytes: int) -> None:
    if message_bytes > max_message_bytes:
        raise StatusError(
            StatusCode.RESOURCE_EXHAUSTED,
            f"a message must have at most {max_message_bytes} bytes, got {message_bytes}; send a smaller batch",
        )


def unwrap(head: RequestHead, body: bytes, max_message_bytes: int) -> bytes:
    """The message in `body`, which is one length-prefixed message of gRPC; raises `StatusError`."""
    if len(body) < PREFIX_BYTES:
        raise StatusError(StatusCode.UNIMPLEMENTED, "a unary call must send exactly one message, got none")
    message_bytes = _unpack_word(body, 1)[0]
    if body[0] == 0 and len(body) == message_bytes + PREFIX_BYTES and message_bytes <= max_message_bytes:
        return body[PREFIX_BYTES:]
    check_length(message_bytes, max_message_bytes)
    if len(body) < message_bytes + PREFIX_BYTES:
        raise StatusError(StatusCode.INTERNAL, "the message ended before the length that its prefix told")
    if len(body) > message_bytes + PREFIX_BYTES:
        raise StatusError(StatusCode.UNIMPLEMENTED, "a unary call must send exactly one message, got more")
    if body[0] != 1 or head.encoding == b"identity":
        raise StatusError(StatusCode.INTERNAL, "a compressed message must name its grpc-encoding")
    raise StatusError(
        StatusCode.UNIMPLEMENTED,
        f"messages must not be compressed, got grpc-encoding {head.encoding.decode('latin-1')}",
    )
