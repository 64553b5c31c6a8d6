"""How a server ends: in order, with nothing lost, or at once, with everybody told."""

import asyncio
import socket

import grpc
import pytest
from hyperframe.frame import GoAwayFrame, PingFrame, RstStreamFrame

from serving.http2 import UnaryServer
from serving.http2.codes import ErrorCode
from tests.serving.http2.conftest import HANDLERS, Connect, Desk, Start
from tests.serving.http2.peer import Peer


async def test_two_goaways_and_a_ping_between_them_let_calls_under_way_in(
    server: UnaryServer, peer: Peer, desk: Desk
) -> None:
    peer.call(1, b"before", _path="/test.Echo/Hold")
    await desk.until(lambda: len(desk.calls) == 1)
    draining = asyncio.create_task(server.drain(grace_seconds=10))
    assert (await peer.expect(GoAwayFrame)).last_stream_id == 2**31 - 1
    ping = await peer.expect(PingFrame)
    peer.call(3, b"under way")
    peer.send(PingFrame(opaque_data=ping.opaque_data, flags=["ACK"]))
    assert await peer.answer(3) == b"under way"
    assert (await peer.expect(GoAwayFrame)).last_stream_id == 3
    peer.call(5, b"too late")
    assert (await peer.expect(RstStreamFrame, stream_id=5)).error_code == ErrorCode.REFUSED_STREAM
    desk.calls[0][1].answer(b"done")
    assert await peer.answer(1) == b"done"
    assert await peer.at_end()
    assert await draining


async def test_a_drained_server_takes_no_new_connection(server: UnaryServer) -> None:
    port = server.ports[0]
    assert await server.drain(grace_seconds=10)
    with pytest.raises(ConnectionRefusedError):
        await Peer.connect(port)


async def test_a_drain_gives_up_after_its_grace(server: UnaryServer, peer: Peer, desk: Desk) -> None:
    peer.call(1, b"stuck", _path="/test.Echo/Hold")
    await desk.until(lambda: len(desk.calls) == 1)
    assert not await server.drain(grace_seconds=0.01)
    await server.close()
    assert desk.cancelled == ["stuck"]
    assert server.connection_count == 0


async def test_a_client_that_says_goodbye_gets_its_answers_first(
    server: UnaryServer, peer: Peer, desk: Desk
) -> None:
    peer.call(1, b"last", _path="/test.Echo/Hold")
    peer.send(GoAwayFrame(last_stream_id=0))
    await desk.until(lambda: len(desk.calls) == 1)
    desk.calls[0][1].answer(b"done")
    assert await peer.answer(1) == b"done"
    assert await peer.at_end()


@pytest.mark.parametrize("method", ["Hold", "Wait"], ids=["callback", "coroutine"])
async def test_a_lost_connection_cancels_its_calls(
    server: UnaryServer, peer: Peer, desk: Desk, method: str
) -> None:
    for number in range(3):
        peer.call(2 * number + 1, b"%d" % number, _path=f"/test.Echo/{method}")
    await desk.until(lambda: len(desk.calls) == 3)
    await peer.close()
    await desk.until(lambda: sorted(desk.cancelled) == ["0", "1", "2"])
    desk.calls[0][1].answer(b"to nobody")
    assert server.open_call_count == 0


async def test_closing_twice_and_closing_what_never_started_is_fine(start: Start) -> None:
    server = await start()
    await server.close()
    await server.close()
    await UnaryServer({}).close()
    assert await UnaryServer({}).drain(grace_seconds=1)


async def test_a_server_may_start_again_after_its_end(start: Start, connect: Connect) -> None:
    server = await start()
    await server.close()
    await server.start()
    peer = await connect(server)
    peer.call()
    assert await peer.answer() == b"hello"


async def test_calls_move_to_the_next_server_without_one_being_lost(start: Start) -> None:
    """Two servers share a listening socket; the first is drained under load, as a rolling update does it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        first = await start(sock=listening.dup())
        async with grpc.aio.insecure_channel(f"127.0.0.1:{listening.getsockname()[1]}") as channel:
            call = channel.unary_unary("/test.Echo/SaySlowly")
            answered = 0
            is_busy, is_moved = asyncio.Event(), asyncio.Event()

            async def ask(client: int) -> None:
                nonlocal answered
                number = 0
                while not is_moved.is_set() or number < 50:
                    message = b"%d-%d" % (client, number)
                    assert await call(message, timeout=20) == message
                    answered += 1
                    if answered == 100:
                        is_busy.set()
                    number += 1

            clients = [asyncio.create_task(ask(client)) for client in range(8)]
            await is_busy.wait()
            second = UnaryServer(HANDLERS)
            await second.start(sock=listening.dup())
            assert await first.drain(grace_seconds=10)
            is_moved.set()
            await asyncio.gather(*clients)
            await second.close()


@pytest.mark.usefixtures("crashes")
async def test_a_handler_that_gives_nothing_back_fails_its_call_alone(start: Start, connect: Connect) -> None:
    async def nothing(_message: bytes, _call: object) -> bytes:
        return None  # type: ignore[return-value]  # the mistake under test

    def forgotten(_message: bytes, _call: object) -> bytes:
        return None  # type: ignore[return-value]  # the mistake under test

    async def given_up(_message: bytes, _call: object) -> bytes:
        raise asyncio.CancelledError

    server = UnaryServer(
        {"/test.Echo/Nothing": nothing, "/test.Echo/Forgotten": forgotten, "/test.Echo/Up": given_up}
    )
    await server.start()
    peer = await connect(server)
    statuses = {}
    for stream_id, method in ((1, "Nothing"), (3, "Forgotten"), (5, "Up")):
        peer.call(stream_id, _path=f"/test.Echo/{method}")
        statuses[method] = (await peer.status(stream_id))[0]
    assert statuses == {"Nothing": "2", "Forgotten": "2", "Up": "1"}
    await server.close()
