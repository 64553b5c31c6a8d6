"""The door in front of the REST API, and of the console: one handler for each connection, which knows its certificate.

Nothing of the API runs before a request is admitted, so an answer that is kept is as guarded as one that is
computed. Probes stay open: the kubelet has no token. /metrics and /statusz on this port are for observers. The console's
own files stay open, since a person must see where to enter a token; what they show is asked for with it.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Collection, Mapping

from serving.access.door import Door, require, sign
from serving.access.policy import DESCRIBE, INFER, OBSERVE, Policy
from serving.calls import CALLER
from serving.errors import ServingError
from serving.http1 import Request
from serving.http1.messages import Answer, Head, QuickHandler
from serving.metrics import Metrics, Observation
from serving.rest import error_response, open_inference, paths
from serving.tls import certificate_names


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Rooms:
    """What a port has beside the API: for everybody, and for who may observe the server."""

    open_paths: Collection[str]
    observed_paths: Collection[str]


REST = Rooms(
    open_paths=frozenset({"/livez", "/readyz", "/v2", "/v2/", "/v2/health/live", "/v2/health/ready"}),
    observed_paths=frozenset({"/metrics", "/statusz"}),
)
_INFERRING = frozenset({"predict", "classify", "regress", "infer"})


def guard_handler(
    handler: QuickHandler, door: Door, metrics: Metrics, rooms: Rooms = REST
) -> Callable[[asyncio.BaseTransport], QuickHandler]:
    """For a new connection, the handler of its requests."""

    def greet(transport: asyncio.BaseTransport) -> QuickHandler:
        names = certificate_names(transport.get_extra_info("peercert"))
        return Guard(handler, door, metrics, names, rooms=rooms)

    return greet


class Guard:
    """The handler of one connection.

    A client sends the same head with every request. What was decided of one holds for the same head, over the same
    connection, for as long as the same policy does; only the first of them costs a digest and its comparisons.
    """

    def __init__(
        self,
        handler: QuickHandler,
        door: Door,
        metrics: Metrics,
        names: tuple[str, ...],
        *,
        rooms: Rooms = REST,
    ) -> None:
        self._rooms = rooms
        self._handler = handler
        self._door = door
        self._metrics = metrics
        self._names = names
        self._admitted: tuple[Head | None, Policy | None, Mapping[str, str]] = (None, None, {})

    def __call__(self, request: Request) -> Answer:
        if request.path not in self._rooms.open_paths:
            try:
                request.headers = self._sign(request)
            except ServingError as error:
                response = error_response(error)
                seen = Observation(metrics=self._metrics, transport="rest", method="refused")
                seen.finish(str(int(response.status)))
                return response
        return self._handler(request)

    def _sign(self, request: Request) -> Mapping[str, str]:
        """The headers that the request goes on with. Raises Unauthenticated, PermissionRefused, and for bad paths."""
        head, policy, signed = self._admitted
        if head is None or head is not request.head or policy is not self._door.policy:
            identity = self._door.identify(request.headers, self._names)
            if request.trace is not None:
                request.trace.caller = identity.name
            require(identity, *self._read_target(request.method, request.path))
            signed = sign(request.headers, identity)
            self._admitted = request.head, self._door.policy, signed
        elif request.trace is not None:
            request.trace.caller = signed[CALLER]
        return signed

    def _read_target(self, method: str, path: str) -> tuple[str, str]:
        """What is to be done with which model.

        Raises NotFound or InvalidRequest for a path that our own API has not: what stands behind the door may understand
        more paths than we can judge.
        """
        if path in self._rooms.observed_paths:
            return OBSERVE, ""
        if path[:4].lower() == paths.PREFIX:
            target: paths.Target | open_inference.Target = paths.parse_path(method, path)
        else:
            target = open_inference.parse_path(method, path)
        return INFER if target.verb in _INFERRING else DESCRIBE, target.name
