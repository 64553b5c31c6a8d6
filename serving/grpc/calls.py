"""How a method is called, whatever the transport: it begins with a message and ends by telling the outcome.

A callback instead of a coroutine: most answers need no task, and each coroutine between the transport and the model
costs half a microsecond. Methods that are not hot are written as coroutines all the same, and adapted here.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from serving.calls import Call
from serving.errors import ServingError
from serving.grpc.status import status_of
from serving.http2 import StatusCode
from serving.metrics import UNKNOWN_MODEL, Metrics
from serving.steps import Steps
from serving.tallies import Series

Finish = Callable[[bytes | None, BaseException | None], None]
"""Told once: a serialized response, or why there is none (a ServingError, unless there is a defect)."""
Cancel = Callable[[], None]
"""Nobody waits any more. What began is told so, and still finishes."""
Method = Callable[[bytes, Call, Finish], Cancel]
"""Begins to answer a serialized request; it may finish before it returns."""

_OK: Final = StatusCode.OK.name


class Counted:
    """A `Finish` that counts the request first."""

    __slots__ = ("_finish", "_method", "_metrics", "_started", "model", "series")

    def __init__(self, metrics: Metrics, method: str, finish: Finish) -> None:
        self.model = UNKNOWN_MODEL
        """Which model was asked, once that is known to be one of ours."""
        self.series: Series | None = None
        """Where requests to that model are counted, from who has looked it up."""
        self._metrics = metrics
        self._method = method
        self._finish = finish
        self._started = time.perf_counter()

    def __call__(self, answer: bytes | None, error: BaseException | None) -> None:
        code = _OK if error is None else _code(error)
        seconds = time.perf_counter() - self._started
        series = self.series or self._metrics.requests.series((self.model, self._method, "grpc"))
        series.count(code, seconds)
        self._finish(answer, error)


def begin(coroutine: Coroutine[Any, None, bytes], finish: Finish) -> Cancel:
    """Run what a method was written as, from its first step to its end."""
    return Steps(coroutine, finish).cancel


def uncounted(answer: Callable[[bytes, Call], Coroutine[Any, None, bytes]]) -> Method:
    """A method that is written as a coroutine and asks no model."""
    return lambda message, call, finish: begin(answer(message, call), finish)


def forget() -> None:
    """The `Cancel` of what has finished already."""


async def finished(method: Method, message: bytes, call: Call) -> bytes:
    """The response of `method`, for those who can wait. Raises what it ends with; cancelling this cancels it."""
    outcome: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def finish(answer: bytes | None, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(answer or b"")

    cancel = method(message, call, finish)
    try:
        return await outcome
    finally:
        if outcome.cancelled():
            cancel()


def _code(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        return StatusCode.CANCELLED.name
    return (status_of(error)[0] if isinstance(error, ServingError) else StatusCode.INTERNAL).name
