"""Puts what is fetched into the body: `{"uri": "..."}` becomes `{"b64": "..."}`, and the request goes on as if it came so.

So the rest of the server knows nothing of it: an answer is kept by what was fetched, not by where it was, and is never
the old one for a file that has changed.
"""

import asyncio
import base64
import dataclasses
import json
import ssl
from collections.abc import Iterator, Sequence
from typing import Any, Final

from serving.errors import DeadlineExceeded, InvalidRequest, ServingError
from serving.http1 import Request, Response
from serving.http1.messages import Answer, Handler, QuickHandler
from serving.remote_inputs.fetching import fetch
from serving.remote_inputs.places import Place, locate
from serving.rest import error_response
from serving.rest.documents import parse_document
from serving.rest.infer import HEADER

KEY: Final = "uri"
NAMED: Final = b'"uri"'
"""A body without these bytes names nothing, and is not looked at."""
MOST_INPUTS: Final = 64
_LEVELS: Final = 16
_AT_ONCE: Final = 16
"""Fetches of the whole server: the rest wait, and their requests' deadlines go on."""


class FetchingHandler:
    """A `QuickHandler` before the API: fetches what a body names, then hands the request on."""

    def __init__(
        self,
        quick: QuickHandler,
        handler: Handler,
        prefixes: Sequence[Place],
        *,
        timeout_seconds: float,
        limit_bytes: int,
    ) -> None:
        self._quick = quick
        self._handler = handler
        self._prefixes = prefixes
        self._timeout_seconds = timeout_seconds
        self._limit_bytes = limit_bytes
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._tls = ssl.create_default_context()

    def __call__(self, request: Request) -> Answer:
        if NAMED not in request.body or HEADER in request.headers:
            return self._quick(request)
        return self._fetch_and_answer(request)

    async def _fetch_and_answer(self, request: Request) -> Response:
        try:
            # A task of its own: handlers run without one, and a deadline needs one.
            await asyncio.create_task(self._fill_in_time(request))
        except ServingError as error:
            return error_response(error)
        return await self._handler(request)

    async def _fill_in_time(self, request: Request) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._fill(request)
        except TimeoutError:
            raise DeadlineExceeded(
                f"remote inputs must be there within {self._timeout_seconds} s, and were not"
            ) from None

    async def _fill(self, request: Request) -> None:
        document = parse_document(request.body)
        named = list(_names(document, _LEVELS))
        if len(named) > MOST_INPUTS:
            raise InvalidRequest(
                f"expected at most {MOST_INPUTS} remote inputs in a request, got {len(named)}"
            )
        places = [locate(entry[KEY], self._prefixes) for entry in named]
        room = _Room(self._limit_bytes - len(request.body))
        try:
            async with asyncio.TaskGroup() as group:
                for entry, place in zip(named, places, strict=True):
                    group.create_task(self._put(entry, place, room))
        except ExceptionGroup as failed:  # the first one ended the others
            raise failed.exceptions[0] from None
        if named:
            request.body = json.dumps(document).encode()

    async def _put(self, entry: dict[str, Any], place: Place, room: "_Room") -> None:
        async with self._places:
            content = await fetch(place, limit_bytes=max(0, room.left_bytes), tls=self._tls)
        room.left_bytes -= len(content)
        del entry[KEY]
        entry["b64"] = base64.b64encode(content).decode()


@dataclasses.dataclass
class _Room:
    """What the inputs of one request may still take."""

    left_bytes: int


def _names(value: Any, levels: int) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    if not levels or not isinstance(value, (list, dict)):
        return
    if isinstance(value, dict) and value.keys() == {KEY} and isinstance(value[KEY], str):
        yield value
        return
    for inner in value.values() if isinstance(value, dict) else value:
        yield from _names(inner, levels - 1)
