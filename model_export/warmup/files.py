"""Warm-up and golden files of one version folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from numpy.typing import NDArray

from model_export.errors import SourceError
from model_export.graphs.tensors import fill_tensor
from model_export.sessions import import_tensorflow
from model_export.warmup.records import read_records, write_records

if TYPE_CHECKING:
    from tensorflow_serving.apis.predict_pb2 import PredictRequest
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

WARMUP_PATH: Final = "assets.extra/tf_serving_warmup_requests"
"""The file that TensorFlow Serving looks for: tensorflow_serving/servables/tensorflow/saved_model_warmup_util.h."""
GOLDEN_PATH: Final = "assets.extra/golden_requests"
RECORD_LIMIT_BYTES: Final = 4 * 2**20
"""A record larger than this is left out after the first: the model's image layer should hold the model, not its questions."""

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Golden:
    """A question, and what the source answered."""

    signature: str
    inputs: Arrays
    outputs: Arrays


def write_warmup(folder: Path, *, model_name: str, signature: str, batches: Iterable[Arrays]) -> int:
    """Write one PredictRequest per batch and return how many. `batches`: inputs by alias, one entry per batch size."""
    logs = []
    for inputs in batches:
        log = _prediction_log()
        _fill_request(log.predict_log.request, model_name, signature, inputs)
        logs.append(log)
    return _write(folder / WARMUP_PATH, logs)


def write_golden(folder: Path, *, model_name: str, exchanges: Iterable[Golden]) -> int:
    """Write requests with the answers that the source gave, and return how many."""
    logs = []
    for each in exchanges:
        log = _prediction_log()
        _fill_request(log.predict_log.request, model_name, each.signature, each.inputs)
        _fill_tensors(log.predict_log.response.outputs, each.outputs)
        logs.append(log)
    return _write(folder / GOLDEN_PATH, logs)


def read_golden(folder: Path) -> tuple[Golden, ...]:
    """Read the golden requests of a version folder. Raises SourceError when they are missing or damaged."""
    return _read(folder / GOLDEN_PATH)


def read_warmup(folder: Path) -> tuple[Golden, ...]:
    """Read the warm-up requests of a version folder; they have no answers. Raises SourceError as `read_golden` does."""
    return _read(folder / WARMUP_PATH)


def _read(path: Path) -> tuple[Golden, ...]:
    import_tensorflow()
    from google.protobuf.message import DecodeError
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    try:
        logs = [PredictionLog.FromString(record).predict_log for record in read_records(path)]
    except DecodeError as error:
        message = f"expected PredictionLogs in {path}, received something else; export the model again"
        raise SourceError(message) from error
    return tuple(
        Golden(
            signature=log.request.model_spec.signature_name,
            inputs=_arrays(log.request.inputs),
            outputs=_arrays(log.response.outputs),
        )
        for log in logs
    )


def _prediction_log() -> PredictionLog:
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    return PredictionLog()


def _fill_request(request: PredictRequest, model_name: str, signature: str, inputs: Arrays) -> None:
    request.model_spec.name = model_name
    request.model_spec.signature_name = signature
    _fill_tensors(request.inputs, inputs)


def _fill_tensors(tensors: Any, arrays: Arrays) -> None:  # noqa: ANN401 - a protobuf map
    tf = import_tensorflow()
    for alias, values in sorted(arrays.items()):
        fill_tensor(tensors[alias], values, tf.as_dtype(values.dtype).as_datatype_enum)


def _arrays(tensors: Any) -> dict[str, NDArray[Any]]:  # noqa: ANN401 - a protobuf map
    tf = import_tensorflow()
    return {alias: tf.make_ndarray(tensor) for alias, tensor in tensors.items()}


def _write(path: Path, logs: list[PredictionLog]) -> int:
    records = [log.SerializeToString(deterministic=True) for log in logs]
    kept = [each for index, each in enumerate(records) if index == 0 or len(each) <= RECORD_LIMIT_BYTES]
    path.parent.mkdir(exist_ok=True)
    write_records(path, kept)
    return len(kept)
