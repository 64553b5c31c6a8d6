"""JSON bodies to Python values, with TensorFlow Serving's tolerance."""

import json
from typing import Any

import orjson

from serving.errors import InvalidRequest
from serving.tensors.json_inputs import quote


def parse_document(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; NaN and Infinity are taken, as TensorFlow Serving does.

    Raises InvalidRequest when it is no JSON or no object. Both parsers refuse nesting that would overflow them.
    """
    if not body:
        raise InvalidRequest("JSON Parse error: The document is empty")
    document = _parse(body)
    if not isinstance(document, dict):
        raise InvalidRequest(f"JSON Value: {quote(document)} Is not object")
    return document


def _parse(body: bytes) -> Any:  # noqa: ANN401 - what a stranger sent
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        reason = error
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRequest(f"JSON Parse error: {reason}") from None
