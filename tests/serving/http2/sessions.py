"""What a hostile hand may send: frames in any order, and sessions with wounds."""

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
from hypothesis import strategies as st

from tests.serving.http2.peer import CALL_FIELDS, PREFACE, data_frames, prefixed, replaced

GREETING = PREFACE + SettingsFrame().serialize() + SettingsFrame(flags=["ACK"]).serialize()

STREAM_IDS = st.sampled_from([1, 1, 1, 3, 3, 5, 7, 9, 11, 13, 0, 2, 2**31 - 1])
FIELDS = st.sampled_from(
    [
        list(CALL_FIELDS),
        replaced(_path="/test.Echo/Hold"),
        replaced(_path="/test.Echo/Wait"),
        replaced(_path="/test.Echo/Chat"),
        replaced(_path="/test.Echo/Chat", grpc_timeout="1n"),
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
        wound(draw, octets, keep=len(PREFACE) - 1)
    return bytes(octets)


def wound(draw: st.DrawFn, octets: bytearray, *, keep: int) -> None:
    """Change, delete, insert or repeat something behind the first `keep` octets."""
    if len(octets) <= keep:
        return
    at = draw(st.integers(keep, len(octets) - 1))
    kind = draw(st.sampled_from(["change", "delete", "insert", "repeat"]))
    if kind == "change":
        octets[at] = draw(st.integers(0, 255))
    elif kind == "delete":
        del octets[at : at + draw(st.integers(1, 20))]
    elif kind == "insert":
        octets[at:at] = draw(st.binary(min_size=1, max_size=20))
    else:
        octets[at:at] = octets[at : at + draw(st.integers(1, 200))]


CUTS = st.lists(st.integers(0, 2**20), max_size=8)
