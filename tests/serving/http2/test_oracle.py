"""The same calls to grpcio's server and to ours: a client must see the same."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from serving.http2 import UnaryServer

MEBIBYTE = 1024 * 1024
CASES = [
    pytest.param("/test.Echo/Say", b"hello", id="answer"),
    pytest.param("/test.Echo/Say", b"", id="empty message"),
    pytest.param("/test.Echo/Say", b"x" * MEBIBYTE, id="large message"),
    pytest.param("/test.Echo/SayTrailers", b"hello", id="trailing metadata"),
    pytest.param("/test.Echo/Refuse", b"hello", id="status"),
    pytest.param("/test.Echo/Missing", b"hello", id="no such method"),
    pytest.param("/nonsense", b"hello", id="no method's name"),
]


async def grpcio_say(message: bytes, _context: Any) -> bytes:
    return message


async def grpcio_say_trailers(message: bytes, context: Any) -> bytes:
    context.set_trailing_metadata((("x-cost", "12"), ("x-trace-bin", b"\0\xff")))
    return message


async def grpcio_refuse(_message: bytes, context: Any) -> bytes:
    await context.abort(
        grpc.StatusCode.INVALID_ARGUMENT,
        "größer als 100%",
        trailing_metadata=(("grpc-retry-pushback-ms", "250"),),
    )
    return b""


@pytest.fixture
async def oracle_port() -> AsyncIterator[int]:
    server = grpc.aio.server()
    methods = {"Say": grpcio_say, "SayTrailers": grpcio_say_trailers, "Refuse": grpcio_refuse}
    handlers = {name: grpc.unary_unary_rpc_method_handler(method) for name, method in methods.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield port
    await server.stop(None)


async def observe(port: int, method: str, message: bytes) -> dict[str, Any]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(method)(message, timeout=20)
        try:
            answer: bytes | None = await call
        except grpc.aio.AioRpcError:
            answer = None
        return {
            "answer": answer,
            "code": await call.code(),
            "details": await call.details(),
            "trailers": sorted(tuple(item) for item in await call.trailing_metadata() or ()),
        }


@pytest.mark.parametrize(("method", "message"), CASES)
async def test_a_client_sees_what_grpcio_would_show_it(
    server: UnaryServer, oracle_port: int, method: str, message: bytes
) -> None:
    assert await observe(server.ports[0], method, message) == await observe(oracle_port, method, message)


@pytest.mark.usefixtures("crashes")
async def test_a_crash_has_grpcio_s_code_but_tells_no_secret(server: UnaryServer) -> None:
    seen = await observe(server.ports[0], "/test.Echo/Crash", b"")
    assert seen["code"] is grpc.StatusCode.UNKNOWN
    assert "secret" not in seen["details"]


async def test_a_compressed_message_is_refused_as_unimplemented(server: UnaryServer) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
        call = channel.unary_unary("/test.Echo/Say")
        with pytest.raises(grpc.aio.AioRpcError, match="gzip") as failure:
            await call(b"x" * 10_000, compression=grpc.Compression.Gzip, timeout=20)
    assert failure.value.code() is grpc.StatusCode.UNIMPLEMENTED
