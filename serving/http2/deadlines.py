"""The deadlines of all calls of a server, with one timer for all that end in the same ten milliseconds.

A timer a call would cost 2 us, set and cancelled; most calls end long before. Calls are kept by tick, and
a tick that has lost its last call gives its timer back, so that what is kept is bounded by open calls.
"""

import asyncio
import math
from typing import Final, Protocol

TICK_SECONDS: Final = 0.01


class Expiring(Protocol):
    """A call with a deadline."""

    deadline: float | None
    tick: int | None
    """The deadline's place in `Deadlines`, owned by it."""

    def expire(self) -> None:
        """The deadline has passed."""


class Deadlines:
    """Expires each call whose deadline passes before it is discarded."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ticks: dict[int, tuple[dict[Expiring, None], asyncio.TimerHandle]] = {}

    @property
    def is_empty(self) -> bool:
        return not self._ticks

    def add(self, call: Expiring, deadline: float) -> None:
        call.deadline = deadline
        call.tick = tick = math.ceil(deadline / TICK_SECONDS)
        entry = self._ticks.get(tick)
        if entry is None:
            timer = self._loop.call_at(tick * TICK_SECONDS, self._pass_tick, tick)
            entry = self._ticks[tick] = ({}, timer)
        entry[0][call] = None

    def discard(self, call: Expiring) -> None:
        tick, call.tick = call.tick, None
        entry = None if tick is None else self._ticks.get(tick)
        if entry is None or tick is None:
            return
        calls, timer = entry
        calls.pop(call, None)
        if not calls:
            timer.cancel()
            del self._ticks[tick]

    def _pass_tick(self, tick: int) -> None:
        calls, _ = self._ticks.pop(tick)
        for call in calls:
            call.tick = None
            call.expire()
