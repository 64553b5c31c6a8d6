"""JSON bodies to Python values, with TensorFlow Serving's tolerance."""

import json
from typing import Any

import orjson

from serving.errors import InvalidRequest
from serving.tensors.json_inputs import quote


def parse_document(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; NaN and Infinity are taken, as TensorFlow Serving does.

    Raises InvalidRequest when it is no JSON, no object, or has a key twice. Both parsers refuse nesting that would
    overflow them.
    """
    if not body:
        raise InvalidRequest("JSON Parse error: The document is empty")
    document = _parse(body)
    if not isinstance(document, dict):
        raise InvalidRequest(f"JSON Value: {quote(document)} Is not object")
    if any(body.count(b'"%b"' % key.encode(errors="replace")) > 1 for key in document):
        _refuse_repeated_keys(body)
    return document


def _refuse_repeated_keys(body: bytes) -> None:
    """Two readers may take different ones of two equal keys, so neither is taken.

    Called only when a key of the top may be there twice: seeing every key costs as much as parsing in Python.
    """

    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen = dict(pairs)
        if len(seen) < len(pairs):
            keys = [key for key, _ in pairs]
            repeated = next(key for key in keys if keys.count(key) > 1)
            raise InvalidRequest(f"JSON Parse error: expected each key once, got {quote(repeated)} twice")
        return seen

    json.loads(body, object_pairs_hook=check)


def _parse(body: bytes) -> Any:  # noqa: ANN401 - what a stranger sent
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        reason = error
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRequest(f"JSON Parse error: {reason}") from None
