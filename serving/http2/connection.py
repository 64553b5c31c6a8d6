"""One connection: where its streams live, and the order in which frames may come.

    GREETING ──preface, SETTINGS──▶ OPEN ──drain──▶ DRAINING ──PING answered──▶ LEAVING ──last call done──▶ CLOSED
                                     └──GOAWAY received────────────────────────▲
    any ──ConnectionFault──▶ GOAWAY with its code ──▶ CLOSED
    any ──connection lost──▶ CLOSED, every open call is cancelled

DRAINING has told the client to open nothing more, by a GOAWAY that names the highest stream there can be,
and still takes calls that were under way; once a PING has made the round trip none can be, and the second
GOAWAY names the last one taken (RFC 9113 section 6.8). While a header block goes on, only CONTINUATION of
its stream may come; `_expected_kind` says so, and holds SETTINGS while greeting.
"""

import asyncio
import logging
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from serving.http2 import codes
from serving.http2.calls import Handler
from serving.http2.codes import ErrorCode, Setting, StatusCode
from serving.http2.deadlines import TICK_SECONDS
from serving.http2.errors import ConnectionFault, StatusError, StreamFault
from serving.http2.floods import Allowance
from serving.http2.frames import goaway_frame, ping_frame, reset_frame, settings_frame, window_update_frame
from serving.http2.heads import HeadReader
from serving.http2.intake import HeaderBlock
from serving.http2.reading import FrameReader
from serving.http2.receiving import Inbox
from serving.http2.requests import RequestHead, read_or_refuse
from serving.http2.responses import trailers_only_block
from serving.http2.sending import Outbox
from serving.http2.service import Service
from serving.http2.streams import Stream

logger = logging.getLogger(__name__)

DRAIN_PING: Final = b"draining"
MAX_FORGOTTEN: Final = 256


class Phase(Enum):
    """Where a connection stands; see the module."""

    GREETING = 1
    OPEN = 2
    DRAINING = 3
    LEAVING = 4
    CLOSED = 5


