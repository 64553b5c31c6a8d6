"""gRPC through to the upstream: each message as it came, with its deadline and its caller's metadata.

A method is a callback on both sides, so that a call costs no task. Which methods pass is a fixed list: those of
TensorFlow Serving that read, and those of the Open Inference Protocol that ask a model (TensorFlow Serving itself says
UNIMPLEMENTED to them; other servers behind this one know them). Health and what the Open Inference Protocol asks of a
server are answered here, by what was found out about the upstream.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from serving import open_inference
from serving.calls import REQUEST_ID_HEADER, Call
from serving.errors import PermissionRefused
from serving.grpc import Method, PassedStatus, StatusCode
from serving.grpc.calls import Cancel, Counted, Finish, forget
from serving.grpc.reloading import OFF
from serving.http2 import StatusError, UnaryClient
from serving.metrics import Metrics

_PREDICTION, _MODEL = "/tensorflow.serving.PredictionService/", "/tensorflow.serving.ModelService/"
PATHS: Final = (
    *(
        f"{_PREDICTION}{name}"
        for name in ("Predict", "Classify", "Regress", "MultiInference", "GetModelMetadata")
    ),
    f"{_MODEL}GetModelStatus",
    *(f"/{open_inference.SERVICE}/{name}" for name in ("ModelReady", "ModelMetadata", "ModelInfer")),
)
RELOAD_PATH: Final = f"{_MODEL}HandleReloadConfigRequest"
_KEPT_BACK: Final = frozenset({"user-agent", "host"})

Metadata = tuple[tuple[str, str | bytes], ...]


def pass_methods(client: UnaryClient, metrics: Metrics, *, may_reload: bool) -> dict[str, Method]:
    """The methods that are passed on, by path."""
    table = {path: _pass(client, path, metrics) for path in PATHS}
    table[RELOAD_PATH] = _pass(client, RELOAD_PATH, metrics) if may_reload else _refuse_reload
    return table


def _pass(client: UnaryClient, path: str, metrics: Metrics) -> Method:
    name = path.rpartition("/")[2]
    latest: tuple[Mapping[str, str], Metadata] = ({}, ())

    def method(message: bytes, call: Call, finish: Finish) -> Cancel:
        counted = Counted(metrics, name, finish)

        def answered(answer: bytes | None, error: StatusError | None) -> None:
            counted(answer, None if error is None else _passed(error, is_named=call.trace is not None))

        nonlocal latest
        if latest[0] is not call.metadata:  # one object for all calls of a connection with the same headers
            latest = call.metadata, _forwarded(call.metadata)
        deadline = call.deadline
        timeout = None if deadline is None else max(0.0, deadline - asyncio.get_running_loop().time())
        return client.begin(path, message, answered, timeout_seconds=timeout, metadata=latest[1])

    return method


def _refuse_reload(_message: bytes, _call: Call, finish: Finish) -> Cancel:
    finish(None, PermissionRefused(OFF))
    return forget


def _forwarded(metadata: Mapping[str, str]) -> Metadata:
    # Names with a colon are our own notes; nothing else that begins so can be sent.
    return tuple(
        [(name, value) for name, value in metadata.items() if name not in _KEPT_BACK and name[:1] != ":"]
    )


def _passed(error: StatusError, *, is_named: bool) -> PassedStatus:
    """`is_named`: the access log has named the call, and sends that name; the upstream's own would be a second one."""
    metadata = error.metadata
    if is_named:
        metadata = tuple(each for each in metadata if each[0] != REQUEST_ID_HEADER)
    return PassedStatus(StatusCode(int(error.status)), error.message, metadata)
