"""One call as a client makes it: the bytes to send, who waits for the answer, and what of it has come."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol, TypeAlias

from serving.http2.codes import StatusCode
from serving.http2.errors import StatusError
from serving.http2.frames import UINT32
from serving.http2.hpack import encode_field, encode_integer
from serving.http2.metadata import encode_metadata
from serving.http2.replies import ReplyHead

Finish: TypeAlias = Callable[[bytes | None, StatusError | None], None]
"""Told once: the answer, or why there is none."""

PREFIX_BYTES: Final = 5
_TIMEOUT_GRAIN_SECONDS: Final = 0.01
"""Timeouts are rounded up to this, so that calls made together have equal header blocks, which servers remember."""


class Carrier(Protocol):
    """The connection that a call is under way on."""

    def give_up(self, exchange: "Exchange") -> None: ...


class Keeper(Protocol):
    """Who keeps a call from its begin to its end: waiting, on a connection, or between two."""

    def remove(self, exchange: "Exchange") -> None: ...


class Exchange:
    """A call under way."""

    send_credit = 0
    deadline: float | None = None
    tick: int | None = None
    head: ReplyHead | None = None
    carrier: Carrier | None = None
    is_over = False
    is_second_try = False

    def __init__(self, block: bytes, message: bytes, finish: Finish, keeper: Keeper) -> None:
        self.block = block
        self.message = message
        self.stream_id = 0
        self.body: bytes | bytearray = b""
        self._finish = finish
        self._keeper = keeper

    def begin(self, stream_id: int, carrier: Carrier) -> None:
        """Start, or start anew, on a stream of some connection."""
        self.stream_id = stream_id
        self.carrier = carrier
        self.send_credit = 0
        self.head = None
        self.body = b""

    def append(self, piece: bytes) -> int:
        """Keep a piece of the answer; returns how long the answer is going to be with its prefix, as far as is known."""
        body: bytes | bytearray = piece  # most answers come in one
        if self.body:
            body = bytearray(self.body) if isinstance(self.body, bytes) else self.body
            body += piece
        self.body = body
        # By its prefix where that has come, so that too long an answer is not waited for.
        announced: int = UINT32.unpack_from(body, 1)[0] + PREFIX_BYTES if len(body) >= PREFIX_BYTES else 0
        return max(announced, len(body))

    def end(self, answer: bytes | None, error: StatusError | None) -> None:
        """Tell who waits; later ends are dropped."""
        if not self.is_over:
            self._leave()
            self._finish(answer, error)

    def settle(self, answer: bytes | None, error: StatusError | None) -> None:
        """As `end`, from a carrier that has let go of it already."""
        if not self.is_over:
            self.is_over = True
            if self.tick is not None:
                self._keeper.remove(self)
            self._finish(answer, error)

    def expire(self) -> None:
        """The deadline has passed."""
        self.end(
            None, StatusError(StatusCode.DEADLINE_EXCEEDED, "the deadline passed before the answer came")
        )

    def cancel(self) -> None:
        """Nobody waits any more; the server is told, nobody else is."""
        if not self.is_over:
            self._leave()

    def _leave(self) -> None:
        self.is_over = True
        self._keeper.remove(self)
        if self.carrier is not None:
            self.carrier.give_up(self)


@lru_cache(maxsize=256)
def encode_head(
    method: str, scheme: str, authority: str, metadata: tuple[tuple[str, str | bytes], ...] = ()
) -> bytes:
    """The header block of a call but for its timeout: constants and literals. Raises `ValueError` for metadata."""
    return b"".join(
        (
            b"\x83\x87" if scheme == "https" else b"\x83\x86",  # :method POST and :scheme in the static table
            _named(4, method),
            _named(1, authority),
            encode_field(b"te", b"trailers"),
            encode_field(b"content-type", b"application/grpc"),
            encode_metadata(metadata),
        )
    )


def encode_timeout(timeout_seconds: float) -> bytes:
    """`grpc-timeout`, rounded up."""
    return _encode_grains(max(1, math.ceil(timeout_seconds / _TIMEOUT_GRAIN_SECONDS)))


@lru_cache(maxsize=256)
def _encode_grains(grains: int) -> bytes:
    milliseconds = grains * 10
    in_milliseconds = milliseconds < 10**8
    text = b"%dm" % milliseconds if in_milliseconds else b"%dS" % min(milliseconds // 1000, 10**8 - 1)
    return encode_field(b"grpc-timeout", text)


def _named(index: int, value: str) -> bytes:
    encoded = value.encode("ascii")
    return b"".join((encode_integer(index, 0x0F), encode_integer(len(encoded), 0x7F), encoded))
