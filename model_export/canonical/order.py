"""The order in which nodes can be looked at, and the edges that no such order respects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from model_export.graphs.references import data_inputs, node_of

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef

_NEXT_ITERATION = ("NextIteration", "RefNextIteration")


def inputs_first(nodes: Mapping[str, NodeDef]) -> list[str]:
    """Return all names, every node after its inputs; what a NextIteration hands back to its loop does not count.

    Works on graphs of any depth: nothing recurses.
    """
    order: dict[str, None] = {}
    opened: set[str] = set()
    pending = [(name, False) for name in sorted(nodes, reverse=True)]
    while pending:
        name, is_done = pending.pop()
        if is_done:
            order[name] = None
        elif name not in opened:
            opened.add(name)
            pending.append((name, True))
            sources = {node_of(each) for each in nodes[name].input}
            pending.extend(
                (each, False) for each in sources if each in nodes and not _is_back_edge(nodes, name, each)
            )
    return list(order)


def backward_edges(nodes: Mapping[str, NodeDef], initializing: Collection[str]) -> dict[str, list[str]]:
    """Return node -> the later nodes that decide what it holds: a loop's next round, a table's initialiser."""
    backward: dict[str, list[str]] = {}
    for name, node in nodes.items():
        for source in {node_of(each) for each in data_inputs(node)} & nodes.keys():
            if _is_back_edge(nodes, name, source):
                backward.setdefault(name, []).append(source)
            elif name in initializing and "HashTable" in nodes[source].op:
                backward.setdefault(source, []).append(name)
    return backward


def _is_back_edge(nodes: Mapping[str, NodeDef], name: str, source: str) -> bool:
    return nodes[name].op in {"Merge", "RefMerge"} and nodes[source].op in _NEXT_ITERATION
