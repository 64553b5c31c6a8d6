"""One computation for equal questions that are asked at the same time.

The first asker leads: its own request computes. The others follow and get its answer. When the leader fails
or goes away, nothing is shared: the followers ask again, and one of them leads. So no follower inherits
another's cancellation, deadline or bad luck.
"""

import asyncio
from collections.abc import Awaitable, Callable

from serving.caching.outputs import Key
from serving.errors import DeadlineExceeded


class Flights:
    """The questions that are being computed. Not for several threads."""

    def __init__(self) -> None:
        self._flights: dict[Key, asyncio.Future[bytes]] = {}
        self.followers = 0
        """How many askers were spared a computation."""

    async def share(self, key: Key, compute: Callable[[], Awaitable[bytes]], deadline: float | None) -> bytes:
        """The answer to `key`, from the flight under way or from `compute`. Raises what `compute` raises."""
        while (flight := self._flights.get(key)) is not None:
            answer = await self._follow(flight, deadline)
            if answer is not None:
                self.followers += 1
                return answer
        return await self._lead(key, compute)

    async def _lead(self, key: Key, compute: Callable[[], Awaitable[bytes]]) -> bytes:
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        try:
            answer = await compute()
            flight.set_result(answer)
            return answer
        finally:
            del self._flights[key]
            flight.cancel()  # does nothing to one that has its answer

    async def _follow(self, flight: "asyncio.Future[bytes]", deadline: float | None) -> bytes | None:
        """The leader's answer, or None when it has none."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[bytes | None] = loop.create_future()

        def land(_flight: "asyncio.Future[bytes]") -> None:
            if not waiting.done():
                waiting.set_result(None if flight.cancelled() else flight.result())

        flight.add_done_callback(land)
        timer = None if deadline is None else loop.call_at(deadline, _expire, waiting)
        try:
            return await waiting
        finally:
            flight.remove_done_callback(land)
            if timer is not None:
                timer.cancel()


def _expire(waiting: "asyncio.Future[bytes | None]") -> None:
    if not waiting.done():
        waiting.set_exception(
            DeadlineExceeded("the deadline passed while an equal question was being answered")
        )
