"""Octets to frames: whatever pieces the socket delivers, whole frames come out.

What is left of a cut-off frame is kept, at most one frame of it, and is looked at again only when all of it
has come: a peer that sends single octets costs a copy of each, not of everything before it.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

from serving.http2.codes import PREFACE, ErrorCode
from serving.http2.errors import ConnectionFault
from serving.http2.frames import FRAME_HEAD, HEAD_BYTES

Frame: TypeAlias = tuple[int, int, int, bytes]
"""Type, flags, stream and payload."""

_unpack_head = FRAME_HEAD.unpack_from
_STREAM_MASK: Final = 0x7FFFFFFF


class FrameReader:
    """Splits what one connection receives."""

    def __init__(self, *, max_frame_bytes: int, expects_preface: bool) -> None:
        self.expects_preface = expects_preface
        self._max_frame_bytes = max_frame_bytes
        self._rest = bytearray()
        self._needed_bytes = 0

    @property
    def is_inside_frame(self) -> bool:
        """Whether something is kept whose end has not come."""
        return bool(self._rest)

    def read(self, data: bytes) -> Iterator[Frame]:
        """The frames that `data` completes; raises `ConnectionFault` at the first broken octet."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed_bytes:
                return
            data = bytes(self._rest)
            self._rest.clear()
        end = len(data)
        limit_bytes = self._max_frame_bytes
        offset = 0
        needed_bytes = HEAD_BYTES
        if self.expects_preface:
            offset = self._read_preface(data)
            needed_bytes = HEAD_BYTES if offset else len(PREFACE)
        while end - offset >= needed_bytes:
            word, flags, stream_id = _unpack_head(data, offset)
            length = word >> 8
            if length > limit_bytes:
                raise ConnectionFault(
                    ErrorCode.FRAME_SIZE_ERROR,
                    f"a frame must have at most {self._max_frame_bytes} bytes, got {length}",
                )
            start = offset + HEAD_BYTES
            stop = start + length
            if stop > end:
                needed_bytes = stop - offset
                break
            yield word & 0xFF, flags, stream_id & _STREAM_MASK, data[start:stop]
            offset = stop
        if offset < end:
            self._needed_bytes = needed_bytes
            self._rest += data[offset:]

    def _read_preface(self, data: bytes) -> int:
        if not PREFACE.startswith(data[: len(PREFACE)]):
            raise ConnectionFault(
                ErrorCode.PROTOCOL_ERROR,
                "a connection must begin with the preface of HTTP/2; is this a gRPC client?",
            )
        self.expects_preface = len(data) < len(PREFACE)
        return 0 if self.expects_preface else len(PREFACE)
