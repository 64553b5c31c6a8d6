"""Streaming calls: by grpcio, which is the oracle, and by single frames where order and windows matter."""

from collections.abc import Awaitable, Callable

import grpc
import grpc.aio
import pytest
from hyperframe.frame import DataFrame, HeadersFrame, RstStreamFrame, WindowUpdateFrame

from serving.http2 import Limits, UnaryServer
from serving.http2.duplex import MAX_MESSAGE_BYTES
from tests.serving.http2.conftest import Connect, Desk, Start
from tests.serving.http2.peer import Peer, prefixed, replaced

CHAT, COUNT, WATCH = "/test.Echo/Chat", "/test.Echo/Count", "/test.Echo/Watch"
Converse = Callable[[UnaryServer, str, list[bytes]], Awaitable[list[bytes]]]


async def converse(server: UnaryServer, path: str, messages: list[bytes]) -> list[bytes]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
        call = channel.stream_stream(path)(iter(messages), timeout=10)
        return [message async for message in call]


async def test_every_message_is_answered_in_order(server: UnaryServer) -> None:
    messages = [b"%d" % number * number for number in range(50)]
    assert await converse(server, CHAT, messages) == messages


async def test_a_call_without_messages_ends_well(server: UnaryServer) -> None:
    assert await converse(server, CHAT, []) == []


async def test_many_answers_fit_through_small_windows(server: UnaryServer) -> None:
    answers = await converse(server, COUNT, [b"500"])
    assert [int(answer) for answer in answers] == list(range(500))


async def test_more_than_a_window_can_be_sent_to_a_handler_that_reads(start: Start) -> None:
    server = await start(limits=Limits(stream_window_bytes=65_535))
    messages = [bytes([number]) * 30_000 for number in range(40)]
    assert await converse(server, CHAT, messages) == messages


async def test_answers_come_while_the_caller_still_sends(peer: Peer) -> None:
    peer.send(peer.headers(1, replaced(_path=CHAT)))
    for word in (b"one", b"two"):
        peer.send(DataFrame(1, prefixed(word)))
        frame = await peer.expect(DataFrame, stream_id=1)
        assert frame.data == prefixed(word)
    peer.send(DataFrame(1, b"", flags=["END_STREAM"]))
    assert await peer.status() == ("0", "")


async def test_a_message_in_pieces_is_put_together(peer: Peer) -> None:
    peer.send(peer.headers(1, replaced(_path=CHAT)))
    octets = prefixed(b"hello") + prefixed(b"you")
    peer.send(DataFrame(1, octets[:3]), DataFrame(1, octets[3:12]))
    peer.send(DataFrame(1, octets[12:], flags=["END_STREAM"]))
    answered = b""
    while len(answered) < len(octets):
        answered += (await peer.expect(DataFrame, stream_id=1)).data
    assert answered == octets


async def test_what_a_handler_raises_ends_the_call_behind_its_answers(server: UnaryServer) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
        call = channel.stream_stream(CHAT)(iter([b"hello", b"refuse"]), timeout=10)
        assert await call.read() == b"hello"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "not here"
    assert dict(caught.value.trailing_metadata() or ())["x-why"] == "asked"


async def test_a_handler_that_crashes_tells_nothing(server: UnaryServer, crashes: None) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="its log has the cause") as caught:
        await converse(server, CHAT, [b"crash"])
    assert caught.value.code() is grpc.StatusCode.UNKNOWN


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (prefixed(b"", length=MAX_MESSAGE_BYTES + 1), "8"),
        (prefixed(b"packed", flag=1), "12"),
        (prefixed(b"half", length=9), "13"),
    ],
    ids=["too large", "compressed", "cut off"],
)
async def test_what_is_no_message_ends_the_call(peer: Peer, octets: bytes, status: str) -> None:
    peer.send(peer.headers(1, replaced(_path=CHAT)), DataFrame(1, octets, flags=["END_STREAM"]))
    assert (await peer.status())[0] == status
    await peer.settle()


async def test_a_caller_that_resets_cancels_the_handler(peer: Peer, desk: Desk) -> None:
    peer.send(peer.headers(1, replaced(_path=WATCH)), DataFrame(1, prefixed(b"me")))
    await desk.until(lambda: bool(desk.calls))
    peer.send(RstStreamFrame(1, error_code=8))
    await desk.until(lambda: desk.cancelled == ["me"])


async def test_a_deadline_ends_a_call_that_has_begun(peer: Peer) -> None:
    peer.send(peer.headers(1, replaced(_path=CHAT, grpc_timeout="100m")), DataFrame(1, prefixed(b"hello")))
    head = await peer.expect(HeadersFrame, stream_id=1)
    assert "grpc-status" not in head.fields
    assert (await peer.status())[0] == "4"


async def test_a_handler_waits_for_a_caller_that_does_not_read(server: UnaryServer, connect: Connect) -> None:
    peer = await connect(server, {4: 2000})
    peer.send(peer.headers(1, replaced(_path=COUNT)), DataFrame(1, prefixed(b"4"), flags=["END_STREAM"]))
    received = 0
    while received < 2000:
        received += len((await peer.expect(DataFrame, stream_id=1)).data)
    await peer.settle()  # nothing more comes
    peer.send(WindowUpdateFrame(1, window_increment=10_000))
    while received < 4 * 1029:
        received += len((await peer.expect(DataFrame, stream_id=1)).data)
    assert await peer.status() == ("0", "")


async def test_a_draining_server_ends_calls_that_would_go_on(
    server: UnaryServer, peer: Peer, desk: Desk
) -> None:
    peer.send(peer.headers(1, replaced(_path=WATCH)), DataFrame(1, prefixed(b"me")))
    await desk.until(lambda: bool(desk.calls))
    assert await server.drain(grace_seconds=10)
    assert desk.cancelled == ["me"]
    assert await peer.status() == ("14", "the server is going away; call again")


async def test_one_more_call_than_the_server_may_have_is_refused(start: Start, connect: Connect) -> None:
    server = await start(limits=Limits(max_streaming_calls=1))
    peer = await connect(server)
    peer.send(peer.headers(1, replaced(_path=CHAT)), peer.headers(3, replaced(_path=CHAT)))
    peer.send(DataFrame(3, b"", flags=["END_STREAM"]))
    assert (await peer.status(3))[0] == "8"
    peer.send(DataFrame(1, prefixed(b"hello"), flags=["END_STREAM"]))
    assert await peer.answer(1) == b"hello"
