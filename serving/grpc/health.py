"""grpc.health.v1.Health.Check: the same truth as /readyz.

The whole server is the empty service name; each service of ours answers the same, because they share the
models. Watch is left out, as the protocol allows: a client then asks Check again.
"""

from collections.abc import Callable

from grpc_health.v1 import health_pb2

from serving.errors import NotFound
from serving.grpc.specs import parse_message

SERVICES = ("", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")


def check(is_ready: Callable[[], bool], message: bytes) -> bytes:
    """A serialized HealthCheckResponse. Raises NotFound for a service that is not here."""
    request = parse_message(health_pb2.HealthCheckRequest, message)
    if request.service not in SERVICES:
        raise NotFound(f"unknown service {request.service[:100]}")
    statuses = health_pb2.HealthCheckResponse
    answer = health_pb2.HealthCheckResponse(status=statuses.SERVING if is_ready() else statuses.NOT_SERVING)
    serialized: bytes = answer.SerializeToString()
    return serialized
