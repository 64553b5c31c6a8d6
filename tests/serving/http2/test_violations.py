"""What a peer may not do, and how it is told: one row a rule of RFC 9113 or of our limits."""

import struct
from collections.abc import Callable

import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from serving.http2 import Limits, UnaryServer
from serving.http2.codes import ErrorCode
from tests.serving.http2.conftest import Connect, Start
from tests.serving.http2.peer import CALL_FIELDS, PREFACE, Peer, prefixed, replaced

Sends = Callable[[Peer], tuple[bytes | Frame, ...]]


def raw(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    return struct.pack(">IBI", len(payload) << 8 | kind, flags, stream_id) + payload


def hold(peer: Peer, stream_id: int = 1) -> HeadersFrame:
    """The head of a call whose message never ends."""
    return peer.headers(stream_id)


def ended(peer: Peer, stream_id: int = 1) -> HeadersFrame:
    """A call that a handler holds: sent whole, not answered."""
    frame = peer.headers(stream_id, replaced(_path="/test.Echo/Hold"))
    return frame.serialize() + DataFrame(stream_id, prefixed(b""), flags=["END_STREAM"]).serialize()


CONNECTION_FAULTS: list[tuple[str, ErrorCode, Sends]] = [
    ("SETTINGS on a stream", ErrorCode.PROTOCOL_ERROR, lambda _: (raw(4, 0, 1),)),
    ("SETTINGS of five bytes", ErrorCode.FRAME_SIZE_ERROR, lambda _: (raw(4, 0, 0, b"12345"),)),
    ("acknowledgement with content", ErrorCode.FRAME_SIZE_ERROR, lambda _: (raw(4, 1, 0, b"123456"),)),
    ("ENABLE_PUSH of 2", ErrorCode.PROTOCOL_ERROR, lambda _: (SettingsFrame(settings={2: 2}),)),
    ("window over 2^31 - 1", ErrorCode.FLOW_CONTROL_ERROR, lambda _: (SettingsFrame(settings={4: 2**31}),)),
    ("frames below 2^14", ErrorCode.PROTOCOL_ERROR, lambda _: (SettingsFrame(settings={5: 2**14 - 1}),)),
    ("frames over 2^24 - 1", ErrorCode.PROTOCOL_ERROR, lambda _: (SettingsFrame(settings={5: 2**24}),)),
    ("PING on a stream", ErrorCode.PROTOCOL_ERROR, lambda _: (raw(6, 0, 1, b"12345678"),)),
    ("PING of seven bytes", ErrorCode.FRAME_SIZE_ERROR, lambda _: (raw(6, 0, 0, b"1234567"),)),
    ("GOAWAY on a stream", ErrorCode.PROTOCOL_ERROR, lambda _: (raw(7, 0, 1, b"12345678"),)),
    ("GOAWAY of seven bytes", ErrorCode.FRAME_SIZE_ERROR, lambda _: (raw(7, 0, 0, b"1234567"),)),
    ("WINDOW_UPDATE of 0", ErrorCode.PROTOCOL_ERROR, lambda _: (WindowUpdateFrame(0, 0),)),
    ("WINDOW_UPDATE of three bytes", ErrorCode.FRAME_SIZE_ERROR, lambda _: (raw(8, 0, 0, b"123"),)),
    ("window overflow", ErrorCode.FLOW_CONTROL_ERROR, lambda _: (WindowUpdateFrame(0, 2**31 - 1),)),
    ("WINDOW_UPDATE on an idle stream", ErrorCode.PROTOCOL_ERROR, lambda _: (WindowUpdateFrame(1, 1),)),
    ("RST_STREAM on an idle stream", ErrorCode.PROTOCOL_ERROR, lambda _: (RstStreamFrame(1, 8),)),
    ("RST_STREAM on stream 0", ErrorCode.PROTOCOL_ERROR, lambda _: (raw(3, 0, 0, b"1234"),)),
    (
        "RST_STREAM of three bytes",
        ErrorCode.FRAME_SIZE_ERROR,
        lambda peer: (hold(peer), raw(3, 0, 1, b"123")),
    ),
    ("PRIORITY on stream 0", ErrorCode.PROTOCOL_ERROR, lambda _: (raw(2, 0, 0, b"12345"),)),
    ("stream that depends on itself", ErrorCode.PROTOCOL_ERROR, lambda _: (PriorityFrame(1, depends_on=1),)),
    ("PUSH_PROMISE", ErrorCode.PROTOCOL_ERROR, lambda peer: (hold(peer), raw(5, 4, 1, b"\0\0\0\2"))),
    ("DATA on stream 0", ErrorCode.PROTOCOL_ERROR, lambda _: (raw(0, 0, 0, b"x"),)),
    ("DATA on an idle stream", ErrorCode.PROTOCOL_ERROR, lambda _: (DataFrame(1, b"x"),)),
    (
        "padding as long as its frame",
        ErrorCode.PROTOCOL_ERROR,
        lambda peer: (hold(peer), raw(0, 8, 1, b"\4abc")),
    ),
    ("padded frame without pad length", ErrorCode.FRAME_SIZE_ERROR, lambda peer: (hold(peer), raw(0, 8, 1))),
    ("HEADERS on stream 0", ErrorCode.PROTOCOL_ERROR, lambda _: (raw(1, 5, 0, b"\x82"),)),
    ("HEADERS on an even stream", ErrorCode.PROTOCOL_ERROR, lambda peer: (peer.headers(2),)),
    ("HEADERS on a closed stream", ErrorCode.STREAM_CLOSED, lambda peer: (hold(peer, 5), peer.headers(3))),
    ("priority fields cut off", ErrorCode.FRAME_SIZE_ERROR, lambda _: (raw(1, 0x25, 1, b"1234"),)),
    ("header block that cannot be decoded", ErrorCode.COMPRESSION_ERROR, lambda _: (raw(1, 5, 1, b"\xff"),)),
    ("CONTINUATION without HEADERS", ErrorCode.PROTOCOL_ERROR, lambda _: (ContinuationFrame(1, b"\x82"),)),
    (
        "CONTINUATION of another stream",
        ErrorCode.PROTOCOL_ERROR,
        lambda peer: (peer.headers(1, flags=[]), ContinuationFrame(3, b"")),
    ),
    (
        "PING inside a header block",
        ErrorCode.PROTOCOL_ERROR,
        lambda peer: (peer.headers(1, flags=[]), PingFrame(opaque_data=b"12345678")),
    ),
    (
        "too many CONTINUATIONs",
        ErrorCode.ENHANCE_YOUR_CALM,
        lambda peer: (peer.headers(1, flags=[]), *[ContinuationFrame(1, b"")] * 33),
    ),
    (
        "header block without end",
        ErrorCode.ENHANCE_YOUR_CALM,
        lambda peer: (peer.headers(1, flags=[]), *[ContinuationFrame(1, b"x" * 16_000)] * 5),
    ),
    (
        "frame over our limit",
        ErrorCode.FRAME_SIZE_ERROR,
        lambda peer: (hold(peer), DataFrame(1, b"x" * 16_385)),
    ),
]

STREAM_FAULTS: list[tuple[str, ErrorCode, Sends]] = [
    ("malformed head", ErrorCode.PROTOCOL_ERROR, lambda peer: (peer.headers(1, replaced(_path=None)),)),
    ("WINDOW_UPDATE of 0", ErrorCode.PROTOCOL_ERROR, lambda peer: (hold(peer), WindowUpdateFrame(1, 0))),
    (
        "window overflow",
        ErrorCode.FLOW_CONTROL_ERROR,
        lambda peer: (hold(peer), WindowUpdateFrame(1, 2**31 - 1)),
    ),
    ("PRIORITY of four bytes", ErrorCode.FRAME_SIZE_ERROR, lambda peer: (hold(peer), raw(2, 0, 1, b"1234"))),
    (
        "trailers that do not end",
        ErrorCode.PROTOCOL_ERROR,
        lambda peer: (hold(peer), peer.headers(1, [("x", "1")])),
    ),
    (
        "trailers with a pseudo-header",
        ErrorCode.PROTOCOL_ERROR,
        lambda peer: (hold(peer), peer.headers(1, [(":path", "/")], ["END_HEADERS", "END_STREAM"])),
    ),
    ("DATA behind END_STREAM", ErrorCode.STREAM_CLOSED, lambda peer: (ended(peer), DataFrame(1, b"x"))),
    ("HEADERS behind END_STREAM", ErrorCode.STREAM_CLOSED, lambda peer: (ended(peer), peer.headers(1))),
    (
        "content-length too large",
        ErrorCode.PROTOCOL_ERROR,
        lambda peer: (
            peer.headers(1, [*CALL_FIELDS, ("content-length", "7")]),
            DataFrame(1, prefixed(b"x"), flags=["END_STREAM"]),
        ),
    ),
    (
        "content-length of a refused request",
        ErrorCode.PROTOCOL_ERROR,
        lambda peer: (
            peer.headers(1, replaced(_method="PUT", content_length="7")),
            DataFrame(1, b"1234", flags=["END_STREAM"]),
        ),
    ),
]


@pytest.mark.parametrize(
    ("code", "sends"), [pytest.param(code, sends, id=name) for name, code, sends in CONNECTION_FAULTS]
)
async def test_a_fault_of_the_connection_ends_it_with_its_code(
    peer: Peer, code: ErrorCode, sends: Sends
) -> None:
    peer.send(*sends(peer))
    goaway = await peer.expect(GoAwayFrame)
    assert ErrorCode(goaway.error_code) is code
    assert goaway.additional_data
    assert await peer.at_end()


@pytest.mark.parametrize(
    ("code", "sends"), [pytest.param(code, sends, id=name) for name, code, sends in STREAM_FAULTS]
)
async def test_a_fault_of_a_stream_resets_it_and_spares_its_neighbours(
    peer: Peer, code: ErrorCode, sends: Sends
) -> None:
    peer.send(*sends(peer))
    reset = await peer.expect(RstStreamFrame)
    assert (reset.stream_id, ErrorCode(reset.error_code)) == (1, code)
    peer.call(7, b"next")
    assert await peer.answer(7) == b"next"


GREETINGS = [
    pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP/1.1"),
    pytest.param(PREFACE + PingFrame(opaque_data=b"12345678").serialize(), id="PING before SETTINGS"),
    pytest.param(PREFACE + SettingsFrame(flags=["ACK"]).serialize(), id="acknowledgement before SETTINGS"),
]


@pytest.mark.parametrize("octets", GREETINGS)
async def test_a_wrong_greeting_ends_the_connection(server: UnaryServer, octets: bytes) -> None:
    peer = await Peer.connect(server.ports[0])
    peer.send(octets)
    assert (await peer.expect(GoAwayFrame)).error_code == ErrorCode.PROTOCOL_ERROR
    assert await peer.at_end()
    await peer.close()


async def test_a_stream_s_window_must_not_be_overrun(start: Start, connect: Connect) -> None:
    peer = await connect(await start(limits=Limits(stream_window_bytes=65_535)))
    # The prefix promises two messages' worth, but is not yet whole, so that nothing is granted.
    peer.send(hold(peer), DataFrame(1, b"\0\0"), *[raw(0, 8, 1, b"\xff" + b"\0" * 255)] * 256)
    reset = await peer.expect(RstStreamFrame)
    assert ErrorCode(reset.error_code) is ErrorCode.FLOW_CONTROL_ERROR


async def test_the_connection_s_window_must_not_be_overrun(start: Start, connect: Connect) -> None:
    peer = await connect(await start(limits=Limits(connection_window_bytes=65_535, max_frame_bytes=2**17)))
    peer.send(hold(peer), DataFrame(1, prefixed(b"x" * 65_531, length=10**6)))
    goaway = await peer.expect(GoAwayFrame)
    assert ErrorCode(goaway.error_code) is ErrorCode.FLOW_CONTROL_ERROR


async def test_more_streams_than_announced_are_refused(start: Start, connect: Connect) -> None:
    peer = await connect(await start(limits=Limits(max_concurrent_streams=2)))
    peer.send(hold(peer, 1), hold(peer, 3), hold(peer, 5))
    reset = await peer.expect(RstStreamFrame)
    assert (reset.stream_id, ErrorCode(reset.error_code)) == (5, ErrorCode.REFUSED_STREAM)
    peer.send(RstStreamFrame(1, ErrorCode.CANCEL))
    peer.call(7, b"room again")
    assert await peer.answer(7) == b"room again"


async def test_more_connections_than_allowed_are_closed(start: Start, connect: Connect) -> None:
    server = await start(limits=Limits(max_connections=1))
    first = await connect(server)
    second = await Peer.connect(server.ports[0])
    assert await second.at_end()
    first.call(1)
    assert await first.answer(1) == b"hello"
    await second.close()


FLOODS: list[tuple[str, Callable[[Peer, int], tuple[bytes | Frame, ...]]]] = [
    ("PING", lambda _peer, _n: (PingFrame(opaque_data=b"12345678"),)),
    ("SETTINGS", lambda _peer, _n: (SettingsFrame(settings={3: 100}),)),
    ("PRIORITY", lambda _peer, n: (PriorityFrame(2 * n + 1),)),
    ("unknown frames", lambda _peer, n: (ExtensionFrame(0xBE, 2 * n + 1, 0, b""),)),
    ("empty DATA", lambda peer, n: (*([hold(peer)] if n == 0 else []), DataFrame(1, b""))),
    ("cancelled calls", lambda peer, n: (peer.headers(2 * n + 1), RstStreamFrame(2 * n + 1, 8))),
    ("malformed calls", lambda peer, n: (peer.headers(2 * n + 1, replaced(_path=None)),)),
]


@pytest.mark.parametrize("sends", [pytest.param(sends, id=name) for name, sends in FLOODS])
async def test_a_flood_within_the_allowance_is_borne_and_beyond_it_ends_the_connection(
    start: Start, connect: Connect, sends: Callable[[Peer, int], tuple[bytes | Frame, ...]]
) -> None:
    limits = Limits(
        burst_of_resets=50, burst_of_control_frames=60, resets_per_second=1, control_frames_per_second=1
    )
    peer = await connect(await start(limits=limits))
    peer.send(*[part for number in range(40) for part in sends(peer, number)])
    await peer.settle()
    peer.send(*[part for number in range(40, 80) for part in sends(peer, number)])
    goaway = await peer.expect(GoAwayFrame)
    assert ErrorCode(goaway.error_code) is ErrorCode.ENHANCE_YOUR_CALM


async def test_answered_calls_earn_what_cancelled_ones_cost(start: Start, connect: Connect) -> None:
    peer = await connect(await start(limits=Limits(burst_of_resets=5, resets_per_second=1)))
    for stream_id in range(1, 200, 4):
        peer.call(stream_id)
        assert await peer.answer(stream_id) == b"hello"
        peer.send(peer.headers(stream_id + 2), RstStreamFrame(stream_id + 2, ErrorCode.CANCEL))
    await peer.settle()


async def test_a_call_that_is_cancelled_at_its_deadline_costs_nothing(start: Start, connect: Connect) -> None:
    peer = await connect(await start(limits=Limits(burst_of_resets=5, resets_per_second=1)))
    for stream_id in range(1, 200, 2):
        head = peer.headers(stream_id, replaced(grpc_timeout="1n"))
        peer.send(head, RstStreamFrame(stream_id, ErrorCode.CANCEL))
    await peer.settle()
