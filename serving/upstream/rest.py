"""REST through to the upstream: the request as it came, without what is about the connection to us.

Paths of our own (probes, metrics) are answered here. The body is not looked at; of the path only the model's
name is, so that a request is counted under it.
"""

import functools
import re
import time
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import Final

from serving.calls import REQUEST_ID_HEADER
from serving.errors import InvalidRequest, ServingError, Unavailable
from serving.http1 import LATER, Answer, Request, Response
from serving.http1.messages import write_fields
from serving.metrics import UNKNOWN_MODEL, Metrics
from serving.rest import error_response
from serving.rest.versions import VERSION_HEADER, version_fields
from serving.upstream.addresses import Address
from serving.upstream.pool import Pool

_DROPPED: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
    | {"content-length", "expect", "host"}
)
"""Headers that are about the connection to us (RFC 9110, section 7.6.1), or that we write ourselves."""
_STATUSES: Final = frozenset(int(status) for status in HTTPStatus)
_OK, _JSON = 200, "application/json"
"""An answer that is this is given as its body, which is the cheapest."""
_NAMED_VERSION: Final = re.compile(r"/v1/models/[^/:]+/versions/(\d{1,19})(?::[a-z]+|/metadata)", re.ASCII)
_MODELS: Final = ("v1", "v2")
NO_UPSTREAM: Final = Unavailable(
    "no upstream takes REST requests here: ask over gRPC, or set --upstream_rest"
)
_UNKNOWN_STATUS: Final = Unavailable("the upstream server answered with an unknown HTTP status")


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

    def handle(self, request: Request) -> Answer:
        """A `QuickHandler`."""
        route = self._routes.get(request.path)
        if route is not None and request.method in {"GET", "HEAD"}:
            return route(request)
        if self._pool is None:
            return error_response(NO_UPSTREAM)
        if request.path[:1] != "/":
            return error_response(InvalidRequest("expected a path that begins with /"))
        passing = _Passing(request, self._metrics, self._model(request.path))
        cancel = self._pool.begin(
            self._head(request),
            request.body,
            passing.told,
            deadline=self._clock() + self._timeout_seconds,
            is_head=request.method == "HEAD",
        )
        if not passing.is_over:
            request.on_cancel = cancel
        return LATER

    def _head(self, request: Request) -> bytes:
        """What is sent for the head of a request; made once for requests that have the same."""
        head, note = request.head, None if request.head is None else request.head.note
        if not isinstance(note, _Written) or note.headers is not request.headers:
            note = _Written(request.headers, write_head(request, host=self._host))
            if head is not None:
                head.note = note
        return note.octets + b"content-length: %d\r\n\r\n" % len(request.body)

    def _model(self, path: str) -> str:
        parts = path.split("/", 4)
        if len(parts) < 4 or parts[1] not in _MODELS or parts[2] != "models":
            return UNKNOWN_MODEL
        name = parts[3].partition(":")[0]
        return name if name in self._names else UNKNOWN_MODEL


class _Written:
    """A head as it is sent on, and the headers that it was written from: a door may change those."""

    __slots__ = ("headers", "octets")

    def __init__(self, headers: Mapping[str, str], octets: bytes) -> None:
        self.headers = headers
        self.octets = octets


class _Passing:
    """A request that waits for the upstream; counted when it is answered."""

    __slots__ = ("_metrics", "_model", "_request", "_started", "is_over")

    def __init__(self, request: Request, metrics: Metrics, model: str) -> None:
        self._request = request
        self._metrics = metrics
        self._model = model
        self._started = time.perf_counter()
        self.is_over = False

    def told(self, response: Response | None, error: ServingError | None) -> None:
        self.is_over = True
        if response is None or response.status not in _STATUSES:
            response = error_response(error or _UNKNOWN_STATUS)
        seconds = time.perf_counter() - self._started
        labels = self._model, "pass_through", "rest"
        self._metrics.requests.count(labels, str(int(response.status)), seconds)
        if self._request.trace is not None:  # the access log names the request, and once
            response.headers = tuple(each for each in response.headers if each[0] != REQUEST_ID_HEADER)
        if response.status != _OK or response.content_type != _JSON:
            self._request.answer(response)
            return
        self._request.answer_fields = _answer_fields(response.headers, _named_version(self._request.path))
        self._request.answer(response.body)


@functools.lru_cache(maxsize=256)
def _answer_fields(headers: tuple[tuple[str, str], ...], version: int | None) -> bytes:
    """What stands in the head of an answer beside its type and length; the same octets for the same headers."""
    if version is None or any(name == VERSION_HEADER for name, _ in headers):
        return write_fields(headers)
    return write_fields(headers) + version_fields(version)


def _named_version(path: str) -> int | None:
    """The version that a question names, which then is the one that answers it; a label may have moved meanwhile."""
    match = _NAMED_VERSION.fullmatch(path) if "/versions/" in path else None
    return int(match[1]) if match else None


def write_head(request: Request, *, host: str) -> bytes:
    """The head of the request that is sent on, but for its content-length and its end.

    Written anew from what was parsed, so that nothing can hide in it.
    """
    target = f"{request.path}?{request.query}" if request.query else request.path
    lines = [f"{request.method} {target} HTTP/1.1\r\nhost: {host}\r\n"]
    for name, value in request.headers.items():
        if name not in _DROPPED and name[:1] != ":":
            lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode("latin-1")
