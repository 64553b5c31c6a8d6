"""Sessions by a hostile hand: octets at random, good sessions with wounds, good sessions in strange pieces.

The server's side runs without sockets, on a transport that only counts, so that thousands of sessions are
tried: none may raise, leave anything behind, or make us write more than it paid for.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import hpack
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
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.http2 import LATER, CallContext, Limits, StatusError
from serving.http2.codes import Status
from serving.http2.protocol import ServerProtocol
from serving.http2.service import Service, share
from tests.serving.http2.peer import CALL_FIELDS, PREFACE, data_frames, prefixed, replaced

LIMITS = Limits(max_message_bytes=100_000, receive_budget_bytes=300_000, max_concurrent_streams=8)
GREETING = PREFACE + SettingsFrame().serialize() + SettingsFrame(flags=["ACK"]).serialize()


class CountingTransport(asyncio.Transport):
    """Keeps what is written until it is closed; says no more than a socket would."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_closed = False

    def write(self, data: Any) -> None:
        assert not self.is_closed, "nothing is written behind the end"
        self.written += data

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Rig:
    """A server's side and its event loop, driven by hand."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.held: list[CallContext] = []
        handlers = {"/test.Echo/Say": self._say, "/test.Echo/Hold": self._hold, "/test.Echo/Wait": self._wait}
        self.service: Service = share(self.loop, handlers, LIMITS)
        self.transport = CountingTransport()
        self.protocol = ServerProtocol(self.service)
        self.protocol.connection_made(self.transport)

    def feed(self, octets: bytes, cuts: list[int]) -> None:
        bounds = [0, *sorted({cut % (len(octets) + 1) for cut in cuts}), len(octets)]
        for begin, end in itertools.pairwise(bounds):
            if begin < end and not self.transport.is_closed:
                self.protocol.data_received(octets[begin:end])
            self.turn()

    def turn(self) -> None:
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def lose(self) -> None:
        self.transport.is_closed = True
        self.protocol.connection_lost(None)
        for _ in range(3):
            self.turn()

    @staticmethod
    def _say(message: bytes, _call: CallContext) -> bytes:
        if message[:1] == b"!":
            raise StatusError(Status.INVALID_ARGUMENT, message.decode("latin-1"))
        return message

    def _hold(self, _message: bytes, call: CallContext) -> Any:
        self.held.append(call)
        return LATER

    async def _wait(self, message: bytes, _call: CallContext) -> bytes:
        await asyncio.sleep(0)
        return message


@contextlib.contextmanager
def rigged() -> Iterator[Rig]:
    rig = Rig()
    try:
        yield rig
    finally:
        rig.lose()
        rig.loop.close()


STREAM_IDS = st.sampled_from([1, 1, 1, 3, 3, 5, 7, 9, 11, 13, 0, 2, 2**31 - 1])
FIELDS = st.sampled_from(
    [
        list(CALL_FIELDS),
        replaced(_path="/test.Echo/Hold"),
        replaced(_path="/test.Echo/Wait"),
        replaced(_path="/test.Echo/Missing"),
        replaced(_method="GET"),
        replaced(content_type="text/html"),
        replaced(te=None),
        replaced(_path=None),
        replaced(grpc_timeout="1n"),
        replaced(grpc_timeout="99999999H"),
        replaced(content_length="10"),
        replaced(grpc_encoding="gzip"),
        replaced(x_large="x" * 20_000),
        [("x-trailer", "1")],
    ]
)
MESSAGES = st.binary(max_size=50) | st.integers(0, 120_000).map(bytes)


@st.composite
def frames(draw: st.DrawFn, encoder: hpack.Encoder) -> list[Frame]:
    stream_id = draw(STREAM_IDS)
    is_ended = draw(st.booleans())
    end = ["END_STREAM"] if is_ended else []
    kind = draw(
        st.sampled_from(["call", "call", "call", "head", "cut head", "data", "padded", "control", "control"])
    )
    if kind == "control":
        return [draw(control_frames(stream_id))]
    if stream_id == 0:
        stream_id = 1
    if kind == "data":
        return [DataFrame(stream_id, draw(st.binary(max_size=300)), flags=end)]
    if kind == "padded":
        padding = draw(st.integers(0, 255))
        return [DataFrame(stream_id, draw(MESSAGES)[:16_000], flags=[*end, "PADDED"], pad_length=padding)]
    block = encoder.encode(draw(FIELDS))
    if kind == "cut head":
        at = draw(st.integers(0, len(block)))
        tail = ContinuationFrame(stream_id, block[at:][:16_384], flags=["END_HEADERS"])
        return [HeadersFrame(stream_id, block[:at][:16_384], flags=end), tail]
    head = HeadersFrame(stream_id, block[:16_384], flags=["END_HEADERS"])
    if kind == "head":
        return [head]
    length = draw(st.none() | st.integers(0, 2**32 - 1))
    return [head, *data_frames(stream_id, prefixed(draw(MESSAGES), length=length))]


@st.composite
def control_frames(draw: st.DrawFn, stream_id: int) -> Frame:
    on_stream = stream_id or 1
    frame: Frame = draw(
        st.sampled_from(
            [
                RstStreamFrame(on_stream, draw(st.integers(0, 2**32 - 1))),
                WindowUpdateFrame(stream_id, draw(st.integers(1, 2**31 - 1))),
                SettingsFrame(settings={draw(st.integers(1, 9)): draw(st.integers(0, 2**32 - 1))}),
                SettingsFrame(settings={4: draw(st.integers(0, 100_000))}),
                SettingsFrame(flags=["ACK"]),
                PingFrame(opaque_data=draw(st.binary(min_size=8, max_size=8))),
                PriorityFrame(on_stream, depends_on=draw(st.integers(0, 9))),
                GoAwayFrame(last_stream_id=draw(st.integers(0, 9))),
                ExtensionFrame(draw(st.integers(10, 255)), stream_id, 0, draw(st.binary(max_size=20))),
            ]
        )
    )
    return frame


@st.composite
def sessions(draw: st.DrawFn) -> bytes:
    encoder = hpack.Encoder()
    parts = [frame for _ in range(draw(st.integers(1, 12))) for frame in draw(frames(encoder))]
    return GREETING + b"".join(frame.serialize() for frame in parts)


@st.composite
def wounded_sessions(draw: st.DrawFn) -> bytes:
    octets = bytearray(draw(sessions()))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(len(PREFACE) - 1, len(octets) - 1))
        wound = draw(st.sampled_from(["change", "delete", "insert", "repeat"]))
        if wound == "change":
            octets[at] = draw(st.integers(0, 255))
        elif wound == "delete":
            del octets[at : at + draw(st.integers(1, 20))]
        elif wound == "insert":
            octets[at:at] = draw(st.binary(min_size=1, max_size=20))
        else:
            octets[at:at] = octets[at : at + draw(st.integers(1, 200))]
        if len(octets) <= len(PREFACE):
            break
    return bytes(octets)


CUTS = st.lists(st.integers(0, 2**20), max_size=8)


def run_session(octets: bytes, cuts: list[int]) -> None:
    with rigged() as rig:
        rig.feed(octets, cuts)
        for call in rig.held:
            call.answer(b"held")
        rig.turn()
        # An answer may echo all that was sent, and each frame may cost us an error text of some hundred bytes.
        assert len(rig.transport.written) < 2000 + 40 * len(octets)
        assert rig.service.budget.used_bytes <= LIMITS.receive_budget_bytes
    assert rig.service.budget.used_bytes == 0
    assert not rig.service.connections
    assert not rig.service.tasks
    assert rig.service.deadlines.is_empty


@settings(deadline=None, max_examples=150)
@given(octets=st.binary(max_size=500), cuts=CUTS, has_greeting=st.booleans())
def test_octets_at_random_do_no_harm(octets: bytes, cuts: list[int], has_greeting: bool) -> None:
    run_session(GREETING + octets if has_greeting else octets, cuts)


@settings(deadline=None, max_examples=150)
@given(octets=sessions(), cuts=CUTS)
def test_frames_in_any_order_do_no_harm(octets: bytes, cuts: list[int]) -> None:
    run_session(octets, cuts)


@settings(deadline=None, max_examples=150)
@given(octets=wounded_sessions(), cuts=CUTS)
def test_wounded_sessions_do_no_harm(octets: bytes, cuts: list[int]) -> None:
    run_session(octets, cuts)


def read_answers(written: bytes) -> dict[int, bytes]:
    """The messages that were written, by stream, whose calls ended well."""
    decoder = hpack.Decoder()
    bodies: dict[int, bytes] = {}
    ended: dict[int, bytes] = {}
    offset = 0
    while offset < len(written):
        frame, length = Frame.parse_frame_header(memoryview(written)[offset : offset + 9])
        frame.parse_body(memoryview(written)[offset + 9 : offset + 9 + length])
        offset += 9 + length
        if isinstance(frame, DataFrame):
            bodies[frame.stream_id] = bodies.get(frame.stream_id, b"") + frame.data
        elif isinstance(frame, HeadersFrame):
            fields = dict(decoder.decode(frame.data))
            if fields.get("grpc-status") == "0":
                ended[frame.stream_id] = bodies[frame.stream_id][5:]
    return ended


@settings(deadline=None, max_examples=200)
@given(
    messages=st.lists(MESSAGES.filter(lambda message: len(message) <= 60_000), min_size=1, max_size=8),
    cuts=CUTS,
    window=st.integers(1, 200_000),
    is_huffman=st.booleans(),
    data=st.data(),
)
def test_good_calls_in_any_pieces_get_their_own_answers(
    messages: list[bytes], cuts: list[int], window: int, is_huffman: bool, data: st.DataObject
) -> None:
    messages = [b"#" + message for message in messages]
    encoder = hpack.Encoder()
    octets = GREETING + SettingsFrame(settings={4: window}).serialize()
    for index, message in enumerate(messages):
        fields = replaced(
            _path=data.draw(st.sampled_from(["/test.Echo/Say", "/test.Echo/Wait"])), x_id=str(index % 3)
        )
        head = HeadersFrame(2 * index + 1, encoder.encode(fields, huffman=is_huffman), flags=["END_HEADERS"])
        octets += b"".join(
            frame.serialize() for frame in [head, *data_frames(2 * index + 1, prefixed(message))]
        )
    grown = [WindowUpdateFrame(2 * index + 1, 100_000).serialize() for index in range(len(messages))]
    with rigged() as rig:
        rig.feed(octets, cuts)
        for update in [*grown, WindowUpdateFrame(0, 2**30).serialize()]:
            rig.feed(update, [])
            rig.turn()
        assert read_answers(bytes(rig.transport.written)) == {
            2 * i + 1: one for i, one in enumerate(messages)
        }
