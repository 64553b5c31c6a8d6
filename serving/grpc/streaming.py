"""The streaming methods, by full path, for either transport: Health.Watch and reflection.

Both are for whoever operates or tries the server, not for inference; they need no access rule, since what they tell
is what probes and the public API tell.
"""

from collections.abc import Callable, Collection, Coroutine
from typing import Any, Protocol

from serving.grpc.health import Watch
from serving.grpc.reflection import SERVICES, Reflection


class Conversation(Protocol):
    """A streaming call, as a method sees it."""

    async def receive(self) -> bytes | None:
        """The next message of the caller; None when there will be none any more."""

    async def send(self, message: bytes) -> None:
        """Send one message; returns once it is on its way."""


StreamingMethod = Callable[[Conversation], Coroutine[Any, Any, None]]
"""Ends the call with OK by returning, otherwise by raising ServingError; cancelled when nobody waits any more."""

_WATCH = "/grpc.health.v1.Health/Watch"


def streaming_methods(paths: Collection[str], *, is_ready: Callable[[], bool]) -> dict[str, StreamingMethod]:
    """Those of a server whose unary methods are at `paths`."""
    names = {path.split("/")[1] for path in [*paths, _WATCH]} | set(SERVICES)
    reflection = Reflection(sorted(names))
    return {
        _WATCH: Watch(is_ready).serve,
        **{f"/{service}/ServerReflectionInfo": reflection.serve for service in SERVICES},
    }
