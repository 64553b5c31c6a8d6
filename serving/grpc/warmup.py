"""Replays the requests that a servable brings along: `assets.extra/tf_serving_warmup_requests`.

TensorFlow Serving's convention (docs/saved_model_warmup.md): a TFRecord file of at most 1000 PredictionLogs.
A request that fails makes the version fail, as there: its exporter promised that it works.
"""

from collections.abc import Callable
from pathlib import Path

from google.protobuf.message import DecodeError

from serving import examples
from serving.errors import ModelError
from serving.grpc.predict import read_question
from serving.protos import prediction_log_pb2
from serving.repository import Servable
from serving.repository.records import read_records

FILE = Path("assets.extra") / "tf_serving_warmup_requests"
_MOST_RECORDS = 1000
"""tensorflow_serving/servables/tensorflow/saved_model_warmup_util.h, kMaxNumRecords."""


def replay(servable: Servable, folder: Path, *, iterations: int = 1) -> int:
    """Run the warm-up requests in `folder`, if there are any; how many that were.

    Raises ServingError when the file is broken or a request fails.
    """
    path = folder / FILE
    if not path.is_file():
        return 0
    count = 0
    for record in read_records(path):
        count += 1
        if count > _MOST_RECORDS:
            raise ModelError(f"expected at most {_MOST_RECORDS} warm-up requests in {path}, got more")
        run = _request(servable, record, path)
        for _ in range(iterations):
            run()
    return count


def _request(servable: Servable, record: bytes, path: Path) -> Callable[[], object]:
    try:
        entry = prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError as error:
        raise ModelError(
            f"expected PredictionLogs in {path}, got {len(record)} bytes that are none"
        ) from error
    kind = entry.WhichOneof("log_type")
    match kind:
        case "predict_log":
            question = read_question(servable, entry.predict_log.request)
        case "classify_log":
            classify = entry.classify_log.request
            signature = examples.find_signature(servable, classify.model_spec.signature_name)
            question = examples.classify_question(signature, examples.serialize_examples(classify.input))
        case "regress_log":
            regress = entry.regress_log.request
            signature = examples.find_signature(servable, regress.model_spec.signature_name)
            question = examples.regress_question(signature, examples.serialize_examples(regress.input))
        case _:
            raise ModelError(f"expected predict, classify or regress requests in {path}, got {kind}")
    run = servable.runner(question.signature, question.outputs)
    return lambda: run(question.inputs)
