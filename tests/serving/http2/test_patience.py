"""Slow and silent peers, with limits of a few hundredths of a second: each is let go, others are served meanwhile."""

import asyncio
from collections.abc import Callable

import pytest
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, PingFrame, RstStreamFrame, SettingsFrame

from serving.http2 import Limits
from serving.http2.codes import ErrorCode
from tests.serving.http2.conftest import Connect, Desk, Start
from tests.serving.http2.peer import CALL_FIELDS, PREFACE, Peer, prefixed

SHORT = 0.05
GREETINGS = [
    pytest.param(b"", ErrorCode.PROTOCOL_ERROR, id="nothing"),
    pytest.param(PREFACE[:10], ErrorCode.PROTOCOL_ERROR, id="half a preface"),
    pytest.param(PREFACE, ErrorCode.PROTOCOL_ERROR, id="no SETTINGS"),
    pytest.param(PREFACE + SettingsFrame().serialize(), ErrorCode.SETTINGS_TIMEOUT, id="no acknowledgement"),
]


@pytest.mark.parametrize(("octets", "code"), GREETINGS)
async def test_a_greeting_that_does_not_come_is_not_waited_for(
    start: Start, octets: bytes, code: ErrorCode
) -> None:
    server = await start(limits=Limits(preface_seconds=SHORT))
    peer = await Peer.connect(server.ports[0])
    peer.send(octets)
    goaway = await peer.expect(GoAwayFrame)
    assert ErrorCode(goaway.error_code) is code
    assert await peer.at_end()
    await peer.close()


UNFINISHED: list[tuple[str, Callable[[Peer], tuple[bytes | Frame, ...]]]] = [
    ("frame head", lambda _: (b"\0\0\1",)),
    ("frame", lambda peer: (peer.headers(), DataFrame(1, bytes(1000)).serialize()[:-1])),
    ("header block", lambda peer: (peer.headers(flags=[]),)),
]


@pytest.mark.parametrize("sends", [pytest.param(sends, id=name) for name, sends in UNFINISHED])
async def test_a_frame_or_header_block_that_does_not_end_ends_its_connection_only(
    start: Start, connect: Connect, sends: Callable[[Peer], tuple[bytes | Frame, ...]]
) -> None:
    server = await start(limits=Limits(frame_seconds=SHORT))
    slow, brisk = await connect(server), await connect(server)
    slow.send(*sends(slow))
    assert (await slow.expect(GoAwayFrame)).error_code == ErrorCode.ENHANCE_YOUR_CALM
    brisk.call()
    assert await brisk.answer() == b"hello"


async def test_frames_that_keep_ending_in_the_middle_of_a_read_are_no_slow_frame(
    start: Start, connect: Connect
) -> None:
    server = await start(limits=Limits(frame_seconds=0.3, burst_of_control_frames=10**9))
    peer = await connect(server)
    loop = asyncio.get_running_loop()
    ping = PingFrame(opaque_data=b"12345678").serialize()
    peer.send(ping[:1])
    begun_at = loop.time()
    while loop.time() - begun_at < 0.6:
        peer.send(ping[1:] + ping[:1])
        await peer.expect(PingFrame, flag="ACK")
    peer.send(ping[1:])
    peer.call()
    assert await peer.answer() == b"hello"


async def test_a_message_that_does_not_end_is_answered_with_its_deadline(
    start: Start, connect: Connect
) -> None:
    peer = await connect(await start(limits=Limits(body_seconds=SHORT)))
    peer.send(peer.headers(), DataFrame(1, prefixed(b"x", length=10_000)))
    assert (await peer.status())[0] == "4"
    peer.call(3)
    assert await peer.answer(3) == b"hello"


async def test_an_answer_that_is_never_taken_is_given_up(start: Start, connect: Connect) -> None:
    server = await start(limits=Limits(send_seconds=SHORT))
    peer = await connect(server, {SettingsFrame.INITIAL_WINDOW_SIZE: 0})
    peer.call()
    reset = await peer.expect(RstStreamFrame)
    assert (reset.stream_id, ErrorCode(reset.error_code)) == (1, ErrorCode.CANCEL)
    assert server.open_call_count == 0


async def test_a_socket_that_is_never_read_is_cut_off(start: Start, connect: Connect, desk: Desk) -> None:
    server = await start(limits=Limits(send_seconds=SHORT))
    peer = await connect(server, {SettingsFrame.INITIAL_WINDOW_SIZE: 2**31 - 1}, limit=1024)
    peer.send(b"\0\0\4\x08\0\0\0\0\0\x40\0\0\0")
    for number in range(16):
        peer.call(2 * number + 1, _path="/test.Echo/Hold")
    await desk.until(lambda: len(desk.calls) == 16)
    for _, call in desk.calls:
        call.answer(bytes(1024 * 1024))
    async with asyncio.timeout(10):
        while server.connection_count:  # noqa: ASYNC110 - it says nothing when it gives up
            await asyncio.sleep(
                SHORT
            )  # the server says nothing when it gives up; there is nothing else to wait for


async def test_silence_is_answered_by_a_ping_and_then_by_the_end(start: Start, connect: Connect) -> None:
    limits = Limits(keepalive_idle_seconds=SHORT, keepalive_timeout_seconds=SHORT)
    peer = await connect(await start(limits=limits))
    ping = await peer.expect(PingFrame)
    assert "ACK" not in ping.flags
    assert await peer.at_end()


async def test_who_answers_its_pings_stays(start: Start, connect: Connect) -> None:
    limits = Limits(keepalive_idle_seconds=SHORT, keepalive_timeout_seconds=2)
    peer = await connect(await start(limits=limits))
    for _ in range(4):
        ping = await peer.expect(PingFrame)
        peer.send(PingFrame(opaque_data=ping.opaque_data, flags=["ACK"]))
    peer.call()
    assert await peer.answer() == b"hello"


async def test_an_old_connection_is_drained_with_its_calls_answered(
    start: Start, connect: Connect, desk: Desk
) -> None:
    peer = await connect(await start(limits=Limits(max_age_seconds=SHORT)))
    peer.call(1, _path="/test.Echo/Hold")
    await desk.until(lambda: len(desk.calls) == 1)
    assert (await peer.expect(GoAwayFrame)).error_code == ErrorCode.NO_ERROR
    desk.calls[0][1].answer(b"still")
    assert await peer.answer(1) == b"still"


async def test_a_deadline_is_kept_by_the_server_alone(start: Start, connect: Connect, desk: Desk) -> None:
    peer = await connect(await start())
    peer.call(1, b"late", _path="/test.Echo/Hold", grpc_timeout="30m")
    peer.call(3, b"later", _path="/test.Echo/Wait", grpc_timeout="40m")
    assert (await peer.status(1))[0] == "4"
    assert (await peer.status(3))[0] == "4"
    await desk.until(lambda: desk.cancelled == ["late", "later"])
    desk.calls[0][1].answer(b"too late")
    peer.call(5)
    assert await peer.answer(5) == b"hello"


async def test_a_deadline_also_ends_a_call_whose_message_does_not_come(
    start: Start, connect: Connect
) -> None:
    server = await start()
    peer = await connect(server)
    peer.send(peer.headers(1, [*CALL_FIELDS, ("grpc-timeout", "30m")]))
    assert (await peer.status())[0] == "4"
    assert server.open_call_count == 0
