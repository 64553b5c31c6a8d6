"""Lines of the REST port: around the door, so that who was not let in is written down too.

Probes and metrics are left out: they come every few seconds for ever, and `tfsp_ready` tells more.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from http import HTTPStatus

from serving.access_log.identifiers import REQUEST_ID_HEADER, request_id
from serving.access_log.journal import Entry, Journal
from serving.calls import Trace
from serving.errors import ServingError
from serving.http1 import Request, Response
from serving.http1.messages import Answer, QuickHandler
from serving.rest import open_inference, paths

Greet = Callable[[asyncio.BaseTransport], QuickHandler]
UNLOGGED_PATHS = frozenset({"/livez", "/readyz", "/metrics", "/statusz"})
UNKNOWN_PATH = "other"


def log_handlers(greet: Greet, journal: Journal) -> Greet:
    """The same handlers, with a line for each request. A request's own id is sent back with its answer."""

    def greet_logged(transport: asyncio.BaseTransport) -> QuickHandler:
        handler = greet(transport)

        async def logged(request: Request) -> Response:
            if request.path in UNLOGGED_PATHS:
                return await _finish(handler(request))
            request.trace = trace = Trace()
            started = time.perf_counter()
            response = await _finish(handler(request))
            template, model = _read_path(request.method, request.path)
            trace.model = trace.model or model
            journal.note(
                Entry(
                    transport="rest",
                    method=request.method,
                    path=template,
                    code=int(response.status),
                    has_failed=response.status >= HTTPStatus.BAD_REQUEST,
                    bytes_in=len(request.body),
                    bytes_out=len(response.body),
                    started=started,
                    metadata=request.headers,
                    trace=trace,
                )
            )
            return _sign(response, request_id(request.headers))

        return logged

    return greet_logged


def log_refusals(
    refusal: Callable[[HTTPStatus, str], Response], journal: Journal
) -> Callable[[HTTPStatus, str], Response]:
    """The same answers to what never became a request, with a line for each."""

    def logged(status: HTTPStatus, message: str) -> Response:
        response = refusal(status, message)
        journal.note(
            Entry(
                transport="rest",
                method=None,
                path=UNKNOWN_PATH,
                code=int(status),
                has_failed=True,
                bytes_in=0,
                bytes_out=len(response.body),
                started=time.perf_counter(),
                metadata={},
                trace=Trace(),
            )
        )
        return response

    return logged


async def _finish(answer: Answer) -> Response:
    """The response of a plain handler, or of a guard before it."""
    if isinstance(answer, Response):
        return answer
    assert isinstance(answer, Coroutine), "a log stands in front of plain handlers"
    return await answer


def _sign(response: Response, identifier: str | None) -> Response:
    if identifier is not None:
        response.headers = (*response.headers, (REQUEST_ID_HEADER, identifier))
    return response


def _read_path(method: str, path: str) -> tuple[str, str]:
    """The template of a path, and the model that it names; the model may be one that there is not."""
    try:
        if path[:4].lower() == paths.PREFIX:
            return _v1_template(target := paths.parse_path(method, path)), target.name
        found = open_inference.parse_path(method, path)
    except ServingError:
        return UNKNOWN_PATH, ""
    if not found.name:
        return path.rstrip("/"), ""
    version = "" if found.version is None else "/versions/{version}"
    verb = "" if found.verb == "metadata" else f"/{found.verb}"
    return f"/v2/models/{{model}}{version}{verb}", found.name


def _v1_template(target: paths.Target) -> str:
    choice = "/labels/{label}" if target.label else "" if target.version is None else "/versions/{version}"
    verb = {"status": "", "predict": ":predict", "classify": ":classify", "regress": ":regress"}
    return f"/v1/models/{{model}}{choice}{verb.get(target.verb, f'/{target.verb}')}"
