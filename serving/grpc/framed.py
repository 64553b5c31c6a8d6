"""The table of methods on our own HTTP/2 server: the fast transport.

It carries unary calls only, so the streaming services (reflection, Health.Watch) are on `serving.grpc.aio`.
A method runs as `Steps`: what is answered from memory never becomes a task.
"""

import asyncio
import logging
from collections.abc import Mapping

from serving import http2
from serving.calls import Call
from serving.errors import Overloaded, ServingError
from serving.grpc.methods import Method
from serving.grpc.status import status_of
from serving.settings import ServingSettings
from serving.steps import Steps
from serving.tls import server_context

log = logging.getLogger(__name__)

_ENVELOPE_BYTES = 1 << 16
"""What a message may be larger than the body limit: names and shapes around the tensors."""


class FramedServer:
    """Serves the methods on TCP ports and unix sockets."""

    def __init__(self, methods: Mapping[str, Method], settings: ServingSettings) -> None:
        handlers = {path: _adapt(method) for path, method in methods.items()}
        self._server = http2.UnaryServer(handlers, limits=_limits(settings))
        self._tls = server_context(settings.ssl_config_file) if settings.ssl_config_file else None

    async def listen(self, address: str, port: int) -> int:
        """The bound port. Raises OSError when it is taken."""
        await self._server.start(host=address, port=port, ssl_context=self._tls)
        return self._server.ports[-1]

    async def listen_on_socket(self, path: str) -> None:
        """Raises OSError when there is no such folder or the name is taken."""
        await self._server.start(path=path)

    async def start(self) -> None:
        """Nothing is left to do: an address takes calls as soon as it is listened on."""

    async def close(self, *, grace_seconds: float) -> None:
        """Refuse new calls, let running ones finish within the grace."""
        await self._server.drain(grace_seconds=grace_seconds)
        await self._server.close()


def _adapt(method: Method) -> http2.Handler:
    def handle(message: bytes, context: http2.CallContext) -> http2.Answer:
        def finish(answer: bytes | None, error: BaseException | None) -> None:
            if answer is not None:
                context.answer(answer)
            elif error is not None:
                context.fail(_status_error(error))

        call = Call(deadline=context.deadline, metadata=context.metadata)
        steps = Steps(method(message, call), finish)
        if not context.is_over:
            context.on_cancel(steps.cancel)
        return http2.LATER

    return handle


def _status_error(error: BaseException) -> http2.StatusError:
    if isinstance(error, asyncio.CancelledError):
        return http2.StatusError(http2.Status.CANCELLED, "nobody waits for the answer any more")
    if not isinstance(error, ServingError):
        log.error("an internal error while answering a gRPC call", exc_info=error)
        return http2.StatusError(http2.Status.INTERNAL, "Internal error; the server's log has the details")
    code, text = status_of(error)
    metadata: tuple[tuple[str, str | bytes], ...] = ()
    if isinstance(error, Overloaded):
        # gRFC A6: a client that retries by itself waits at least so long.
        metadata = (("grpc-retry-pushback-ms", str(int(error.retry_after_seconds * 1000))),)
    return http2.StatusError(http2.Status(int(code)), text, metadata=metadata)


def _limits(settings: ServingSettings) -> http2.Limits:
    greatest = settings.max_request_bytes + _ENVELOPE_BYTES
    return http2.Limits(
        max_connections=settings.max_connections,
        max_message_bytes=greatest,
        max_header_bytes=max(512, settings.max_header_bytes),
        receive_budget_bytes=max(http2.Limits.receive_budget_bytes, 4 * greatest),
        body_seconds=settings.receive_timeout_seconds,
    )
