"""What the cluster asks: is the process alive, may it get requests, what are its numbers.

`/livez` says only that the event loop turns: a model that loads for minutes must not be restarted for it.
`/readyz` is true when every model has an available, warm version and the server is not draining; with no
model at all it is false, because a server that serves nothing must not be in a load balancer. `/statusz` tells
an operator the rest in JSON.
"""

import dataclasses
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Generic, Protocol, TypeVar

import orjson

from serving.http1 import Handler, Request, Response
from serving.metrics import CONTENT_TYPE, Metrics

_TEXT = "text/plain; charset=utf-8"


class Standing(Protocol):
    """Who knows whether the models can be asked."""

    def missing(self) -> list[str]:
        """What keeps the server from being ready; empty when nothing does."""


class Obstructed(Protocol):
    """What may stand in requests' way."""

    def obstacles(self) -> list[str]: ...


StandingT = TypeVar("StandingT", bound=Standing)


@dataclasses.dataclass(kw_only=True)
class Readiness(Generic[StandingT]):
    """Whether requests may come, and why not."""

    repository: StandingT
    is_draining: bool = False

    def obstacles(self) -> list[str]:
        """What stands against being ready; empty when nothing does."""
        if self.is_draining:
            return ["the server is draining"]
        return self.repository.missing()


Report = Callable[[], dict[str, object]]
"""What /statusz shows."""


FOR_OPERATORS = ("/metrics", "/statusz")
"""Paths that clients do not reach where these have a port of their own."""


def probe_routes(
    readiness: Obstructed, metrics: Metrics, report: Report
) -> dict[str, Callable[[Request], Response]]:
    """The paths, by name; each takes GET only."""
    return {
        "/livez": lambda _request: Response(body=b"ok\n", content_type=_TEXT),
        "/readyz": lambda _request: _readyz(readiness),
        "/metrics": lambda _request: _metrics(readiness, metrics),
        "/statusz": lambda _request: Response(body=orjson.dumps(report(), option=orjson.OPT_INDENT_2)),
    }


def probe_handler(routes: Mapping[str, Callable[[Request], Response]]) -> Handler:
    """The whole site of a monitoring port."""

    async def handle(request: Request) -> Response:
        route = routes.get(request.path)
        if route is None or request.method not in {"GET", "HEAD"}:
            return Response(status=HTTPStatus.NOT_FOUND, body=b"not found\n", content_type=_TEXT)
        return route(request)

    return handle


def _readyz(readiness: Obstructed) -> Response:
    obstacles = readiness.obstacles()
    if not obstacles:
        return Response(body=b"ok\n", content_type=_TEXT)
    text = "\n".join(obstacles) + "\n"
    return Response(status=HTTPStatus.SERVICE_UNAVAILABLE, body=text.encode(), content_type=_TEXT)


def _metrics(readiness: Obstructed, metrics: Metrics) -> Response:
    metrics.is_ready.set(not readiness.obstacles())
    return Response(body=metrics.page(), content_type=CONTENT_TYPE)
