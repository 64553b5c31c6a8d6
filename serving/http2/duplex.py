"""One streaming call: messages in, messages out, as a coroutine reads and writes them.

    caller ──DATA──▶ cut into messages ──receive──▶ handler ──send──▶ DATA, each once the one before is on its way

The caller's window is given back as the handler takes messages, so a handler that does not read stops its
caller; what waits to be read counts against the server's receive budget. For the few methods that need streams and
carry little (health, reflection): a message is small here, and a call costs a task.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final, Protocol

from serving.http2.calls import CallContext, StreamingHandler
from serving.http2.codes import StatusCode
from serving.http2.errors import StatusError
from serving.http2.frames import UINT32, window_update_frame
from serving.http2.responses import ANSWER_BLOCK, OK_TRAILERS_BLOCK, trailers_block
from serving.http2.sending import Outbox
from serving.http2.service import Service
from serving.http2.streams import Stream

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES: Final = 64 * 1024
_PREFIX_BYTES: Final = 5
_TOO_LARGE: Final = f"a message to a streaming method must have at most {MAX_MESSAGE_BYTES} bytes"


class Carrier(Protocol):
    """What a streaming call needs of its connection."""

    @property
    def outbox(self) -> Outbox[Stream]: ...

    def cut_short(self, stream: Stream, block: bytes) -> None: ...


class Duplex:
    """A call under way; part of it is the handler's `StreamingCall`."""

    def __init__(self, carrier: Carrier, stream: Stream, service: Service) -> None:
        self.context: CallContext = stream
        self._carrier = carrier
        self._stream = stream
        self._budget = service.budget
        self._loop = service.loop
        self._buffer = bytearray()
        self._messages: deque[bytes] = deque()
        self._has_ended = False
        self._has_begun = False
        self._unreturned_bytes = 0
        self._arrival: asyncio.Future[None] | None = None

    # -- the handler's side

    async def receive(self) -> bytes | None:
        """The next message of the caller; None when there will be none any more."""
        while not self._messages:
            if self._has_ended:
                return None
            self._arrival = self._loop.create_future()
            await self._arrival
        message = self._messages.popleft()
        self._give_back(len(message) + _PREFIX_BYTES)
        return message

    async def send(self, message: bytes) -> None:
        """Send one message; returns once all of it is on its way, which a slow caller delays."""
        if self._stream.is_over:
            return
        outbox = self._carrier.outbox
        if not self._has_begun:
            self._has_begun = True
            outbox.send_block(self._stream.stream_id, ANSWER_BLOCK, flags=0)
        sent: asyncio.Future[None] = self._loop.create_future()
        payload = b"".join((b"\0", UINT32.pack(len(message)), message))
        outbox.send_part(self._stream, payload, lambda: _settle(sent))
        await sent

    # -- the connection's side

    def start(self, handler: StreamingHandler) -> asyncio.Task[None]:
        task = self._loop.create_task(self._run(handler))
        self._stream.on_cancel(task.cancel)
        return task

    def feed(self, content: bytes, flow_bytes: int) -> None:
        """A piece of what the caller sends. Raises StatusError for what is no message of gRPC, or too large."""
        padding_bytes = flow_bytes - len(content)
        if not self._budget.reserve(len(content)):
            raise StatusError(
                StatusCode.RESOURCE_EXHAUSTED, "the server has no memory for another message; try again later"
            )
        self._stream.reserved_bytes += len(content)
        self._unreturned_bytes += padding_bytes
        self._buffer += content
        while len(self._buffer) >= _PREFIX_BYTES:
            length = UINT32.unpack_from(self._buffer, 1)[0]
            if self._buffer[0]:
                raise StatusError(StatusCode.UNIMPLEMENTED, "messages must not be compressed")
            if length > MAX_MESSAGE_BYTES:
                raise StatusError(StatusCode.RESOURCE_EXHAUSTED, _TOO_LARGE)
            end = _PREFIX_BYTES + length
            if len(self._buffer) < end:
                break
            self._messages.append(bytes(self._buffer[_PREFIX_BYTES:end]))
            del self._buffer[:end]
        self._wake()

    def end(self) -> None:
        """The caller sends no more. Raises StatusError when that cuts a message off."""
        self._has_ended = True
        self._wake()
        if self._buffer:
            raise StatusError(StatusCode.INTERNAL, "the message ended before the length that its prefix told")

    def ending(self, error: StatusError | None) -> bytes:
        """The block that ends the answer."""
        if error is None:
            return OK_TRAILERS_BLOCK if self._has_begun else ANSWER_BLOCK + OK_TRAILERS_BLOCK
        block = trailers_block(
            error.status, error.message, (*self._stream.trailing_metadata, *error.metadata)
        )
        return block if self._has_begun else ANSWER_BLOCK + block

    # -- what happens inside

    async def _run(self, handler: StreamingHandler) -> None:
        stream = self._stream
        try:
            await handler(self)
        except StatusError as error:
            stream.fail(error)
        except asyncio.CancelledError:
            stream.fail(StatusError(StatusCode.CANCELLED, "the server gave the call up"))
            raise
        except Exception as error:  # the outermost place that a handler's exception reaches
            logger.error("the handler of %s failed", stream.path, exc_info=error)  # noqa: TRY400 - one line, one trace
            stream.fail(
                StatusError(StatusCode.UNKNOWN, "the server failed while answering; its log has the cause")
            )
        else:
            if not stream.is_over:
                stream.is_over = True
                self._carrier.cut_short(stream, self.ending(None))

    def _wake(self) -> None:
        arrival, self._arrival = self._arrival, None
        if arrival is not None:
            _settle(arrival)

    def _give_back(self, size_bytes: int) -> None:
        stream = self._stream
        if stream.is_over:
            return
        self._budget.release(size_bytes)
        stream.reserved_bytes -= size_bytes
        returned = self._unreturned_bytes + size_bytes
        self._unreturned_bytes = 0
        stream.window_granted_bytes += returned
        self._carrier.outbox.write(window_update_frame(stream.stream_id, returned))


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
