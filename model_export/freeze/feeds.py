"""Inputs in the middle of a graph.

A signature may be fed at any tensor, such as the output of a parser or of an input pipeline. What lies behind it is then not
needed, unless another signature needs it: the node becomes a placeholder of its own name, and the parser, its vocabulary or its
iterator stay behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from model_export.graphs.reachability import reach
from model_export.graphs.references import data_inputs, node_of

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo


def cut_at_feeds(nodes: Mapping[str, NodeDef], signatures: Iterable[SignatureDef]) -> None:
    """Turn every node that is fed whenever it is needed into a Placeholder of the same name, in place."""
    fed = {node_of(info.name): info for each in signatures for info in each.inputs.values()}
    for name, info in fed.items():
        if nodes[name].op != "Placeholder" and _is_only_fed(nodes, name, info, signatures):
            _become_placeholder(nodes[name], info)


def _is_only_fed(
    nodes: Mapping[str, NodeDef], name: str, info: TensorInfo, signatures: Iterable[SignatureDef]
) -> bool:
    if info.name not in {name, f"{name}:0"}:
        return False  # a placeholder has one output
    for signature in signatures:
        inputs = {node_of(each.name) for each in signature.inputs.values()}
        needed = reach(nodes, (node_of(each.name) for each in signature.outputs.values()), stop_at=inputs)
        if name in needed and name not in inputs:
            return False
        used = {
            each for node in needed - inputs for each in data_inputs(nodes[node]) if node_of(each) == name
        }
        if used - {info.name, info.name.removesuffix(":0")}:
            return False  # another output of the same node is computed
    return True


def _become_placeholder(node: NodeDef, info: TensorInfo) -> None:
    node.op = "Placeholder"
    node.attr.clear()
    del node.input[:]
    node.attr["dtype"].type = info.dtype
    node.attr["shape"].shape.CopyFrom(info.tensor_shape)
