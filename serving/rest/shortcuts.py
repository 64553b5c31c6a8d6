"""Where a request with a certain head leads, remembered with the head: the path is read once, not for each request.

A shortcut holds its version by a weak reference, and only while the repository stays as it is: what is withdrawn can go,
and the next request looks again.
"""

import asyncio
import logging
import time
import weakref
from http import HTTPStatus

from serving.desk import Desk
from serving.errors import ServingError
from serving.http1 import Request, Response
from serving.metrics import Metrics
from serving.pipeline import Pipeline
from serving.repository import Repository
from serving.rest import paths
from serving.rest.errors import error_response, refusal
from serving.rest.versions import version_fields
from serving.tallies import Series

log = logging.getLogger(__name__)


class Shortcut:
    """To a version that is asked to predict."""

    __slots__ = ("desk", "fields", "generation", "series")

    def __init__(self, desk: Desk, series: Series, generation: int) -> None:
        self.desk = weakref.ref(desk)
        self.fields = version_fields(desk.servable.version)
        self.series = series
        self.generation = generation


class Shortcuts:
    """Finds shortcuts."""

    def __init__(self, repository: Repository, pipeline: Pipeline, metrics: Metrics) -> None:
        self._repository = repository
        self._pipeline = pipeline
        self._metrics = metrics

    def find(self, request: Request) -> Shortcut | None:
        """The shortcut of a request to predict; None for all others, and for those that will be refused."""
        head = request.head
        found = None if head is None else head.note
        if isinstance(found, Shortcut) and found.generation == self._repository.generation:
            return found
        found = self._make(request)
        if head is not None:
            head.note = found
        return found

    def _make(self, request: Request) -> Shortcut | None:
        try:
            target = paths.parse_path(request.method, request.path)
            if target.verb != "predict":
                return None
            servable = self._repository.resolve(target.name, target.version, target.label)
        except ServingError:
            return None
        series = self._metrics.requests.series((servable.name, target.verb, "rest"))
        return Shortcut(self._pipeline.desk(servable), series, self._repository.generation)


class Reply:
    """A `Finish`: counts a request and answers it."""

    __slots__ = ("_request", "_series", "_started")

    def __init__(self, request: Request, series: Series, started: float) -> None:
        self._request = request
        self._series = series
        self._started = started

    def __call__(self, answer: bytes | None, error: BaseException | None) -> None:
        if answer is not None:
            self._series.count("200", time.perf_counter() - self._started)
            self._request.answer(answer)
        elif isinstance(error, asyncio.CancelledError):
            self._request.answer(None)
        else:
            response = response_to(error, self._request)
            self._series.count(str(int(response.status)), time.perf_counter() - self._started)
            self._request.answer(response)


def response_to(error: BaseException | None, request: Request) -> Response:
    """The answer that tells a client of an error; of a defect the log tells the rest."""
    if isinstance(error, ServingError):
        return error_response(error)
    # The outermost place: a defect must not close the connection without an answer.
    log.error("an internal error while answering %s", request.path, exc_info=error)
    return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error; the server's log has the details")
