"""Which operations of a graph can run, and from where: a client's signature, an initialiser, or the restore at loading.

A SavedModel written by TensorFlow holds nodes that save and restore checkpoints and never run in a server. Calling them unsafe would
refuse every ordinary model; overlooking them would let a signature write files. So the walk follows edges and calls from what the
server really runs. A function that is called counts as a whole, because its stateful operations run whether or not they are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from model_export.contract.graph import Body, Graph, Node

_VOCABULARY: Final = frozenset({"InitializeTableFromTextFile", "InitializeTableFromTextFileV2"})
_TRANSPARENT: Final = frozenset({"Identity", "ReadVariableOp"})
_ASSET_HOLDERS: Final = frozenset({"Placeholder", "PlaceholderV2", "VarHandleOp", "VariableV2"})


def reachable_ops(graph: Graph, tensors: Iterable[str]) -> frozenset[str]:
    """Return the operations that run when the named tensors or nodes of the main graph are asked for."""
    found: set[str] = set()
    called: set[str] = set()
    seen: set[str] = set()
    waiting = [node_name(each) for each in tensors]
    while waiting:
        name = waiting.pop()
        node = graph.main.nodes.get(name)
        if name in seen or node is None:
            continue
        seen.add(name)
        found.add(node.op)
        called.update(_callees(graph, node))
        waiting.extend(node_name(each) for each in node.inputs)
    found.update(_function_ops(graph, called))
    return frozenset(found)


def foreign_vocabularies(graph: Graph, assets: frozenset[str]) -> Iterator[str]:
    """Yield the operations that fill a table from a file which is not one of the servable's assets.

    `assets` are the names of the tensors that the loader feeds with asset paths. Inside a function the file name is an argument,
    which is taken for an asset where the servable has any.
    """
    for body in (graph.main, *graph.functions.values()):
        for node in body.nodes.values():
            if node.op in _VOCABULARY and not _reads_asset(node, body, assets):
                yield node.op


def node_name(tensor: str) -> str:
    """Return the node of a tensor or control input: `node` of `node:0`, `^node` and `node:output:0`."""
    return tensor.removeprefix("^").partition(":")[0]


def _function_ops(graph: Graph, called: set[str]) -> Iterator[str]:
    seen: set[str] = set()
    waiting = list(called)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in graph.functions:
            continue
        seen.add(name)
        for node in graph.functions[name].nodes.values():
            yield node.op
            waiting.extend(_callees(graph, node))


def _callees(graph: Graph, node: Node) -> Iterator[str]:
    yield from node.calls
    if node.op in graph.functions:
        yield node.op


def _reads_asset(node: Node, body: Body, assets: frozenset[str]) -> bool:
    if not assets or len(node.inputs) < 2:
        return False
    names = {node_name(each) for each in assets}
    name = node_name(node.inputs[1])
    for _ in range(len(body.nodes) + 1):
        if name in names or name in body.arguments:
            return True
        source = body.nodes.get(name)
        if source is None or source.op not in _TRANSPARENT or not source.inputs:
            return source is not None and source.op in _ASSET_HOLDERS
        name = node_name(source.inputs[0])
    return False
