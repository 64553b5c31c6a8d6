"""Sessions by a hostile hand: octets at random, good sessions with wounds, good sessions in strange pieces.

The server's side runs without sockets, on a transport that only counts, so that thousands of sessions are
tried: none may raise, leave anything behind, or make us write more than it paid for.
"""

import hpack
from hyperframe.frame import DataFrame, Frame, HeadersFrame, SettingsFrame, WindowUpdateFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serving.http2.peer import data_frames, prefixed, replaced
from tests.serving.http2.rig import LIMITS, rigged
from tests.serving.http2.sessions import CUTS, GREETING, MESSAGES, sessions, wounded_sessions


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
    assert not rig.service.streaming_tasks
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
