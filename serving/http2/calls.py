"""The seam: what a handler is given and what it may give back.

A handler is called on the event loop with one whole message. It returns the answer, or a coroutine that
will, or `LATER` and completes the call itself with `answer` or `fail`: the cheapest way to wait, since no
task is made. It raises `StatusError` to end the call with a gRPC status.
"""

from collections.abc import Callable, Coroutine, Mapping
from enum import Enum
from typing import Any, Final, Protocol, TypeAlias

from serving.http2.errors import StatusError


class Later(Enum):
    """The type of `LATER`; a sentinel, so that a forgotten `return` is noticed."""

    LATER = "later"


LATER: Final = Later.LATER


class CallContext(Protocol):
    """One call, as its handler sees it. All of it belongs to the event loop's thread."""

    @property
    def path(self) -> str:
        """The method: `/package.Service/Method`."""

    @property
    def deadline(self) -> float | None:
        """When the caller stops waiting, on the event loop's clock; None: never."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """Textual metadata, decoded when first asked for; a name that came twice is joined by a comma."""

    @property
    def binary_metadata(self) -> Mapping[str, bytes]:
        """Metadata under names in `-bin`, as bytes."""

    @property
    def peer(self) -> str:
        """The caller's address, `host:port` or `unix`."""

    @property
    def peer_certificate(self) -> Mapping[str, Any] | None:
        """The caller's verified certificate as `ssl.SSLSocket.getpeercert` gives it; None without mutual TLS."""

    @property
    def is_over(self) -> bool:
        """Whether the call has been answered, has failed or was cancelled; what is answered now is dropped."""

    def answer(self, message: bytes) -> None:
        """Complete the call with `message`."""

    def fail(self, error: StatusError) -> None:
        """Complete the call with a status other than OK."""

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Call `callback` once if the caller cancels, goes away or reaches its deadline before the answer.

        A later callback replaces an earlier one; on a call that was cancelled already it runs at once.
        """

    def add_trailing_metadata(self, name: str, value: str | bytes) -> None:
        """Send `name: value` behind the answer; `bytes` need a name in `-bin`. Raises `ValueError`."""


class StreamingCall(Protocol):
    """A call of a streaming method, as its handler sees it."""

    @property
    def context(self) -> CallContext:
        """Metadata, deadline and peer; it is answered by `send` and by the handler's return."""

    async def receive(self) -> bytes | None:
        """The next message of the caller; None when there will be none any more."""

    async def send(self, message: bytes) -> None:
        """Send one message; returns once all of it is on its way."""


Answer: TypeAlias = bytes | Later | Coroutine[Any, Any, bytes]
Handler: TypeAlias = Callable[[bytes, CallContext], Answer]
StreamingHandler: TypeAlias = Callable[[StreamingCall], Coroutine[Any, Any, None]]
"""Ends the call with OK by returning, with another status by raising `StatusError`; cancelled when nobody waits."""
