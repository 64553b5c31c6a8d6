"""REST through to the upstream: the request as it came, without what is about the connection to us.

Paths of our own (probes, metrics) are answered here. The body is not looked at; of the path only the model's
name is, so that a request is counted under it.
"""

import time
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import Final

from serving.errors import InvalidRequest, ServingError, Unavailable
from serving.http1 import Request, Response
from serving.metrics import UNKNOWN_MODEL, Metrics
from serving.rest import error_response
from serving.upstream.addresses import Address
from serving.upstream.pool import Pool

_DROPPED: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
    | {"content-length", "expect", "host"}
)
"""Headers that are about the connection to us (RFC 9110, section 7.6.1), or that we write ourselves."""
_STATUSES: Final = frozenset(int(status) for status in HTTPStatus)
_MODELS: Final = ("v1", "v2")


class RestPassage:
    """The REST port's handler."""

    def __init__(
        self,
        pool: Pool | None,
        address: Address | None,
        metrics: Metrics,
        *,
        timeout_seconds: float,
        routes: Mapping[str, Callable[[Request], Response]],
        names: Collection[str],
        clock: Callable[[], float],
    ) -> None:
        """No pool: only our own routes are answered."""
        self._pool = pool
        self._host = "localhost" if address is None or address.path is not None else str(address)
        self._metrics = metrics
        self._timeout_seconds = timeout_seconds
        self._routes = routes
        self._names = names
        self._clock = clock

    async def handle(self, request: Request) -> Response:
        """A `Handler`."""
        route = self._routes.get(request.path)
        if route is not None and request.method in {"GET", "HEAD"}:
            return route(request)
        started = time.perf_counter()
        try:
            response = await self._pass(request)
        except ServingError as error:
            response = error_response(error)
        seconds = time.perf_counter() - started
        labels = self._model(request.path), "pass_through", "rest"
        self._metrics.requests.count(labels, str(int(response.status)), seconds)
        return response

    async def _pass(self, request: Request) -> Response:
        if self._pool is None:
            raise Unavailable("no upstream takes REST requests here: ask over gRPC, or set --upstream_rest")
        if request.path[:1] != "/":
            raise InvalidRequest(f"expected a path that begins with /, got {request.path[:100]!r}")
        response = await self._pool.ask(
            write_head(request, host=self._host),
            request.body,
            deadline=self._clock() + self._timeout_seconds,
            is_head=request.method == "HEAD",
        )
        if response.status not in _STATUSES:
            raise Unavailable(f"the upstream server answered with the unknown HTTP status {response.status}")
        return response

    def _model(self, path: str) -> str:
        parts = path.split("/", 4)
        if len(parts) < 4 or parts[1] not in _MODELS or parts[2] != "models":
            return UNKNOWN_MODEL
        name = parts[3].partition(":")[0]
        return name if name in self._names else UNKNOWN_MODEL


def write_head(request: Request, *, host: str) -> bytes:
    """The head of the request that is sent on: what was parsed, written anew, so that nothing can hide in it."""
    target = f"{request.path}?{request.query}" if request.query else request.path
    lines = [f"{request.method} {target} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(request.body)}\r\n"]
    for name, value in request.headers.items():
        if name not in _DROPPED and name[:1] != ":":
            lines.append(f"{name}: {value}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1")
