"""Lines of the REST port: around the door, so that who was not let in is written down too.

Probes and metrics are left out: they come every few seconds for ever, and `tfsp_ready` tells more.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine
from http import HTTPStatus
from typing import Any, Final

from serving.access_log.journal import Entry, Journal
from serving.calls import REQUEST_ID_HEADER, Trace
from serving.errors import ServingError
from serving.http1 import Request, Response
from serving.http1.messages import LATER, Answer, Carrier, QuickHandler, write_fields
from serving.rest import open_inference, paths

Greet = Callable[[asyncio.BaseTransport], QuickHandler]
UNLOGGED_PATHS = frozenset({"/livez", "/readyz", "/metrics", "/statusz"})
UNKNOWN_PATH = "other"
GONE: Final = 499
"""The client went away before its answer; nginx's number, since HTTP has none for what nobody receives."""


def log_handlers(greet: Greet, journal: Journal, *, leaves_out: Collection[str] = UNLOGGED_PATHS) -> Greet:
    """The same handlers, with a line for each request but to `leaves_out`. Its id is sent back with its answer."""

    def greet_logged(transport: asyncio.BaseTransport) -> QuickHandler:
        handler = greet(transport)

        def logged(request: Request) -> Answer:
            if request.path in leaves_out:
                return handler(request)
            line = Line(request, journal)
            answer = handler(request)
            if answer is LATER:
                return answer
            if not isinstance(answer, bytes | Response):
                return line.wait(answer)
            line.end(answer)
            return answer

        return logged

    return greet_logged


class Line:
    """The line of one request, from its beginning to its answer, in whichever of the ways that it comes."""

    __slots__ = ("_carrier", "_journal", "_request", "_request_id", "_started", "_trace")

    def __init__(self, request: Request, journal: Journal) -> None:
        self._request = request
        self._journal = journal
        self._started = time.perf_counter()
        self._request_id = journal.identify(request.headers)
        self._trace = request.trace = Trace()
        self._carrier: Carrier | None = request.carrier
        if request.carrier is not None:
            request.carrier = self

    def finish(self, request: Request, response: Response | bytes | None) -> None:
        """A `Carrier`: the answer to a request that was put off passes here on its way."""
        if response is None:
            self._note(GONE, 0)
        else:
            self.end(response)
        if self._carrier is not None:
            self._carrier.finish(request, response)

    async def wait(self, answer: Coroutine[Any, None, Response]) -> Response:
        """The answer that a coroutine makes."""
        try:
            response = await answer
        except asyncio.CancelledError:
            self._note(GONE, 0)
            raise
        self.end(response)
        return response

    def end(self, answer: Response | bytes) -> None:
        """Write the line, and send the request's id along."""
        if isinstance(answer, bytes):
            self._note(HTTPStatus.OK, len(answer))
        else:
            self._note(int(answer.status), len(answer.body))
        self._request.answer_fields += write_fields([(REQUEST_ID_HEADER, self._request_id)])

    def _note(self, code: int, bytes_out: int) -> None:
        request, trace = self._request, self._trace
        template, model = _read_path(request.method, request.path)
        trace.model = trace.model or model
        self._journal.note(
            Entry(
                transport="rest",
                method=request.method,
                path=template,
                code=code,
                has_failed=code >= HTTPStatus.BAD_REQUEST,
                bytes_in=len(request.body),
                bytes_out=bytes_out,
                started=self._started,
                request_id=self._request_id,
                metadata=request.headers,
                trace=trace,
            )
        )


def log_refusals(
    refusal: Callable[[HTTPStatus, str], Response], journal: Journal
) -> Callable[[HTTPStatus, str], Response]:
    """The same answers to what never became a request, with a line for each."""

    def logged(status: HTTPStatus, message: str) -> Response:
        response, identifier = refusal(status, message), journal.identify({})
        response.headers = (*response.headers, (REQUEST_ID_HEADER, identifier))
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
                request_id=identifier,
                metadata={},
                trace=Trace(),
            )
        )
        return response

    return logged


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
