"""`POST /v2/models/NAME/infer`: tensors as JSON, or as bytes behind the JSON (the binary tensor data extension).

    Inference-Header-Content-Length: 98
    {"inputs": [{"name": "x", ..., "parameters": {"binary_data_size": 16}}], ...}<16 bytes>

docs.nvidia.com, Triton Inference Server, extension_binary_data. An output comes as bytes if its entry says
`binary_data`, or the request `binary_data_output`.
"""

import dataclasses
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

from serving.desk import Question
from serving.errors import InvalidRequest
from serving.http1 import Response
from serving.repository import Servable
from serving.rest.documents import parse_document
from serving.rest.naming import NAMED, name_inputs
from serving.tensors.dtypes import Array
from serving.tensors.json_inputs import quote, to_array
from serving.tensors.json_outputs import prepare
from serving.tensors.raw_tensors import check_tensor, datatype, read_raw, write_raw
from serving.tensors.signatures import Signature, TensorSpec, shape_text
from serving.tensors.tensor_protos import check_shape

HEADER: Final = "inference-header-content-length"
_SIZE, _WHOLE, _SOME = "binary_data_size", "binary_data_output", "binary_data"
_MARK: Final = b"\0"
"""Begins a kept answer that has bytes behind its JSON; then comes the length of the JSON. JSON never begins so."""
_LENGTH = struct.Struct("<Q")


class Infer:
    """One inference request."""

    def __init__(self, servable: Servable, body: bytes, headers: Mapping[str, str]) -> None:
        """Raises InvalidRequest when the header does not fit the body."""
        self._servable = servable
        self._body = body
        self._json_bytes = _json_length(headers.get(HEADER), body)
        self._id: object = None
        self._binary: set[str] = set()

    @property
    def kind(self) -> str:
        """The same bytes mean something else when they are divided otherwise."""
        return f"rest v2 infer {self._json_bytes}"

    def parse(self) -> Question:
        """Raises InvalidRequest, SignatureNotFound, Unsupported."""
        head = self._body[: self._json_bytes]
        document = parse_document(head)
        self._id = document.get("id")
        parameters = _parameters(document)
        signature = self._servable.signature(_signature_name(parameters))
        if NAMED in head:
            document = name_inputs(document, self._servable, signature)
        arrays = self._read_inputs(document.get("inputs"), signature)
        outputs = _wanted(document.get("outputs"), signature)
        self._binary = _binary_outputs(document.get("outputs"), outputs, whole=_flag(parameters, _WHOLE))
        return Question(signature=signature, inputs=signature.complete(arrays), outputs=outputs)

    def render(self, question: Question, outputs: Sequence[Array]) -> bytes:
        """The JSON, or, marked, its length, itself and the bytes behind it; `answer_response` takes it apart."""
        named = {spec.alias: array for spec, array in zip(question.outputs, outputs, strict=True)}
        specs = {spec.alias: spec for spec in question.outputs}
        plain = {alias: array.ravel() for alias, array in named.items() if alias not in self._binary}
        values, dump = prepare(plain, specs)
        pieces = {
            alias: write_raw(named[alias], specs[alias].dtype) for alias in named if alias in self._binary
        }
        described = []
        for alias, array in named.items():
            entry: dict[str, Any] = {
                "name": alias,
                "datatype": datatype(specs[alias]),
                "shape": list(array.shape),
            }
            entry |= (
                {"parameters": {_SIZE: len(pieces[alias])}} if alias in pieces else {"data": values[alias]}
            )
            described.append(entry)
        document: dict[str, Any] = {
            "model_name": self._servable.name,
            "model_version": str(self._servable.version),
            "outputs": described,
        }
        head = dump(document | ({} if self._id is None else {"id": self._id}))
        return b"".join((_MARK, _LENGTH.pack(len(head)), head, *pieces.values())) if pieces else head

    def _read_inputs(self, listed: Any, signature: Signature) -> dict[str, Array]:  # noqa: ANN401 - JSON
        if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
            raise InvalidRequest(
                'expected "inputs" to be a list of tensors with name, shape, datatype and data'
            )
        names = [str(entry.get("name")) for entry in listed]
        if len(set(names)) < len(names) or not signature.takes(names):
            raise InvalidRequest(f"expected the inputs {', '.join(signature.inputs)}, got {quote(names)}")
        arrays, position = {}, self._json_bytes
        for entry in listed:
            spec, size = signature.inputs[str(entry.get("name"))], _binary_size(entry)
            if size is None:
                arrays[spec.alias] = _read_json(entry, spec)
            else:
                arrays[spec.alias] = _read_binary(entry, self._body[position : position + size], spec)
                position += size
        if position != len(self._body):
            raise InvalidRequest(
                f"expected {position - self._json_bytes} bytes behind the JSON, as {_SIZE} of the inputs says, got "
                f"{len(self._body) - self._json_bytes}"
            )
        return arrays


