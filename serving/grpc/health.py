"""grpc.health.v1.Health.Check: the same truth as /readyz.

The whole server is the empty service name; each service of ours answers the same, because they share the
models. Watch is left out, as the protocol allows: a client then asks Check again.
"""

from collections.abc import Callable

from grpc_health.v1 import health_pb2

from serving.calls import Call
from serving.errors import NotFound
from serving.grpc.calls import Method, uncounted
from serving.grpc.specs import parse_message
from serving.open_inference import SERVICE

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
    statuses = health_pb2.HealthCheckResponse
    answer = health_pb2.HealthCheckResponse(status=statuses.SERVING if is_ready() else statuses.NOT_SERVING)
    serialized: bytes = answer.SerializeToString()
    return serialized
