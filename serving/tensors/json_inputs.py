"""JSON values to arrays, by TensorFlow Serving's rules (docs/api_rest.md and its error texts).

Two ways to the same result. numpy converts a whole nested list at once, and is believed when what it made
has the kind, range and shape that the rules allow. Anything else is walked value by value, which either
finds it valid after all or says what is wrong in TensorFlow Serving's words.
"""

import base64
import binascii
import json
import math
from typing import Any

import numpy as np

from serving.errors import InvalidRequest, Unsupported
from serving.tensors.digests import InputDigest
from serving.tensors.dtypes import Array, DataType, float_to_bfloat16
from serving.tensors.signatures import TensorSpec
from serving.tensors.tensor_protos import check_shape

Json = Any
"""What `json.loads` makes: there is no narrower type for a value that a stranger sent."""

_EXACT_INTEGERS = {"float": 2**24 - 1, "double": 2**53 - 1, "half": 2**11 - 1, "bfloat16": 2**8 - 1}
"""Integers up to here keep their value as that type: TensorFlow Serving refuses greater ones as lossy."""
_LARGEST = {
    "float": 3.4028234663852886e38,
    "double": math.inf,
    "half": 65504.0,
    "bfloat16": 3.3895313892515355e38,
}
_QUOTED_CHARACTERS = 200
MAX_AXES = 64
"""numpy's own limit; a value that is nested deeper can fit no signature."""


def to_array(value: Json, spec: TensorSpec, *, may_hold_booleans: bool = True) -> Array:
    """`value` as an array of the type of `spec`, in its storage type.

    `may_hold_booleans=False` is for a caller who saw the text and found no boolean in it: looking for them in
    a list of numbers costs as much as parsing it.

    Raises InvalidRequest when a value, the nesting or the shape does not fit.
    """
    array = None if spec.dtype.is_string else _convert(value, spec.dtype, may_hold_booleans=may_hold_booleans)
    if array is None:
        array = _walk(value, spec.dtype)
    check_shape(array.shape, spec)
    return array


def exact_integer_limit(dtype: DataType) -> int:
    """Up to here every integer keeps its value as that floating-point type."""
    return _EXACT_INTEGERS[dtype.name]


def type_error(value: Json, dtype: DataType) -> InvalidRequest:
    return InvalidRequest(
        f"JSON Value: {quote(value)} Type: {_type_name(value)} is not of expected type: {dtype.name}"
    )


def quote(value: Json) -> str:
    """`value` as JSON, cut short: an error message is no place for a payload."""
    try:
        text = json.dumps(value, default=str)
    except RecursionError:
        return "(nested too deeply to be quoted)"
    return text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}..."


def is_base64_object(value: Json) -> bool:
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def _convert(value: Json, dtype: DataType, *, may_hold_booleans: bool) -> Array | None:
    """The array, if numpy's own conversion cannot have bent a rule; None if the walk has to look."""
    try:
        array = np.array(value)
    except (ValueError, OverflowError):  # ragged, or an integer beyond 64 bits
        return None
    if dtype.name == "bool":
        return array if array.dtype.kind == "b" else None
    if array.size == 0 or array.dtype.kind not in "iuf" or (may_hold_booleans and _holds_booleans(value)):
        return None
    if dtype.is_float:
        return _convert_floats(array, dtype)
    if array.dtype.kind == "f" or dtype.storage.kind not in "iu":
        return None
    limits = np.iinfo(dtype.storage)
    fits = int(array.min()) >= limits.min and int(array.max()) <= limits.max
    return array.astype(dtype.storage) if fits else None


def _convert_floats(array: Array, dtype: DataType) -> Array | None:
    limit = _EXACT_INTEGERS[dtype.name]
    largest = (
        float(np.abs(array).max()) if array.dtype.kind == "f" else float(max(array.max(), -int(array.min())))
    )
    if not largest <= limit:
        return None
    return store_floats(array, dtype)


def store_floats(array: Array, dtype: DataType) -> Array:
    """`array`: float64[...] or integers; the same values in the storage type of `dtype`."""
    if dtype.name == "bfloat16":
        return float_to_bfloat16(array.astype(np.float32))
    return array.astype(dtype.storage)


def _holds_booleans(value: Json) -> bool:
    """Whether a boolean hides among numbers: numpy would make it 0 or 1, the rules refuse it."""
    if isinstance(value, list):  # as deep as numpy just went
        if value and isinstance(value[0], list):
            return any(_holds_booleans(item) for item in value)
        return bool in set(map(type, value))
    return isinstance(value, bool)


def _walk(value: Json, dtype: DataType) -> Array:
    shape = _shape(value)
    leaves: list[Any] = []
    _collect(value, 0, shape, dtype, leaves)
    if dtype.is_string:
        array = np.empty(len(leaves), object)
        array[:] = leaves
        return array.reshape(shape)
    numbers = np.array(leaves, np.float64) if dtype.is_float else np.array(leaves, dtype.storage)
    stored = store_floats(numbers, dtype) if dtype.is_float else numbers
    return stored.reshape(shape)


def _shape(value: Json) -> tuple[int, ...]:
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if len(shape) > MAX_AXES:
            raise InvalidRequest(f"JSON Value: expected at most {MAX_AXES} nested lists, got more")
        if not value:
            break
        value = value[0]
    return tuple(shape)


def _collect(value: Json, level: int, shape: tuple[int, ...], dtype: DataType, leaves: list[Any]) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise InvalidRequest(
                f"JSON Value: {quote(value)} found at incorrect level: {level + 1} in the JSON DOM. "
                f"Expected at level: {len(shape)}"
            )
        leaves.append(_leaf(value, dtype))
        return
    if level >= len(shape):
        raise InvalidRequest(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise InvalidRequest(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )
    for item in value:
        _collect(item, level + 1, shape, dtype, leaves)


def _leaf(value: Json, dtype: DataType) -> bytes | InputDigest | bool | int | float:
    if dtype.is_string:
        return _string(value, dtype)
    if dtype.name == "bool":
        if not isinstance(value, bool):
            raise type_error(value, dtype)
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise type_error(value, dtype)
    if dtype.is_float:
        return _decimal(value, dtype)
    if dtype.storage.kind not in "iu":
        raise Unsupported(f"Conversion of JSON Value: {quote(value)} to type: {dtype.name}")
    limits = np.iinfo(dtype.storage)
    if isinstance(value, float) or not limits.min <= value <= limits.max:
        raise type_error(value, dtype)
    return value


def _string(value: Json, dtype: DataType) -> bytes | InputDigest:
    if isinstance(value, str):
        return value.encode(errors="surrogatepass")
    if isinstance(value, InputDigest):
        return value
    if not isinstance(value, dict):
        raise type_error(value, dtype)
    if not is_base64_object(value):
        raise InvalidRequest(f"JSON Value: {quote(value)} not formatted correctly for base64 data")
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("Unable to base64 decode") from None


def _decimal(value: float, dtype: DataType) -> float:
    limit = _EXACT_INTEGERS[dtype.name] if isinstance(value, int) else _LARGEST[dtype.name]
    if math.isfinite(value) and abs(value) > limit:
        raise InvalidRequest(
            f"Cannot convert JSON value: {quote(value)} to {dtype.name} without loss of precision."
        )
    return value


def _type_name(value: Json) -> str:
    if isinstance(value, bool):
        return str(value)
    names = {dict: "Object", list: "Array", str: "String", int: "Number", float: "Number"}
    return names.get(type(value), "Null")