def answer_response(answer: bytes) -> Response:
    """The response that carries an answer of `Infer.render`."""
    if answer[:1] != _MARK:
        return Response(body=answer)
    start = len(_MARK) + _LENGTH.size
    (length,) = _LENGTH.unpack_from(answer, len(_MARK))
    headers = (("Inference-Header-Content-Length", str(length)),)
    return Response(body=answer[start:], content_type="application/octet-stream", headers=headers)


def _json_length(header: str | None, body: bytes) -> int:
    if header is None:
        return len(body)
    if not (header.isascii() and header.isdecimal() and len(header) <= 19 and int(header) <= len(body)):
        raise InvalidRequest(
            f"expected {HEADER} to be how many of the {len(body)} bytes of the body are JSON, got {quote(header)}"
        )
    return int(header)


def _parameters(entry: Any) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
    found = entry.get("parameters") if isinstance(entry, dict) else None
    return found if isinstance(found, dict) else {}


def _flag(parameters: Mapping[str, Any], name: str) -> bool:
    value = parameters.get(name, False)
    if not isinstance(value, bool):
        raise InvalidRequest(f"parameters.{name} must be true or false, got {quote(value)}")
    return value


def _binary_size(entry: Mapping[str, Any]) -> int | None:
    size = _parameters(entry).get(_SIZE)
    if size is None:
        return None
    if type(size) is not int or size < 0 or "data" in entry:
        raise InvalidRequest(
            f"parameters.{_SIZE} must be a number of bytes, and without data beside it, got {quote(size)}"
        )
    return size


def _binary_outputs(listed: Any, outputs: Sequence[TensorSpec], *, whole: bool) -> set[str]:  # noqa: ANN401
    entries = {str(entry.get("name")): entry for entry in listed or () if isinstance(entry, dict)}
    chosen = {spec.alias: _parameters(entries.get(spec.alias)) for spec in outputs}
    return {
        alias
        for alias, parameters in chosen.items()
        if (_flag(parameters, _SOME) if _SOME in parameters else whole)
    }


def _signature_name(parameters: Mapping[str, Any]) -> str:
    name = parameters.get("signature_name", "")
    if not isinstance(name, str):
        raise InvalidRequest(f"parameters.signature_name must be text, got {quote(name)}")
    return name


def _read_shape(entry: Mapping[str, Any], spec: TensorSpec) -> list[int]:
    shape = entry.get("shape")
    is_shape = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    if entry.get("datatype") != datatype(spec) or not is_shape:
        raise InvalidRequest(
            f"input {spec.alias} must have datatype {datatype(spec)} and a shape like {shape_text(spec.shape)}, got "
            f"datatype {quote(entry.get('datatype'))} and shape {quote(shape)}"
        )
    assert isinstance(shape, list)
    return shape


def _read_binary(entry: Mapping[str, Any], content: bytes, spec: TensorSpec) -> Array:
    shape = _read_shape(entry, spec)
    check_tensor(spec, datatype_sent=datatype(spec), shape=shape)
    return read_raw(content, shape, spec)


def _read_json(entry: Mapping[str, Any], spec: TensorSpec) -> Array:
    shape = _read_shape(entry, spec)
    check_shape(tuple(shape), spec)
    data = entry.get("data")
    if not isinstance(data, list):
        raise InvalidRequest(f"input {spec.alias} must have data as a list, or {_SIZE}, got {quote(data)}")
    # Flat, or nested as the shape says.
    array = to_array(data, dataclasses.replace(spec, shape=None))
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
