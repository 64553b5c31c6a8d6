"""What one protobuf cannot hold, and what to do instead.

A graph that still contains one of these after freezing would load and then answer wrongly, or only in the process that wrote it:
a mutable table silently loses its contents, a Python function is a number that means nothing elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from model_export.errors import NotFreezableError
from model_export.graphs.references import Scope

if TYPE_CHECKING:
    from tensorflow.core.framework.function_pb2 import FunctionDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

_REFUSED: Final = {
    "export a signature that does not write variables (call the model with training=False)": """
        Assign AssignAdd AssignSub AssignVariableOp AssignAddVariableOp AssignSubVariableOp CountUpTo ResourceCountUpTo
        ScatterAdd ScatterDiv ScatterMax ScatterMin ScatterMul ScatterNdAdd ScatterNdSub ScatterNdUpdate ScatterSub
        ScatterUpdate StridedSliceAssign ResourceStridedSliceAssign ResourceScatterAdd ResourceScatterDiv ResourceScatterMax
        ResourceScatterMin ResourceScatterMul ResourceScatterNdAdd ResourceScatterNdSub ResourceScatterNdUpdate
        ResourceScatterSub ResourceScatterUpdate VarHandleOp Variable VariableV2 TemporaryVariable
        DestroyTemporaryVariable RefSelect""",
    "use tf.random.stateless_* with a seed from the request": """
        RngReadAndSkip RngSkip StatefulRandomBinomial StatefulStandardNormal StatefulStandardNormalV2
        StatefulTruncatedNormal StatefulUniform StatefulUniformFullInt StatefulUniformInt""",
    "use tf.lookup.StaticHashTable, whose contents are part of the graph": """
        MutableHashTable MutableHashTableV2 MutableHashTableOfTensors MutableHashTableOfTensorsV2 MutableDenseHashTable
        MutableDenseHashTableV2 AnonymousMutableHashTable AnonymousMutableHashTableOfTensors
        AnonymousMutableDenseHashTable LookupTableInsertV2 LookupTableRemoveV2""",
    "write it with TensorFlow ops; Python does not travel with the graph": "PyFunc PyFuncStateless EagerPyFunc",
    "name the tensor behind the input pipeline with --inputs": """
        IteratorGetNext IteratorV2 Iterator OneShotIterator AnonymousIterator AnonymousIteratorV2 AnonymousIteratorV3
        FIFOQueue FIFOQueueV2 RandomShuffleQueue RandomShuffleQueueV2 PaddingFIFOQueueV2 QueueDequeueV2
        QueueDequeueManyV2 QueueDequeueUpToV2 ReaderReadV2 ReaderReadUpToV2""",
}
REMEDIES: Final = {op: remedy for remedy, ops in _REFUSED.items() for op in ops.split()}
"""Op -> what its author can do instead."""


def refuse_unfreezable(nodes: Iterable[NodeDef], functions: Iterable[FunctionDef]) -> None:
    """Raise NotFreezableError, naming op and node, when anything is left that needs more than one protobuf."""
    _refuse_in(nodes, Scope())
    for function in functions:
        _refuse_in(function.node_def, Scope(function=function.signature.name))


def _refuse_in(nodes: Iterable[NodeDef], scope: Scope) -> None:
    for node in nodes:
        if node.op in REMEDIES:
            message = (
                "expected a graph that one protobuf can hold, without state that changes, received "
                f"{scope.describe(node)}; {REMEDIES[node.op]}"
            )
            raise NotFreezableError(message)
