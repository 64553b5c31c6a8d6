"""The REST API's one entry: from a request to a response, never an exception."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus

from serving.calls import Call
from serving.errors import ServingError
from serving.http1 import Request, Response
from serving.metrics import Metrics, Observation
from serving.pipeline import Exchange, Pipeline
from serving.repository import Repository
from serving.rest.errors import error_response, refusal
from serving.rest.examples import Examples
from serving.rest.models import metadata_document, status_document
from serving.rest.numbers import NumberReader
from serving.rest.paths import PREFIX, Target, parse_path
from serving.rest.predict import Predict

log = logging.getLogger(__name__)


class RestApi:
    """Serves /v1/ from the repository, and whatever plain routes it is given beside it."""

    def __init__(
        self,
        repository: Repository,
        pipeline: Pipeline,
        metrics: Metrics,
        *,
        timeout_seconds: float,
        routes: Mapping[str, Callable[[Request], Response]],
    ) -> None:
        self._repository = repository
        self._pipeline = pipeline
        self._metrics = metrics
        self._timeout_seconds = timeout_seconds
        self._routes = routes
        self._numbers = NumberReader()

    async def handle(self, request: Request) -> Response:
        """The answer to `request`; every error is one of its own."""
        route = self._routes.get(request.path)
        if route is not None and request.method in {"GET", "HEAD"}:
            return route(request)
        if not request.path.lower().startswith(PREFIX):
            return refusal(HTTPStatus.NOT_FOUND, f"Not found: {request.method} {request.path[:200]}")
        seen = Observation(metrics=self._metrics, transport="rest", method="malformed")
        try:
            response = Response(body=await self._answer(request, seen))
        except ServingError as error:
            response = error_response(error)
        except Exception:  # the outermost loop: a defect must not close the connection without an answer
            log.exception("an internal error while answering %s", request.path)
            response = refusal(
                HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error; the server's log has the details"
            )
        seen.finish(str(int(response.status)))
        return response

    async def _answer(self, request: Request, seen: Observation) -> bytes:
        target = parse_path(request.method, request.path)
        seen.method = target.verb
        if target.verb == "status":
            return status_document(self._repository.statuses(target.name, self._version(target)))
        servable = self._repository.resolve(target.name, target.version, target.label)
        seen.model = servable.name
        if target.verb == "metadata":
            return metadata_document(servable)
        call = Call(
            deadline=asyncio.get_running_loop().time() + self._timeout_seconds, metadata=request.headers
        )
        asked: Predict | Examples
        if target.verb == "predict":
            asked = Predict(servable, request.body, self._numbers)
        else:
            asked = Examples(servable, request.body, verb=target.verb)
        return await self._pipeline.answer(
            Exchange(
                servable=servable,
                call=call,
                kind=f"rest {target.verb}",
                message=request.body,
                parse=asked.parse,
                render=asked.render,
            )
        )

    def _version(self, target: Target) -> int | None:
        if target.label is None:
            return target.version
        return self._repository.version_of(target.name, target.label)
