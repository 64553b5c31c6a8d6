"""Frames as bytes: how each one that we send is written, and the two ways in which received ones are unwrapped.

Pure functions; RFC 9113 section 4.1 for the nine octets in front, section 6 for each payload.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import Final

from serving.http2 import codes
from serving.http2.codes import ErrorCode, Setting
from serving.http2.errors import ConnectionFault

FRAME_HEAD: Final = struct.Struct(">IBI")
"""Length and type in one word (length << 8 | type), flags, stream."""
HEAD_BYTES: Final = FRAME_HEAD.size
UINT32: Final = struct.Struct(">I")
_SETTING: Final = struct.Struct(">HI")
_TWO_UINT32: Final = struct.Struct(">II")


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    return FRAME_HEAD.pack(len(payload) << 8 | kind, flags, stream_id) + payload


def settings_frame(settings: Mapping[Setting, int]) -> bytes:
    return frame(codes.SETTINGS, 0, 0, b"".join(_SETTING.pack(key, value) for key, value in settings.items()))


SETTINGS_ACK: Final = frame(codes.SETTINGS, codes.ACK, 0)


def ping_frame(payload: bytes, *, flags: int = 0) -> bytes:
    return frame(codes.PING, flags, 0, payload)


def reset_frame(stream_id: int, code: ErrorCode) -> bytes:
    return frame(codes.RST_STREAM, 0, stream_id, UINT32.pack(code))


def goaway_frame(last_stream_id: int, code: ErrorCode, reason: str = "") -> bytes:
    return frame(codes.GOAWAY, 0, 0, _TWO_UINT32.pack(last_stream_id, code) + reason.encode())


def window_update_frame(stream_id: int, increment: int) -> bytes:
    return frame(codes.WINDOW_UPDATE, 0, stream_id, UINT32.pack(increment))


def header_frames(stream_id: int, block: bytes, *, flags: int, max_frame_bytes: int) -> bytes:
    """HEADERS, followed by CONTINUATION where the block is larger than one frame."""
    pieces = [block[start : start + max_frame_bytes] for start in range(0, len(block), max_frame_bytes)] or [
        b""
    ]
    kinds = [codes.HEADERS] + [codes.CONTINUATION] * (len(pieces) - 1)
    all_flags = [flags] + [0] * (len(pieces) - 1)
    all_flags[-1] |= codes.END_HEADERS
    return b"".join(
        frame(kind, its_flags, stream_id, piece)
        for kind, its_flags, piece in zip(kinds, all_flags, pieces, strict=True)
    )


def strip_padding(flags: int, payload: bytes) -> bytes:
    """The payload of a DATA or HEADERS frame without its padding (section 6.1)."""
    if not flags & codes.PADDED:
        return payload
    if not payload:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a padded frame must hold its pad length")
    padding_bytes = payload[0]
    if padding_bytes >= len(payload):
        raise ConnectionFault(
            ErrorCode.PROTOCOL_ERROR, f"padding of {padding_bytes} bytes must fit in its frame"
        )
    return payload[1 : len(payload) - padding_bytes]


def strip_priority(flags: int, payload: bytes, stream_id: int) -> bytes:
    """The payload of a HEADERS frame without its deprecated priority fields (section 6.2)."""
    if not flags & codes.HAS_PRIORITY:
        return payload
    check_dependency(payload, stream_id)
    return payload[5:]


def check_dependency(payload: bytes, stream_id: int) -> None:
    """Refuse priority fields that are cut off or make a stream depend on itself (RFC 7540 section 5.3.1)."""
    if len(payload) < 5:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "priority fields must have five bytes")
    if UINT32.unpack_from(payload)[0] & codes.MAX_STREAM_ID == stream_id:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"stream {stream_id} must not depend on itself")


def parse_settings(payload: bytes) -> Iterable[tuple[int, int]]:
    """Identifier and value of each setting, known or not; raises `ConnectionFault` for a broken length."""
    if len(payload) % _SETTING.size:
        raise ConnectionFault(
            ErrorCode.FRAME_SIZE_ERROR, f"SETTINGS must have a multiple of six bytes, got {len(payload)}"
        )
    return _SETTING.iter_unpack(payload)


def parse_uint32(payload: bytes, what: str) -> int:
    """The one word of RST_STREAM and WINDOW_UPDATE, without its reserved bit."""
    if len(payload) != UINT32.size:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"{what} must have four bytes, got {len(payload)}")
    value: int = UINT32.unpack(payload)[0]
    return value
