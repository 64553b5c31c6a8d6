"""How each calling op hands its inputs to the functions it calls."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tensorflow.core.framework.attr_value_pb2 import NameAttrList
    from tensorflow.core.framework.node_def_pb2 import NodeDef


@dataclass(frozen=True, kw_only=True)
class CallShape:
    """Which attributes of a calling op name functions and types."""

    functions: tuple[str, ...]
    """Attributes that hold a function or a list of functions; results come from the last."""
    first_argument: int
    """Index of the input that becomes argument 0."""
    input_types: tuple[str, ...]
    """Type-list attributes that together describe the arguments."""
    output_types: str | None
    """Type-list attribute of the results; None where results have the arguments' types (loops)."""

    @property
    def is_loop(self) -> bool:
        """Tell a loop, whose results feed its next round, from a call."""
        return self.output_types is None


_CALL: Final = CallShape(functions=("f",), first_argument=0, input_types=("Tin",), output_types="Tout")
_LOOP: Final = CallShape(functions=("cond", "body"), first_argument=0, input_types=("T",), output_types=None)
_IF: Final = CallShape(
    functions=("then_branch", "else_branch"), first_argument=1, input_types=("Tin",), output_types="Tout"
)
_CASE: Final = CallShape(functions=("branches",), first_argument=1, input_types=("Tin",), output_types="Tout")
_BATCH: Final = CallShape(
    functions=("f",), first_argument=0, input_types=("Tin", "Tcaptured"), output_types="Tout"
)

_SHAPES: Final = {
    "PartitionedCall": _CALL,
    "StatefulPartitionedCall": _CALL,
    "While": _LOOP,
    "StatelessWhile": _LOOP,
    "If": _IF,
    "StatelessIf": _IF,
    "Case": _CASE,
    "StatelessCase": _CASE,
    "BatchFunction": _BATCH,
}
_DIRECT: Final = CallShape(functions=(), first_argument=0, input_types=(), output_types="")


def call_shape(node: NodeDef, library: Collection[str]) -> CallShape | None:
    """Return how `node` calls functions, or None when it does not. A node may also have a function's name as its op."""
    return _DIRECT if node.op in library else _SHAPES.get(node.op)


def callees(node: NodeDef, shape: CallShape) -> list[NameAttrList]:
    """Return the function references of a calling node, in the order of `shape.functions`."""
    references: list[NameAttrList] = []
    for attribute in shape.functions:
        value = node.attr[attribute]
        references.extend(value.list.func if value.WhichOneof("value") == "list" else [value.func])
    return references
