"""What goes to the socket and when, on a transport that only counts."""

import hpack
import pytest
from hyperframe.frame import DataFrame, Frame, HeadersFrame, SettingsFrame, WindowUpdateFrame

from serving.http2.sending import QUANTUM_BYTES
from tests.serving.http2.peer import CALL_FIELDS, data_frames, prefixed
from tests.serving.http2.rig import Rig, rigged
from tests.serving.http2.sessions import GREETING

WIDE = SettingsFrame(settings={SettingsFrame.INITIAL_WINDOW_SIZE: 2**31 - 1}).serialize()


def calls(count: int, message: bytes) -> bytes:
    encoder = hpack.Encoder()
    frames: list[Frame] = []
    for stream_id in range(1, 2 * count, 2):
        head = HeadersFrame(stream_id, encoder.encode(CALL_FIELDS), flags=["END_HEADERS"])
        frames += [head, *data_frames(stream_id, prefixed(message))]
    return b"".join(frame.serialize() for frame in frames)


def sent_data(rig: Rig) -> list[bytes]:
    found = []
    written, offset = memoryview(bytes(rig.transport.written)), 0
    while offset < len(written):
        frame, length = Frame.parse_frame_header(written[offset : offset + 9])
        frame.parse_body(written[offset + 9 : offset + 9 + length])
        offset += 9 + length
        if isinstance(frame, DataFrame):
            found.append(frame.data)
    return found


def test_small_answers_use_up_the_connection_s_window_together() -> None:
    message = bytes(10_000)
    with rigged() as rig:
        rig.feed(GREETING + WIDE + calls(8, message), [])
        assert sum(map(len, sent_data(rig))) == 65_535
        rig.feed(WindowUpdateFrame(0, 10**6).serialize(), [])
        assert sum(map(len, sent_data(rig))) == 8 * len(prefixed(message))


def test_nothing_is_pressed_on_a_socket_that_takes_no_more() -> None:
    with rigged() as rig:
        rig.feed(GREETING, [])
        rig.protocol.pause_writing()
        assert not rig.transport.is_read, "who does not read is not read"
        rig.feed(calls(3, b"hello"), [])
        assert sent_data(rig) == []
        rig.protocol.resume_writing()
        rig.turn()
        assert rig.transport.is_read
        assert sent_data(rig) == [prefixed(b"hello")] * 3


def test_answers_to_one_read_leave_in_one_write() -> None:
    with rigged() as rig:
        rig.feed(GREETING, [])
        before = rig.transport.write_count
        rig.feed(calls(8, b"hello"), [])
        assert len(sent_data(rig)) == 8
        assert rig.transport.write_count == before + 1


@pytest.mark.parametrize("is_pausing", [True, False], ids=["socket pauses", "socket takes all"])
def test_waiting_answers_are_written_a_quantum_at_a_time(is_pausing: bool) -> None:
    message = bytes(90_000)
    with rigged() as rig:
        rig.feed(GREETING + WIDE + WindowUpdateFrame(0, 10**6).serialize(), [])
        before = len(rig.transport.written)
        if is_pausing:
            rig.transport.pause_after(1, rig.protocol.pause_writing)
        rig.feed(calls(8, message), [])
        sent_bytes = len(rig.transport.written) - before
        if is_pausing:
            assert QUANTUM_BYTES <= sent_bytes < QUANTUM_BYTES + 8 * 17_000
            rig.protocol.resume_writing()
            rig.turn()
        assert sum(map(len, sent_data(rig))) == 8 * len(prefixed(message))
