"""TensorFlow's element types by number: their names and how many bytes one element takes.

Numbers are those of `tensorflow/core/framework/types.proto`; a test compares this table with the installed TensorFlow.
"""

from __future__ import annotations

from typing import Final

_NAMES: Final[dict[int, str]] = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    11: "qint8",
    12: "quint8",
    13: "qint32",
    14: "bfloat16",
    15: "qint16",
    16: "quint16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    20: "resource",
    21: "variant",
    22: "uint32",
    23: "uint64",
    24: "float8_e5m2",
    25: "float8_e4m3fn",
    26: "float8_e4m3fnuz",
    27: "float8_e4m3b11fnuz",
    28: "float8_e5m2fnuz",
    29: "int4",
    30: "uint4",
    31: "int2",
    32: "uint2",
    33: "float4_e2m1fn",
}
_EIGHT: Final = frozenset({2, 8, 9, 23})
_FOUR: Final = frozenset({1, 3, 13, 22})
_TWO: Final = frozenset({5, 14, 15, 16, 17, 19})
_UNSIZED: Final = frozenset({7, 20, 21})
_REFERENCE: Final = 100
"""`DT_FLOAT_REF` is `DT_FLOAT` + 100: the same element type behind a TensorFlow 1 variable."""


def dtype_name(number: int) -> str:
    """Return TensorFlow's name of an element type, `unknown(99)` where a newer TensorFlow knows more."""
    return _NAMES.get(_plain(number), f"unknown({number})")


def element_bytes(number: int) -> int | None:
    """Return the bytes of one element, `None` for strings, handles and types that are not known."""
    plain = _plain(number)
    if plain == 18:
        return 16
    for size, members in ((8, _EIGHT), (4, _FOUR), (2, _TWO)):
        if plain in members:
            return size
    return 1 if plain in _NAMES and plain not in _UNSIZED else None


def _plain(number: int) -> int:
    return number - _REFERENCE if number > _REFERENCE else number
