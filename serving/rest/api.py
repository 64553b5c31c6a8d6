"""The REST API's two entries: from a request to a response, never an exception.

`handle` is for every request. `answer` knows a short way for those that a model is asked with again and again, and
leaves all others to `handle`.
"""

import time
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any

import orjson

from serving.calls import Call
from serving.errors import NotFound
from serving.exchanges import note_hit
from serving.http1 import LATER, Answer, Request, Response
from serving.metrics import Metrics, Observation
from serving.pipeline import Exchange, Pipeline
from serving.repository import Repository, Servable
from serving.rest import open_inference, paths
from serving.rest.examples import Examples
from serving.rest.infer import Infer, answer_response
from serving.rest.models import metadata_document, status_document
from serving.rest.numbers import NumberReader
from serving.rest.openapi import openapi_document
from serving.rest.page import render_page
from serving.rest.predict import Predict
from serving.rest.shortcuts import Reply, Shortcuts, response_to
from serving.rest.versions import version_fields

_PAGE_HEADERS = (
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
    ),
)
_PREDICT = "rest predict"
Asked = Predict | Examples | Infer


class RestApi:
    """Serves /v1/ and /v2 from the repository, and whatever plain routes it is given beside them."""

    def __init__(
        self,
        repository: Repository,
        pipeline: Pipeline,
        metrics: Metrics,
        *,
        timeout_seconds: float,
        routes: Mapping[str, Callable[[Request], Response]],
        is_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self._repository = repository
        self._pipeline = pipeline
        self._metrics = metrics
        self._timeout_seconds = timeout_seconds
        self._routes = routes
        self._is_ready = is_ready
        self._numbers = NumberReader()
        self._shortcuts = Shortcuts(repository, pipeline, metrics)

    def answer(self, request: Request) -> Answer:
        """What `handle` does, at once where the answer is kept, and without a coroutine where it is not."""
        shortcut = self._shortcuts.find(request)
        desk = None if shortcut is None else shortcut.desk()
        if shortcut is None or desk is None:
            return self.handle(request)
        started = time.perf_counter()
        request.answer_fields = shortcut.fields
        key = self._pipeline.key(desk, _PREDICT, request.headers, request.body)
        if key is not None:
            kept = self._pipeline.kept(desk, key)
            if kept is not None:
                if request.trace is not None:
                    note_hit(request.trace, desk.servable)
                shortcut.series.count("200", time.perf_counter() - started)
                return kept
        servable = desk.servable
        exchange = self._exchange(request, servable, Predict(servable, request.body, self._numbers), _PREDICT)
        reply = Reply(request, shortcut.series, started)
        request.on_cancel = self._pipeline.begin_unkept(desk, exchange, reply, key)
        return LATER

    async def handle(self, request: Request) -> Response:
        """The answer to `request`; every error is one of its own."""
        route = self._routes.get(request.path)
        if route is not None and request.method in {"GET", "HEAD"}:
            return route(request)
        seen = Observation(metrics=self._metrics, transport="rest", method="malformed")
        try:
            response = await self._answer(request, seen)
        except Exception as error:  # noqa: BLE001 - the outermost loop: a defect must be answered, too
            response = response_to(error, request)
        seen.finish(str(int(response.status)))
        return response

    def _answer(self, request: Request, seen: Observation) -> Coroutine[Any, None, Response]:
        path = request.path
        if path[:4].lower() == paths.PREFIX:
            return self._answer_v1(request, seen)
        if path.startswith(open_inference.PREFIX):
            return self._answer_v2(request, seen)
        raise NotFound(f"Not found: {request.method} {path[:200]}")

    async def _answer_v1(self, request: Request, seen: Observation) -> Response:
        target = paths.parse_path(request.method, request.path)
        seen.method = target.verb
        if target.verb == "status":
            version = target.version
            if target.label is not None:
                version = self._repository.version_of(target.name, target.label)
            return Response(body=status_document(self._repository.statuses(target.name, version)))
        servable = self._resolve(request, seen, target)
        if target.verb == "metadata":
            return Response(body=metadata_document(servable))
        if target.verb == "openapi.json":
            return Response(body=orjson.dumps(openapi_document(servable)))
        if target.verb == "docs":
            page = render_page(openapi_document(servable), document_path=request.path[:-4] + "openapi.json")
            return Response(body=page, content_type="text/html; charset=utf-8", headers=_PAGE_HEADERS)
        if target.verb == "predict":
            return await self._ask(
                request, servable, Predict(servable, request.body, self._numbers), _PREDICT
            )
        examples = Examples(servable, request.body, verb=target.verb)
        return await self._ask(request, servable, examples, f"rest {target.verb}")

    async def _answer_v2(self, request: Request, seen: Observation) -> Response:
        target = open_inference.parse_path(request.method, request.path)
        seen.method = f"v2 {target.verb}"
        if not target.name:
            return self._describe_server(target.verb)
        servable = self._resolve(request, seen, target)
        if target.verb == "ready":
            return Response(body=orjson.dumps({"name": servable.name, "ready": True}))
        if target.verb == "metadata":
            versions = sorted(self._repository.available(servable.name))
            return Response(body=open_inference.model_document(servable, versions))
        infer = Infer(servable, request.body, request.headers)
        return answer_response((await self._ask(request, servable, infer, infer.kind)).body)

    def _describe_server(self, verb: str) -> Response:
        if verb == "server":
            return Response(
                body=orjson.dumps(
                    {"name": "tf-serving-platform", "version": "2", "extensions": ["binary_tensor_data"]}
                )
            )
        is_well = verb == "live" or self._is_ready()
        status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
        return Response(status=status, body=orjson.dumps({"live" if verb == "live" else "ready": is_well}))

    def _resolve(
        self, request: Request, seen: Observation, target: paths.Target | open_inference.Target
    ) -> Servable:
        label = target.label if isinstance(target, paths.Target) else None
        servable = self._repository.resolve(target.name, target.version, label)
        seen.model = servable.name
        request.answer_fields = version_fields(servable.version)
        return servable

    async def _ask(self, request: Request, servable: Servable, asked: Asked, kind: str) -> Response:
        answer = await self._pipeline.answer(self._exchange(request, servable, asked, kind))
        return Response(body=answer)

    def _exchange(self, request: Request, servable: Servable, asked: Asked, kind: str) -> Exchange:
        deadline = self._pipeline.now() + self._timeout_seconds
        return Exchange(
            servable=servable,
            call=Call(deadline=deadline, metadata=request.headers, trace=request.trace),
            kind=kind,
            message=request.body,
            parse=asked.parse,
            render=asked.render,
        )
