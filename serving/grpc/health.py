"""grpc.health.v1.Health: the same truth as /readyz, asked once (Check) or told whenever it changes (Watch).

The whole server is the empty service name; each service of ours answers the same, because they share the
models. Nobody tells when readiness changes, so a watch looks.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from grpc_health.v1 import health_pb2

from serving.calls import Call
from serving.errors import InvalidRequest, NotFound
from serving.grpc.calls import Method, uncounted
from serving.grpc.specs import parse_message
from serving.open_inference import SERVICE

if TYPE_CHECKING:
    from serving.grpc.streaming import Conversation

LOOK_SECONDS: Final = 0.5
_Status = health_pb2.HealthCheckResponse
SERVICES = ("", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService", SERVICE)


def check_method(is_ready: Callable[[], bool]) -> Method:
    """The method, for a table."""

    async def answer(message: bytes, _call: Call) -> bytes:
        return check(is_ready, message)

    return uncounted(answer)


def check(is_ready: Callable[[], bool], message: bytes) -> bytes:
    """A serialized HealthCheckResponse. Raises NotFound for a service that is not here."""
    request = parse_message(health_pb2.HealthCheckRequest, message)
    if request.service not in SERVICES:
        raise NotFound(f"unknown service {request.service[:100]}")
    return _write(_Status.SERVING if is_ready() else _Status.NOT_SERVING)


class Watch:
    """Tells the status at once, and again each time it is another one."""

    def __init__(
        self, is_ready: Callable[[], bool], *, pause: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._is_ready = is_ready
        self._pause = pause or (lambda: asyncio.sleep(LOOK_SECONDS))

    async def serve(self, call: "Conversation") -> None:
        """A `StreamingMethod`. It goes on until the caller or the server goes away."""
        message = await call.receive()
        if message is None:
            raise InvalidRequest("expected a HealthCheckRequest, got no message")
        service = parse_message(health_pb2.HealthCheckRequest, message).service
        told: int | None = None
        while True:
            status = self._status(service)
            if status != told:
                await call.send(_write(status))
                told = status
            await self._pause()

    def _status(self, service: str) -> int:
        if service not in SERVICES:
            return int(_Status.SERVICE_UNKNOWN)  # as the protocol wants it: the service may come yet
        return int(_Status.SERVING if self._is_ready() else _Status.NOT_SERVING)


def _write(status: int) -> bytes:
    answer = health_pb2.HealthCheckResponse(status=status)
    serialized: bytes = answer.SerializeToString()
    return serialized
