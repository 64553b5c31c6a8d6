"""Weights stored smaller, computed as before: half floats, or 8-bit integers with one scale per output channel.

Each large constant `w` becomes `w/stored` and the op that widens it again, under the name `w`: nobody who reads it notices. The file
shrinks; the memory of a server that folds constants does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from model_export.artifact import Quantization
from model_export.canonical import canonicalise
from model_export.graphs.tensors import fill_tensor
from model_export.normal_form import FrozenModel
from model_export.sessions import import_tensorflow

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

SMALLEST_ELEMENTS: Final = 1024
"""Biases and norms stay as they are: they weigh nothing and matter much."""
FLOAT: Final = 1
INT8: Final = 6
HALF: Final = 19
"""DT_FLOAT, DT_INT8 and DT_HALF of tensorflow/core/framework/types.proto."""
LIMITS: Final[dict[Quantization, float]] = {"fp16": 0.01, "int8": 0.1}
"""Largest difference to the source's answers, relative to the largest of each output, that is accepted untold. Measured on
EfficientNet-Lite0: 0.002 and 0.08."""


def quantise(model: FrozenModel, kind: Quantization) -> FrozenModel:
    """Return the model with its large float32 constants stored as `kind`."""
    graph = type(model.graph)()
    graph.CopyFrom(model.graph)
    for node in list(graph.node):
        if _is_large_weight(node):
            _STORES[kind](graph, node)
    canonicalise(graph)
    return replace(model, graph=graph)


def _is_large_weight(node: NodeDef) -> bool:
    if node.op != "Const" or node.attr["dtype"].type != FLOAT:
        return False
    sizes = [dim.size for dim in node.attr["value"].tensor.tensor_shape.dim]
    return len(sizes) >= 2 and int(np.prod(sizes)) >= SMALLEST_ELEMENTS


def _store_half(graph: GraphDef, node: NodeDef) -> None:
    values = _values(node)
    name, controls = node.name, list(node.input)
    _add_constant(graph, f"{name}/stored", values.astype(np.float16), HALF)
    _become(node, "Cast", [f"{name}/stored", *controls], SrcT=HALF, DstT=FLOAT)


def _store_int8(graph: GraphDef, node: NodeDef) -> None:
    values = _values(node)
    name, controls = node.name, list(node.input)
    largest = np.max(np.abs(values), axis=tuple(range(values.ndim - 1)), keepdims=True)
    scale = np.where(largest > 0, largest / 127.0, 1.0).astype(np.float32)
    _add_constant(graph, f"{name}/stored", np.round(values / scale).astype(np.int8), INT8)
    _add_constant(graph, f"{name}/scale", scale.reshape(scale.shape[-1]), FLOAT)
    _become(graph.node.add(name=f"{name}/wide"), "Cast", [f"{name}/stored"], SrcT=INT8, DstT=FLOAT)
    _become(node, "Mul", [f"{name}/wide", f"{name}/scale", *controls], T=FLOAT)


_STORES: Final[dict[Quantization, Callable[[GraphDef, NodeDef], None]]] = {
    "fp16": _store_half,
    "int8": _store_int8,
}


def _values(node: NodeDef) -> NDArray[Any]:
    return np.asarray(import_tensorflow().make_ndarray(node.attr["value"].tensor))


def _add_constant(graph: GraphDef, name: str, values: NDArray[Any], dtype: int) -> None:
    node = graph.node.add(name=name, op="Const")
    node.attr["dtype"].type = dtype
    fill_tensor(node.attr["value"].tensor, values, dtype)


def _become(node: NodeDef, op: str, inputs: list[str], **types: int) -> None:
    name = node.name
    node.Clear()
    node.name = name
    node.op = op
    node.input.extend(inputs)
    for key, dtype in types.items():
        node.attr[key].type = dtype
