"""`:predict` bodies: row format (`instances`) and column format (`inputs`), as tensorflow_serving/util/json_tensor.cc."""

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from serving.desk import Question
from serving.errors import InvalidRequest, ShapeMismatch
from serving.repository import Servable
from serving.rest.documents import parse_document
from serving.rest.naming import NAMED, name_inputs
from serving.rest.numbers import NumberReader
from serving.scheduling import Share
from serving.tensors.dtypes import Array
from serving.tensors.json_inputs import is_base64_object, quote, to_array
from serving.tensors.json_outputs import row_texts, write_columns, write_rows
from serving.tensors.signatures import DEFAULT_SIGNATURE, Signature, TensorSpec

Convert = Callable[[Any, TensorSpec], Array]


class Predict:
    """One request: parsed once, and rendered in the format that it came in."""

    def __init__(self, servable: Servable, body: bytes, reader: NumberReader) -> None:
        self._servable = servable
        self._reader = reader
        self._body = body
        self._is_columnar = False

    def parse(self) -> Question:
        """Raises InvalidRequest, SignatureNotFound."""
        default = self._servable.session.signatures.get(DEFAULT_SIGNATURE)
        numbers = self._reader.read(self._body, default) if default is not None and default.inputs else None
        if default is not None and numbers is not None:
            return Question(signature=default, inputs=[numbers], outputs=default.all_outputs)
        return self._parse_carefully()

    def _parse_carefully(self) -> Question:
        document = parse_document(self._body)
        signature = self._servable.signature(signature_name(document))
        if not signature.inputs:
            raise InvalidRequest(f"Failed to get input map for signature: {signature.name}")
        self._is_columnar = _is_columnar(document)
        may_hold_booleans = b"true" in self._body or b"false" in self._body
        if NAMED in self._body:
            document = name_inputs(document, self._servable, signature)
        convert = functools.partial(to_array, may_hold_booleans=may_hold_booleans)
        read = functools.partial(self._read, document, signature, convert)
        has_own_shapes = False
        try:
            arrays = read(signature.inputs)
        except ShapeMismatch:
            if NAMED in self._body or not self._servable.takes_other_shapes:
                raise
            has_own_shapes = True
            arrays = read(signature.shapeless_inputs)
        return Question(
            signature=signature,
            inputs=signature.complete(arrays),
            outputs=signature.all_outputs,
            has_own_shapes=has_own_shapes,
        )

    def _read(
        self,
        document: Mapping[str, Any],
        signature: Signature,
        convert: Convert,
        specs: Mapping[str, TensorSpec],
    ) -> dict[str, Array]:
        if self._is_columnar:
            return _read_columns(document["inputs"], specs, signature.required, convert)
        instances = document["instances"]
        if _is_row_object(instances[0]) and signature.takes(instances[0]):
            # What the first row leaves out, all do.
            specs = {alias: spec for alias, spec in specs.items() if alias in instances[0]}
            return _read_named_rows(instances, specs, convert)
        return _read_rows(instances, specs, convert)

    def render(self, question: Question, outputs: Sequence[Array]) -> bytes:
        if type(outputs) is Share and not self._is_columnar and len(question.outputs) == 1:
            texts = outputs.joined.make(row_texts)
            if texts is not None:
                return texts.write(outputs.start, outputs.end)
        named = {spec.alias: array for spec, array in zip(question.outputs, outputs, strict=True)}
        write = write_columns if self._is_columnar else write_rows
        return write(named, question.signature.outputs)


def signature_name(document: Mapping[str, Any]) -> str:
    """The signature that a body names; empty for the default one. Raises InvalidRequest when it is no text."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise InvalidRequest(
            f"JSON Value: {quote(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    return name


def _is_columnar(document: Mapping[str, Any]) -> bool:
    if "instances" not in document:
        if "inputs" not in document:
            raise InvalidRequest("Missing 'inputs' or 'instances' key")
        return True
    if "inputs" in document:
        raise InvalidRequest(
            f"JSON Value: {quote(document)} Not formatted correctly expecting only one of 'inputs' or 'instances' "
            "keys to exist "
        )
    if not isinstance(document["instances"], list):
        raise InvalidRequest(f"JSON Value: {quote(document)} Excepting 'instances' to be an list/array")
    if not document["instances"]:
        raise InvalidRequest(f"JSON Value: {quote(document)} No values in 'instances' array")
    return False


def _read_columns(
    value: Any,  # noqa: ANN401 - JSON
    specs: Mapping[str, TensorSpec],
    required: Collection[str],
    convert: Convert,
) -> dict[str, Array]:
    if not isinstance(value, dict) or is_base64_object(value):
        if len(specs) > 1:
            raise InvalidRequest(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                "tensorinfo_map"
            )
        (alias,) = specs
        return {alias: convert(value, specs[alias])}
    missing = next((alias for alias in specs if alias in required and alias not in value), None)
    if missing is not None:
        raise InvalidRequest(f"Missing named input: {missing} in 'inputs' object.")
    return {alias: convert(value[alias], spec) for alias, spec in specs.items() if alias in value}


def _read_rows(instances: list[Any], specs: Mapping[str, TensorSpec], convert: Convert) -> dict[str, Array]:
    if not _is_row_object(instances[0]):
        if len(specs) > 1:
            raise InvalidRequest(
                "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
                "tensorinfo_map"
            )
        (alias,) = specs
        _check_plain(instances)
        return {alias: convert(instances, specs[alias])}
    return _read_named_rows(instances, specs, convert)


def _read_named_rows(
    instances: list[Any], specs: Mapping[str, TensorSpec], convert: Convert
) -> dict[str, Array]:
    for number, row in enumerate(instances):
        _check_row(row, number, specs)
    return {alias: convert([row[alias] for row in instances], spec) for alias, spec in specs.items()}


def _is_row_object(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, dict) and not is_base64_object(value)


def _check_plain(instances: list[Any]) -> None:
    for number, item in enumerate(instances):
        if _is_row_object(item):
            raise InvalidRequest(f"Expecting value/list but got object at item {number} of input list")


def _check_row(row: Any, number: int, specs: Mapping[str, TensorSpec]) -> None:  # noqa: ANN401 - JSON
    if not _is_row_object(row):
        raise InvalidRequest(f"Expecting object but got list at item {number} of input list")
    if row.keys() != specs.keys():
        raise InvalidRequest(
            f"Failed to process element: {number} of 'instances' list. JSON object: {quote(row)} "
            f"keys must be equal to: {','.join(specs)}"
        )