class Connection:
    """A client's connection. Names without underscore are for this room only."""

    def __init__(self, service: Service, transport: asyncio.Transport) -> None:
        limits = service.limits
        now = service.loop.time()
        self.service = service
        self.phase = Phase.GREETING
        self.streams: dict[int, Stream] = {}
        """Calls whose answer is not yet written, by stream."""
        self.receiving: dict[int, Stream] = {}
        """Those of them whose message is still arriving, oldest first."""
        self.forgotten: dict[int, None] = {}
        """Streams that we ended while the client may still be sending on them."""
        self.max_open_streams = 0
        """None are taken before the greeting and after leaving."""
        self.last_stream_id = 0
        self._taken_stream_id: int | None = None
        self.block: HeaderBlock | None = None
        self.expected_kind: int | None = codes.SETTINGS
        self.opened_at = self.heard_at = now
        self.frame_started_at = now
        self.pinged_at: float | None = None
        self.lost = asyncio.Event()
        self.closing_at: float | None = None
        self.is_acknowledged = False
        self.max_peer_streams = 0
        """What the peer would let us open; a server opens none."""
        self.inbox = Inbox(limits, service.budget)
        self.heads: HeadReader[RequestHead] = HeadReader(
            read_or_refuse(limits.max_header_bytes), max_header_bytes=limits.max_header_bytes
        )
        self.reader = FrameReader(max_frame_bytes=limits.max_frame_bytes, expects_preface=True)
        self._control = Allowance(
            "control frames",
            burst=limits.burst_of_control_frames,
            per_second=limits.control_frames_per_second,
            now=now,
        )
        self._resets = Allowance(
            "cancelled calls", burst=limits.burst_of_resets, per_second=limits.resets_per_second, now=now
        )
        self._transport = transport
        self.outbox: Outbox[Stream] = Outbox(transport, service.loop, self.close_stream)
        self._greet()

    # The streams' side: `Carrier`.

    @property
    def peer(self) -> str:
        address = self._transport.get_extra_info("peername")
        return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else "unix"

    @property
    def peer_certificate(self) -> Mapping[str, Any] | None:
        certificate: Mapping[str, Any] | None = self._transport.get_extra_info("peercert")
        return certificate or None

    def send_failure(self, stream: Stream, error: StatusError) -> None:
        if stream.duplex is not None:
            self.outbox.forget(stream.stream_id)
            self.cut_short(stream, stream.duplex.ending(error))
            return
        try:
            block = trailers_only_block(
                error.status, error.message, (*stream.trailing_metadata, *error.metadata)
            )
        except ValueError:
            logger.exception("%s failed with metadata that cannot be sent", stream.path)
            block = trailers_only_block(error.status, error.message)
        self.cut_short(stream, block)

    # The frames' side: what `intake` and `control` change.

    def note_arrival(self, now: float) -> None:
        """Something has come: the peer lives, and what begins with it begins now."""
        self.heard_at = now
        if not self.reader.is_inside_frame:
            self.frame_started_at = now

    def greeted(self) -> None:
        """The client's first SETTINGS have come: anything may follow."""
        if self.expected_kind == codes.SETTINGS:
            self.expected_kind = None
        if self.phase is Phase.GREETING:
            self.phase = Phase.OPEN
            self.max_open_streams = self.service.limits.max_concurrent_streams

    def open_stream(self, stream_id: int, head: RequestHead, handler: Handler) -> Stream:
        stream = self.streams[stream_id] = Stream(self, stream_id, head, handler, self.heard_at)
        if head.timeout_seconds is not None:
            self.service.deadlines.add(stream, self.heard_at + head.timeout_seconds)
        return stream

    def cut_short(self, stream: Stream, block: bytes) -> None:
        """Answer with `block` alone, and ask the client to stop sending if it still does."""
        is_receiving = stream.stream_id in self.receiving
        self.close_stream(stream)
        self.outbox.send_block(stream.stream_id, block)
        if is_receiving:
            self._forget(stream.stream_id)
            self.outbox.write(reset_frame(stream.stream_id, ErrorCode.NO_ERROR))

    def abandon(self, stream_id: int) -> None:
        """The stream ended early; its handler is told."""
        stream = self.streams.get(stream_id)
        if stream is not None:
            stream.cancel()
            self.outbox.forget(stream_id)
            self.close_stream(stream)

    def close_stream(self, stream: Stream) -> None:
        """Forget everything about a stream whose last frame is on its way."""
        self.streams.pop(stream.stream_id, None)
        self.receiving.pop(stream.stream_id, None)
        if stream.reserved_bytes or stream.body is not None:
            self.inbox.release(stream)
        if stream.tick is not None:
            self.service.deadlines.discard(stream)
        if self.phase is Phase.LEAVING and not self.streams:
            self.service.loop.call_soon(self._close_when_done)

    def charge(self) -> None:
        """Count one frame that brings no message; raises `ConnectionFault` beyond the allowance."""
        self._control.take(self.heard_at)

    def charge_reset(self, stream_id: int) -> None:
        """Count a cancelled call, unless its deadline has come: then the client only says what we know."""
        stream = self.streams.get(stream_id)
        if stream is None or stream.deadline is None or self.heard_at < stream.deadline - TICK_SECONDS:
            self._resets.give(self.outbox.take_answered_count())
            self._resets.take(self.heard_at)

    def expect_opened(self, stream_id: int, what: str) -> None:
        if stream_id > self.last_stream_id or not stream_id & 1:
            raise ConnectionFault(
                ErrorCode.PROTOCOL_ERROR, f"{what} must be on a stream that was opened, got {stream_id}"
            )

    # The server's side.

    def lose(self) -> None:
        """The transport is gone, and with it everybody who waits."""
        self._leave_for(Phase.CLOSED)
        self._cancel_all()
        self.outbox.stop()
        self.lost.set()

    def drain(self) -> None:
        """Ask the client to take its calls elsewhere, finish those that are here, then close."""
        if self.phase in {Phase.GREETING, Phase.OPEN}:
            self.phase = Phase.DRAINING
            self.outbox.write(goaway_frame(codes.MAX_STREAM_ID, ErrorCode.NO_ERROR, "draining"))
            self.outbox.write(ping_frame(DRAIN_PING))
            # For peers that answer no PING; those that do need one round trip.
            self.service.loop.call_later(1.0, self.leave)

    def ping_answered(self, payload: bytes) -> None:
        self.pinged_at = None
        if payload == DRAIN_PING and self.phase is Phase.DRAINING:
            self.leave()

    def leave(self) -> None:
        """Take no further stream; close once the open ones are done."""
        if self.phase in {Phase.LEAVING, Phase.CLOSED}:
            return
        self._leave_for(Phase.LEAVING)
        self._go_away(ErrorCode.NO_ERROR)
        for stream in [stream for stream in self.streams.values() if stream.duplex is not None]:
            # It might never end by itself, and must not keep a server that goes away.
            stream.break_off(StatusError(StatusCode.UNAVAILABLE, "the server is going away; call again"))
        self.service.loop.call_soon(self._close_when_done)

    def ping(self, now: float) -> None:
        self.pinged_at = now
        self.outbox.write(ping_frame(b"are you?"))

    def fail(self, fault: ConnectionFault) -> None:
        """Tell the client why and close; what it had asked for is cancelled."""
        if self.phase is not Phase.CLOSED:
            logger.debug("closing the connection of %s: %s (%s)", self.peer, fault, fault.code.name)
            self._go_away(fault.code, str(fault))
            self.close()

    def close(self) -> None:
        """Close as soon as what is written has been sent."""
        if self.phase is not Phase.CLOSED:
            self._leave_for(Phase.CLOSED)
            self.closing_at = self.service.loop.time()
            self._cancel_all()
            self.outbox.flush()
            self.outbox.stop()
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def reset(self, fault: StreamFault) -> None:
        """End one stream and tell the client why."""
        self.charge()
        logger.debug("resetting stream %d of %s: %s", fault.stream_id, self.peer, fault)
        self.outbox.write(reset_frame(fault.stream_id, fault.code))
        self._forget(fault.stream_id)
        self.abandon(fault.stream_id)

    def _greet(self) -> None:
        limits = self.service.limits
        settings = {
            Setting.MAX_CONCURRENT_STREAMS: limits.max_concurrent_streams,
            Setting.INITIAL_WINDOW_SIZE: limits.stream_window_bytes,
            Setting.MAX_FRAME_SIZE: limits.max_frame_bytes,
            Setting.MAX_HEADER_LIST_SIZE: limits.max_header_bytes,
            Setting.NO_RFC7540_PRIORITIES: 1,
        }
        self.outbox.write(settings_frame(settings))
        if self.inbox.greeting_increment:
            self.outbox.write(window_update_frame(0, self.inbox.greeting_increment))

    def _go_away(self, code: ErrorCode, reason: str = "") -> None:
        # A later GOAWAY must not name a higher stream than an earlier one.
        if self._taken_stream_id is None:
            self._taken_stream_id = self.last_stream_id
        self.outbox.write(goaway_frame(self._taken_stream_id, code, reason))

    def _leave_for(self, phase: Phase) -> None:
        self.phase = phase
        self.max_open_streams = 0

    def _close_when_done(self) -> None:
        if self.phase is Phase.LEAVING and not self.streams:
            self.close()

    def _cancel_all(self) -> None:
        for stream_id in list(self.streams):
            self.abandon(stream_id)

    def _forget(self, stream_id: int) -> None:
        self.forgotten[stream_id] = None
        if len(self.forgotten) > MAX_FORGOTTEN:
            del self.forgotten[next(iter(self.forgotten))]
