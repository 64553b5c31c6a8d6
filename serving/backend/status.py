"""TensorFlow's status codes as our errors: a model that refuses a value is the asker's fault, not ours."""

from serving.errors import DeadlineExceeded, InvalidRequest, ModelError, NotFound, ServingError, Unsupported

# tensorflow/core/protobuf/error_codes.proto
_ERRORS: dict[int, type[ServingError]] = {
    3: InvalidRequest,
    4: DeadlineExceeded,
    5: NotFound,
    9: InvalidRequest,
    11: InvalidRequest,
    12: Unsupported,
}


def error_for(code: int, message: str) -> ServingError:
    """The error that a status stands for. The trace of graph nodes behind the first line is left out."""
    first_line = (
        message.splitlines()[0] if message else f"TensorFlow failed with status {code} and no message"
    )
    return _ERRORS.get(code, ModelError)(first_line)
