"""PredictionService.Classify, Regress and MultiInference."""

from collections.abc import Callable, Sequence

from serving import examples
from serving.calls import Call
from serving.desk import Question
from serving.errors import InvalidRequest, Unsupported
from serving.grpc.calls import Counted
from serving.grpc.specs import parse_message, resolve
from serving.pipeline import Exchange, Pipeline
from serving.protos import classification_pb2, inference_pb2, model_pb2, regression_pb2
from serving.repository import Repository, Servable
from serving.tensors.dtypes import Array
from serving.tensors.signatures import DEFAULT_SIGNATURE

Classification, Regression = classification_pb2.ClassificationResult, regression_pb2.RegressionResult


class Inference:
    """The methods on `tf.Example`s; each takes a serialized request and gives a serialized response."""

    def __init__(self, repository: Repository, pipeline: Pipeline) -> None:
        self._repository = repository
        self._pipeline = pipeline

    async def classify(self, message: bytes, call: Call, seen: Counted) -> bytes:
        request = parse_message(classification_pb2.ClassificationRequest, message)
        servable = self._open(request.model_spec, seen)

        def parse() -> Question:
            signature = examples.find_signature(servable, request.model_spec.signature_name)
            return examples.classify_question(signature, examples.serialize_examples(request.input))

        def render(question: Question, outputs: Sequence[Array]) -> bytes:
            response = classification_pb2.ClassificationResponse(
                result=examples.classification_result(question, outputs),
                model_spec=_spec(servable, question.signature.name),
            )
            return _serialize(response)

        return await self._answer("grpc classify", message, servable, call, parse, render)

    async def regress(self, message: bytes, call: Call, seen: Counted) -> bytes:
        request = parse_message(regression_pb2.RegressionRequest, message)
        servable = self._open(request.model_spec, seen)

        def parse() -> Question:
            signature = examples.find_signature(servable, request.model_spec.signature_name)
            return examples.regress_question(signature, examples.serialize_examples(request.input))

        def render(question: Question, outputs: Sequence[Array]) -> bytes:
            response = regression_pb2.RegressionResponse(
                result=examples.regression_result(question, outputs),
                model_spec=_spec(servable, question.signature.name),
            )
            return _serialize(response)

        return await self._answer("grpc regress", message, servable, call, parse, render)

    async def multi_inference(self, message: bytes, call: Call, seen: Counted) -> bytes:
        """Several signatures of one model on the same examples; they are run one by one."""
        request = parse_message(inference_pb2.MultiInferenceRequest, message)
        _check_tasks(request)
        servable = self._open(request.tasks[0].model_spec, seen)
        rows = examples.serialize_examples(request.input)
        questions = [_task_question(servable, task, rows) for task in request.tasks]
        if len({question.signature.inputs["inputs"].tensor for question in questions}) > 1:
            raise InvalidRequest("Input tensor must be the same for all Signatures.")
        response = inference_pb2.MultiInferenceResponse()
        for task, question in zip(request.tasks, questions, strict=True):
            outputs = await self._pipeline.compute(servable, question, call)
            result = response.results.add(model_spec=_spec(servable, question.signature.name))
            if task.method_name == examples.CLASSIFY_METHOD:
                result.classification_result.CopyFrom(examples.classification_result(question, outputs))
            else:
                result.regression_result.CopyFrom(examples.regression_result(question, outputs))
        return _serialize(response)

    def _open(self, spec: model_pb2.ModelSpec, seen: Counted) -> Servable:
        servable = resolve(self._repository, spec)
        seen.model = servable.name
        return servable

    async def _answer(
        self,
        kind: str,
        message: bytes,
        servable: Servable,
        call: Call,
        parse: Callable[[], Question],
        render: Callable[[Question, Sequence[Array]], bytes],
    ) -> bytes:
        return await self._pipeline.answer(
            Exchange(servable=servable, call=call, kind=kind, message=message, parse=parse, render=render)
        )


def _check_tasks(request: inference_pb2.MultiInferenceRequest) -> None:
    if not request.tasks:
        raise InvalidRequest("expected at least one task, got none")
    specs = [task.model_spec for task in request.tasks]
    if not all(spec.name for spec in specs):
        raise InvalidRequest("Found ModelSpec with an empty model name.")
    if (
        len(
            {
                (spec.name, spec.WhichOneof("version_choice"), spec.version.value, spec.version_label)
                for spec in specs
            }
        )
        > 1
    ):
        raise InvalidRequest("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
    names = [spec.signature_name or DEFAULT_SIGNATURE for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise InvalidRequest(f"Duplicate evaluation of signature: {name}")


def _task_question(servable: Servable, task: inference_pb2.InferenceTask, rows: Array) -> Question:
    signature = examples.find_signature(servable, task.model_spec.signature_name)
    if task.method_name == examples.CLASSIFY_METHOD:
        return examples.classify_question(signature, rows)
    if task.method_name == examples.REGRESS_METHOD:
        return examples.regress_question(signature, rows)
    raise Unsupported(f"Unsupported signature method_name: {task.method_name[:100]}")


def _spec(servable: Servable, signature_name: str) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=servable.name, signature_name=signature_name)
    spec.version.value = servable.version
    return spec


def _serialize(
    response: classification_pb2.ClassificationResponse
    | regression_pb2.RegressionResponse
    | inference_pb2.MultiInferenceResponse,
) -> bytes:
    serialized: bytes = response.SerializeToString()
    return serialized
