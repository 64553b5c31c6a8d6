"""The Open Inference Protocol, version 2, over REST: what KServe and Triton clients speak.

    GET  /v2                                     GET  /v2/health/live    GET  /v2/health/ready
    GET  /v2/models/NAME[/versions/N]            GET  …/ready            POST …/infer

github.com/kserve/open-inference-protocol, inference_rest.yaml. A request may name its signature in
`parameters.signature_name`. The binary data extension is not spoken.
"""

import dataclasses
import functools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from serving.desk import Question
from serving.errors import InvalidRequest, NotFound, Unsupported
from serving.http1.segments import decode_segment
from serving.repository import Servable
from serving.rest.documents import parse_document
from serving.rest.naming import NAMED, name_inputs
from serving.tensors.dtypes import Array
from serving.tensors.json_inputs import quote, to_array
from serving.tensors.json_outputs import prepare
from serving.tensors.signatures import Signature, TensorSpec, shape_text
from serving.tensors.tensor_protos import check_shape

PREFIX = "/v2"
PLATFORM = "tensorflow_savedmodel"
BINARY_HEADER = "inference-header-content-length"

DATATYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "half": "FP16",
    "float": "FP32",
    "double": "FP64",
    "bfloat16": "BF16",
    "string": "BYTES",
}
_MODEL = re.compile(
    r"/v2/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d{1,19}))?(?:/(?P<verb>ready|infer))?", re.ASCII
)
_PLAIN = {"/v2": "server", "/v2/": "server", "/v2/health/live": "live", "/v2/health/ready": "health"}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a path points at; `name` is empty for the server itself."""

    verb: str
    name: str = ""
    version: int | None = None


@functools.lru_cache(maxsize=1024)
def parse_path(method: str, path: str) -> Target:
    """Raises NotFound when there is no such path for this method."""
    match = _MODEL.fullmatch(path)
    if match is None:
        if path in _PLAIN and method == "GET":
            return Target(verb=_PLAIN[path])
        raise NotFound(f"Not found: {method} {path[:200]}")
    verb, name = match["verb"] or "metadata", decode_segment(match["name"])
    if name is None or method != ("POST" if verb == "infer" else "GET"):
        raise NotFound(f"Not found: {method} {path[:200]}")
    return Target(verb=verb, name=name, version=int(match["version"]) if match["version"] else None)


def model_document(servable: Servable, versions: list[int]) -> bytes:
    """The metadata of a model: its default signature as inputs and outputs."""
    signature = servable.signature()
    return orjson.dumps(
        {
            "name": servable.name,
            "versions": [str(version) for version in versions],
            "platform": PLATFORM,
            "inputs": [_tensor(spec) for spec in signature.inputs.values()],
            "outputs": [_tensor(spec) for spec in signature.outputs.values()],
        }
    )


class Infer:
    """One inference request."""

    def __init__(self, servable: Servable, body: bytes, headers: Mapping[str, str]) -> None:
        if BINARY_HEADER in headers:
            raise Unsupported(
                "expected tensors as JSON, got the binary data extension, which is not spoken here"
            )
        self._servable = servable
        self._body = body
        self._id: object = None

    def parse(self) -> Question:
        """Raises InvalidRequest, SignatureNotFound, Unsupported."""
        document = parse_document(self._body)
        self._id = document.get("id")
        signature = self._servable.signature(_signature_name(document))
        if NAMED in self._body:
            document = name_inputs(document, self._servable, signature)
        arrays = _read_inputs(document.get("inputs"), signature)
        return Question(
            signature=signature,
            inputs=[arrays[alias] for alias in signature.inputs],
            outputs=_wanted(document.get("outputs"), signature),
        )

    def render(self, question: Question, outputs: Sequence[Array]) -> bytes:
        specs = {spec.alias: spec for spec in question.outputs}
        flat = {spec.alias: array.ravel() for spec, array in zip(question.outputs, outputs, strict=True)}
        values, dump = prepare(flat, specs)
        document: dict[str, Any] = {
            "model_name": self._servable.name,
            "model_version": str(self._servable.version),
            "outputs": [
                {
                    "name": spec.alias,
                    "datatype": _datatype(spec),
                    "shape": list(array.shape),
                    "data": values[spec.alias],
                }
                for spec, array in zip(question.outputs, outputs, strict=True)
            ],
        }
        return dump(document | ({} if self._id is None else {"id": self._id}))


def _signature_name(document: Mapping[str, Any]) -> str:
    parameters = document.get("parameters")
    name = parameters.get("signature_name", "") if isinstance(parameters, dict) else ""
    if not isinstance(name, str):
        raise InvalidRequest(f"parameters.signature_name must be text, got {quote(name)}")
    return name


def _read_inputs(listed: Any, signature: Signature) -> dict[str, Array]:  # noqa: ANN401 - JSON
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise InvalidRequest('expected "inputs" to be a list of tensors with name, shape, datatype and data')
    names = [entry.get("name") for entry in listed]
    if sorted(map(str, names)) != sorted(signature.inputs):
        raise InvalidRequest(f"expected the inputs {', '.join(signature.inputs)}, got {quote(names)}")
    return {entry["name"]: _read_input(entry, signature.inputs[entry["name"]]) for entry in listed}


def _read_input(entry: Mapping[str, Any], spec: TensorSpec) -> Array:
    shape = entry.get("shape")
    is_shape = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    if entry.get("datatype") != _datatype(spec) or not is_shape or not isinstance(entry.get("data"), list):
        raise InvalidRequest(
            f"input {spec.alias} must have datatype {_datatype(spec)}, a shape like {shape_text(spec.shape)} and data as "
            f"a list, got datatype {quote(entry.get('datatype'))} and shape {quote(shape)}"
        )
    assert isinstance(shape, list)
    check_shape(tuple(shape), spec)
    array = to_array(
        entry["data"], dataclasses.replace(spec, shape=None)
    )  # flat, or nested as the shape says
    if array.size != math.prod(shape) or (array.ndim > 1 and array.shape != tuple(shape)):
        raise InvalidRequest(
            f"input {spec.alias} must have {math.prod(shape)} values, as its shape says, got {array.size} "
            f"in shape {shape_text(array.shape)}"
        )
    return array.reshape(shape)


def _wanted(listed: Any, signature: Signature) -> list[TensorSpec]:  # noqa: ANN401 - JSON
    if not listed:
        return list(signature.outputs.values())
    names = (
        [entry.get("name") if isinstance(entry, dict) else entry for entry in listed]
        if isinstance(listed, list)
        else []
    )
    if (
        not names
        or not set(map(str, names)) <= set(signature.outputs)
        or len(set(map(str, names))) < len(names)
    ):
        raise InvalidRequest(
            f"expected some of the outputs {', '.join(signature.outputs)}, got {quote(listed)}"
        )
    return [signature.outputs[str(name)] for name in names]


def _tensor(spec: TensorSpec) -> dict[str, object]:
    shape = [-1] if spec.shape is None else [-1 if size is None else size for size in spec.shape]
    return {"name": spec.alias, "datatype": _datatype(spec), "shape": shape}


def _datatype(spec: TensorSpec) -> str:
    return DATATYPES.get(spec.dtype.name, spec.dtype.name.upper())
