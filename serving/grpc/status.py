"""Domain errors as gRPC status codes (grpc.io, Status codes), as TensorFlow Serving chooses them."""

import enum

from serving import errors


class StatusCode(enum.IntEnum):
    """The codes of the gRPC protocol."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class PassedStatus(errors.ServingError):
    """How an upstream ended a call; passed on as it came."""

    def __init__(
        self, code: StatusCode, message: str, metadata: tuple[tuple[str, str | bytes], ...] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.metadata = metadata
        """What it sent behind the status, such as `grpc-status-details-bin`."""


# The first that fits counts.
_CODES: tuple[tuple[type[errors.ServingError], StatusCode], ...] = (
    (errors.SignatureNotFound, StatusCode.FAILED_PRECONDITION),
    (errors.InvalidRequest, StatusCode.INVALID_ARGUMENT),
    (errors.NotFound, StatusCode.NOT_FOUND),
    (errors.Unsupported, StatusCode.UNIMPLEMENTED),
    (errors.Overloaded, StatusCode.RESOURCE_EXHAUSTED),
    (errors.DeadlineExceeded, StatusCode.DEADLINE_EXCEEDED),
    (errors.Unavailable, StatusCode.UNAVAILABLE),
    (errors.Unauthenticated, StatusCode.UNAUTHENTICATED),
    (errors.PermissionRefused, StatusCode.PERMISSION_DENIED),
    (errors.RequestTooLarge, StatusCode.RESOURCE_EXHAUSTED),
)
_GREATEST_MESSAGE = 1024
"""gRPC sends the message in a header; a longer one breaks clients' header limits."""


def status_of(error: errors.ServingError) -> tuple[StatusCode, str]:
    """The code and message that tell a client of `error`."""
    if isinstance(error, PassedStatus):
        return error.code, str(error)[:_GREATEST_MESSAGE]
    code = next((code for kind, code in _CODES if isinstance(error, kind)), StatusCode.INTERNAL)
    text = str(error)
    if isinstance(error, errors.SignatureNotFound):
        text = f'Serving signature key "{error.name}" not found; the model has: {", ".join(error.known)}'
    return code, text[:_GREATEST_MESSAGE]
