"""The table on both transports, asked by a real grpcio client: what one does, the other must do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest

from serving.calls import Call
from serving.errors import InvalidRequest, SettingsError
from serving.grpc.aio import GrpcServer, parse_channel_arguments
from serving.grpc.calls import uncounted
from serving.grpc.framed import FramedServer
from serving.settings import ServingSettings

Transport = type[GrpcServer] | type[FramedServer]


async def echo(message: bytes, call: Call) -> bytes:
    remaining = call.remaining_seconds(asyncio.get_running_loop().time())
    return message + call.metadata.get("who", "").encode() + (b" waits" if remaining is not None else b"")


async def refuse(_message: bytes, _call: Call) -> bytes:
    raise InvalidRequest("expected something else")


async def fail(_message: bytes, _call: Call) -> bytes:
    raise RuntimeError("a secret")


@pytest.fixture(params=[GrpcServer, FramedServer], ids=["grpcio", "http2"])
def transport(request: pytest.FixtureRequest) -> Transport:
    return request.param  # type: ignore[no-any-return]


@asynccontextmanager
async def channel(transport: Transport, **settings: object) -> AsyncIterator[grpc.aio.Channel]:
    table = {"/s/Echo": uncounted(echo), "/s/Refuse": uncounted(refuse), "/s/Fail": uncounted(fail)}
    server = transport(table, ServingSettings(**settings))  # type: ignore[arg-type]
    port = await server.listen("127.0.0.1", 0)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as opened:
        yield opened
    await server.close(grace_seconds=0)


async def error_of(opened: grpc.aio.Channel, path: str, message: bytes = b"") -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await opened.unary_unary(path)(message, timeout=5)
    return caught.value.code(), caught.value.details() or ""


async def test_messages_metadata_and_deadlines_reach_the_method(transport: Transport) -> None:
    async with channel(transport) as opened:
        assert await opened.unary_unary("/s/Echo")(b"hi ", metadata=(("who", "me"),)) == b"hi me"
        assert await opened.unary_unary("/s/Echo")(b"hi", timeout=5) == b"hi waits"


async def test_errors_become_status_codes(transport: Transport) -> None:
    async with channel(transport) as opened:
        assert await error_of(opened, "/s/Refuse") == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "expected something else",
        )


async def test_a_defect_does_not_tell_its_trace(transport: Transport) -> None:
    async with channel(transport) as opened:
        code, text = await error_of(opened, "/s/Fail")
        assert (code, "secret" in text) == (grpc.StatusCode.INTERNAL, False)


async def test_an_unknown_method_is_unimplemented(transport: Transport) -> None:
    async with channel(transport) as opened:
        assert (await error_of(opened, "/s/Nope"))[0] is grpc.StatusCode.UNIMPLEMENTED


async def test_a_message_over_the_limit_is_refused(transport: Transport) -> None:
    async with channel(transport, max_request_bytes=1000) as opened:
        code, _ = await error_of(opened, "/s/Echo", b"x" * 100_000)
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_taken_port_is_an_error(transport: Transport) -> None:
    first, second = transport({}, ServingSettings()), transport({}, ServingSettings())
    port = await first.listen("127.0.0.1", 0)
    with pytest.raises(OSError, match=r"expected to listen for gRPC on|address already in use"):
        await second.listen("127.0.0.1", port)
    await first.close(grace_seconds=0)
    await second.close(grace_seconds=0)


async def test_a_caller_that_gives_up_cancels_its_method(transport: Transport) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(_message: bytes, _call: Call) -> bytes:
        started.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.set()
        raise AssertionError

    server = transport({"/s/Wait": uncounted(wait)}, ServingSettings())
    port = await server.listen("127.0.0.1", 0)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as opened:
        call = opened.unary_unary("/s/Wait")(b"")
        await asyncio.wait_for(started.wait(), 5)
        call.cancel()
        await asyncio.wait_for(cancelled.wait(), 5)
    await server.close(grace_seconds=0)


async def test_a_unix_socket_is_served(transport: Transport, tmp_path: Path) -> None:
    server = transport({"/s/Echo": uncounted(echo)}, ServingSettings())
    await server.listen_on_socket(str(tmp_path / "s"))
    await server.start()
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/s") as opened:
        assert await opened.unary_unary("/s/Echo")(b"hi") == b"hi"
    await server.close(grace_seconds=0)


def test_channel_arguments_are_read_as_tensorflow_model_server_reads_them() -> None:
    assert parse_channel_arguments("grpc.max_connection_age_ms=500,a=b,") == [
        ("grpc.max_connection_age_ms", 500),
        ("a", "b"),
    ]


def test_a_channel_argument_without_a_value_is_refused() -> None:
    with pytest.raises(SettingsError, match="must be name=value separated by commas, got 'a'"):
        parse_channel_arguments("a")
