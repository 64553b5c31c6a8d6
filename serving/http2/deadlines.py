"""The deadlines of all calls of a server, with one timer for all that end in the same ten milliseconds.

A timer a call would cost 2 us, set and cancelled; most calls end long before. Calls are kept by tick, and
a tick that has lost its last call gives its timer back, so that what is kept is bounded by open calls.
"""

import asyncio
import math
from typing import Final

from serving.http2.streams import Stream

TICK_SECONDS: Final = 0.01


class Deadlines:
    """Expires each stream whose deadline passes before it is discarded."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ticks: dict[int, tuple[dict[Stream, None], asyncio.TimerHandle]] = {}

    @property
    def is_empty(self) -> bool:
        return not self._ticks

    def add(self, stream: Stream, deadline: float) -> None:
        stream.deadline = deadline
        stream.tick = tick = math.ceil(deadline / TICK_SECONDS)
        entry = self._ticks.get(tick)
        if entry is None:
            timer = self._loop.call_at(tick * TICK_SECONDS, self._pass_tick, tick)
            entry = self._ticks[tick] = ({}, timer)
        entry[0][stream] = None

    def discard(self, stream: Stream) -> None:
        tick, stream.tick = stream.tick, None
        entry = None if tick is None else self._ticks.get(tick)
        if entry is None or tick is None:
            return
        streams, timer = entry
        streams.pop(stream, None)
        if not streams:
            timer.cancel()
            del self._ticks[tick]

    def _pass_tick(self, tick: int) -> None:
        streams, _ = self._ticks.pop(tick)
        for stream in streams:
            stream.tick = None
            stream.expire()
