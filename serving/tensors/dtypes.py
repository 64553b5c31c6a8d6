"""TensorFlow's data types: number, name, numpy storage and field of `TensorProto`.

Numbers and fields are those of tensorflow/core/framework/types.proto and tensor.proto. numpy has no
bfloat16 or float8, so their arrays hold the bits, and only JSON needs to look inside.
"""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
"""An array of any type: what is inside is said by the `DataType` that travels with it."""


# Compared by identity, since there is one of each: hashing its fields would cost every memo of heads a microsecond.
@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DataType:
    """One row of the table."""

    number: int
    """The value of the protobuf enum."""
    name: str
    """The enum's spelling, as error messages of TensorFlow print it, without `DT_`."""
    storage: "np.dtype[Any]"
    """How numpy holds it."""
    field: str
    """The typed list of `TensorProto` that carries it."""

    @property
    def is_string(self) -> bool:
        return self.number == STRING_NUMBER

    @property
    def is_float(self) -> bool:
        return self.name in _FLOAT_NAMES

    @property
    def is_complex(self) -> bool:
        return self.storage.kind == "c"


STRING_NUMBER = 7
_FLOAT_NAMES = {"float", "double", "half", "bfloat16"}

_ROWS: list[tuple[int, str, str, str]] = [
    (1, "float", "<f4", "float_val"),
    (2, "double", "<f8", "double_val"),
    (3, "int32", "<i4", "int_val"),
    (4, "uint8", "u1", "int_val"),
    (5, "int16", "<i2", "int_val"),
    (6, "int8", "i1", "int_val"),
    (STRING_NUMBER, "string", "O", "string_val"),
    (8, "complex64", "<c8", "scomplex_val"),
    (9, "int64", "<i8", "int64_val"),
    (10, "bool", "?", "bool_val"),
    (11, "qint8", "i1", "int_val"),
    (12, "quint8", "u1", "int_val"),
    (13, "qint32", "<i4", "int_val"),
    (14, "bfloat16", "<u2", "half_val"),
    (15, "qint16", "<i2", "int_val"),
    (16, "quint16", "<u2", "int_val"),
    (17, "uint16", "<u2", "int_val"),
    (18, "complex128", "<c16", "dcomplex_val"),
    (19, "half", "<f2", "half_val"),
    (22, "uint32", "<u4", "uint32_val"),
    (23, "uint64", "<u8", "uint64_val"),
    (24, "float8_e5m2", "u1", "float8_val"),
    (25, "float8_e4m3fn", "u1", "float8_val"),
]

BY_NUMBER = {
    number: DataType(number=number, name=name, storage=np.dtype(storage), field=field)
    for number, name, storage, field in _ROWS
}
BY_NAME = {dtype.name: dtype for dtype in BY_NUMBER.values()}


def bfloat16_to_float(bits: Array) -> Array:
    """`bits`: uint16[...], the upper half of a float32; the float32[...] of the same value."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def float_to_bfloat16(values: Array) -> Array:
    """`values`: float32[...]; uint16[...] bits, rounded to nearest even as Eigen's bfloat16 does."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(values), 0x7FC0, rounded).astype(np.uint16)
