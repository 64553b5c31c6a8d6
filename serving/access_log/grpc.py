"""Lines of the gRPC methods: around the door, so that who was not let in is written down too.

A call's id goes back in the trailing metadata, which an answer and a failure both have.

Health checks are left out, as probes are on the REST port. What a transport refuses by itself (a message that is
too large, an unknown method) never reaches a method and has no line.
"""

import asyncio
import time
from collections.abc import Mapping

from serving.access_log.journal import Entry, Journal
from serving.calls import REQUEST_ID_HEADER, Call, Trace
from serving.errors import ServingError
from serving.grpc import Method, StatusCode, status_of
from serving.grpc.calls import Cancel, Finish

_HEALTH = "/grpc.health.v1.Health/"


def log_methods(methods: Mapping[str, Method], journal: Journal) -> dict[str, Method]:
    """The same methods, with a line for each call."""
    return {
        path: method if path.startswith(_HEALTH) else _log(path, method, journal)
        for path, method in methods.items()
    }


def _log(path: str, method: Method, journal: Journal) -> Method:
    def logged(message: bytes, call: Call, finish: Finish) -> Cancel:
        call.trace = trace = Trace()
        started = time.perf_counter()
        identifier = journal.identify(call.metadata)
        if call.add_trailing_metadata is not None:
            call.add_trailing_metadata(REQUEST_ID_HEADER, identifier)

        def finish_logged(answer: bytes | None, error: BaseException | None) -> None:
            journal.note(
                Entry(
                    transport="grpc",
                    method=None,
                    path=path,
                    code=_code(error).name,
                    has_failed=error is not None,
                    bytes_in=len(message),
                    bytes_out=len(answer or b""),
                    started=started,
                    request_id=identifier,
                    metadata=call.metadata,
                    trace=trace,
                )
            )
            finish(answer, error)

        return method(message, call, finish_logged)

    return logged


def _code(error: BaseException | None) -> StatusCode:
    if error is None:
        return StatusCode.OK
    if isinstance(error, asyncio.CancelledError):
        return StatusCode.CANCELLED
    return status_of(error)[0] if isinstance(error, ServingError) else StatusCode.INTERNAL
