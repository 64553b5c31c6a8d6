"""What stands in front of both transports, where an operator asked for it: the access log, and inside it the door.

    request ──> access log ──> door ──> API

In this order, so that who is not let in is written down too. What is not asked for is not there: a request
then meets the API's own handler first.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus

from serving.access import Door, Keeper, Rooms, guard_handler, guard_methods
from serving.access_log import Journal, Writer, log_handlers, log_methods, log_refusals
from serving.grpc import Method
from serving.http1 import Response
from serving.http1.messages import QuickHandler
from serving.metrics import Metrics
from serving.settings import ServingSettings

Greet = Callable[[asyncio.BaseTransport], QuickHandler]
Refusal = Callable[[HTTPStatus, str], Response]


class Entrances:
    """The entrances of one server. Belongs to the event loop that is running when it is made."""

    def __init__(
        self, settings: ServingSettings, metrics: Metrics, model_names: Callable[[], Collection[str]]
    ) -> None:
        """Raises SettingsError when the access file is wrong or the access log cannot be written."""
        self._metrics = metrics
        self._keeper = Keeper(settings.access_file, metrics) if settings.access_file else None
        self._writer = Writer(settings.access_log) if settings.access_log else None
        self._journal: Journal | None = None
        if self._writer is not None:
            writer = self._writer
            self._journal = Journal(writer, sample=settings.access_log_sample, model_names=model_names)
            metrics.before_page.append(lambda: metrics.access_log_dropped.set(writer.dropped))

    def start(self) -> None:
        """Look after the access file from now on."""
        if self._keeper is not None:
            self._keeper.start()

    async def close(self) -> None:
        """Write down what is left; nothing may be asked any more."""
        if self._keeper is not None:
            await self._keeper.close()
        if self._writer is not None:
            self._writer.close()

    def for_rest(self, handler: QuickHandler, refusal: Refusal) -> tuple[Greet | None, Refusal]:
        """How an HttpServer greets a connection, and what it says to what is no request."""
        greet = guard_handler(handler, Door(self._keeper), self._metrics) if self._keeper else None
        if self._journal is None:
            return greet, refusal
        return log_handlers(greet or (lambda _transport: handler), self._journal), log_refusals(
            refusal, self._journal
        )

    def for_console(self, handler: QuickHandler, page: Collection[str], state: str) -> Greet | None:
        """How the console's HttpServer greets a connection: its page is for everybody, its state for observers."""
        greet: Greet | None = None
        if self._keeper is not None:
            rooms = Rooms(open_paths=page, observed_paths=[state])
            greet = guard_handler(handler, Door(self._keeper), self._metrics, rooms)
        if self._journal is None:
            return greet
        return log_handlers(greet or (lambda _transport: handler), self._journal, leaves_out={*page, state})

    def for_grpc(self, methods: Mapping[str, Method]) -> Mapping[str, Method]:
        """The methods that a gRPC transport carries."""
        if self._keeper is not None:
            methods = guard_methods(methods, Door(self._keeper), self._metrics)
        return methods if self._journal is None else log_methods(methods, self._journal)
