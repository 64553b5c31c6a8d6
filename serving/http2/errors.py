"""What can go wrong on an HTTP/2 connection, and who is told.

Http2Error
├── LimitsError         a limit contradicts the protocol or another limit; nothing starts
├── ConnectionFault     the peer broke the protocol for everybody: GOAWAY and close
│   └── CompressionFault    its header block cannot be decoded (COMPRESSION_ERROR)
├── StreamFault         the peer broke one stream: RST_STREAM, its neighbours live on
└── StatusError         a call that ends with a gRPC status; what handlers raise
"""

from serving.http2.codes import ErrorCode, StatusCode


class Http2Error(Exception):
    """The root of every error that this room raises on purpose."""


class LimitsError(Http2Error, ValueError):
    """A limit is outside what the protocol allows, or contradicts another one."""


class ConnectionFault(Http2Error):
    """An error that ends the connection with GOAWAY."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class CompressionFault(ConnectionFault):
    """A header block that cannot be decoded; the shared compression state is lost with it."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.COMPRESSION_ERROR, message)


class StreamFault(Http2Error):
    """An error that ends one stream with RST_STREAM."""

    def __init__(self, stream_id: int, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.stream_id = stream_id
        self.code = code


class StatusError(Http2Error):
    """Ends a call with a gRPC status other than OK.

    `message` is for the caller, so it names nothing internal; `metadata` goes into the trailers, for
    example `(("grpc-retry-pushback-ms", "250"),)`.
    """

    def __init__(
        self, status: StatusCode, message: str, *, metadata: tuple[tuple[str, str | bytes], ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.metadata = metadata
