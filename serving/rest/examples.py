"""`:classify` and `:regress` bodies: JSON objects as `tf.Example`s (tensorflow_serving/util/json_tensor.cc)."""

import base64
import binascii
import json
import math
from collections.abc import Sequence
from typing import Any

import orjson

from serving import examples
from serving.desk import Question
from serving.errors import InvalidRequest
from serving.protos import example_pb2, feature_pb2, input_pb2
from serving.repository import Servable
from serving.rest.documents import parse_document
from serving.rest.predict import signature_name
from serving.tensors.digests import KEY
from serving.tensors.dtypes import Array
from serving.tensors.json_inputs import is_base64_object, quote

_GREATEST_INT64 = 2**63 - 1
_NO_DIGESTS = (
    "Feature: {} is named by a digest, which means nothing inside of an Example: inputs are kept by the bytes of whole "
    "serialized Examples; send the value itself, or ask :predict with serialized Examples, which can be named"
)


class Examples:
    """One request; `verb` is `classify` or `regress`."""

    def __init__(self, servable: Servable, body: bytes, *, verb: str) -> None:
        self._servable = servable
        self._body = body
        self._is_classify = verb == "classify"

    def parse(self) -> Question:
        """Raises InvalidRequest."""
        document = parse_document(self._body)
        signature = examples.find_signature(self._servable, signature_name(document))
        rows = examples.serialize_examples(read_input(document))
        ask = examples.classify_question if self._is_classify else examples.regress_question
        return ask(signature, rows)

    def render(self, question: Question, outputs: Sequence[Array]) -> bytes:
        """`{"results": [[["label", score], ...], ...]}` or `{"results": [number, ...]}`."""
        if not self._is_classify:
            return _dump(
                [regression.value for regression in examples.regression_result(question, outputs).regressions]
            )
        result = examples.classification_result(question, outputs)
        return _dump(
            [[[entry.label, entry.score] for entry in row.classes] for row in result.classifications]
        )


def read_input(document: dict[str, Any]) -> input_pb2.Input:
    """The `examples`, and the `context` that all of them share. Raises InvalidRequest."""
    listed = document.get("examples")
    if "examples" not in document:
        raise InvalidRequest(
            f"JSON Value: {quote(document)} When method is classify, key 'examples' is expected and was not found"
        )
    if not isinstance(listed, list):
        raise InvalidRequest(f"JSON Value: {quote(document)} Expecting 'examples' value to be an list/array")
    if not listed:
        raise InvalidRequest(f"JSON Value: {quote(document)} 'examples' value is an empty array")
    message = input_pb2.Input()
    if "context" in document:
        target = message.example_list_with_context
        target.context.CopyFrom(_example(document["context"]))
        target.examples.extend(map(_example, listed))
    else:
        message.example_list.examples.extend(map(_example, listed))
    return message


def _example(value: Any) -> example_pb2.Example:  # noqa: ANN401 - JSON
    if not isinstance(value, dict):
        raise InvalidRequest(f"Example must be JSON object but got JSON {type(value).__name__}")
    example = example_pb2.Example()
    for name, content in value.items():
        _fill(example.features.feature[name], name, content if isinstance(content, list) else [content])
    return example


def _fill(feature: feature_pb2.Feature, name: str, values: list[Any]) -> None:
    if not values:
        return
    kinds = {_kind(value, name) for value in values}
    if len(kinds) > 1:
        raise InvalidRequest(
            f"Unexpected element type in feature: {name} expecting type: {_kind(values[0], name)}"
        )
    match kinds.pop():
        case "int64":
            feature.int64_list.value.extend(int(value) for value in values)
        case "float":
            feature.float_list.value.extend(values)
        case _:
            feature.bytes_list.value.extend(_bytes(value) for value in values)


def _kind(value: Any, name: str) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, bool):
        return "int64"
    if isinstance(value, int):
        if not -_GREATEST_INT64 - 1 <= value <= _GREATEST_INT64:
            raise InvalidRequest(f"Feature: {name} has uint64 element. Only int64 is supported.")
        return "int64"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str) or is_base64_object(value):
        return "bytes"
    if isinstance(value, dict) and value.keys() == {KEY}:
        raise InvalidRequest(_NO_DIGESTS.format(name))
    raise InvalidRequest(f"Feature: {name} has element with unexpected JSON type: {type(value).__name__}")


def _bytes(value: str | dict[str, str]) -> bytes:
    if isinstance(value, str):
        return value.encode(errors="surrogatepass")
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("Unable to base64 decode") from None


def _dump(results: list[Any]) -> bytes:
    if all(map(_is_finite, results)):
        return orjson.dumps({"results": results})
    return json.dumps({"results": results}, separators=(",", ":")).encode()


def _is_finite(value: Any) -> bool:  # noqa: ANN401 - a number, a label or a list of them
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
