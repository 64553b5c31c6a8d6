"""The table of methods on grpcio's asyncio server: messages pass as raw bytes in both directions.

grpcio is the reference: interoperable with everything, and the oracle for any faster transport behind the
same table. It costs 350 to 500 us of CPU per call.
"""

import asyncio
import logging
from collections.abc import Mapping

import grpc
import grpc.aio

from serving.calls import Call
from serving.errors import ServingError, SettingsError
from serving.grpc.calls import Method, finished
from serving.grpc.status import status_of
from serving.grpc.streaming import StreamingMethod
from serving.http2 import StatusCode
from serving.settings import ServingSettings
from serving.text_protos import read_tls

log = logging.getLogger(__name__)

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_ENVELOPE_BYTES = 1 << 16
"""What a message may be larger than the body limit: names and shapes around the tensors."""


class GrpcServer:
    """Serves the methods on TCP ports and unix sockets."""

    def __init__(
        self,
        methods: Mapping[str, Method],
        settings: ServingSettings,
        streaming: Mapping[str, StreamingMethod] | None = None,
    ) -> None:
        self._server = grpc.aio.server(options=_options(settings))
        self._server.add_generic_rpc_handlers((_Handlers(methods, streaming or {}),))
        self._credentials = _credentials(settings)

    async def listen(self, address: str, port: int) -> int:
        """The bound port. Raises OSError when it is taken."""
        return self._bind(f"{address}:{port}", self._credentials)

    async def listen_on_socket(self, path: str) -> None:
        """Raises OSError when there is no such folder or the name is taken."""
        self._bind(f"unix:{path}", None)

    async def start(self) -> None:
        """Take calls; every address must have been named before."""
        await self._server.start()

    def _bind(self, address: str, credentials: grpc.ServerCredentials | None) -> int:
        try:
            if credentials is not None:
                return int(self._server.add_secure_port(address, credentials))
            return int(self._server.add_insecure_port(address))
        except RuntimeError as error:
            raise OSError(
                f"expected to listen for gRPC on {address}, got: {error}; is the port taken?"
            ) from error

    async def close(self, *, grace_seconds: float) -> None:
        """Refuse new calls, let running ones finish within the grace."""
        await self._server.stop(grace_seconds)


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in its stubs only
    def __init__(self, methods: Mapping[str, Method], streaming: Mapping[str, StreamingMethod]) -> None:
        self._handlers = {
            path: grpc.unary_unary_rpc_method_handler(_adapt(method)) for path, method in methods.items()
        } | {
            path: grpc.stream_stream_rpc_method_handler(_adapt_streaming(method))
            for path, method in streaming.items()
        }

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        return self._handlers.get(handler_call_details.method)


def _adapt(method: Method):  # type: ignore[no-untyped-def]  # noqa: ANN202 - grpc-stubs knows only synchronous handlers
    async def handle(message: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        try:
            return await finished(method, message, _call(context))
        except ServingError as error:
            code, text = status_of(error)
        except Exception:  # the outermost loop: a defect answers INTERNAL without its trace
            log.exception("an internal error while answering a gRPC call")
            code, text = StatusCode.INTERNAL, "Internal error; the server's log has the details"
        await context.abort(_CODES[code], text)
        raise AssertionError("abort always raises")

    return handle


class _Conversation:
    """grpcio's context as a `Conversation`."""

    def __init__(self, context: "grpc.aio.ServicerContext[bytes, bytes]") -> None:
        self._context = context

    async def receive(self) -> bytes | None:
        message = await self._context.read()
        return message if isinstance(message, bytes) else None

    async def send(self, message: bytes) -> None:
        await self._context.write(message)


def _adapt_streaming(method: StreamingMethod):  # type: ignore[no-untyped-def]  # noqa: ANN202 - as above
    async def handle(_messages: object, context: "grpc.aio.ServicerContext[bytes, bytes]") -> None:
        try:
            await method(_Conversation(context))
        except ServingError as error:
            code, text = status_of(error)
            await context.abort(_CODES[code], text)

    return handle


def _call(context: "grpc.aio.ServicerContext[bytes, bytes]") -> Call:
    remaining = context.time_remaining()
    deadline = None if remaining is None else asyncio.get_running_loop().time() + remaining
    metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    return Call(
        deadline=deadline,
        metadata=metadata,
        certificate_names=_certificate_names(context),
        add_trailing_metadata=lambda name, value: context.set_trailing_metadata(((name, value),)),
    )


def _certificate_names(context: "grpc.aio.ServicerContext[bytes, bytes]") -> tuple[str, ...]:
    """As `serving.tls.certificate_names`; grpcio has taken the certificate apart already."""
    found = context.auth_context()
    kinds = (("URI", "peer_uri"), ("DNS", "peer_dns"))
    names = tuple(f"{kind}:{value.decode()}" for kind, key in kinds for value in found.get(key, ()))
    return names or tuple(f"CN:{value.decode()}" for value in found.get("x509_common_name", ()))


def _credentials(settings: ServingSettings) -> grpc.ServerCredentials | None:
    if not settings.ssl_config_file:
        return None
    material = read_tls(settings.ssl_config_file)
    return grpc.ssl_server_credentials(
        [(material.key.encode(), material.certificate.encode())],
        root_certificates=material.authority.encode() or None,
        require_client_auth=material.verifies_clients,
    )


def _options(settings: ServingSettings) -> list[tuple[str, int | str]]:
    greatest = settings.max_request_bytes + _ENVELOPE_BYTES
    options: list[tuple[str, int | str]] = [
        ("grpc.max_receive_message_length", greatest),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),  # a taken port is an error, not a second server behind it
        ("grpc.max_metadata_size", settings.max_header_bytes),
    ]
    return options + parse_channel_arguments(settings.grpc_channel_arguments)


def parse_channel_arguments(text: str) -> list[tuple[str, int | str]]:
    """`a=1,b=c` as grpcio takes it; numbers become integers, as in tensorflow_model_server.

    Raises SettingsError.
    """
    arguments: list[tuple[str, int | str]] = []
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if not name or not equals:
            raise SettingsError(
                f"grpc_channel_arguments must be name=value separated by commas, got {part!r}"
            )
        arguments.append((name, int(value) if value.removeprefix("-").isdecimal() else value))
    return arguments
