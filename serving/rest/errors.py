"""Domain errors as HTTP: TensorFlow Serving's status codes and its body {"error": "..."}."""

import math
from http import HTTPStatus

import orjson

from serving import errors
from serving.http1 import Response

# tensorflow_serving/model_servers/http_server.cc, ToHTTPStatusCode; the first that fits counts.
_STATUS: tuple[tuple[type[errors.ServingError], HTTPStatus], ...] = (
    (errors.InvalidRequest, HTTPStatus.BAD_REQUEST),
    (errors.NotFound, HTTPStatus.NOT_FOUND),
    (errors.Unsupported, HTTPStatus.NOT_IMPLEMENTED),
    (errors.Overloaded, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.DeadlineExceeded, HTTPStatus.GATEWAY_TIMEOUT),
    (errors.Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (errors.PermissionRefused, HTTPStatus.FORBIDDEN),
    (errors.RequestTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
)


def error_response(error: errors.ServingError) -> Response:
    """The answer that tells a client of `error`."""
    status = next(
        (status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR
    )
    headers: tuple[tuple[str, str], ...] = ()
    if isinstance(error, errors.Overloaded):
        headers = (("retry-after", str(math.ceil(error.retry_after_seconds))),)
    if isinstance(error, errors.Unauthenticated):
        headers = (("www-authenticate", "Bearer"),)  # RFC 9110, section 11.6.1: 401 never comes without it
    return refusal(status, str(error), headers=headers)


def refusal(status: HTTPStatus, message: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """An error answer with this status."""
    body = orjson.dumps({"error": message.encode(errors="replace").decode()})
    return Response(status=status, body=body, headers=headers)
