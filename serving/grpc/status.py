"""Domain errors as gRPC status codes (grpc.io, Status codes), as TensorFlow Serving chooses them."""

from serving import errors
from serving.http2 import StatusCode


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
