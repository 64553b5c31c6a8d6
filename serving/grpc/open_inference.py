"""The Open Inference Protocol, version 2, over gRPC: `inference.GRPCInferenceService`, what KServe and Triton clients speak.

github.com/kserve/open-inference-protocol, inference_grpc.md. Tensors come raw or as typed contents, and go as they
came; half and bfloat16 have no typed contents and always go raw. A request may name its signature in the parameter
`signature_name`. Repository methods (load, unload) are not here: what is served is configured, not asked for.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from serving import open_inference as protos
from serving.calls import Call
from serving.desk import Question
from serving.errors import InvalidRequest, ServingError
from serving.grpc.calls import Cancel, Counted, Finish, Method, begin, uncounted
from serving.grpc.specs import parse_message
from serving.metrics import Metrics
from serving.pipeline import Exchange, Pipeline
from serving.repository import Repository, Servable
from serving.settings import ServingSettings
from serving.tensors.digests import DATATYPE, NO_DIGESTS, read_digests
from serving.tensors.dtypes import Array
from serving.tensors.raw_tensors import check_tensor, datatype, read_raw, write_raw
from serving.tensors.signatures import Signature, TensorSpec

PLATFORM = "tensorflow_savedmodel"
_KIND = "grpc v2 infer"
_SERVICE = f"/{protos.SERVICE}/"
_CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
_STORAGE = {
    "bool_contents": "?",
    "int_contents": "<i4",
    "int64_contents": "<i8",
    "uint_contents": "<u4",
    "uint64_contents": "<u8",
    "fp32_contents": "<f4",
    "fp64_contents": "<f8",
}
Message = Any
"""A protobuf message of a class that was made while running."""


class OpenInference:
    """The methods; each takes a serialized request and gives a serialized response."""

    def __init__(
        self,
        repository: Repository,
        pipeline: Pipeline,
        metrics: Metrics,
        settings: ServingSettings,
        *,
        is_ready: Callable[[], bool],
    ) -> None:
        self._repository = repository
        self._pipeline = pipeline
        self._metrics = metrics
        self._is_ready = is_ready
        self._limit_bytes = settings.max_request_bytes

    def methods(self) -> dict[str, Method]:
        """By full path."""
        return {
            **server_methods(self._is_ready),
            f"{_SERVICE}ModelReady": uncounted(self.model_ready),
            f"{_SERVICE}ModelMetadata": uncounted(self.model_metadata),
            f"{_SERVICE}ModelInfer": self._begin_infer,
        }

    def _begin_infer(self, message: bytes, call: Call, finish: Finish) -> Cancel:
        counted = Counted(self._metrics, "v2 infer", finish)
        return begin(self.model_infer(message, call, counted), counted)

    async def model_ready(self, message: bytes, _call: Call) -> bytes:
        """A model that is not there, or not yet, is not ready; that is no error here."""
        request = parse_message(protos.ModelReadyRequest, message)
        try:
            self._resolve(request.name, request.version)
        except ServingError:
            return _serialize(protos.ModelReadyResponse(ready=False))
        return _serialize(protos.ModelReadyResponse(ready=True))

    async def model_metadata(self, message: bytes, _call: Call) -> bytes:
        request = parse_message(protos.ModelMetadataRequest, message)
        servable = self._resolve(request.name, request.version)
        signature = servable.signature()
        response = protos.ModelMetadataResponse(
            name=servable.name,
            versions=[str(version) for version in sorted(self._repository.available(servable.name))],
            platform=PLATFORM,
        )
        for tensors, specs in ((response.inputs, signature.inputs), (response.outputs, signature.outputs)):
            for spec in specs.values():
                shape = [-1] if spec.shape is None else [-1 if size is None else size for size in spec.shape]
                tensors.add(name=spec.alias, datatype=datatype(spec), shape=shape)
        return _serialize(response)

    async def model_infer(self, message: bytes, call: Call, seen: Counted) -> bytes:
        request = parse_message(protos.ModelInferRequest, message)
        servable = self._resolve(request.model_name, request.model_version)
        seen.model = servable.name

        def parse() -> Question:
            return _read_question(servable, request, limit_bytes=self._limit_bytes)

        def render(question: Question, outputs: Sequence[Array]) -> bytes:
            return _write_answer(servable, request, question, outputs)

        exchange = Exchange(
            servable=servable, call=call, kind=_KIND, message=message, parse=parse, render=render
        )
        return await self._pipeline.answer(exchange)

    def _resolve(self, name: str, version: str) -> Servable:
        if version and not (version.isascii() and version.isdecimal() and len(version) <= 19):
            raise InvalidRequest(f"expected a version as a whole number, got {version[:40]}")
        return self._repository.resolve(name, int(version) if version else None)


def server_methods(is_ready: Callable[[], bool]) -> dict[str, Method]:
    """What is asked of the server and not of a model, by full path: the same whatever computes the answers."""

    async def live(_message: bytes, _call: Call) -> bytes:
        return _serialize(protos.ServerLiveResponse(live=True))

    async def ready(_message: bytes, _call: Call) -> bytes:
        return _serialize(protos.ServerReadyResponse(ready=is_ready()))

    async def metadata(_message: bytes, _call: Call) -> bytes:
        return _serialize(protos.ServerMetadataResponse(name="tf-serving-platform", version="2"))

    return {
        f"{_SERVICE}ServerLive": uncounted(live),
        f"{_SERVICE}ServerReady": uncounted(ready),
        f"{_SERVICE}ServerMetadata": uncounted(metadata),
    }


def _read_question(servable: Servable, request: Message, *, limit_bytes: int) -> Question:
    name = request.parameters["signature_name"].string_param if "signature_name" in request.parameters else ""
    signature = servable.signature(name)
    tensors = _pair_inputs(request, signature)
    if any(tensor.datatype == DATATYPE for tensor, _ in tensors) and not servable.takes_digests(signature):
        raise InvalidRequest(NO_DIGESTS)
    arrays = {
        tensor.name: _read_tensor(tensor, content, signature.inputs[tensor.name], limit_bytes)
        for tensor, content in tensors
    }
    return Question(
        signature=signature,
        inputs=signature.complete(arrays),
        outputs=_wanted([output.name for output in request.outputs], signature),
    )


def _pair_inputs(request: Message, signature: Signature) -> list[tuple[Message, bytes | None]]:
    """Each input with its raw bytes, or None where its values are in its contents."""
    names, raw = [tensor.name for tensor in request.inputs], request.raw_input_contents
    if len(set(names)) < len(names) or not signature.takes(names):
        raise InvalidRequest(f"expected the inputs {_list(signature.inputs)}, got {_list(names)}")
    if raw and (len(raw) != len(names) or any(tensor.HasField("contents") for tensor in request.inputs)):
        raise InvalidRequest(
            f"expected raw_input_contents for all {len(names)} inputs and no contents beside them, got {len(raw)} of "
            "them; send every tensor in the same way"
        )
    return list(zip(request.inputs, raw or [None] * len(names), strict=True))


def _read_tensor(tensor: Message, content: bytes | None, spec: TensorSpec, limit_bytes: int) -> Array:
    is_named = tensor.datatype == DATATYPE
    sent = datatype(spec) if is_named else tensor.datatype  # digests are strings in the place of strings
    check_tensor(spec, datatype_sent=sent, shape=tensor.shape, limit_bytes=limit_bytes)
    values = _read_contents(tensor, spec) if content is None else read_raw(content, tensor.shape, spec)
    return read_digests([text.decode(errors="replace") for text in values]) if is_named else values


def _read_contents(tensor: Message, spec: TensorSpec) -> Array:
    field = _CONTENTS.get(datatype(spec))
    if field is None:
        raise InvalidRequest(
            f"input {spec.alias} of datatype {tensor.datatype} must come in raw_input_contents"
        )
    values = getattr(tensor.contents, field)
    expected = int(np.prod(tensor.shape, dtype=np.int64))
    if len(values) != expected:
        raise InvalidRequest(
            f"input {spec.alias} must have {expected} values in {field}, as its shape says, got {len(values)}"
        )
    if spec.dtype.is_string:
        array = np.empty(len(values), object)
        array[:] = values
    else:
        array = _fit(np.array(values, _STORAGE[field]), spec)
    return array.reshape(tensor.shape)


def _fit(values: Array, spec: TensorSpec) -> Array:
    """The wire has no lists for 8 and 16 bits: what does not fit is refused, not cut off."""
    array = values.astype(spec.dtype.storage)
    if spec.dtype.storage.kind in "iu" and not np.array_equal(array, values):
        raise InvalidRequest(f"input {spec.alias} must have values that fit {datatype(spec)}")
    return array


def _wanted(names: list[str], signature: Signature) -> list[TensorSpec]:
    if not names:
        return list(signature.outputs.values())
    if not set(names) <= signature.outputs.keys() or len(set(names)) < len(names):
        raise InvalidRequest(f"expected some of the outputs {_list(signature.outputs)}, got {_list(names)}")
    return [signature.outputs[name] for name in names]


def _write_answer(
    servable: Servable, request: Message, question: Question, outputs: Sequence[Array]
) -> bytes:
    response = protos.ModelInferResponse(
        model_name=servable.name, model_version=str(servable.version), id=request.id
    )
    is_raw = bool(request.raw_input_contents) or any(
        datatype(spec) not in _CONTENTS for spec in question.outputs
    )
    for spec, array in zip(question.outputs, outputs, strict=True):
        tensor = response.outputs.add(name=spec.alias, datatype=datatype(spec), shape=array.shape)
        if is_raw:
            response.raw_output_contents.append(write_raw(array, spec.dtype))
        else:
            getattr(tensor.contents, _CONTENTS[tensor.datatype]).extend(array.ravel().tolist())
    return _serialize(response)


def _serialize(message: Message) -> bytes:
    serialized: bytes = message.SerializeToString()
    return serialized


def _list(names: Any) -> str:  # noqa: ANN401 - any names
    return ", ".join(list(names))[:200]
