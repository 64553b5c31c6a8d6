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
_ASSET_HOLDERS: Final = frozenset({"VarHandleOp", "VariableV2"})
"""TensorFlow 2 keeps the path of an asset in a variable that the loader fills."""


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
    fed = frozenset(node_name(each) for each in assets)
    for body in (graph.main, *graph.functions.values()):
        verdicts: dict[str, bool] = {}
        for node in body.nodes.values():
            if node.op not in _VOCABULARY:
                continue
            if (
                len(node.inputs) < 2
                or not fed
                or not _is_asset(node_name(node.inputs[1]), body, fed, verdicts)
            ):
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


def _is_asset(name: str, body: Body, fed: frozenset[str], verdicts: dict[str, bool]) -> bool:
    """Follow a file name back through nodes that only pass it on; what was followed once is remembered, so the whole walk is linear."""
    passed: list[str] = []
    while name not in verdicts:
        verdicts[name] = False  # until its source is known: a chain that comes back to itself starts nowhere
        passed.append(name)
        source = body.nodes.get(name)
        if name in fed or name in body.arguments:
            verdicts[name] = True
        elif source is not None and source.op in _TRANSPARENT and source.inputs:
            name = node_name(source.inputs[0])
        else:
            verdicts[name] = source is not None and source.op in _ASSET_HOLDERS
    for each in passed:
        verdicts[each] = verdicts[name]
    return verdicts[name]
