"""How much one peer may ask of us: sizes, counts and patience, each with the reason for its default.

Every queue and buffer of the room is bounded by one of these. What is kept for bodies that are still
arriving is bounded for the whole server by `receive_budget_bytes`, whatever the number of connections.
"""

from dataclasses import dataclass

from serving.http2.codes import DEFAULT_FRAME_BYTES, DEFAULT_WINDOW_BYTES, MAX_FRAME_BYTES, MAX_WINDOW_BYTES
from serving.http2.errors import LimitsError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of one server."""

    max_connections: int = 4096
    """Connections at a time; one more is closed at once."""
    max_concurrent_streams: int = 256
    """Open calls on one connection, announced to the client, which queues the rest (grpc) or is refused."""
    max_message_bytes: int = 4 * 1024 * 1024
    """The largest request message; gRPC's own default. A larger one is refused at its first frame."""
    max_header_bytes: int = 16 * 1024
    """The largest header block, packed and unpacked, counted as RFC 9113 section 6.5.2 does."""
    max_frame_bytes: int = DEFAULT_FRAME_BYTES
    """The largest frame that is received; the protocol's own 16 KiB, since larger ones measured no gain."""
    stream_window_bytes: int = 1024 * 1024
    """What a client may send on one stream before we have seen its length and made room."""
    connection_window_bytes: int = 16 * 1024 * 1024
    """What a client may have under way on one connection; topped up as it is read."""
    receive_budget_bytes: int = 256 * 1024 * 1024
    """What half-received messages of all connections may occupy together; beyond it they are refused."""
    preface_seconds: float = 10.0
    """From accepting a connection (and its TLS handshake) to its preface and first SETTINGS."""
    frame_seconds: float = 20.0
    """From the first octet of a frame or header block to its last."""
    body_seconds: float = 60.0
    """From a call's headers to the end of its message."""
    send_seconds: float = 60.0
    """From an answer's first octet to its last: how long a client may leave it unread."""
    keepalive_idle_seconds: float = 120.0
    """Silence after which we send a PING; below the 350 s after which cloud load balancers forget a flow."""
    keepalive_timeout_seconds: float = 20.0
    """Silence after that PING which means that the peer is gone; gRPC's own default."""
    max_age_seconds: float | None = None
    """Age at which a connection is drained, so that clients behind a layer 4 balancer spread anew; None: never."""
    max_streaming_calls: int = 1024
    """Calls of streaming methods at a time, of the whole server; each keeps a task for as long as its caller likes."""
    burst_of_resets: int = 1000
    """Calls that a client may cancel before it is told to calm down (CVE-2023-44487).

    An answered call gives one back, and a call that is cancelled at its deadline takes none, so that an impatient
    client is no attacker.
    """
    resets_per_second: float = 200.0
    """The rate at which that burst is granted anew."""
    burst_of_control_frames: int = 1000
    """Frames that cost us but bring no message: PING, SETTINGS, PRIORITY, empty or tiny DATA, unknown types."""
    control_frames_per_second: float = 200.0
    """The rate at which that burst is granted anew."""

    def __post_init__(self) -> None:
        self._check("max_connections", at_least=1)
        self._check("max_concurrent_streams", at_least=1)
        self._check("max_streaming_calls", at_least=1)
        self._check("max_message_bytes", at_least=1, at_most=2**32 - 1)
        self._check("max_header_bytes", at_least=512, at_most=DEFAULT_FRAME_BYTES * 64)
        self._check("max_frame_bytes", at_least=DEFAULT_FRAME_BYTES, at_most=MAX_FRAME_BYTES)
        self._check("stream_window_bytes", at_least=DEFAULT_WINDOW_BYTES, at_most=MAX_WINDOW_BYTES)
        self._check("connection_window_bytes", at_least=DEFAULT_WINDOW_BYTES, at_most=MAX_WINDOW_BYTES)
        self._check("receive_budget_bytes", at_least=self.max_message_bytes + 5)
        for name in ("preface", "frame", "body", "send", "keepalive_idle", "keepalive_timeout"):
            self._check(f"{name}_seconds", at_least=0.001)
        for name in (
            "burst_of_resets",
            "burst_of_control_frames",
            "resets_per_second",
            "control_frames_per_second",
        ):
            self._check(name, at_least=1)

    def _check(self, name: str, *, at_least: float, at_most: float = float("inf")) -> None:
        value = getattr(self, name)
        if not at_least <= value <= at_most:
            raise LimitsError(f"{name} must be at least {at_least} and at most {at_most}, got {value}")

    @property
    def patience_seconds(self) -> float:
        """How often connections are looked at: a quarter of the shortest patience, at most once a second."""
        shortest = min(
            self.preface_seconds,
            self.frame_seconds,
            self.body_seconds,
            self.send_seconds,
            self.keepalive_idle_seconds,
            self.keepalive_timeout_seconds,
            float("inf") if self.max_age_seconds is None else self.max_age_seconds,
        )
        return min(1.0, shortest / 4)
