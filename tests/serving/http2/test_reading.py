import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.http2.codes import PREFACE, ErrorCode
from serving.http2.errors import ConnectionFault
from serving.http2.frames import frame
from serving.http2.reading import FrameReader

FRAMES = st.lists(
    st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 2**31 - 1), st.binary(max_size=200)),
    max_size=10,
)


@given(frames=FRAMES, cuts=st.lists(st.integers(0, 3000)), has_preface=st.booleans())
def test_frames_come_out_whole_however_they_are_cut(
    frames: list[tuple[int, int, int, bytes]], cuts: list[int], has_preface: bool
) -> None:
    octets = (PREFACE if has_preface else b"") + b"".join(frame(*parts) for parts in frames)
    reader = FrameReader(max_frame_bytes=200, expects_preface=has_preface)
    bounds = [0, *sorted(cut for cut in cuts if cut < len(octets)), len(octets)]
    read = [one for start, end in itertools.pairwise(bounds) for one in reader.read(octets[start:end])]
    assert read == frames
    assert not reader.is_inside_frame


@pytest.mark.parametrize(("size", "fits"), [(200, True), (201, False)], ids=["limit", "limit + 1"])
def test_a_frame_over_its_limit_is_refused_by_its_first_octets(size: int, fits: bool) -> None:
    reader = FrameReader(max_frame_bytes=200, expects_preface=False)
    head = frame(0, 0, 1, b"x" * size)[:9]
    if fits:
        assert list(reader.read(head)) == []
        assert reader.is_inside_frame
    else:
        with pytest.raises(ConnectionFault) as fault:
            list(reader.read(head))
        assert fault.value.code == ErrorCode.FRAME_SIZE_ERROR


@pytest.mark.parametrize("octets", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"PRI * HTTP/1.1"])
def test_another_protocol_is_refused_at_its_first_octets(octets: bytes) -> None:
    with pytest.raises(ConnectionFault, match="preface"):
        list(FrameReader(max_frame_bytes=200, expects_preface=True).read(octets))


def test_the_reserved_bit_of_a_stream_is_ignored() -> None:
    reader = FrameReader(max_frame_bytes=200, expects_preface=False)
    assert list(reader.read(b"\0\0\0\6\0\x80\0\0\1")) == [(6, 0, 1, b"")]
