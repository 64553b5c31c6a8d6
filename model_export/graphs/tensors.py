"""TensorProtos from arrays, byte for byte: every element type that a tensor can have, empty ones included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from tensorflow.core.framework.tensor_pb2 import TensorProto

STRING: Final = 7
"""DT_STRING of tensorflow/core/framework/types.proto: the one type whose elements have no fixed size."""
INT32: Final = 3
"""DT_INT32, same file."""
BOOL: Final = 10
"""DT_BOOL, same file."""


def fill_tensor(tensor: TensorProto, value: Any, dtype: int) -> None:  # noqa: ANN401 - arrays, scalars, bytes
    """Write `value`, an array-like of the element type that `dtype` (a DataType) names, into an empty TensorProto."""
    array = np.asarray(value)
    tensor.dtype = dtype
    tensor.tensor_shape.SetInParent()
    for size in array.shape:
        tensor.tensor_shape.dim.add().size = size
    if dtype == STRING:
        tensor.string_val.extend(_as_bytes(each) for each in array.ravel())
    else:
        tensor.tensor_content = array.tobytes()


def _as_bytes(text: Any) -> bytes:  # noqa: ANN401 - numpy hands out str or bytes
    return text.encode() if isinstance(text, str) else bytes(text)
