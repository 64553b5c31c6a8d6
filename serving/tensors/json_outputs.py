"""Arrays to JSON, by TensorFlow Serving's rules: shortest decimals, NaN and Infinity as such, bytes as base64.

orjson writes numpy arrays directly, but spells what is not finite as null; such an answer (rare) goes the
slow way through the standard library, which spells it as TensorFlow Serving does.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from serving.errors import InvalidRequest, Unsupported
from serving.tensors.dtypes import Array, bfloat16_to_float
from serving.tensors.signatures import TensorSpec

BYTES_SUFFIX = "_bytes"
"""An output whose name ends so is written as {"b64": ...} (docs/api_rest.md, Encoding binary values)."""

Printable = Any
"""An array or number that orjson writes, or nested lists of Python values."""
Dump = Callable[[dict[str, Any]], bytes]


def write_rows(outputs: Mapping[str, Array], specs: Mapping[str, TensorSpec]) -> bytes:
    """`{"predictions": [...]}`: one value per row, an object per row if there are several outputs.

    Raises InvalidRequest when an output has no rows or another number of them.
    """
    count = _count_rows(outputs)
    values, dump = prepare(outputs, specs)
    if len(values) == 1:
        return dump({"predictions": next(iter(values.values()))})
    return dump(
        {"predictions": [{alias: value[row] for alias, value in values.items()} for row in range(count)]}
    )


class RowTexts:
    """The rows of one array as JSON, to be handed out in ranges: writing 64 at once costs less than writing ten alone."""

    __slots__ = ("_close", "_open", "_parts", "_separator")

    def __init__(self, array: Array) -> None:
        """`array`: numbers[row, ...], all finite and not empty."""
        depth = array.ndim
        brackets = depth - 1
        self._open, self._close = b'{"predictions":[' + b"[" * brackets, b"]" * depth + b"}"
        self._separator = b"]" * brackets + b"," + b"[" * brackets
        text = orjson.dumps(np.ascontiguousarray(array), option=orjson.OPT_SERIALIZE_NUMPY)
        # Only between rows are so many brackets closed and opened.
        self._parts = text[depth:-depth].split(self._separator)

    def write(self, start: int, end: int) -> bytes:
        """What `write_rows` makes of these rows."""
        return b"".join((self._open, self._separator.join(self._parts[start:end]), self._close))


def row_texts(outputs: Sequence[Array]) -> RowTexts | None:
    """The only output's rows, or None when `write_rows` has to look at each answer."""
    (array,) = outputs
    is_plain = array.dtype.kind == "f" and array.ndim > 0 and array.size > 0
    return RowTexts(array) if is_plain and bool(np.isfinite(array).all()) else None


def write_columns(outputs: Mapping[str, Array], specs: Mapping[str, TensorSpec]) -> bytes:
    """`{"outputs": ...}`: the value of the only output, or an object of all."""
    values, dump = prepare(outputs, specs)
    return dump({"outputs": next(iter(values.values())) if len(values) == 1 else values})


def _count_rows(outputs: Mapping[str, Array]) -> int:
    count: int | None = None
    for alias, array in outputs.items():
        if not array.ndim:
            raise InvalidRequest(f"Tensor name: {alias} has no shape information ")
        if count is not None and array.shape[0] != count:
            raise InvalidRequest(
                f"Tensor name: {alias} has inconsistent batch size: {array.shape[0]} expecting: {count}"
            )
        count = array.shape[0]
    return count or 0


def prepare(
    outputs: Mapping[str, Array], specs: Mapping[str, TensorSpec]
) -> tuple[dict[str, Printable], Dump]:
    values = {alias: _printable(array, specs[alias]) for alias, array in outputs.items()}
    if all(map(_is_finite, values.values())):
        return values, _dump_arrays
    return {alias: _to_lists(value) for alias, value in values.items()}, _dump_lists


def _printable(array: Array, spec: TensorSpec) -> Printable:
    dtype = spec.dtype
    if dtype.is_string:
        return _strings(array, as_bytes=spec.alias.endswith(BYTES_SUFFIX))
    if dtype.is_complex or dtype.field == "float8_val":
        raise Unsupported(f"Failed to write JSON value for tensor type: {dtype.name}; ask over gRPC")
    if dtype.name == "bfloat16":
        array = bfloat16_to_float(array)
    return np.ascontiguousarray(array) if array.ndim else array[()]


def _strings(array: Array, *, as_bytes: bool) -> Printable:
    written = np.empty(array.size, object)
    written[:] = [_string(value, as_bytes=as_bytes) for value in array.ravel()]
    return written.reshape(array.shape).tolist()


def _string(value: bytes, *, as_bytes: bool) -> str | dict[str, str]:
    if not as_bytes:
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass  # TensorFlow Serving writes such bytes raw, which is no JSON; base64 loses nothing
    return {"b64": base64.b64encode(value).decode()}


def _is_finite(value: Printable) -> bool:
    return (
        not isinstance(value, (np.ndarray, np.floating))
        or value.dtype.kind != "f"
        or bool(np.isfinite(value).all())
    )


def _to_lists(value: Printable) -> Printable:
    if not isinstance(value, (np.ndarray, np.generic)):
        return value
    if value.dtype.kind != "f":
        return value.tolist()
    # str() of a numpy scalar is its shortest decimal; float() of that prints the same digits.
    shortest = np.array([float(str(number)) for number in np.ravel(value)], object)
    return shortest.reshape(np.shape(value)).tolist()


def _dump_arrays(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def _dump_lists(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
