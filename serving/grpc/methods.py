"""Every gRPC method by its full path: the table that a transport serves."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from serving.calls import Call
from serving.errors import InvalidRequest, ServingError
from serving.grpc import health
from serving.grpc.inference import Inference
from serving.grpc.metadata import model_metadata, model_status
from serving.grpc.predict import Predict
from serving.grpc.specs import parse_message, resolve
from serving.grpc.status import StatusCode, status_of
from serving.metrics import Metrics, Observation
from serving.pipeline import Exchange, Pipeline
from serving.protos import predict_pb2
from serving.repository import Repository
from serving.settings import ServingSettings

Answer = Coroutine[Any, None, bytes]
Method = Callable[[bytes, Call], Answer]
"""Answers a serialized request with a serialized response; raises ServingError."""

_PREDICTION, _MODEL = "/tensorflow.serving.PredictionService/", "/tensorflow.serving.ModelService/"


def methods(
    repository: Repository,
    pipeline: Pipeline,
    metrics: Metrics,
    settings: ServingSettings,
    *,
    is_ready: Callable[[], bool],
) -> dict[str, Method]:
    """The table of this server."""
    services = Services(repository, pipeline, metrics, settings)

    async def metadata(message: bytes, _call: Call) -> bytes:
        return model_metadata(repository, message)

    async def status(message: bytes, _call: Call) -> bytes:
        return model_status(repository, message)

    async def check(message: bytes, _call: Call) -> bytes:
        return health.check(is_ready, message)

    return {
        f"{_PREDICTION}Predict": services.predict,
        f"{_PREDICTION}Classify": services.classify,
        f"{_PREDICTION}Regress": services.regress,
        f"{_PREDICTION}MultiInference": services.multi_inference,
        f"{_PREDICTION}GetModelMetadata": metadata,
        f"{_MODEL}GetModelStatus": status,
        "/grpc.health.v1.Health/Check": check,
    }


class Services:
    """The methods that run a model."""

    def __init__(
        self, repository: Repository, pipeline: Pipeline, metrics: Metrics, settings: ServingSettings
    ) -> None:
        self._repository = repository
        self._pipeline = pipeline
        self._inference = Inference(repository, pipeline)
        self._metrics = metrics
        self._as_content = settings.enable_serialization_as_tensor_content
        self._limit_bytes = settings.max_request_bytes

    def predict(self, message: bytes, call: Call) -> Answer:
        return self._observe("predict", self._predict, message, call)

    def classify(self, message: bytes, call: Call) -> Answer:
        return self._observe("classify", self._inference.classify, message, call)

    def regress(self, message: bytes, call: Call) -> Answer:
        return self._observe("regress", self._inference.regress, message, call)

    def multi_inference(self, message: bytes, call: Call) -> Answer:
        return self._observe("multi_inference", self._inference.multi_inference, message, call)

    async def _predict(self, message: bytes, call: Call, seen: Observation) -> bytes:
        request = parse_message(predict_pb2.PredictRequest, message)
        if not request.HasField("model_spec"):
            raise InvalidRequest("Missing ModelSpec")
        servable = resolve(self._repository, request.model_spec)
        seen.model = servable.name
        predict = Predict(servable, request, as_content=self._as_content, limit_bytes=self._limit_bytes)
        return await self._pipeline.answer(
            Exchange(
                servable=servable,
                call=call,
                kind="grpc predict",
                message=message,
                parse=predict.parse,
                render=predict.render,
            )
        )

    async def _observe(
        self,
        name: str,
        method: Callable[[bytes, Call, Observation], Awaitable[bytes]],
        message: bytes,
        call: Call,
    ) -> bytes:
        seen = Observation(metrics=self._metrics, transport="grpc", method=name)
        code = StatusCode.CANCELLED
        try:
            answer = await method(message, call, seen)
            code = StatusCode.OK
        except ServingError as error:
            code, _ = status_of(error)
            raise
        finally:
            seen.finish(code.name)
        return answer
