"""The door in front of the REST API: one handler for each connection, which knows its certificate.

Nothing of the API runs before a request is admitted, so an answer that is kept is as guarded as one that is
computed. Probes stay open: the kubelet has no token. /metrics and /statusz on this port are for observers.
"""

import asyncio
from collections.abc import Callable

from serving.access.door import Door, require, sign
from serving.access.policy import DESCRIBE, INFER, OBSERVE
from serving.errors import ServingError
from serving.http1 import Handler, Request, Response
from serving.metrics import Metrics, Observation
from serving.rest import error_response, open_inference, paths
from serving.tls import certificate_names

OPEN_PATHS = frozenset({"/livez", "/readyz", "/v2", "/v2/", "/v2/health/live", "/v2/health/ready"})
_OBSERVED_PATHS = frozenset({"/metrics", "/statusz"})
_INFERRING = frozenset({"predict", "classify", "regress", "infer"})


def guard_handler(
    handler: Handler, door: Door, metrics: Metrics
) -> Callable[[asyncio.BaseTransport], Handler]:
    """For a new connection, the handler of its requests."""

    def greet(transport: asyncio.BaseTransport) -> Handler:
        names = certificate_names(transport.get_extra_info("peercert"))

        async def guard(request: Request) -> Response:
            if request.path in OPEN_PATHS:
                return await handler(request)
            seen = Observation(metrics=metrics, transport="rest", method="refused")
            try:
                admitted = _admit(request, door, names)
            except ServingError as error:
                response = error_response(error)
                seen.finish(str(int(response.status)))
                return response
            return await handler(admitted)

        return guard

    return greet


def _admit(request: Request, door: Door, names: tuple[str, ...]) -> Request:
    identity = door.identify(request.headers, names)
    if request.trace is not None:
        request.trace.caller = identity.name
    require(identity, *_read_target(request.method, request.path))
    return Request(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=sign(request.headers, identity),
        body=request.body,
        trace=request.trace,
    )


def _read_target(method: str, path: str) -> tuple[str, str]:
    """What is to be done with which model.

    Raises NotFound or InvalidRequest for a path that our own API has not: what stands behind the door may understand
    more paths than we can judge.
    """
    if path in _OBSERVED_PATHS:
        return OBSERVE, ""
    if path[:4].lower() == paths.PREFIX:
        target: paths.Target | open_inference.Target = paths.parse_path(method, path)
    else:
        target = open_inference.parse_path(method, path)
    return INFER if target.verb in _INFERRING else DESCRIBE, target.name
