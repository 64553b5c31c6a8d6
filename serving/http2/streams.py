"""One call on one connection: its place in the protocol and the `CallContext` that its handler sees.

    idle ──HEADERS──▶ receiving ──END_STREAM──▶ answering ──answer or fail, all sent──▶ closed
      └──HEADERS + END_STREAM────────────────────▲
    receiving, answering ──RST_STREAM or connection lost──▶ closed, the handler is told
    receiving, answering ──deadline──▶ DEADLINE_EXCEEDED is sent ──▶ closed, the handler is told
    receiving ──refused: too large, no gRPC message, …──▶ status and RST_STREAM are sent ──▶ closed

A stream is in `Connection.receiving` while its message arrives and in `Connection.streams` until its last
octet is sent; no other flag says where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from serving.http2.calls import Handler
from serving.http2.codes import StatusCode
from serving.http2.errors import StatusError
from serving.http2.metadata import encode_metadata
from serving.http2.requests import RequestHead
from serving.http2.responses import Refusal
from serving.http2.sending import Outbox

if TYPE_CHECKING:
    from serving.http2.duplex import Duplex


class Carrier(Protocol):
    """What a stream needs of the connection that carries it."""

    @property
    def peer(self) -> str: ...

    @property
    def peer_certificate(self) -> Mapping[str, Any] | None: ...

    @property
    def outbox(self) -> Outbox[Stream]: ...

    def send_failure(self, stream: Stream, error: StatusError) -> None: ...


class Stream:
    """The state of one call; see the module for its states."""

    # Defaults stand on the class, not in `__slots__`, so that a call that is whole in one frame and
    # answered in another sets five attributes instead of fifteen (0.4 us of some 10).
    deadline: float | None = None
    tick: int | None = None
    """The deadline's place in `Deadlines`, owned by it."""
    duplex: Duplex | None = None
    """Of a streaming call: what cuts its messages and ends it."""
    body: bytearray | None = None
    """What has come of a message that spans several frames."""
    body_bytes: int | None = None
    """The whole length of that message with its prefix, once known."""
    reserved_bytes = 0
    """What is taken from the server's receive budget for it."""
    window_used_bytes = 0
    """What the peer has used of the window that we gave it for this stream."""
    window_granted_bytes = 0
    """What we gave it beyond `Limits.stream_window_bytes`."""
    refusal: Refusal | None = None
    """The answer, if it is known from the head that no handler will give one; the message is thrown away."""
    discarded_bytes = 0
    send_credit = 0
    """What the peer allows on this stream beyond its initial window; negative once we have sent."""
    trailing_metadata: tuple[tuple[str, str | bytes], ...] = ()
    is_over = False
    is_cancelled = False
    _cancel_callback: Callable[[], object] | None = None

    def __init__(
        self, carrier: Carrier, stream_id: int, head: RequestHead, handler: Handler, opened_at: float
    ) -> None:
        self._carrier = carrier
        self.stream_id = stream_id
        self.head = head
        self.handler = handler
        self.opened_at = opened_at

    @property
    def path(self) -> str:
        return self.head.path

    @property
    def metadata(self) -> Mapping[str, str]:
        return self.head.metadata

    @property
    def binary_metadata(self) -> Mapping[str, bytes]:
        return self.head.binary_metadata

    @property
    def peer(self) -> str:
        return self._carrier.peer

    @property
    def peer_certificate(self) -> Mapping[str, Any] | None:
        return self._carrier.peer_certificate

    def answer(self, message: bytes) -> None:
        if not self.is_over:
            # Over only once it is sent: what is no message raises here, and can still be answered by a failure.
            self._carrier.outbox.send_answer(self, message, self.trailing_metadata)
            self.is_over = True
            # What would be told often knows this call: left here, each call were a cycle for the collector to find.
            self._cancel_callback = None

    def fail(self, error: StatusError) -> None:
        if not self.is_over:
            self.is_over = True
            self._cancel_callback = None
            self._carrier.send_failure(self, error)

    def on_cancel(self, callback: Callable[[], object]) -> None:
        if self.is_cancelled:
            callback()
        else:
            self._cancel_callback = callback

    def add_trailing_metadata(self, name: str, value: str | bytes) -> None:
        encode_metadata([(name, value)])
        self.trailing_metadata += ((name, value),)

    def expire(self) -> None:
        """The deadline has passed."""
        self.break_off(
            StatusError(StatusCode.DEADLINE_EXCEEDED, "the deadline passed before the answer was ready")
        )

    def break_off(self, error: StatusError) -> None:
        """End the call from our side: tell the handler, then the caller."""
        if not self.is_over:
            self.cancel()
            self._carrier.send_failure(self, error)

    def cancel(self) -> None:
        """Tell the handler, once, that nobody waits for its answer any more."""
        if not self.is_over:
            self.is_over = self.is_cancelled = True
            callback, self._cancel_callback = self._cancel_callback, None
            if callback is not None:
                callback()
