"""A digest of what a model computes: sha256 over op, attributes and input digests, from the signatures backwards.

Names of nodes, functions and arguments have no part in it; aliases of the signatures do. Two kinds of edges run against the
order of computation: the back edges of TensorFlow 1 loops, and the initialiser that gives a table its contents. They are taken
in by rounds of refinement, as in colour refinement of graphs: each round lets a node's digest see one such edge further, until no
round tells more nodes apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from model_export.canonical.order import backward_edges, inputs_first
from model_export.graphs.hints import HINTS
from model_export.graphs.reachability import callees_first, reach
from model_export.graphs.references import control_inputs, data_inputs, node_of

if TYPE_CHECKING:
    from tensorflow.core.framework.attr_value_pb2 import AttrValue
    from tensorflow.core.framework.function_pb2 import FunctionDef
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

SCHEME: Final = b"tf-serving-platform model identity 1"
_NAMES_OR_SETTINGS: Final = HINTS | {"shared_name", "container", "config_proto", "executor_type"}


def identity(
    graph: GraphDef,
    signatures: Mapping[str, SignatureDef],
    *,
    initializer: str | None = None,
    assets: Mapping[str, str] | None = None,
) -> str:
    """Return `sha256:…` of a frozen model; `assets`: node that is fed with an asset's path -> digest of the asset's content."""
    seeds = {name: _digest(b"asset", content.encode()) for name, content in (assets or {}).items()}
    functions = _function_digests(graph)
    given = _given(signatures)
    nodes = _node_digests(list(graph.node), seeds, functions, given, initializer)
    total = hashlib.sha256(SCHEME)
    for key in sorted(signatures):
        signature = signatures[key]
        total.update(_digest(key.encode(), signature.method_name.encode()))
        for alias, info in sorted(signature.outputs.items()):
            total.update(_digest(alias.encode(), nodes[node_of(info.name)], _info_bytes(info)))
        for alias, default in sorted(signature.defaults.items()):
            total.update(_digest(b"default", alias.encode(), default.SerializeToString(deterministic=True)))
    total.update(nodes[initializer] if initializer else b"")
    for each in sorted(nodes.values()):  # one random op read twice is not two random ops
        total.update(each)
    return "sha256:" + total.hexdigest()


def _function_digests(graph: GraphDef) -> dict[str, bytes]:
    library = {function.signature.name: function for function in graph.library.function}
    digests: dict[str, bytes] = {}
    for name in callees_first(library):
        digests[name] = _function_digest(library[name], digests)
    return digests


def _function_digest(function: FunctionDef, functions: Mapping[str, bytes]) -> bytes:
    seeds = {
        argument.name: _digest(b"argument", str(index).encode(), str(argument.type).encode())
        for index, argument in enumerate(function.signature.input_arg)
    }
    nodes = seeds | _node_digests(list(function.node_def), seeds, functions, {}, None)
    attributes = (
        _digest(key.encode(), _attribute_bytes(function.attr[key], functions))
        for key in sorted(set(function.attr) - HINTS)
    )
    results = (_reference_digest(function.ret[each.name], nodes) for each in function.signature.output_arg)
    controls = sorted(nodes[each] for each in function.control_ret.values())
    return _digest(b"function", *attributes, b"results", *results, b"controls", *controls)


def _node_digests(
    nodes: list[NodeDef],
    seeds: Mapping[str, bytes],
    functions: Mapping[str, bytes],
    given: Mapping[str, bytes],
    initializer: str | None,
) -> dict[str, bytes]:
    by_name = {node.name: node for node in nodes}
    order = inputs_first(by_name)
    own = {
        node.name: seeds.get(node.name) or _own_digest(node, functions, given.get(node.name, b""))
        for node in nodes
    }
    backward = backward_edges(by_name, reach(by_name, [initializer]) if initializer else ())
    digests = _round(order, by_name, own, seeds, {})
    told_apart = -1
    while backward and len(set(digests.values())) > told_apart:
        told_apart = len(set(digests.values()))
        seen = {
            name: _digest(*sorted(digests[each] for each in sources)) for name, sources in backward.items()
        }
        digests = _round(order, by_name, own, seeds, seen)
    return digests


def _round(
    order: list[str],
    nodes: Mapping[str, NodeDef],
    own: Mapping[str, bytes],
    seeds: Mapping[str, bytes],
    seen: Mapping[str, bytes],
) -> dict[str, bytes]:
    digests = dict(seeds)
    for name in order:
        inputs = (_reference_digest(each, digests) for each in data_inputs(nodes[name]))
        controls = sorted(digests.get(node_of(each), b"back") for each in control_inputs(nodes[name]))
        digests[name] = _digest(own[name], seen.get(name, b""), b"inputs", *inputs, b"controls", *controls)
    return digests


def _own_digest(node: NodeDef, functions: Mapping[str, bytes], given: bytes) -> bytes:
    kept = sorted(set(node.attr) - _NAMES_OR_SETTINGS)
    attributes = (_digest(key.encode(), _attribute_bytes(node.attr[key], functions)) for key in kept)
    return _digest(functions.get(node.op, node.op.encode()), given, *attributes)


def _attribute_bytes(value: AttrValue, functions: Mapping[str, bytes]) -> bytes:
    named = [value.func] if value.HasField("func") else list(value.list.func)
    if named:
        return _digest(*(functions.get(each.name, each.name.encode()) for each in named))
    return bytes(value.SerializeToString(deterministic=True))


def _reference_digest(reference: str, digests: Mapping[str, bytes]) -> bytes:
    _, _, output = reference.partition(":")
    return _digest(digests.get(node_of(reference), b"back"), b"" if output == "0" else output.encode())


def _given(signatures: Mapping[str, SignatureDef]) -> dict[str, bytes]:
    """Per node that a signature feeds: under which aliases, types and shapes."""
    feeds: dict[str, list[bytes]] = {}
    for key, signature in sorted(signatures.items()):
        for alias, info in sorted(signature.inputs.items()):
            feeds.setdefault(node_of(info.name), []).append(
                _digest(key.encode(), alias.encode(), _info_bytes(info))
            )
    return {name: _digest(b"given", *each) for name, each in feeds.items()}


def _info_bytes(info: TensorInfo) -> bytes:
    _, _, output = info.name.partition(":")
    shape = info.tensor_shape.SerializeToString(deterministic=True)
    return _digest(str(info.dtype).encode(), shape, output.encode())


def _digest(*parts: bytes) -> bytes:
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.digest()
