"""Calls that no longer touch state, said to be so.

Reading a variable is stateful, so every model's functions are called by stateful ops. Without variables most of them are pure, and
TensorFlow folds and inlines pure calls better. Random ops, tables and assertions keep their callers stateful.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from model_export.graphs.reachability import called_functions, callees_first

if TYPE_CHECKING:
    from tensorflow.core.framework.function_pb2 import FunctionDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

PURE_TWINS: Final = {
    "StatefulPartitionedCall": "PartitionedCall",
    "If": "StatelessIf",
    "While": "StatelessWhile",
    "Case": "StatelessCase",
}


def mark_pure_calls(nodes: Iterable[NodeDef], library: Mapping[str, FunctionDef]) -> None:
    """Turn stateful calls of pure functions into their stateless twins, in the graph and in every function."""
    is_stateful: dict[str, bool] = {}
    for name in callees_first(library):
        function = library[name]
        for node in function.node_def:
            _mark(node, is_stateful)
        is_stateful[name] = any(_touches_state(node, is_stateful) for node in function.node_def)
        function.signature.is_stateful = is_stateful[name]
    for node in nodes:
        _mark(node, is_stateful)


def _mark(node: NodeDef, is_stateful: Mapping[str, bool]) -> None:
    if node.op in PURE_TWINS and not any(is_stateful.get(each.name, True) for each in called_functions(node)):
        node.op = PURE_TWINS[node.op]


def _touches_state(node: NodeDef, is_stateful: Mapping[str, bool]) -> bool:
    from tensorflow.python.framework import op_def_registry

    if any(is_stateful.get(each.name, True) for each in called_functions(node)):
        return True
    if node.op in is_stateful:
        return is_stateful[node.op]
    definition = op_def_registry.get(node.op)
    return definition is None or bool(definition.is_stateful)
