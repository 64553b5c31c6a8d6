"""Reads what serving needs from a MetaGraphDef without parsing its graph.

A frozen graph carries the weights: parsing 100 MB of them to read a page of signatures would double the
memory of start-up. The top level of the message is walked by hand and only the small fields are kept.
"""

from collections.abc import Iterator

from serving.errors import ModelError
from serving.protos import meta_graph_pb2

# tensorflow/core/protobuf/meta_graph.proto: meta_info_def and signature_def.
_KEPT_FIELDS = {1, 5}
_LENGTH_DELIMITED = 2
# Loops and branches of TensorFlow 1, which the single-threaded executor refuses.
_OLD_CONTROL_FLOW = {"Enter", "Exit", "LoopCond", "Merge", "NextIteration", "Switch"}
# Operations whose answer depends on more than their inputs, or that change what later ones answer.
_UNREPEATABLE = {
    "AssignAdd",
    "AssignAddVariableOp",
    "AssignSub",
    "AssignSubVariableOp",
    "RandomUniform",
    "RandomUniformInt",
    "RandomStandardNormal",
    "TruncatedNormal",
    "RandomShuffle",
    "RandomGamma",
    "RandomPoissonV2",
    "ParameterizedTruncatedNormal",
    "Multinomial",
    "StatefulUniform",
    "StatefulUniformInt",
    "StatefulUniformFullInt",
    "StatefulStandardNormalV2",
    "StatefulTruncatedNormal",
    "StatefulRandomBinomial",
    "Timestamp",
    "PyFunc",
    "EagerPyFunc",
}


def without_graph(serialized: bytes) -> meta_graph_pb2.MetaGraphDef:
    """The MetaGraphDef with its signatures and list of operations only. Raises ModelError if it is cut off."""
    kept = b"".join(
        serialized[start:end] for number, start, end in _fields(serialized) if number in _KEPT_FIELDS
    )
    return meta_graph_pb2.MetaGraphDef.FromString(kept)


def operations(meta_graph: meta_graph_pb2.MetaGraphDef) -> set[str]:
    """The kinds of operation the graph uses, as its writer listed them; empty when it did not."""
    return {operation.name for operation in meta_graph.meta_info_def.stripped_op_list.op}


def has_old_control_flow(meta_graph: meta_graph_pb2.MetaGraphDef) -> bool:
    return bool(operations(meta_graph) & _OLD_CONTROL_FLOW)


def is_deterministic(meta_graph: meta_graph_pb2.MetaGraphDef) -> bool:
    """Whether the same question always has the same answer, as far as the list of operations tells."""
    return not operations(meta_graph) & _UNREPEATABLE


def _fields(serialized: bytes) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of each field of the top level, which has length-delimited fields only."""
    position = 0
    while position < len(serialized):
        tag, content = _varint(serialized, position)
        if tag & 7 != _LENGTH_DELIMITED:
            raise ModelError(
                f"expected a MetaGraphDef, got a field with wire type {tag & 7}; export the model again"
            )
        length, content = _varint(serialized, content)
        yield tag >> 3, position, content + length
        position = content + length


def _varint(serialized: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = serialized[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
