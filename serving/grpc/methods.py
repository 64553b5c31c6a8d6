"""Every gRPC method by its full path: the table that a transport serves."""

from collections.abc import Callable, Coroutine
from typing import Any

from serving.calls import Call
from serving.grpc import health
from serving.grpc.calls import Cancel, Counted, Finish, Method, begin, uncounted
from serving.grpc.inference import Inference
from serving.grpc.metadata import model_metadata, model_status
from serving.grpc.open_inference import OpenInference
from serving.grpc.predictions import Predictions
from serving.grpc.reloading import Replace, reload_method
from serving.metrics import Metrics
from serving.pipeline import Pipeline
from serving.repository import Repository
from serving.settings import ServingSettings

_PREDICTION, _MODEL = "/tensorflow.serving.PredictionService/", "/tensorflow.serving.ModelService/"


def methods(
    repository: Repository,
    pipeline: Pipeline,
    metrics: Metrics,
    settings: ServingSettings,
    *,
    is_ready: Callable[[], bool],
    replace: Replace | None = None,
) -> dict[str, Method]:
    """The table of this server; `replace` is what reloading the configuration does, where that is allowed."""
    inference = Inference(repository, pipeline)

    async def metadata(message: bytes, _call: Call) -> bytes:
        return model_metadata(repository, message)

    async def status(message: bytes, _call: Call) -> bytes:
        return model_status(repository, message)

    return {
        f"{_PREDICTION}Predict": Predictions(repository, pipeline, metrics, settings).predict,
        f"{_PREDICTION}Classify": _counted(metrics, "classify", inference.classify),
        f"{_PREDICTION}Regress": _counted(metrics, "regress", inference.regress),
        f"{_PREDICTION}MultiInference": _counted(metrics, "multi_inference", inference.multi_inference),
        f"{_PREDICTION}GetModelMetadata": uncounted(metadata),
        f"{_MODEL}GetModelStatus": uncounted(status),
        f"{_MODEL}HandleReloadConfigRequest": reload_method(replace),
        "/grpc.health.v1.Health/Check": health.check_method(is_ready),
        **OpenInference(repository, pipeline, metrics, settings, is_ready=is_ready).methods(),
    }


def _counted(
    metrics: Metrics, name: str, answer: Callable[[bytes, Call, Counted], Coroutine[Any, None, bytes]]
) -> Method:
    def method(message: bytes, call: Call, finish: Finish) -> Cancel:
        counted = Counted(metrics, name, finish)
        return begin(answer(message, call, counted), counted)

    return method
