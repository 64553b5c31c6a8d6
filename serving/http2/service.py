"""What all connections of one server share."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from serving.http2.budget import ReceiveBudget
from serving.http2.calls import Handler
from serving.http2.deadlines import Deadlines
from serving.http2.limits import Limits

if TYPE_CHECKING:
    from serving.http2.connection import Connection


@dataclass(frozen=True, kw_only=True)
class Service:
    """The handlers, the limits, and the state that spans connections."""

    loop: asyncio.AbstractEventLoop
    handlers: Mapping[str, Handler]
    limits: Limits
    deadlines: Deadlines
    budget: ReceiveBudget
    connections: "set[Connection]" = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    """The handlers' coroutines: the loop keeps only weak references to its tasks."""


def share(loop: asyncio.AbstractEventLoop, handlers: Mapping[str, Handler], limits: Limits) -> Service:
    """A service whose connections run on `loop`."""
    return Service(
        loop=loop,
        handlers=handlers,
        limits=limits,
        deadlines=Deadlines(loop),
        budget=ReceiveBudget(limits.receive_budget_bytes),
    )
