"""`TensorProto` to arrays and back, without `tf.make_ndarray`.

Reading takes both encodings: `tensor_content`, and the typed lists with TensorFlow's rule that the last
value fills what is missing. Writing builds the serialized message by hand where the list is packed
fixed-width numbers: its bytes are then those of the array, and 33 us become 2.
"""

import functools
import math

import numpy as np

from serving.errors import InvalidRequest, RequestTooLarge, ShapeMismatch
from serving.protos import tensor_pb2
from serving.tensors.dtypes import BY_NUMBER, Array, DataType
from serving.tensors.signatures import TensorSpec, shape_text
from serving.tensors.wire import length_delimited, varint, varint_field

DEFAULT_LIMIT_BYTES = 1 << 30

# Field numbers of tensorflow/core/framework/tensor.proto.
_DTYPE, _SHAPE, _CONTENT = 1, 2, 4
_PACKED_FIXED_WIDTH = {"float_val": 5, "double_val": 6, "scomplex_val": 9, "dcomplex_val": 12}


def read_tensor(
    proto: tensor_pb2.TensorProto, spec: TensorSpec, *, limit_bytes: int = DEFAULT_LIMIT_BYTES
) -> Array:
    """The array that `proto` spells, checked against `spec`; it may share the memory of the message.

    Raises InvalidRequest when type, shape or number of values are not those of `spec`, RequestTooLarge when
    its shape asks for more than `limit_bytes`.
    """
    if proto.dtype != spec.dtype.number:
        received = BY_NUMBER.get(proto.dtype)
        raise InvalidRequest(
            f"input {spec.alias} must be of type {spec.dtype.name} and shape {shape_text(spec.shape)}, "
            f"got type {received.name if received else proto.dtype}"
        )
    shape = tuple([axis.size for axis in proto.tensor_shape.dim])
    check_shape(shape, spec)
    if shape and min(shape) < 0:
        raise InvalidRequest(
            f"input {spec.alias} must have a shape without open sizes, got {shape_text(shape)}"
        )
    count = math.prod(shape)
    if count * spec.dtype.storage.itemsize > limit_bytes:
        raise RequestTooLarge(
            f"input {spec.alias} must be at most {limit_bytes} bytes, got shape {shape_text(shape)} of {spec.dtype.name}"
        )
    return _values(proto, spec, count).reshape(shape)


def check_shape(shape: tuple[int, ...], spec: TensorSpec) -> None:
    """Raises ShapeMismatch unless `spec` accepts `shape`."""
    if not spec.accepts(shape):
        raise ShapeMismatch(mismatch_text(shape, spec))


def mismatch_text(shape: tuple[int, ...], spec: TensorSpec) -> str:
    """What is wrong with an input of this shape."""
    return (
        f"input {spec.alias} must be of type {spec.dtype.name} and shape {shape_text(spec.shape)}, "
        f"got shape {shape_text(shape)}"
    )


def write_tensor(array: Array, dtype: DataType, *, as_content: bool = False) -> bytes:
    """A serialized `TensorProto` of `array`: typed lists, or `tensor_content` if asked (never for strings)."""
    number = _fixed_width_field(dtype, as_content=as_content)
    if number:
        return _fixed_width_head(dtype, array.shape, number) + array.tobytes()
    head = _head(dtype.number, array.shape)
    if dtype.is_string:
        strings: bytes = tensor_pb2.TensorProto(string_val=array.ravel().tolist()).SerializeToString()
        return head + strings
    return head + _varint_list(array.ravel(), dtype)


def write_entry(alias: str, array: Array, dtype: DataType, *, as_content: bool) -> bytes:
    """One entry of the field `outputs` (1) of a serialized PredictResponse: the alias and its tensor.

    Everything before the numbers depends on alias, type and shape only, and is made once for them.
    """
    head = entry_head(alias, array.shape, dtype, as_content=as_content)
    if head is not None:
        return head + array.tobytes()
    tensor = write_tensor(array, dtype)
    return length_delimited(1, length_delimited(1, alias.encode()) + length_delimited(2, tensor))


