"""The sending half of a connection: answers leave in one write a loop turn, within the peer's windows.

    answer ──fits both windows and the socket takes more──▶ joined with its neighbours, written
      └──does not──▶ blocked ──WINDOW_UPDATE, SETTINGS, resume──▶ a frame each in turn ──▶ written

What is blocked is bounded by the number of open streams; what is handed to the transport beyond its high
water mark, by one quantum. A stream's window is `initial_window + stream.send_credit`, so that a change of
SETTINGS_INITIAL_WINDOW_SIZE moves all of them at once, as RFC 9113 section 6.9.2 wants.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeAlias

from serving.http2 import codes
from serving.http2.codes import DEFAULT_FRAME_BYTES, DEFAULT_WINDOW_BYTES, MAX_WINDOW_BYTES, ErrorCode
from serving.http2.errors import ConnectionFault, StreamFault
from serving.http2.frames import FRAME_HEAD, UINT32, frame, header_frames
from serving.http2.parts import Part, StreamT
from serving.http2.responses import ANSWER_BLOCK, OK_TRAILERS_BLOCK, Refusal, trailers_block

Metadata: TypeAlias = tuple[tuple[str, str | bytes], ...]


PREFIX_BYTES: Final = 5
QUANTUM_BYTES: Final = 256 * 1024
"""What blocked answers may hand to the transport at a time, before it is asked whether it takes more."""
MAX_PIECE_BYTES: Final = 64 * 1024
"""The largest DATA frame of a blocked answer, so that its neighbours get their turn."""

_pack_word = UINT32.pack
_pack_head = FRAME_HEAD.pack
# The parts of an answer's frame heads that never change: length, type and flags.
_ANSWER_HEAD: Final = _pack_head(len(ANSWER_BLOCK) << 8 | codes.HEADERS, codes.END_HEADERS, 0)[:5]
_TRAILERS_HEAD: Final = _pack_head(
    len(OK_TRAILERS_BLOCK) << 8 | codes.HEADERS, codes.END_HEADERS | codes.END_STREAM, 0
)[:5]


class Outbox(Generic[StreamT]):
    """Everything that one connection sends. `sent` is called with each stream whose last octet is written."""

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        loop: asyncio.AbstractEventLoop,
        sent: Callable[[StreamT], None],
    ) -> None:
        self.window_bytes = DEFAULT_WINDOW_BYTES
        self.initial_window_bytes = DEFAULT_WINDOW_BYTES
        self.max_frame_bytes = DEFAULT_FRAME_BYTES
        self.is_paused = False
        self._transport = transport
        self._loop = loop
        self._sent = sent
        self._pending: list[bytes] = []
        self._is_scheduled = False
        self._answered_count = 0
        self._blocked: dict[int, Part[StreamT]] = {}
        self._may_move = False
        self._paused_at = 0.0
        self._is_stopped = False

    def hold(self) -> None:
        """Whoever calls this will call `flush` in the same turn; until then nothing is scheduled."""
        self._is_scheduled = True

    def write(self, frames: bytes) -> None:
        """Send whole frames that no window counts."""
        self._pending.append(frames)
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self.flush)

    def stop(self) -> None:
        """The transport takes nothing any more; a flush may still be scheduled."""
        self._pending.clear()
        self._blocked.clear()
        self._is_stopped = True

    def flush(self) -> None:
        """Hand everything to the transport that the windows and the socket allow."""
        self._is_scheduled = True
        while not self._is_stopped:
            if self._may_move:
                self._pump()
            if not self._pending:
                break
            pending, self._pending = self._pending, []
            self._transport.write(pending[0] if len(pending) == 1 else b"".join(pending))
        self._is_scheduled = False

    def send_answer(self, stream: StreamT, message: bytes, metadata: Metadata = ()) -> None:
        """One message, with the head and trailers of an answer that ends well."""
        self._answered_count += 1
        length = len(message)
        size = length + PREFIX_BYTES
        if (
            size <= self.window_bytes
            and size <= self.initial_window_bytes + stream.send_credit
            and size <= self.max_frame_bytes
            and not self.is_paused
            and not metadata
        ):
            self.window_bytes -= size
            word = _pack_word(stream.stream_id)
            # HEADERS, DATA and HEADERS in one join; three calls of frame() cost 1.5 us more.
            self._pending.append(
                b"".join((
                    _ANSWER_HEAD, word, ANSWER_BLOCK,
                    _pack_word(size)[1:], b"\0\0", word, b"\0", _pack_word(length), message,
                    _TRAILERS_HEAD, word, OK_TRAILERS_BLOCK,
                ))
            )  # fmt: skip
            if not self._is_scheduled:
                self._is_scheduled = True
                self._loop.call_soon(self.flush)
            self._sent(stream)
        else:
            payload = b"".join((b"\0", _pack_word(length), message))
            trailers = trailers_block(metadata=metadata) if metadata else OK_TRAILERS_BLOCK
            self._send_in_turn(stream, ANSWER_BLOCK, payload, trailers)

    def take_answered_count(self) -> int:
        """How many answers were sent since this was last asked."""
        count, self._answered_count = self._answered_count, 0
        return count

    def send_refusal(self, stream: StreamT, refusal: Refusal) -> None:
        if refusal.text:
            self._send_in_turn(stream, refusal.block, refusal.text, None)
        else:
            self.send_block(stream.stream_id, refusal.block)
            self._sent(stream)

    def send_request(self, stream: StreamT, block: bytes, message: bytes) -> None:
        """A head and one message, as a client sends them."""
        length = len(message)
        size = length + PREFIX_BYTES
        if (
            size <= self.window_bytes
            and size <= self.initial_window_bytes
            and size <= self.max_frame_bytes
            and len(block) <= self.max_frame_bytes
            and not self.is_paused
        ):
            self.window_bytes -= size
            stream.send_credit -= size
            word = _pack_word(stream.stream_id)
            # As in send_answer.
            self.write(
                b"".join((
                    _pack_word(len(block))[1:], b"\1\4", word, block,
                    _pack_word(size)[1:], b"\0\1", word, b"\0", _pack_word(length), message,
                ))
            )  # fmt: skip
        else:
            payload = b"".join((b"\0", _pack_word(length), message))
            self._send_in_turn(stream, block, payload, None)

    def send_part(self, stream: StreamT, payload: bytes, after: Callable[[], None]) -> None:
        """One payload among several of a stream that goes on; `after` is called once all of it is written."""
        self._blocked[stream.stream_id] = Part(stream, payload, None, self._loop.time(), after)
        self._move()

    def send_block(self, stream_id: int, block: bytes, *, flags: int = codes.END_STREAM) -> None:
        self.write(header_frames(stream_id, block, flags=flags, max_frame_bytes=self.max_frame_bytes))

    def forget(self, stream_id: int) -> bool:
        """Drop what is still blocked of a stream that is gone; returns whether anything was."""
        return self._blocked.pop(stream_id, None) is not None

    def pause(self) -> None:
        """The socket takes no more for now."""
        self.is_paused = True
        self._paused_at = self._loop.time()

    def resume(self) -> None:
        """The socket takes more again."""
        self.is_paused = False
        self._move()

    def grow_window(self, increment: int) -> None:
        """WINDOW_UPDATE for the connection."""
        if self.window_bytes + increment > MAX_WINDOW_BYTES:
            raise ConnectionFault(
                ErrorCode.FLOW_CONTROL_ERROR, f"a window must be at most {MAX_WINDOW_BYTES}"
            )
        self.window_bytes += increment
        self._move()

    def grow_stream_window(self, stream: StreamT, increment: int) -> None:
        """WINDOW_UPDATE for one stream."""
        if self.initial_window_bytes + stream.send_credit + increment > MAX_WINDOW_BYTES:
            raise StreamFault(
                stream.stream_id, ErrorCode.FLOW_CONTROL_ERROR, f"a window must be at most {MAX_WINDOW_BYTES}"
            )
        stream.send_credit += increment
        self._move()

    def set_initial_window(self, size_bytes: int, streams: Mapping[int, StreamT]) -> None:
        """SETTINGS_INITIAL_WINDOW_SIZE: moves the window of every open stream, perhaps below zero."""
        if any(size_bytes + stream.send_credit > MAX_WINDOW_BYTES for stream in streams.values()):
            raise ConnectionFault(
                ErrorCode.FLOW_CONTROL_ERROR, f"a window must be at most {MAX_WINDOW_BYTES}"
            )
        self.initial_window_bytes = size_bytes
        self._move()

    def overdue(self, before: float) -> list[StreamT]:
        """The streams whose answer has been blocked since `before` or longer."""
        return [blocked.stream for blocked in self._blocked.values() if blocked.since <= before]

    def is_stuck(self, before: float) -> bool:
        """Whether the socket has taken nothing since `before` or longer."""
        return self.is_paused and self._paused_at <= before

    def _send_in_turn(self, stream: StreamT, block: bytes, payload: bytes, trailers: bytes | None) -> None:
        self.send_block(stream.stream_id, block, flags=0)
        self._blocked[stream.stream_id] = Part(stream, payload, trailers, self._loop.time())
        self._move()

    def _move(self) -> None:
        # Only noted here and done in flush: a flood of tiny window updates costs one pass a turn.
        if self._blocked and not self.is_paused:
            self._may_move = True
            if not self._is_scheduled:
                self._is_scheduled = True
                self._loop.call_soon(self.flush)

    def _pump(self) -> None:
        """One frame of each blocked answer in turn, until windows, the socket or the quantum are used up."""
        quantum = QUANTUM_BYTES
        while quantum > 0:
            sent_bytes = sum(map(self._send_piece, list(self._blocked.values())))
            quantum -= sent_bytes
            if not sent_bytes or self.is_paused:
                self._may_move = False
                return

    def _send_piece(self, blocked: Part[StreamT]) -> int:
        stream = blocked.stream
        piece_bytes = min(
            len(blocked.payload) - blocked.offset,
            self.max_frame_bytes,
            MAX_PIECE_BYTES,
            self.window_bytes,
            self.initial_window_bytes + stream.send_credit,
        )
        if piece_bytes <= 0:
            return 0
        end = blocked.offset + piece_bytes
        is_whole = end == len(blocked.payload)
        ends = is_whole and blocked.trailers is None and blocked.after is None
        flags = codes.END_STREAM if ends else 0
        self.write(
            frame(codes.DATA, flags, stream.stream_id, blocked.payload[blocked.offset : end].tobytes())
        )
        blocked.offset = end
        self.window_bytes -= piece_bytes
        stream.send_credit -= piece_bytes
        if is_whole:
            del self._blocked[stream.stream_id]
            if blocked.after is not None:
                blocked.after()
                return piece_bytes
            if blocked.trailers is not None:
                self.send_block(stream.stream_id, blocked.trailers)
            self._sent(stream)
        return piece_bytes
