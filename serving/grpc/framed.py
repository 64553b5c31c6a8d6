"""The table of methods on our own HTTP/2 server: the fast transport.

No unary call becomes a task: a method is told how to finish, and what is answered from memory has by then.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from serving import http2
from serving.calls import Call
from serving.errors import Overloaded, ServingError
from serving.grpc.calls import Method
from serving.grpc.status import PassedStatus, status_of
from serving.grpc.streaming import StreamingMethod
from serving.settings import ServingSettings
from serving.tls import certificate_names, server_context

log = logging.getLogger(__name__)

_ENVELOPE_BYTES = 1 << 16
"""What a message may be larger than the body limit: names and shapes around the tensors."""


class FramedServer:
    """Serves the methods on TCP ports and unix sockets."""

    def __init__(
        self,
        methods: Mapping[str, Method],
        settings: ServingSettings,
        streaming: Mapping[str, StreamingMethod] | None = None,
    ) -> None:
        describe = _describe_sender if settings.access_file else _describe
        handlers = {path: _adapt(method, describe) for path, method in methods.items()}
        streams = {path: _adapt_streaming(method) for path, method in (streaming or {}).items()}
        self._server = http2.UnaryServer(handlers, streaming=streams, limits=_limits(settings))
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


def _adapt(method: Method, describe: Callable[[http2.CallContext], Call]) -> http2.Handler:
    def handle(message: bytes, context: http2.CallContext) -> http2.Answer:
        def finish(answer: bytes | None, error: BaseException | None) -> None:
            if answer is not None:
                context.answer(answer)
            elif error is not None:
                context.fail(_status_error(error))

        cancel = method(message, describe(context), finish)
        if not context.is_over:
            context.on_cancel(cancel)
        return http2.LATER

    return handle


def _adapt_streaming(method: StreamingMethod) -> http2.StreamingHandler:
    async def handle(call: http2.StreamingCall) -> None:
        try:
            await method(call)
        except ServingError as error:
            raise _status_error(error) from error

    return handle


def _describe(context: http2.CallContext) -> Call:
    return Call(
        deadline=context.deadline,
        metadata=context.metadata,
        add_trailing_metadata=context.add_trailing_metadata,
    )


def _describe_sender(context: http2.CallContext) -> Call:
    call = _describe(context)
    call.certificate_names = certificate_names(context.peer_certificate)
    return call


def _status_error(error: BaseException) -> http2.StatusError:
    if isinstance(error, asyncio.CancelledError):
        return http2.StatusError(http2.StatusCode.CANCELLED, "nobody waits for the answer any more")
    if not isinstance(error, ServingError):
        log.error("an internal error while answering a gRPC call", exc_info=error)
        return http2.StatusError(
            http2.StatusCode.INTERNAL, "Internal error; the server's log has the details"
        )
    code, text = status_of(error)
    metadata: tuple[tuple[str, str | bytes], ...] = ()
    if isinstance(error, PassedStatus):
        metadata = error.metadata
    elif isinstance(error, Overloaded):
        # gRFC A6: a client that retries by itself waits at least so long.
        metadata = (("grpc-retry-pushback-ms", str(int(error.retry_after_seconds * 1000))),)
    return http2.StatusError(code, text, metadata=metadata)


def _limits(settings: ServingSettings) -> http2.Limits:
    greatest = settings.max_request_bytes + _ENVELOPE_BYTES
    return http2.Limits(
        max_connections=settings.max_connections,
        max_message_bytes=greatest,
        max_header_bytes=max(512, settings.max_header_bytes),
        receive_budget_bytes=max(http2.Limits.receive_budget_bytes, 4 * greatest),
        body_seconds=settings.receive_timeout_seconds,
    )
