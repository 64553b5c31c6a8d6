"""Our client against our server, grpcio's server and servers that misbehave."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from hyperframe.frame import DataFrame, GoAwayFrame, HeadersFrame, RstStreamFrame, SettingsFrame

from serving.http2 import Limits, StatusCode, StatusError, UnaryClient, UnaryServer
from serving.http2.client import MAX_WAITING
from tests.serving.http2.conftest import HANDLERS, Desk, Start
from tests.serving.http2.peer import PREFACE, Peer, prefixed

MEBIBYTE = 1024 * 1024
Reach = Callable[..., UnaryClient]


@pytest.fixture
async def reach() -> AsyncIterator[Reach]:
    """Makes clients that are closed behind the test."""
    async with AsyncExitStack() as stack:

        def make(**options: Any) -> UnaryClient:
            client = UnaryClient(**options)
            stack.push_async_callback(client.close)
            return client

        yield make


@pytest.fixture
async def client(server: UnaryServer, reach: Reach) -> UnaryClient:
    return reach(port=server.ports[0])


@pytest.mark.parametrize("size_bytes", [0, 1, 16_380, 65_536, 4 * MEBIBYTE])
async def test_a_message_comes_back_whole(client: UnaryClient, size_bytes: int) -> None:
    message = bytes(range(256)) * (size_bytes // 256) + b"x" * (size_bytes % 256)
    assert await client.ask("/test.Echo/Say", message, timeout_seconds=20) == message


async def test_more_calls_than_streams_take_turns_and_get_their_own_answers(
    start: Start, reach: Reach
) -> None:
    server = await start(limits=Limits(max_concurrent_streams=7))
    client = reach(port=server.ports[0])
    messages = [b"%d" % number * (number % 50) for number in range(1000)]
    assert (
        await asyncio.gather(*(client.ask("/test.Echo/SaySlowly", message) for message in messages))
        == messages
    )


async def test_grpcio_s_server_is_asked_and_its_errors_are_read(reach: Reach) -> None:
    async def say(message: bytes, _context: Any) -> bytes:
        return message

    async def refuse(_message: bytes, context: Any) -> bytes:
        await context.abort(
            grpc.StatusCode.NOT_FOUND,
            "größer als 100%",
            trailing_metadata=(("x-cost", "1"), ("x-bin", b"\0\xff")),
        )
        return b""

    server = grpc.aio.server()
    handlers = {"Say": say, "Refuse": refuse}
    methods = {name: grpc.unary_unary_rpc_method_handler(method) for name, method in handlers.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", methods),))
    client = reach(port=server.add_insecure_port("127.0.0.1:0"))
    await server.start()
    messages = [b"%d" % number * (10 * number) for number in range(200)]
    assert await asyncio.gather(*(client.ask("/test.Echo/Say", message) for message in messages)) == messages
    big = bytes(3 * MEBIBYTE)
    assert await client.ask("/test.Echo/Say", big, timeout_seconds=20) == big
    with pytest.raises(StatusError, match="größer als 100%") as failure:
        await client.ask("/test.Echo/Refuse", b"")
    assert (failure.value.status, dict(failure.value.metadata)) == (
        StatusCode.NOT_FOUND,
        {"x-cost": "1", "x-bin": b"\0\xff"},
    )
    with pytest.raises(StatusError) as failure:
        await client.ask("/test.Echo/Missing", b"")
    assert failure.value.status is StatusCode.UNIMPLEMENTED
    await server.stop(None)


async def test_metadata_and_timeout_reach_the_handler(client: UnaryClient, desk: Desk) -> None:
    asked = asyncio.ensure_future(
        client.ask("/test.Echo/Hold", b"", timeout_seconds=7, metadata=(("x-a", "1"), ("x-b-bin", b"\0")))
    )
    await desk.until(lambda: len(desk.calls) == 1)
    call = desk.calls[0][1]
    assert (call.metadata["x-a"], call.binary_metadata["x-b-bin"]) == ("1", b"\0")
    assert call.deadline is not None
    assert 1 < call.deadline - asyncio.get_running_loop().time() <= 7.1
    call.answer(b"done")
    assert await asked == b"done"


async def test_a_cancelled_call_is_cancelled_at_the_server(client: UnaryClient, desk: Desk) -> None:
    asked = asyncio.ensure_future(client.ask("/test.Echo/Hold", b"held"))
    await desk.until(lambda: len(desk.calls) == 1)
    asked.cancel()
    await desk.until(lambda: desk.cancelled == ["held"])


async def test_a_deadline_ends_the_call_on_both_sides(client: UnaryClient, desk: Desk) -> None:
    with pytest.raises(StatusError) as failure:
        await client.ask("/test.Echo/Hold", b"late", timeout_seconds=0.05)
    assert failure.value.status is StatusCode.DEADLINE_EXCEEDED
    await desk.until(lambda: desk.cancelled == ["late"])


async def test_an_answer_over_the_limit_fails_its_call_alone(server: UnaryServer, reach: Reach) -> None:
    client = reach(port=server.ports[0], limits=Limits(max_message_bytes=1000))
    with pytest.raises(StatusError) as failure:
        await client.ask("/test.Echo/Say", bytes(1001))
    assert failure.value.status is StatusCode.RESOURCE_EXHAUSTED
    assert await client.ask("/test.Echo/Say", bytes(1000)) == bytes(1000)


async def test_a_unix_socket_is_reached(start: Start, reach: Reach, tmp_path: Path) -> None:
    await start(path=tmp_path / "grpc.sock")
    assert await reach(path=str(tmp_path / "grpc.sock")).ask("/test.Echo/Say", b"hello") == b"hello"


async def test_nobody_listening_is_unavailable_at_once(reach: Reach) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    client = reach(port=port)
    for _ in range(2):
        with pytest.raises(StatusError, match="reached") as failure:
            await client.ask("/test.Echo/Say", b"")
        assert failure.value.status is StatusCode.UNAVAILABLE


async def test_a_drained_server_is_left_without_a_lost_call(start: Start, reach: Reach) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        first = await start(sock=listening.dup())
        client = reach(port=listening.getsockname()[1])
        is_moved, is_busy = asyncio.Event(), asyncio.Event()
        answered = 0

        async def ask(number: int) -> None:
            nonlocal answered
            while not is_moved.is_set():
                assert await client.ask("/test.Echo/SaySlowly", b"%d" % number) == b"%d" % number
                answered += 1
                if answered == 100:
                    is_busy.set()

        asking = [asyncio.create_task(ask(number)) for number in range(8)]
        await is_busy.wait()
        second = UnaryServer(HANDLERS)
        await second.start(sock=listening.dup())
        assert await first.drain(grace_seconds=10)
        is_moved.set()
        await asyncio.gather(*asking)
        await second.close()


async def test_a_lost_connection_fails_what_was_open_and_is_made_anew(
    server: UnaryServer, start: Start, reach: Reach, desk: Desk
) -> None:
    client = reach(port=server.ports[0])
    asked = asyncio.ensure_future(client.ask("/test.Echo/Hold", b""))
    await desk.until(lambda: len(desk.calls) == 1)
    port = server.ports[0]
    await server.close()
    with pytest.raises(StatusError) as failure:
        await asked
    assert failure.value.status is StatusCode.UNAVAILABLE
    await server.start(port=port)
    assert await client.ask("/test.Echo/Say", b"again") == b"again"


async def test_who_waits_in_vain_for_a_stream_is_told_beyond_a_bound(
    start: Start, reach: Reach, desk: Desk
) -> None:
    server = await start(limits=Limits(max_concurrent_streams=1))
    client = reach(port=server.ports[0])
    held = asyncio.ensure_future(client.ask("/test.Echo/Hold", b""))
    await desk.until(lambda: len(desk.calls) == 1)
    waiting = [asyncio.ensure_future(client.ask("/test.Echo/Say", b"")) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(StatusError) as failure:
        await client.ask("/test.Echo/Say", b"")
    assert failure.value.status is StatusCode.RESOURCE_EXHAUSTED
    desk.calls[0][1].answer(b"")
    await asyncio.gather(held, *waiting)


async def test_a_closed_client_says_so(client: UnaryClient) -> None:
    await client.close()
    with pytest.raises(StatusError, match="closed"):
        await client.ask("/test.Echo/Say", b"")


Script = Callable[[Peer, int], Awaitable[None]]


@pytest.fixture
async def rogue() -> AsyncIterator[Callable[[Script], Awaitable[int]]]:
    """Servers that answer every call with what their script sends."""
    async with AsyncExitStack() as stack:

        async def run(script: Script) -> int:
            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                peer = Peer(reader, writer)
                assert await reader.readexactly(len(PREFACE)) == PREFACE
                peer.send(SettingsFrame(), SettingsFrame(flags=["ACK"]))
                while (frame := await peer.receive()) is not None:
                    if isinstance(frame, HeadersFrame):
                        await script(peer, frame.stream_id)
                writer.transport.abort()

            listening = await asyncio.start_server(serve, "127.0.0.1", 0)
            stack.callback(listening.close)
            return int(listening.sockets[0].getsockname()[1])

        yield run


OK_HEAD = [(":status", "200"), ("content-type", "application/grpc")]
END = ["END_HEADERS", "END_STREAM"]
MISBEHAVIOUR: list[Any] = [
    pytest.param(
        lambda p, s: p.send(p.headers(s, [(":status", "503")], END)), StatusCode.UNAVAILABLE, id="HTTP 503"
    ),
    pytest.param(
        lambda p, s: p.send(p.headers(s, [(":status", "404")], END)), StatusCode.UNIMPLEMENTED, id="HTTP 404"
    ),
    pytest.param(
        lambda p, s: p.send(p.headers(s, [*OK_HEAD, ("grpc-status", "99")], END)),
        StatusCode.UNKNOWN,
        id="unknown status",
    ),
    pytest.param(
        lambda p, s: p.send(p.headers(s, [*OK_HEAD, ("grpc-status", "0")], END)),
        StatusCode.INTERNAL,
        id="no message",
    ),
    pytest.param(
        lambda p, s: p.send(p.headers(s, OK_HEAD), DataFrame(s, prefixed(b"x"), flags=["END_STREAM"])),
        StatusCode.UNKNOWN,
        id="no trailers",
    ),
    pytest.param(
        lambda p, s: p.send(
            p.headers(s, OK_HEAD),
            DataFrame(s, prefixed(b"x", flag=1)),
            p.headers(s, [("grpc-status", "0")], END),
        ),
        StatusCode.INTERNAL,
        id="compressed",
    ),
    pytest.param(lambda p, s: p.send(RstStreamFrame(s, 8)), StatusCode.CANCELLED, id="cancelled"),
    pytest.param(
        lambda p, s: p.send(RstStreamFrame(s, 11)), StatusCode.RESOURCE_EXHAUSTED, id="told to calm down"
    ),
    pytest.param(lambda p, s: p.send(RstStreamFrame(s, 7)), StatusCode.UNAVAILABLE, id="refused each time"),
    pytest.param(
        lambda p, s: p.send(RstStreamFrame(s, 999)), StatusCode.INTERNAL, id="reset with unknown code"
    ),
    pytest.param(
        lambda p, _: p.send(GoAwayFrame(last_stream_id=0)), StatusCode.UNAVAILABLE, id="goes away each time"
    ),
    pytest.param(lambda p, _: p.send(b"\0\0\1\6\0\0\0\0\0x"), StatusCode.UNAVAILABLE, id="broken PING"),
    pytest.param(
        lambda p, _: p.send(struct.pack(">IBI", 2**31, 0, 0)), StatusCode.UNAVAILABLE, id="frame too long"
    ),
    pytest.param(
        lambda p, _: p.send(p.headers(99, OK_HEAD)), StatusCode.UNAVAILABLE, id="answer that nobody asked for"
    ),
    pytest.param(lambda p, _: p.writer.transport.abort(), StatusCode.UNAVAILABLE, id="connection cut"),
]


@pytest.mark.parametrize(("sends", "status"), MISBEHAVIOUR)
async def test_a_server_that_misbehaves_fails_the_call_with_a_status(
    rogue: Callable[[Script], Awaitable[int]],
    reach: Reach,
    sends: Callable[[Peer, int], None],
    status: StatusCode,
) -> None:
    async def script(peer: Peer, stream_id: int) -> None:
        sends(peer, stream_id)

    client = reach(port=await rogue(script))
    with pytest.raises(StatusError) as failure:
        await client.ask("/test.Echo/Say", b"hello", timeout_seconds=10)
    assert failure.value.status is status, failure.value
