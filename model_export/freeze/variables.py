"""Which nodes are variables, and how large they are, before any value is read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from model_export.errors import NotFreezableError

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef

RESOURCE: Final = 20
"""DT_RESOURCE of tensorflow/core/framework/types.proto."""
LIMIT_BYTES: Final = 2**31 - 2**20
"""One protobuf message holds less than 2 GiB; the last MiB is for nodes, names and signatures."""
_RESOURCE_OPS: Final = frozenset({"VarHandleOp"})
_REFERENCE_OPS: Final = frozenset({"VariableV2", "Variable"})


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A node that holds weights."""

    name: str
    dtype: int
    """A DataType, such as 1 for float32."""
    shape: tuple[int, ...] | None
    """None where the graph does not say."""
    is_resource: bool
    """True for a handle (VarHandleOp), False for a reference variable of TensorFlow 1."""


def find_variables(nodes: Iterable[NodeDef]) -> list[Variable]:
    """Return the variables among `nodes`, in order."""
    return [_variable(node) for node in nodes if node.op in _RESOURCE_OPS | _REFERENCE_OPS]


def refuse_oversized(variables: Sequence[Variable]) -> None:
    """Raise NotFreezableError when the weights cannot fit into one protobuf, judging by the shapes that the graph states."""
    total = sum(_size_bytes(each) for each in variables)
    if total > LIMIT_BYTES:
        largest = max(variables, key=_size_bytes)
        message = (
            f"expected at most {LIMIT_BYTES} bytes of weights, which one protobuf can hold, received {total} "
            f'(the largest: "{largest.name}" with {_size_bytes(largest)}); serve the unfrozen SavedModel, '
            "or shrink the weights"
        )
        raise NotFreezableError(message)


def _variable(node: NodeDef) -> Variable:
    shape = node.attr["shape"].shape
    sizes = tuple(int(dim.size) for dim in shape.dim)
    is_known = "shape" in node.attr and not shape.unknown_rank and all(size >= 0 for size in sizes)
    return Variable(
        name=node.name,
        dtype=node.attr["dtype"].type,
        shape=sizes if is_known else None,
        is_resource=node.op in _RESOURCE_OPS,
    )


def _size_bytes(variable: Variable) -> int:
    import tensorflow as tf

    if variable.shape is None:
        return 0
    return math.prod(variable.shape) * int(tf.as_dtype(variable.dtype).size or 0)
