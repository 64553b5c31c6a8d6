"""What becomes of a node that read a variable through a handle, once a value arrives in the handle's place.

One entry per op: each rule changes a node in place and says, for function bodies, if its output is now called otherwise. An op
without a rule needs a real, mutable variable, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from model_export.freeze.constants import become_constant
from model_export.freeze.flow import Types
from model_export.graphs.references import Scope, control_inputs, data_inputs, node_of, set_inputs
from model_export.graphs.tensors import BOOL, INT32

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef


@dataclass(kw_only=True)
class Body:
    """A graph or function body while it is rewritten."""

    scope: Scope
    nodes: Sequence[NodeDef]
    added: list[NodeDef] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    """Old reference -> new reference, for outputs that are called otherwise now (function bodies only)."""

    @property
    def has_frames(self) -> bool:
        """Tell a body with TensorFlow 1 loops, where a constant must be tied to the frame it is used in."""
        return any(node.op == "Enter" for node in self.nodes)

    def rename_output(self, node: NodeDef, old_argument: str) -> None:
        """Record that output `old_argument` is now called `output`."""
        if self.scope.function is not None:
            self.renamed[f"{node.name}:{old_argument}:0"] = f"{node.name}:output:0"


Rule = Callable[["NodeDef", Types, Body], None]


def _read(node: NodeDef, types: Types, body: Body) -> None:
    _become(node, "Identity", T=types[0])
    body.rename_output(node, "value")


def _gather(node: NodeDef, types: Types, body: Body) -> None:
    axis = node.attr["batch_dims"].i
    index_type = node.attr["Tindices"].type
    axis_node = _axis_constant(node, axis, body)
    axis_reference = axis_node.name if body.scope.function is None else f"{axis_node.name}:output:0"
    set_inputs(node, [*data_inputs(node), axis_reference], control_inputs(node))
    _become(node, "GatherV2", Tparams=types[0], Tindices=index_type, Taxis=INT32)
    node.attr["batch_dims"].i = axis


def _axis_constant(node: NodeDef, axis: int, body: Body) -> NodeDef:
    constant = type(node)(name=f"{node.name}/axis")
    become_constant(constant, np.int32(axis), INT32)
    indices = node_of(node.input[1])
    if body.has_frames and any(each.name == indices for each in body.nodes):
        # A constant without inputs lives outside every loop, and TensorFlow refuses to mix frames.
        constant.input.append(f"^{indices}")
    body.added.append(constant)
    return constant


def _gather_nd(node: NodeDef, types: Types, body: Body) -> None:
    del body
    _become(node, "GatherNd", Tparams=types[0], Tindices=node.attr["Tindices"].type)


def _shape(node: NodeDef, types: Types, body: Body) -> None:
    del body
    _become(node, "Shape", T=types[0], out_type=node.attr["out_type"].type or INT32)


def _is_initialized(node: NodeDef, types: Types, body: Body) -> None:
    del types
    become_constant(node, True, BOOL)  # noqa: FBT003 - the value of the constant
    body.rename_output(node, "is_initialized")


def _vanish(node: NodeDef, types: Types, body: Body) -> None:
    del types, body
    set_inputs(node, [], control_inputs(node))
    _become(node, "NoOp")


def _pass_on(node: NodeDef, types: Types, body: Body) -> None:
    del body
    node.attr["T"].type = next(each for each in types if each is not None)


def _pass_all_on(node: NodeDef, types: Types, body: Body) -> None:
    del body
    for index, dtype in enumerate(types):
        if dtype is not None:
            node.attr["T"].list.type[index] = dtype


RULES: Final[dict[str, Rule]] = {
    "ReadVariableOp": _read,
    "ResourceGather": _gather,
    "ResourceGatherNd": _gather_nd,
    "VariableShape": _shape,
    "VarIsInitializedOp": _is_initialized,
    "DisableCopyOnRead": _vanish,
    "DestroyResourceOp": _vanish,
    "IdentityN": _pass_all_on,
    **dict.fromkeys(("Identity", "Enter", "Exit", "NextIteration", "Switch", "Merge"), _pass_on),
}

REFERENCE_TWINS: Final = {
    "RefIdentity": "Identity",
    "RefEnter": "Enter",
    "RefExit": "Exit",
    "RefSwitch": "Switch",
    "RefMerge": "Merge",
    "RefNextIteration": "NextIteration",
}
"""Ops on TensorFlow 1 reference variables -> the same on values."""


def _become(node: NodeDef, op: str, **types: int | None) -> None:
    node.op = op
    node.attr.clear()
    for key, dtype in types.items():
        node.attr[key].type = dtype
