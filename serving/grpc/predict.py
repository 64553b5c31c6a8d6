"""PredictionService.Predict: TensorProtos in, TensorProtos out (tensorflow_serving/servables/tensorflow/predict_util.cc)."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from serving.desk import Question
from serving.errors import InvalidRequest, ShapeMismatch
from serving.grpc.specs import write_spec
from serving.protos import predict_pb2
from serving.repository import Servable
from serving.tensors.digests import NO_DIGESTS, is_handle, read_handles
from serving.tensors.dtypes import Array
from serving.tensors.signatures import Signature, TensorSpec
from serving.tensors.tensor_protos import DEFAULT_LIMIT_BYTES, entry_head, read_tensor, write_entry
from serving.tensors.wire import length_delimited


def read_question(
    servable: Servable, request: predict_pb2.PredictRequest, *, limit_bytes: int = DEFAULT_LIMIT_BYTES
) -> Question:
    """What `request` asks. Raises InvalidRequest, SignatureNotFound, RequestTooLarge."""
    signature = servable.signature(request.model_spec.signature_name)
    inputs = request.inputs
    _check_names(inputs, signature)
    has_own_shapes = False
    try:
        arrays = _read_tensors(inputs, signature.inputs, signature, limit_bytes)
    except ShapeMismatch:
        if not servable.takes_other_shapes:
            raise
        has_own_shapes = True
        arrays = _read_tensors(inputs, signature.shapeless_inputs, signature, limit_bytes)
    except InvalidRequest:
        if not any(map(is_handle, inputs.values())):
            raise
        arrays = _read_names(servable, signature, inputs)
    return Question(
        signature=signature,
        inputs=arrays,
        outputs=_wanted(request.output_filter, signature),
        has_own_shapes=has_own_shapes,
    )


def _read_tensors(
    inputs: Mapping[str, Any], specs: Mapping[str, TensorSpec], signature: Signature, limit_bytes: int
) -> list[Array]:
    # By asking whether it is there: a map of protobuf makes an empty entry of what is only looked at.
    return [
        read_tensor(inputs[alias], spec, limit_bytes=limit_bytes)
        if alias in inputs
        else signature.defaults[alias]
        for alias, spec in specs.items()
    ]


def _read_names(servable: Servable, signature: Signature, inputs: Mapping[str, Any]) -> list[Array]:
    if not servable.takes_digests(signature):
        raise InvalidRequest(NO_DIGESTS)
    return [read_handles(inputs[alias], spec) for alias, spec in signature.inputs.items()]


_Frame = tuple[bytes, bytes]
"""What stands around the numbers of an answer with one output."""
_MOST_FRAMES = 1024


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AnswerWriter:
    """Writes PredictResponses of one version."""

    name: str
    version: int
    as_content: bool
    _frames: dict[tuple[str, str, tuple[int, ...]], _Frame] = dataclasses.field(default_factory=dict)
    """By signature, alias and shape: nearly every answer has one output, whose numbers alone are new."""

    def write(self, question: Question, outputs: Sequence[Array]) -> bytes:
        """A serialized PredictResponse: outputs are field 1, the model spec is field 2."""
        if len(question.outputs) == 1:
            array = outputs[0]
            frame = self._frames.get((question.signature.name, question.outputs[0].alias, array.shape))
            if frame is not None:
                return frame[0] + array.tobytes() + frame[1]
            self._learn(question, array.shape)
        # By index: a batch's share of the outputs is a sequence written in Python, whose iterator costs more.
        parts = [
            write_entry(spec.alias, outputs[place], spec.dtype, as_content=self.as_content)
            for place, spec in enumerate(question.outputs)
        ]
        parts.append(_spec_field(self.name, self.version, question.signature.name))
        return b"".join(parts)

    def _learn(self, question: Question, shape: tuple[int, ...]) -> None:
        spec = question.outputs[0]
        head = entry_head(spec.alias, shape, spec.dtype, as_content=self.as_content)
        if head is None:
            return
        if len(self._frames) >= _MOST_FRAMES:
            self._frames.clear()
        tail = _spec_field(self.name, self.version, question.signature.name)
        self._frames[question.signature.name, spec.alias, shape] = head, tail


@functools.lru_cache(maxsize=1024)
def _spec_field(name: str, version: int, signature_name: str) -> bytes:
    return length_delimited(2, write_spec(name, version, signature_name))


def _check_names(inputs: Mapping[str, Any], signature: Signature) -> None:
    if signature.takes(inputs):
        return
    sent, expected = set(inputs), set(signature.inputs)
    if signature.defaults and len(sent) <= len(expected):
        _check_defaults(sent, signature)
    if len(sent) != len(expected):
        raise InvalidRequest(
            f"input size does not match signature: {len(sent)}!={len(expected)} len({_names(sent)}) != "
            f"len({_names(expected)}). Sent extra: {_names(sent - expected)}. "
            f"Missing but required: {_names(expected - sent)}."
        )
    if sent != expected:
        raise InvalidRequest(
            f"input tensor alias not found in signature: {min(sent - expected)}. "
            f"Inputs expected to be in the set {_names(expected)}."
        )


def _check_defaults(sent: set[str], signature: Signature) -> None:
    """tensorflow/cc/saved_model/util.cc, GetInputValues: what it says where only some inputs have defaults."""
    missing = min(signature.required - sent, default="")
    if missing:
        raise InvalidRequest(
            f"Signature input alias: {missing}(feed name: {signature.inputs[missing].tensor}) not found in request and no "
            f"default value provided. Inputs expected to be in the request {_names(sent)}, or default input alias set: "
            f"{','.join(sorted(signature.defaults))}"
        )
    raise InvalidRequest(
        f"Inputs contains invalid name. Used request inputs: {','.join(sorted(sent & signature.inputs.keys()))}, "
        f"request input: {','.join(sorted(sent))}"
    )


def _wanted(output_filter: Iterable[str], signature: Signature) -> list[TensorSpec]:
    wanted: dict[str, TensorSpec] = {}
    for alias in output_filter:
        if alias not in signature.outputs:
            raise InvalidRequest(
                f"output tensor alias not found in signature: {alias} "
                f"Outputs expected to be in the set {_names(set(signature.outputs))}."
            )
        if alias in wanted:
            raise InvalidRequest(f"duplicate output tensor alias: {alias}")
        wanted[alias] = signature.outputs[alias]
    return list(wanted.values()) or list(signature.outputs.values())


def _names(names: set[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"
