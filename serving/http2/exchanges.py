"""One call as a client makes it: the bytes to send, who waits for the answer, and what of it has come."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol, TypeAlias

from serving.http2.codes import Status
from serving.http2.errors import StatusError
from serving.http2.hpack import encode_field, encode_integer
from serving.http2.replies import ReplyHead

Finish: TypeAlias = Callable[[bytes | None, StatusError | None], None]
"""Told once: the answer, or why there is none."""

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
        self.body = bytearray()
        self._finish = finish
        self._keeper = keeper

    def begin(self, stream_id: int, carrier: Carrier) -> None:
        """Start, or start anew, on a stream of some connection."""
        self.stream_id = stream_id
        self.carrier = carrier
        self.send_credit = 0
        self.head = None
        self.body.clear()

    def end(self, answer: bytes | None, error: StatusError | None) -> None:
        """Tell who waits; later ends are dropped."""
        if not self.is_over:
            self._leave()
            self._finish(answer, error)

    def expire(self) -> None:
        """The deadline has passed."""
        self.end(None, StatusError(Status.DEADLINE_EXCEEDED, "the deadline passed before the answer came"))

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
def encode_head(method: str, *, scheme: str, authority: str) -> bytes:
    """The header block of a call, as far as calls of one method are alike: constants and literals."""
    return b"".join(
        (
            b"\x83\x87" if scheme == "https" else b"\x83\x86",  # :method POST and :scheme in the static table
            _named(4, method),
            _named(1, authority),
            encode_field(b"te", b"trailers"),
            encode_field(b"content-type", b"application/grpc"),
        )
    )


def encode_timeout(timeout_seconds: float) -> bytes:
    """`grpc-timeout`, rounded up."""
    grains = max(1, math.ceil(timeout_seconds / _TIMEOUT_GRAIN_SECONDS))
    return encode_field(b"grpc-timeout", _timeout(grains))


def _timeout(grains: int) -> bytes:
    milliseconds = grains * 10
    return b"%dm" % milliseconds if milliseconds < 10**8 else b"%dS" % min(milliseconds // 1000, 10**8 - 1)


def _named(index: int, value: str) -> bytes:
    encoded = value.encode("ascii")
    return b"".join((encode_integer(index, 0x0F), encode_integer(len(encoded), 0x7F), encoded))
