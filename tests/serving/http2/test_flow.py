"""Flow control both ways: nothing is sent beyond a window, and nothing is kept beyond a budget."""

import asyncio

import h2.config
import h2.connection
import h2.events
import pytest
from hyperframe.frame import (
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from serving.http2 import Limits, UnaryServer
from serving.http2.codes import ErrorCode
from tests.serving.http2.conftest import Connect, Desk, Start
from tests.serving.http2.peer import CALL_FIELDS, Peer, prefixed, replaced

MEBIBYTE = 1024 * 1024
INITIAL_WINDOW = SettingsFrame.INITIAL_WINDOW_SIZE
MAX_FRAME = SettingsFrame.MAX_FRAME_SIZE


async def read_data(peer: Peer) -> int:
    """The bytes of DATA that have come until the server stands still."""
    count = 0
    # The first PING may be answered in the turn in which answers are still written; the second one is not.
    for opaque_data in (b"standing", b"standstl"):
        peer.send(PingFrame(opaque_data=opaque_data))
        while not isinstance(frame := await peer.receive(), PingFrame):
            assert frame is not None, "the connection ended"
            count += len(frame.data) if isinstance(frame, DataFrame) else 0
    return count


async def test_an_answer_waits_for_the_window_of_its_stream(server: UnaryServer, connect: Connect) -> None:
    peer = await connect(server, {INITIAL_WINDOW: 10})
    peer.call(1, b"x" * 20)
    assert await read_data(peer) == 10
    peer.send(WindowUpdateFrame(1, 7))
    assert await read_data(peer) == 7
    peer.send(WindowUpdateFrame(1, 8))
    assert await peer.status(1) == ("0", "")


async def test_an_answer_waits_for_the_window_of_the_connection(
    server: UnaryServer, connect: Connect
) -> None:
    peer = await connect(server, {INITIAL_WINDOW: 2**31 - 1})
    peer.call(1, b"x" * 100_000)
    assert await read_data(peer) == 65_535
    peer.send(WindowUpdateFrame(0, 100_000))
    assert await peer.status(1) == ("0", "")


async def test_a_changed_initial_window_moves_answers_that_wait(
    server: UnaryServer, connect: Connect
) -> None:
    peer = await connect(server, {INITIAL_WINDOW: 10})
    peer.call(1, b"x" * 45)
    assert await read_data(peer) == 10
    peer.send(SettingsFrame(settings={INITIAL_WINDOW: 5}))
    assert await read_data(peer) == 0
    peer.send(WindowUpdateFrame(1, 5))
    assert await read_data(peer) == 0, "the window was below zero by five"
    peer.send(SettingsFrame(settings={INITIAL_WINDOW: 25}))
    assert await read_data(peer) == 20
    peer.send(SettingsFrame(settings={INITIAL_WINDOW: 65_535}))
    assert await peer.status(1) == ("0", "")


async def test_a_changed_initial_window_that_overflows_a_stream_ends_the_connection(
    server: UnaryServer, connect: Connect
) -> None:
    peer = await connect(server, {INITIAL_WINDOW: 0})
    peer.call(1)
    peer.send(WindowUpdateFrame(1, 1), SettingsFrame(settings={INITIAL_WINDOW: 2**31 - 1}))
    assert (await peer.expect(GoAwayFrame)).error_code == ErrorCode.FLOW_CONTROL_ERROR


async def test_waiting_answers_take_turns(server: UnaryServer, connect: Connect) -> None:
    peer = await connect(server, {INITIAL_WINDOW: 2**20})
    peer.call(1, b"a" * 200_000)
    await read_data(peer)
    peer.call(3, b"b" * 30_000)
    peer.send(WindowUpdateFrame(0, 100_000))
    assert await peer.answer(3) == b"b" * 30_000, "the small one does not wait for the large one to end"


async def test_a_cancelled_answer_that_waits_makes_room_for_the_next(
    server: UnaryServer, connect: Connect
) -> None:
    peer = await connect(server, {INITIAL_WINDOW: 2**20})
    peer.call(1, b"a" * 200_000)
    await read_data(peer)
    peer.send(RstStreamFrame(1, ErrorCode.CANCEL))
    peer.call(3, b"b" * 1000)
    peer.send(WindowUpdateFrame(0, 1005))
    assert await peer.answer(3) == b"b" * 1000
    assert server.open_call_count == 0


async def test_frames_are_no_larger_than_the_client_takes(server: UnaryServer, connect: Connect) -> None:
    peer = await connect(server, {INITIAL_WINDOW: 2**20, MAX_FRAME: 20_000})
    peer.send(WindowUpdateFrame(0, 2**20))
    peer.call(1, b"x" * 50_000)
    sizes = []
    while sum(sizes) < 50_005:
        sizes.append(len((await peer.expect(DataFrame)).data))
    assert sizes == [20_000, 20_000, 10_005]


async def test_a_long_message_is_granted_just_what_it_lacks(start: Start, connect: Connect) -> None:
    peer = await connect(await start(limits=Limits(stream_window_bytes=65_535)))
    message = b"x" * 100_000
    body = prefixed(message)
    peer.send(peer.headers(), DataFrame(1, body[:16_384]))
    granted = await peer.expect(WindowUpdateFrame, stream_id=1)
    assert granted.window_increment == len(body) - 65_535
    for start_byte in range(16_384, len(body), 16_384):
        piece = body[start_byte : start_byte + 16_384]
        is_last = start_byte + 16_384 >= len(body)
        peer.send(DataFrame(1, piece, flags=["END_STREAM"] if is_last else []))
    peer.send(WindowUpdateFrame(0, 10**6), WindowUpdateFrame(1, 10**6))
    assert await peer.answer() == message


async def test_padding_is_counted_and_granted_again(server: UnaryServer, connect: Connect) -> None:
    peer = await connect(server)
    frames = [DataFrame(1, bytes(200), pad_length=200, flags=["PADDED"]) for _ in range(100)]
    peer.send(peer.headers(), DataFrame(1, prefixed(b"", length=20_100)), *frames)
    peer.send(DataFrame(1, bytes(100), pad_length=9, flags=["PADDED", "END_STREAM"]))
    assert await peer.answer() == bytes(20_100)


@pytest.mark.parametrize("length", [5 * MEBIBYTE, 2**32 - 1], ids=["over the limit", "the largest"])
async def test_a_message_that_is_too_long_is_refused_by_its_prefix(peer: Peer, length: int) -> None:
    peer.send(peer.headers(), DataFrame(1, prefixed(b"", length=length)))
    assert (await peer.status())[0] == "8"
    assert (await peer.expect(RstStreamFrame)).error_code == ErrorCode.NO_ERROR
    peer.send(DataFrame(1, b"x" * 10_000))  # was under way
    peer.call(3)
    assert await peer.answer(3) == b"hello"


async def test_half_received_messages_share_one_budget(start: Start, connect: Connect) -> None:
    limits = Limits(max_message_bytes=MEBIBYTE, receive_budget_bytes=2 * MEBIBYTE)
    server = await start(limits=limits)
    first, second = await connect(server), await connect(server)
    begun = DataFrame(1, prefixed(b"x" * 1000, length=800_000))
    first.send(first.headers(1), begun, first.headers(3), DataFrame(3, begun.data))
    await first.settle()
    second.send(second.headers(1), begun)
    assert (await second.status())[0] == "8"
    first.send(RstStreamFrame(3, ErrorCode.CANCEL))
    await first.settle()
    second.send(second.headers(3), DataFrame(3, begun.data))
    await second.settle()
    assert server.open_call_count == 2


MESSAGES = [
    pytest.param(b"", ("12", "a unary call must send exactly one message, got none"), id="no message"),
    pytest.param(
        prefixed(b"1") + prefixed(b"2"),
        ("12", "a unary call must send exactly one message, got more"),
        id="two",
    ),
    pytest.param(
        prefixed(b"1", length=2),
        ("13", "the message ended before the length that its prefix told"),
        id="cut off",
    ),
    pytest.param(
        prefixed(b"1")[:3], ("12", "a unary call must send exactly one message, got none"), id="half a prefix"
    ),
    pytest.param(
        prefixed(b"1", flag=1), ("13", "a compressed message must name its grpc-encoding"), id="flag only"
    ),
    pytest.param(
        prefixed(b"1", flag=2), ("13", "a compressed message must name its grpc-encoding"), id="unknown flag"
    ),
]


@pytest.mark.parametrize("cut", [None, 1, 6], ids=["one frame", "cut in the prefix", "cut behind it"])
@pytest.mark.parametrize(("body", "status"), MESSAGES)
async def test_what_is_not_one_message_is_refused(
    peer: Peer, body: bytes, status: tuple[str, str], cut: int | None
) -> None:
    pieces = [body] if cut is None else [body[:cut], body[cut:]]
    peer.send(peer.headers(), *[DataFrame(1, piece) for piece in pieces[:-1]])
    peer.send(DataFrame(1, pieces[-1], flags=["END_STREAM"]))
    assert await peer.status() == status


async def test_a_request_that_ends_with_trailers_is_answered(peer: Peer) -> None:
    peer.send(peer.headers(), DataFrame(1, prefixed(b"hello")))
    peer.send(peer.headers(1, [("x-checksum", "1")], ["END_HEADERS", "END_STREAM"]))
    assert await peer.answer() == b"hello"


async def test_a_refused_request_is_read_only_so_far(peer: Peer) -> None:
    peer.send(peer.headers(1, replaced(_path="/test.Echo/Missing")), *[DataFrame(1, bytes(16_384))] * 5)
    assert await peer.status() == ("12", "Method not found!")
    assert (await peer.expect(RstStreamFrame)).error_code == ErrorCode.NO_ERROR


@pytest.mark.parametrize(
    ("changes", "status"), [({"_method": "GET"}, "405"), ({"content_type": "text/html"}, "415")]
)
async def test_who_speaks_no_grpc_is_told_in_plain_text(
    peer: Peer, changes: dict[str, str], status: str
) -> None:
    peer.send(peer.headers(1, replaced(**changes), ["END_HEADERS", "END_STREAM"]))
    head = await peer.expect(HeadersFrame)
    assert (head.fields[":status"], head.fields["content-type"]) == (status, "text/plain")
    text = await peer.expect(DataFrame, flag="END_STREAM")
    assert text.data.startswith(b"gRPC calls")


async def test_a_header_list_over_the_limit_refuses_its_call_alone(peer: Peer) -> None:
    peer.call(1, x_large="x" * 17_000)
    assert (await peer.status(1))[0] == "8"
    peer.call(3)
    assert await peer.answer(3) == b"hello"


async def test_a_head_cut_into_continuations_is_read(peer: Peer) -> None:
    whole = peer.headers()
    whole.flags.discard("END_HEADERS")
    block, whole.data = whole.data, whole.data[:1]
    continuation = b"\0\0%c\x09\4\0\0\0\1" % (len(block) - 1) + block[1:]
    peer.send(whole, continuation, DataFrame(1, prefixed(b"hello"), flags=["END_STREAM"]))
    assert await peer.answer() == b"hello"


async def test_four_mebibytes_go_both_ways_through_the_smallest_windows(server: UnaryServer) -> None:
    """With the `h2` library on the other side, which checks every window for us."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.ports[0])
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    client.send_headers(1, CALL_FIELDS)
    unsent = prefixed(bytes(range(256)) * (4 * MEBIBYTE // 256))
    expected, received = unsent, bytearray()
    is_open = True
    while is_open:
        while (
            unsent and (room := min(client.local_flow_control_window(1), client.max_outbound_frame_size)) > 0
        ):
            client.send_data(1, unsent[:room], end_stream=len(unsent) <= room)
            unsent = unsent[room:]
        writer.write(client.data_to_send())
        for event in client.receive_data(await reader.read(65_536)):
            if isinstance(event, h2.events.DataReceived):
                received += event.data
                client.acknowledge_received_data(event.flow_controlled_length, 1)
            is_open = is_open and not isinstance(event, h2.events.StreamEnded)
    assert received == expected
    writer.transport.abort()


async def test_who_does_not_read_is_not_read_and_gets_everything_once_it_does(
    server: UnaryServer, connect: Connect, desk: Desk
) -> None:
    lazy = await connect(server, {INITIAL_WINDOW: 2**31 - 1}, limit=1024)
    lazy.send(WindowUpdateFrame(0, 2**30))
    answers = 16
    for number in range(answers):
        lazy.call(2 * number + 1, b"x", _path="/test.Echo/Hold")
    await desk.until(lambda: len(desk.calls) == answers)
    for _, call in desk.calls:
        call.answer(b"y" * MEBIBYTE)
    brisk = await connect(server)
    brisk.call(1)
    assert await brisk.answer(1) == b"hello", "its neighbour is served meanwhile"
    bodies = {2 * number + 1: 0 for number in range(answers)}
    ended = 0
    while ended < answers:
        frame = await lazy.receive()
        if isinstance(frame, DataFrame):
            bodies[frame.stream_id] += len(frame.data)
        ended += isinstance(frame, HeadersFrame) and "END_STREAM" in frame.flags
    assert set(bodies.values()) == {MEBIBYTE + 5}
