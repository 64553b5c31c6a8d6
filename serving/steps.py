"""Runs a coroutine on the event loop without making a task of it.

A task starts in the next turn of the loop and costs about 5 us; most requests here are answered from memory
without ever waiting. So the first step runs at once, and what has no need to wait is finished when `Steps`
returns. (Python 3.12 has eager tasks for this; remove this module when that is the oldest version served.)

A coroutine that runs so may await futures and other coroutines. It has no current task: `asyncio.timeout`,
which needs one, is not for it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Finished = Callable[[T | None, BaseException | None], None]
"""Told the result, or the exception (also of a cancellation); exactly once."""


class Steps(Generic[T]):
    """One coroutine under way."""

    __slots__ = ("_coroutine", "_finished", "_waits_for")

    def __init__(self, coroutine: Coroutine[Any, None, T], finished: "Finished[T]") -> None:
        self._coroutine = coroutine
        self._finished: Finished[T] | None = finished
        self._waits_for: asyncio.Future[Any] | None = None
        self._step()

    def cancel(self) -> None:
        """Raise CancelledError where the coroutine waits; it hears of it in the next turn of the loop."""
        if self._waits_for is not None:
            self._waits_for.cancel()

    def _step(self, _future: "asyncio.Future[Any] | None" = None) -> None:
        try:
            # The future that is awaited hands out its result or exception itself when the coroutine goes on.
            awaited = self._coroutine.send(None)
        except StopIteration as stop:
            self._finish(stop.value, None)
        except BaseException as error:  # noqa: BLE001 - handed on whole, cancellation included
            self._finish(None, error)
        else:
            self._wait(awaited)

    def _finish(self, result: T | None, error: BaseException | None) -> None:
        # Who is told often holds these steps, to cancel them: letting go of it here leaves no cycle behind.
        finished, self._finished, self._waits_for = self._finished, None, None
        if finished is not None:
            finished(result, error)

    def _wait(self, awaited: "asyncio.Future[Any] | None") -> None:
        if awaited is None:  # a bare yield: asyncio.sleep(0)
            self._waits_for = None
            asyncio.get_running_loop().call_soon(self._step)
            return
        # What asyncio.Task does with a future that was yielded to it.
        awaited._asyncio_future_blocking = False  # noqa: SLF001 - the protocol between futures and their drivers
        self._waits_for = awaited
        awaited.add_done_callback(self._step)
