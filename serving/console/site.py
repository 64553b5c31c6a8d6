"""The console's one handler: the page's files, its state, and the questions that it asks.

    GET  /                     the page
    GET  /page/NAME            a file of it
    GET  /state.json           see `serving.console.state`
    any  /v1/models/...        as on the REST port; answers to questions say whether the cache gave them

A question from another site is refused: a browser that has the console open must not be made to ask by a page that does not
belong to it. Nothing is loaded from elsewhere, and the content security policy forbids it.
"""

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import orjson

from serving.http1 import Handler, Request, Response
from serving.pipeline import Pipeline
from serving.repository import Repository
from serving.rest.errors import refusal

KEPT_HEADER: Final = "x-answer-kept"
_PAGE: Final = Path(__file__).parent / "page"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Final = (
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
)
_STATE: Final = "/state.json"
_OWN_SITES: Final = {"same-origin", "none"}


class Site:
    """The whole site of the console's port."""

    def __init__(
        self,
        api: Handler,
        *,
        repository: Repository,
        pipeline: Pipeline,
        read_state: Callable[[], dict[str, Any]],
    ) -> None:
        self._api = api
        self._repository = repository
        self._pipeline = pipeline
        self._read_state = read_state
        self._files = _files()
        self.page = frozenset({"/", *(f"/page/{name}" for name in self._files)})
        """What everybody may load: it holds nothing of a model, and a guarded server's page asks for a token."""
        self.state = _STATE

    async def handle(self, request: Request) -> Response:
        """The answer to `request`; it raises nothing, like the REST API behind it."""
        if _is_foreign(request):
            return refusal(
                HTTPStatus.FORBIDDEN, "The console answers its own page only; ask the REST port instead"
            )
        if request.path.startswith("/v1/models/"):
            return await self._ask(request)
        if request.method not in {"GET", "HEAD"}:
            return refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"expected GET for {request.path[:200]}")
        if request.path == _STATE:
            return Response(body=orjson.dumps(self._read_state()), headers=_HEADERS)
        name = "index.html" if request.path == "/" else request.path.removeprefix("/page/")
        found = self._files.get(name)
        if found is None:
            return refusal(HTTPStatus.NOT_FOUND, f"Not found: {request.path[:200]}")
        body, content_type = found
        return Response(body=body, content_type=content_type, headers=_HEADERS)

    async def _ask(self, request: Request) -> Response:
        watch = _Watch(self._hits)
        response = await self._api(request)
        if request.method != "POST":
            return response
        marks = (
            (KEPT_HEADER, "yes" if watch.saw_a_hit() else "no"),
            ("server-timing", f"answer;dur={watch.milliseconds():.3f}"),
        )
        response.headers = (*response.headers, *marks)
        return response

    def _hits(self) -> int:
        servables = (
            servable
            for name in self._repository.names
            for servable in self._repository.available(name).values()
        )
        return sum(self._pipeline.desk(servable).hits for servable in servables)


class _Watch:
    """Whether the cache answered: an answer that was kept is there in the same turn of the loop, before anybody else's.

    So the pipeline need not be asked to report on each request, which every client would pay for.
    """

    def __init__(self, hits: Callable[[], int]) -> None:
        self._hits = hits
        self._hits_before = hits()
        self._is_later_turn = False
        self._turn = asyncio.get_running_loop().call_soon(self._note_turn)
        self._started = time.perf_counter()

    def saw_a_hit(self) -> bool:
        self._turn.cancel()
        return not self._is_later_turn and self._hits() > self._hits_before

    def milliseconds(self) -> float:
        return (time.perf_counter() - self._started) * 1000

    def _note_turn(self) -> None:
        self._is_later_turn = True


def _files() -> dict[str, tuple[bytes, str]]:
    return {path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in sorted(_PAGE.iterdir())}


def _is_foreign(request: Request) -> bool:
    """Whether a browser says that another site's page sent this (Fetch Metadata, or Origin from older browsers).

    A click on a link may come from anywhere; it only looks.
    """
    headers = request.headers
    if request.method in {"GET", "HEAD"} and headers.get("sec-fetch-mode", "navigate") == "navigate":
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in _OWN_SITES
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host", "")
