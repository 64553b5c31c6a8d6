"""Const nodes from arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model_export.graphs.tensors import fill_tensor

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef


def become_constant(node: NodeDef, value: Any, dtype: int) -> None:  # noqa: ANN401 - arrays, scalars, bytes
    """Turn `node` into a Const of the same name. `value`: array-like of the element type that `dtype` (a DataType) names."""
    name = node.name
    node.Clear()
    node.name = name
    node.op = "Const"
    node.attr["dtype"].type = dtype
    fill_tensor(node.attr["value"].tensor, value, dtype)
