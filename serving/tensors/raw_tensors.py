"""Tensors of the Open Inference Protocol, version 2, as bytes: little-endian, row by row, without padding.

A bool is one byte, 0 or 1; a string is its length in four bytes, and then itself. REST sends them behind the JSON
(the binary tensor data extension), gRPC in `raw_input_contents`; both mean the same, so both come here.
"""

import math
import struct
from collections.abc import Sequence

import numpy as np

from serving.errors import InvalidRequest, RequestTooLarge
from serving.tensors.dtypes import Array, DataType
from serving.tensors.signatures import TensorSpec, shape_text
from serving.tensors.tensor_protos import DEFAULT_LIMIT_BYTES, check_shape

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
_LENGTH = struct.Struct("<I")


def datatype(spec: TensorSpec) -> str:
    """What the protocol calls a type; those that it does not know go by TensorFlow's name."""
    return DATATYPES.get(spec.dtype.name, spec.dtype.name.upper())


def check_tensor(
    spec: TensorSpec, *, datatype_sent: str, shape: Sequence[int], limit_bytes: int = DEFAULT_LIMIT_BYTES
) -> int:
    """How many values the tensor has that a client announces as this input.

    Raises InvalidRequest when it does not fit, RequestTooLarge when it would occupy more than `limit_bytes`.
    """
    if datatype_sent != datatype(spec) or (shape and min(shape) < 0):
        raise InvalidRequest(
            f"input {spec.alias} must have datatype {datatype(spec)} and a shape like {shape_text(spec.shape)}, got "
            f"datatype {datatype_sent[:40]} and shape {shape_text(tuple(shape))}"
        )
    check_shape(tuple(shape), spec)
    count = math.prod(shape)
    if count * spec.dtype.storage.itemsize > limit_bytes:
        raise RequestTooLarge(
            f"input {spec.alias} must be at most {limit_bytes} bytes, got shape {shape_text(tuple(shape))} of "
            f"{datatype(spec)}"
        )
    return count


def read_raw(content: bytes, shape: Sequence[int], spec: TensorSpec) -> Array:
    """The array in `content`, whose announcement `check_tensor` has found good. Raises InvalidRequest."""
    count = math.prod(shape)
    if spec.dtype.is_string:
        return _read_strings(content, count, spec).reshape(shape)
    expected = count * spec.dtype.storage.itemsize
    if len(content) != expected:
        raise InvalidRequest(
            f"input {spec.alias} must have {expected} bytes, as its shape says, got {len(content)}"
        )
    if spec.dtype.name == "bool" and content.strip(b"\0\1"):
        raise InvalidRequest(f"input {spec.alias} of datatype BOOL must have bytes 0 and 1 only")
    return np.frombuffer(content, spec.dtype.storage).reshape(shape)


def write_raw(array: Array, dtype: DataType) -> bytes:
    """The bytes of an output."""
    if not dtype.is_string:
        return array.tobytes()
    values: list[bytes] = array.ravel().tolist()
    return b"".join([part for value in values for part in (_LENGTH.pack(len(value)), value)])


def _read_strings(content: bytes, count: int, spec: TensorSpec) -> Array:
    # Every string takes four bytes at least, so a short message cannot ask for a long array.
    if count * _LENGTH.size > len(content):
        raise _wrong_strings(spec, count)
    array, position = np.empty(count, object), 0
    for number in range(count):
        start = position + _LENGTH.size
        if start > len(content):
            raise _wrong_strings(spec, count)
        position = start + _LENGTH.unpack_from(content, start - _LENGTH.size)[0]
        array[number] = content[start:position]
    if position != len(content):
        raise _wrong_strings(spec, count)
    return array


def _wrong_strings(spec: TensorSpec, count: int) -> InvalidRequest:
    return InvalidRequest(
        f"input {spec.alias} of datatype BYTES must be {count} strings, each behind its length in 4 bytes, got other bytes"
    )
