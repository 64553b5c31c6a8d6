"""What a set of nodes needs: the nodes behind it, and the functions they call.

Save and restore nodes, gradients and optimisers are not behind any signature, so they vanish by not being reached.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from model_export.errors import SourceError
from model_export.graphs.references import node_of

if TYPE_CHECKING:
    from tensorflow.core.framework.attr_value_pb2 import NameAttrList
    from tensorflow.core.framework.function_pb2 import FunctionDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef


def reach(nodes: Mapping[str, NodeDef], roots: Iterable[str], *, stop_at: Collection[str] = ()) -> set[str]:
    """Return the names of `roots` and of every node they depend on, not looking behind `stop_at`.

    Raises SourceError when an input refers to a node that the graph does not hold.
    """
    reached: set[str] = set()
    pending = list(roots)
    while pending:
        name = pending.pop()
        if name in reached:
            continue
        if name not in nodes:
            message = f'expected a whole graph, received one that refers to the missing node "{name}"; save the model again'
            raise SourceError(message)
        reached.add(name)
        if name not in stop_at:
            pending.extend(node_of(each) for each in nodes[name].input)
    return reached


def called_functions(node: NodeDef) -> list[NameAttrList]:
    """Return the function references in a node's attributes, in the order of attribute names."""
    called = []
    for key in sorted(node.attr):
        value = node.attr[key]
        if value.HasField("func"):
            called.append(value.func)
        called.extend(value.list.func)
    return called


def reach_functions(nodes: Iterable[NodeDef], library: Mapping[str, FunctionDef]) -> set[str]:
    """Return the names of the library functions that `nodes` call, directly or not."""
    reached: set[str] = set()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        for name in [node.op, *(each.name for each in called_functions(node))]:
            if name in library and name not in reached:
                reached.add(name)
                pending.extend(library[name].node_def)
    return reached


def callees_first(library: Mapping[str, FunctionDef]) -> list[str]:
    """Return the names of the library, every function after those that it calls."""
    ordered: dict[str, None] = {}
    pending = [(name, False) for name in sorted(library, reverse=True)]
    opened: set[str] = set()
    while pending:
        name, is_done = pending.pop()
        if is_done:
            ordered[name] = None
        elif name not in opened:
            opened.add(name)
            pending.append((name, True))
            for node in library[name].node_def:
                called = [node.op, *(each.name for each in called_functions(node))]
                pending.extend((each, False) for each in called if each in library and each not in opened)
    return list(ordered)
