"""What of a message waits to be sent: for a window, for the socket, or for its turn."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Sendable(Protocol):
    """What is sent on one stream, as far as windows are concerned."""

    @property
    def stream_id(self) -> int: ...

    send_credit: int
    """What the peer allows on this stream beyond its initial window; negative once we have sent."""


StreamT = TypeVar("StreamT", bound=Sendable)


class Part(Generic[StreamT]):
    """The rest of one payload. It ends its stream, by itself or by `trailers`, unless `after` is told when it is sent."""

    __slots__ = ("after", "offset", "payload", "since", "stream", "trailers")

    def __init__(
        self,
        stream: StreamT,
        payload: bytes,
        trailers: bytes | None,
        since: float,
        after: Callable[[], None] | None = None,
    ) -> None:
        self.stream = stream
        self.payload = memoryview(payload)
        self.trailers = trailers
        self.since = since
        self.after = after
        self.offset = 0