def entry_head(alias: str, shape: tuple[int, ...], dtype: DataType, *, as_content: bool) -> bytes | None:
    """What stands before the numbers in such an entry; None where they are not simply the array's octets."""
    number = _fixed_width_field(dtype, as_content=as_content)
    return _entry_head(alias, dtype, shape, number) if number else None


def _fixed_width_field(dtype: DataType, *, as_content: bool) -> int:
    """The field that carries the array's own bytes; 0 when none does."""
    if as_content and not dtype.is_string:
        return _CONTENT
    return _PACKED_FIXED_WIDTH.get(dtype.field, 0)


@functools.lru_cache(maxsize=4096)
def _fixed_width_head(dtype: DataType, shape: tuple[int, ...], number: int) -> bytes:
    size = math.prod(shape) * dtype.storage.itemsize
    return _head(dtype.number, shape) + varint(number << 3 | 2) + varint(size)


@functools.lru_cache(maxsize=4096)
def _entry_head(alias: str, dtype: DataType, shape: tuple[int, ...], number: int) -> bytes:
    tensor_head = _fixed_width_head(dtype, shape, number)
    tensor_size = len(tensor_head) + math.prod(shape) * dtype.storage.itemsize
    start = length_delimited(1, alias.encode()) + varint(2 << 3 | 2) + varint(tensor_size)
    return varint(1 << 3 | 2) + varint(len(start) + tensor_size) + start + tensor_head


def _varint_list(values: Array, dtype: DataType) -> bytes:
    proto = tensor_pb2.TensorProto()
    if dtype.field == "float8_val":
        proto.float8_val = values.tobytes()
    else:
        bits = values.view(np.uint16) if dtype.field == "half_val" else values
        getattr(proto, dtype.field).extend(bits.tolist())
    serialized: bytes = proto.SerializeToString()
    return serialized


@functools.lru_cache(maxsize=4096)
def _head(number: int, shape: tuple[int, ...]) -> bytes:
    dimensions = b"".join(length_delimited(2, varint_field(1, size) if size else b"") for size in shape)
    return varint_field(_DTYPE, number) + length_delimited(_SHAPE, dimensions)


def _values(proto: tensor_pb2.TensorProto, spec: TensorSpec, count: int) -> Array:
    if proto.tensor_content:
        return _from_content(proto.tensor_content, spec, count)
    values = _from_list(proto, spec.dtype)
    if len(values) == count:
        return values
    if len(values) > count or not len(values):
        raise InvalidRequest(
            f"input {spec.alias} must have {count} values, as its shape says, got {len(values)}"
        )
    return np.concatenate([values, np.full(count - len(values), values[-1], values.dtype)])


def _from_content(content: bytes, spec: TensorSpec, count: int) -> Array:
    if spec.dtype.is_string:
        raise InvalidRequest(f"input {spec.alias} of type string must come in string_val, got tensor_content")
    expected = count * spec.dtype.storage.itemsize
    if len(content) != expected:
        raise InvalidRequest(
            f"input {spec.alias} must have {expected} bytes of tensor_content, as its shape says, got {len(content)}"
        )
    return np.frombuffer(content, spec.dtype.storage)


def _from_list(proto: tensor_pb2.TensorProto, dtype: DataType) -> Array:
    values = getattr(proto, dtype.field)
    if dtype.is_string:
        array = np.empty(len(values), object)
        array[:] = values
        return array
    if dtype.field == "float8_val":
        return np.frombuffer(values, np.uint8)
    if dtype.is_complex:
        part = np.float32 if dtype.field == "scomplex_val" else np.float64
        return np.array(values[: len(values) // 2 * 2], part).view(dtype.storage)
    if dtype.field == "half_val":
        return np.array(values, np.int64).astype(np.uint16).view(dtype.storage)
    if dtype.field == "int_val":
        # The list holds int32 for types down to one byte; TensorFlow cuts off what does not fit, and so do we.
        return np.array(values, np.int64).astype(dtype.storage)
    return np.array(values, dtype.storage)
