"""How a server process lives: start, serve, drain on a signal, close.

STARTING ──started──> SERVING ──SIGTERM──> DRAINING ──drain_seconds, or a second signal──> CLOSING ──> exit 0
   └──start failed──> exit 1
"""

import asyncio
import contextlib
import gc
import logging
import signal
from typing import Protocol

log = logging.getLogger(__name__)

_YOUNG_OBJECTS = 20_000
"""How many new objects make the collector look for cycles. A batch in flight has thousands, none of them garbage: with
Python's 700 every batch was walked through several times, a twelfth of what a small Predict costs."""


class Living(Protocol):
    """What is led through a life."""

    async def start(self) -> None:
        """Open the doors and get ready; what it raises ends the process."""

    def start_draining(self) -> None:
        """Say no to probes, and go on answering."""

    async def close(self) -> None:
        """Accept nothing new, finish what is running, give everything back."""


async def live(server: Living, *, drain_seconds: float) -> None:
    """Start, serve until SIGTERM or SIGINT, drain and close. A second signal ends the drain at once.

    Raises what `start` raises.
    """
    first, second = _signals()
    starting = asyncio.create_task(server.start())
    stopping = asyncio.create_task(first.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            await stopping
            await _drain(server, drain_seconds, until=second)
    finally:
        starting.cancel()
        stopping.cancel()
        await server.close()


async def _drain(server: Living, drain_seconds: float, *, until: asyncio.Event) -> None:
    server.start_draining()
    log.info("draining for %.1f s: /readyz says no, requests are still answered", drain_seconds)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(drain_seconds):
            await until.wait()


def _signals() -> tuple[asyncio.Event, asyncio.Event]:
    """Set by the first and by the second request to stop."""
    first, second = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: second.set() if first.is_set() else first.set())
    return first, second


def settle_memory() -> None:
    """What start-up left lives for ever: keep the collector from walking through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)
