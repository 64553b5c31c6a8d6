"""Attributes that tell how a graph came about, not what it computes.

They carry process counters, paths of the training machine, device counts, or shapes of handles that are no more; an import fails
on the last ("Shape must be rank 4 but is rank 0"). No kernel reads any of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tensorflow.core.framework.function_pb2 import FunctionDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

HINTS: Final = frozenset(
    {
        "_class",
        "_construction_context",
        "_disable_call_shape_inference",
        "_func_name",
        "_gradient_op_type",
        "_handle_dtypes",
        "_handle_shapes",
        "_has_manual_control_dependencies",
        "_input_shapes",
        "_num_original_outputs",
        "_original_func_name",
        "_output_shapes",
        "_read_only_resource_inputs",
        "_user_specified_name",
    }
)


def strip_node(node: NodeDef) -> None:
    """Remove the hints of one node, its device, and the session settings that a call carries."""
    for key in HINTS.intersection(node.attr):
        del node.attr[key]
    node.ClearField("device")
    node.ClearField("experimental_debug_info")
    if "config_proto" in node.attr:
        node.attr["config_proto"].s = b""


def strip_function(function: FunctionDef) -> None:
    """Remove the hints of a function and of every node in it."""
    for key in HINTS.intersection(function.attr):
        del function.attr[key]
    function.arg_attr.clear()
    function.resource_arg_unique_id.clear()
    for argument in [*function.signature.input_arg, *function.signature.output_arg]:
        argument.ClearField("handle_data")
        argument.ClearField("description")
    for node in function.node_def:
        strip_node(node)
