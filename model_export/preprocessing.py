"""The mark on a graph's preprocessed tensor.

Decoding a photo costs more than asking many a network about it, and clients send the same photo again. A server that knows which
tensor holds the decoded pixels can remember them by the photo's digest, and feed them instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from model_export.errors import SignatureError
from model_export.graphs.reachability import reach
from model_export.graphs.references import node_of
from model_export.normal_form import Preprocessed

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef


def find_preprocessed(
    name: str,
    graph: Any,  # noqa: ANN401 - tf.Graph
    frozen: GraphDef,
    signature: SignatureDef,
) -> Preprocessed:
    """Return the marked tensor of a signature.

    Raises SignatureError when there is no such tensor, or when the outputs can be had from the inputs past it.
    """
    tensor_name = name if ":" in name else f"{name}:0"
    nodes = {node.name: node for node in frozen.node}
    if node_of(tensor_name) not in nodes:
        message = f"expected --preprocessed to name a tensor that the outputs need, received {name!r}; correct the name"
        raise SignatureError(message)
    if _can_be_passed_by(nodes, node_of(tensor_name), signature):
        message = (
            f"expected every output to need the inputs only through {name!r}, received a way past it; "
            "name the last tensor of the preprocessing"
        )
        raise SignatureError(message)
    tensor = graph.get_tensor_by_name(tensor_name)
    shape = None if tensor.shape.rank is None else tuple(tensor.shape.as_list())
    return Preprocessed(tensor=tensor_name, dtype=tensor.dtype.base_dtype.name, shape=shape)


def _can_be_passed_by(nodes: Mapping[str, Any], marked: str, signature: SignatureDef) -> bool:
    inputs = {node_of(info.name) for info in signature.inputs.values()}
    outputs = [node_of(info.name) for info in signature.outputs.values()]
    return bool(reach(nodes, outputs, stop_at={marked}) & inputs) or not reach(nodes, [marked]) & inputs
