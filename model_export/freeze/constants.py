"""Const nodes from arrays, byte for byte: every element type that a variable can have, empty ones included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef

STRING = 7
"""DT_STRING of tensorflow/core/framework/types.proto: the one type whose elements have no fixed size."""
INT32 = 3
"""DT_INT32, same file."""
BOOL = 10
"""DT_BOOL, same file."""


def become_constant(node: NodeDef, value: Any, dtype: int) -> None:  # noqa: ANN401 - arrays, scalars, bytes
    """Turn `node` into a Const of the same name. `value`: array-like of the element type that `dtype` (a DataType) names."""
    array = np.asarray(value)
    name = node.name
    node.Clear()
    node.name = name
    node.op = "Const"
    node.attr["dtype"].type = dtype
    tensor = node.attr["value"].tensor
    tensor.dtype = dtype
    for size in array.shape:
        tensor.tensor_shape.dim.add().size = size
    if dtype == STRING:
        tensor.string_val.extend(_as_bytes(each) for each in array.ravel())
    else:
        tensor.tensor_content = array.tobytes()


def _as_bytes(text: Any) -> bytes:  # noqa: ANN401 - numpy hands out str or bytes
    return text.encode() if isinstance(text, str) else bytes(text)
