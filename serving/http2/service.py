"""What all connections of one server share."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from serving.http2.budget import ReceiveBudget
from serving.http2.calls import Handler, StreamingHandler
from serving.http2.deadlines import Deadlines
from serving.http2.limits import Limits

if TYPE_CHECKING:
    from serving.http2.connection import Connection


@dataclass(frozen=True, kw_only=True)
class Service:
    """The handlers, the limits, and the state that spans connections."""

    loop: asyncio.AbstractEventLoop
    handlers: Mapping[str, Handler]
    streaming: Mapping[str, StreamingHandler]
    limits: Limits
    deadlines: Deadlines
    budget: ReceiveBudget
    connections: "set[Connection]" = field(default_factory=set)
    streaming_tasks: set[asyncio.Task[None]] = field(default_factory=set)
    """Those of streaming calls, which may live as long as their connections: `Limits` says how many may."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    """The handlers' coroutines: the loop keeps only weak references to its tasks."""


def share(
    loop: asyncio.AbstractEventLoop,
    handlers: Mapping[str, Handler],
    streaming: Mapping[str, StreamingHandler],
    limits: Limits,
) -> Service:
    """A service whose connections run on `loop`."""
    return Service(
        loop=loop,
        handlers=handlers,
        streaming=streaming,
        limits=limits,
        deadlines=Deadlines(loop),
        budget=ReceiveBudget(limits.receive_budget_bytes),
    )
