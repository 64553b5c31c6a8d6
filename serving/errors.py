"""What can go wrong while serving, said without HTTP or gRPC.

    ServingError
    ├── SettingsError          a flag or environment variable is wrong; the process does not start
    ├── InvalidRequest         the question is malformed or does not fit the signature
    │   ├── SignatureNotFound  the model has no signature of that name
    │   └── ShapeMismatch      an input has another shape than the signature says
    ├── NotFound               no such model, version, label or method
    ├── Unsupported            the question is well formed but this server does not do that
    ├── Overloaded             a queue is full; the client may try again later
    ├── DeadlineExceeded       the answer would come after the client stopped waiting
    ├── Unavailable            the model is loading or the server is draining
    ├── Unauthenticated        nobody knows who the caller is
    ├── PermissionRefused      the operation is switched off or the caller is not allowed
    ├── RequestTooLarge        a body, tensor or header is over its limit
    └── ModelError             the model itself failed: loading or computing

Each transport holds one table from these classes to its own status codes.
"""


class ServingError(Exception):
    """The root of every error that this package raises on purpose."""


class SettingsError(ServingError, ValueError):
    """A flag or an environment variable is unknown, malformed or contradicts another."""


class InvalidRequest(ServingError):
    """The request cannot be understood or does not fit the signature."""


class SignatureNotFound(InvalidRequest):
    """The model has no signature of that name; TensorFlow Serving says so differently on each transport."""

    def __init__(self, name: str, *, known: list[str]) -> None:
        super().__init__(
            f'Serving signature name: "{name}" not found in signature def; it has: {", ".join(known)}'
        )
        self.name = name
        self.known = known


class ShapeMismatch(InvalidRequest):
    """An input has another shape than the signature says; the graph may take it all the same."""


class NotFound(ServingError):
    """The model, version, label or method that was named is not served here."""


class Unsupported(ServingError):
    """A valid request for something that this server does not do."""


class Overloaded(ServingError):
    """A queue is full.

    `retry_after_seconds` is when the backlog should have cleared.
    """

    def __init__(self, message: str, *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class DeadlineExceeded(ServingError):
    """The caller's deadline passed, or would pass before the answer."""


class Unavailable(ServingError):
    """The model is not ready or the server is going away."""


class Unauthenticated(ServingError):
    """The caller shows no token or certificate that the server knows."""


class PermissionRefused(ServingError):
    """The operation is switched off, or this caller may not use it."""


class RequestTooLarge(ServingError):
    """A body, header or tensor is larger than its limit."""


class ModelError(ServingError):
    """TensorFlow refused to load the model or failed while computing."""
