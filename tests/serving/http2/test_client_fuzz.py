"""Servers by a hostile hand: whatever comes back, no call hangs, raises elsewhere or is finished twice."""

import asyncio
import itertools

import hpack
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, RstStreamFrame, SettingsFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.http2.client_connection import ClientConnection
from serving.http2.errors import StatusError
from serving.http2.exchanges import Exchange
from tests.serving.http2.peer import prefixed
from tests.serving.http2.rig import LIMITS, CountingTransport
from tests.serving.http2.sessions import CUTS, control_frames, wound

GREETING = SettingsFrame().serialize() + SettingsFrame(flags=["ACK"]).serialize()
STREAM_IDS = st.sampled_from([1, 1, 1, 3, 3, 5, 7, 0, 2])
HEADS = st.sampled_from(
    [
        [(":status", "200"), ("content-type", "application/grpc")],
        [(":status", "200"), ("grpc-status", "5"), ("grpc-message", "no%20model%")],
        [("grpc-status", "0")],
        [("grpc-status", "x")],
        [(":status", "503")],
        [("x-large", "x" * 20_000)],
    ]
)


class Keeper:
    """Keeps nothing."""

    def remove(self, exchange: Exchange) -> None: ...


@st.composite
def server_frames(draw: st.DrawFn, encoder: hpack.Encoder) -> Frame:
    stream_id = draw(STREAM_IDS)
    end = draw(st.sampled_from([[], ["END_STREAM"]]))
    kind = draw(st.sampled_from(["head", "head", "data", "reset", "goaway", "control"]))
    if kind == "control":
        return draw(control_frames(stream_id))
    if kind == "goaway":
        return GoAwayFrame(last_stream_id=draw(st.integers(0, 5)))
    if kind == "reset":
        return RstStreamFrame(stream_id or 1, draw(st.integers(0, 20)))
    if kind == "data":
        message = prefixed(draw(st.binary(max_size=50)), length=draw(st.none() | st.integers(0, 2**32 - 1)))
        return DataFrame(stream_id or 1, message, flags=end)
    return HeadersFrame(stream_id or 1, encoder.encode(draw(HEADS))[:16_384], flags=["END_HEADERS", *end])


@st.composite
def server_sessions(draw: st.DrawFn) -> bytes:
    encoder = hpack.Encoder()
    frames = [draw(server_frames(encoder)) for _ in range(draw(st.integers(1, 12)))]
    octets = bytearray(GREETING + b"".join(frame.serialize() for frame in frames))
    for _ in range(draw(st.integers(0, 3))):
        wound(draw, octets, keep=0)
    return bytes(octets)


async def run_session(octets: bytes, cuts: list[int]) -> None:
    ends: list[tuple[int, object]] = []
    refused: list[Exchange] = []
    connection = ClientConnection(LIMITS, freed=lambda: None, refused=refused.append)
    transport = CountingTransport()
    connection.connection_made(transport)
    opened = 0
    bounds = [0, *sorted({cut % (len(octets) + 1) for cut in cuts}), len(octets)]
    for begin, end in itertools.pairwise(bounds):
        if connection.has_room and opened < 4:
            number = opened
            opened += 1

            def finish(answer: bytes | None, error: StatusError | None, number: int = number) -> None:
                assert (answer is None) != (error is None)
                ends.append((number, answer))

            connection.open(Exchange(b"\x83", b"hello", finish, Keeper()))
        if not transport.is_closed:
            connection.data_received(octets[begin:end])
        await asyncio.sleep(0)
    transport.is_closed = True
    connection.connection_lost(None)
    await asyncio.sleep(0)
    assert len({number for number, _ in ends}) == len(ends), "each is finished once"
    assert len(ends) + len(refused) == opened


@settings(deadline=None, max_examples=100)
@given(octets=server_sessions() | st.binary(max_size=300).map(GREETING.__add__), cuts=CUTS)
def test_whatever_a_server_sends_each_call_ends_once(octets: bytes, cuts: list[int]) -> None:
    asyncio.run(run_session(octets, [len(GREETING), *cuts]))
