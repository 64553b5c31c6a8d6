"""Whole calls by the clients that people use: grpcio's, asynchronous and synchronous."""

import asyncio
import gc
import socket
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import hpack
import pytest
from hyperframe.frame import HeadersFrame

from serving.http2 import CallContext, Limits, StatusCode, StatusError, UnaryServer
from tests.serving.http2.conftest import Desk, Start
from tests.serving.http2.peer import data_frames, prefixed, replaced
from tests.serving.http2.rig import rigged
from tests.serving.http2.sessions import GREETING

MEBIBYTE = 1024 * 1024
NO_LIMIT = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


@pytest.fixture
async def channel(server: UnaryServer) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.ports[0]}", options=NO_LIMIT) as channel:
        yield channel


@pytest.mark.parametrize("method", ["Say", "SaySlowly"], ids=["at once", "coroutine"])
@pytest.mark.parametrize("size_bytes", [0, 1, 16_379, 16_380, 65_536, 4 * MEBIBYTE])
async def test_a_message_comes_back_whole(channel: grpc.aio.Channel, method: str, size_bytes: int) -> None:
    message = bytes(range(256)) * (size_bytes // 256) + b"x" * (size_bytes % 256)
    assert await channel.unary_unary(f"/test.Echo/{method}")(message, timeout=20) == message


async def test_a_thousand_calls_at_a_time_get_their_own_answers(channel: grpc.aio.Channel) -> None:
    call = channel.unary_unary("/test.Echo/SaySlowly")
    messages = [b"%d" % number * (number % 50) for number in range(1000)]
    assert await asyncio.gather(*(call(message) for message in messages)) == messages


async def test_the_synchronous_client_is_served_too(server: UnaryServer) -> None:
    def call() -> bytes:
        with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
            return channel.unary_unary("/test.Echo/Say")(b"hello", timeout=10)

    assert await asyncio.to_thread(call) == b"hello"


async def test_a_message_over_the_limit_is_refused_with_both_sizes(start: Start) -> None:
    server = await start(limits=Limits(max_message_bytes=MEBIBYTE))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
        call = channel.unary_unary("/test.Echo/Say")
        assert len(await call(b"x" * MEBIBYTE)) == MEBIBYTE
        with pytest.raises(grpc.aio.AioRpcError, match="1048577") as failure:
            await call(b"x" * (MEBIBYTE + 1))
        assert failure.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await call(b"and on") == b"and on"


async def test_metadata_arrives_as_text_and_as_bytes(channel: grpc.aio.Channel) -> None:
    sent = (("x-tenant", "blue"), ("x-twice", "1"), ("x-twice", "2"), ("x-key-bin", b"\0\xff"))
    seen = await channel.unary_unary("/test.Echo/SayMetadata")(b"", metadata=sent)
    text, binary = eval(seen)
    assert {name: text[name] for name in ("x-tenant", "x-twice")} == {"x-tenant": "blue", "x-twice": "1,2"}
    assert binary == {"x-key-bin": b"\0\xff"}


@pytest.mark.parametrize("count", [200])
async def test_metadata_that_never_repeats_is_not_mixed_up(channel: grpc.aio.Channel, count: int) -> None:
    call = channel.unary_unary("/test.Echo/SayMetadata")
    seen = await asyncio.gather(*(call(b"", metadata=(("x-request-id", f"id-{n}"),)) for n in range(count)))
    assert [f"'x-request-id': 'id-{n}'".encode() in one for n, one in enumerate(seen)] == [True] * count


async def test_a_cancelled_call_reaches_the_callback_of_its_handler(
    channel: grpc.aio.Channel, desk: Desk
) -> None:
    call = channel.unary_unary("/test.Echo/Hold")(b"held")
    await desk.until(lambda: len(desk.calls) == 1)
    call.cancel()
    await desk.until(lambda: desk.cancelled == ["held"])
    assert desk.calls[0][1].is_over


async def test_a_cancelled_call_cancels_the_coroutine_of_its_handler(
    channel: grpc.aio.Channel, desk: Desk
) -> None:
    call = channel.unary_unary("/test.Echo/Wait")(b"held")
    await desk.until(lambda: len(desk.calls) == 1)
    call.cancel()
    await desk.until(lambda: desk.cancelled == ["held"])


async def test_a_call_answered_later_leaves_its_neighbours_alone(
    channel: grpc.aio.Channel, desk: Desk
) -> None:
    hold = channel.unary_unary("/test.Echo/Hold")
    first, second, third = hold(b"1"), hold(b"2"), hold(b"3")
    await desk.until(lambda: len(desk.calls) == 3)
    second.cancel()
    await desk.until(lambda: desk.cancelled == ["2"])
    for message, call in reversed(desk.calls):
        call.answer(message * 2)
    assert (await first, await third) == (b"11", b"33")


async def test_a_deadline_is_seen_by_the_handler_and_ends_the_call(
    channel: grpc.aio.Channel, desk: Desk
) -> None:
    before = asyncio.get_running_loop().time()
    call = channel.unary_unary("/test.Echo/Hold")(b"late", timeout=0.2)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call
    assert failure.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await desk.until(lambda: desk.cancelled == ["late"])
    deadline = desk.calls[0][1].deadline
    assert deadline is not None
    assert 0.1 < deadline - before < 10


async def test_a_call_without_deadline_has_none(channel: grpc.aio.Channel, desk: Desk) -> None:
    call = channel.unary_unary("/test.Echo/Hold")(b"")
    await desk.until(lambda: len(desk.calls) == 1)
    assert desk.calls[0][1].deadline is None
    assert desk.calls[0][1].peer.startswith("127.0.0.1:")
    assert desk.calls[0][1].peer_certificate is None
    desk.calls[0][1].answer(b"done")
    assert await call == b"done"


async def test_a_unix_socket_is_served(start: Start, tmp_path: Path, desk: Desk) -> None:
    await start(path=tmp_path / "grpc.sock")
    async with grpc.aio.insecure_channel(f"unix:{tmp_path / 'grpc.sock'}") as channel:
        assert await channel.unary_unary("/test.Echo/Say")(b"hello") == b"hello"


async def test_a_bound_socket_is_served(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        server = await start(sock=bound.dup())
        assert server.ports == [bound.getsockname()[1]]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
            assert await channel.unary_unary("/test.Echo/Say")(b"hello") == b"hello"


def tell_it_itself(call: CallContext) -> None:
    """What most transports do: whoever is told of the end knows the call."""
    call.on_cancel(lambda: call.path)


@pytest.mark.parametrize(
    "end",
    [lambda call: call.answer(b""), lambda call: call.fail(StatusError(StatusCode.ABORTED, "enough"))],
    ids=["answered", "failed"],
)
def test_a_call_that_is_over_leaves_nothing_for_the_collector(end: Callable[[CallContext], None]) -> None:
    with rigged() as rig:
        headers = HeadersFrame(
            1, hpack.Encoder().encode(replaced(_path="/test.Echo/Hold")), flags=["END_HEADERS"]
        )
        body = data_frames(1, prefixed(b"hello"))
        rig.feed(GREETING + headers.serialize() + b"".join(frame.serialize() for frame in body), [])
        (call,) = rig.held
        rig.held.clear()
        tell_it_itself(call)
        trace = weakref.ref(call)
        gc.disable()
        try:
            end(call)
            del call
            rig.turn()
            assert trace() is None
        finally:
            gc.enable()
