"""The pass itself: one paragraph that calls the other modules of this package in order.

Values are read late and written into the final graph only, so the weights exist at most twice: as arrays and as the protobuf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from model_export.errors import NotFreezableError
from model_export.freeze.calls import Functions
from model_export.freeze.constants import become_constant
from model_export.freeze.feeds import cut_at_feeds
from model_export.freeze.flow import find_values
from model_export.freeze.initializers import keep_needed_actions
from model_export.freeze.purity import mark_pure_calls
from model_export.freeze.refusals import refuse_unfreezable
from model_export.freeze.rules import REFERENCE_TWINS, Body
from model_export.freeze.variables import LIMIT_BYTES, Variable, find_variables, refuse_oversized
from model_export.graphs.hints import strip_function, strip_node
from model_export.graphs.reachability import reach, reach_functions
from model_export.graphs.references import Scope, node_of, set_inputs
from model_export.graphs.tensors import BOOL, STRING
from model_export.normal_form import FoldedWeights

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

_ASSIGNMENTS: Final = frozenset({"Assign", "AssignVariableOp"})
ReadValues = Callable[[Sequence[Variable]], Sequence[NDArray[Any]]]
"""Return the values of variables, in order; strings as an array of objects."""


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Which nodes must survive."""

    signatures: Mapping[str, SignatureDef]
    """Whose inputs and outputs keep their names."""
    initializer: str | None = None
    """Node that is run once after loading."""
    assets: frozenset[str] = frozenset()
    """Nodes that the loader feeds with paths of asset files."""

    @property
    def nodes(self) -> frozenset[str]:
        """Names of the nodes that signatures are fed at or fetched from."""
        infos = [
            info
            for each in self.signatures.values()
            for info in [*each.inputs.values(), *each.outputs.values()]
        ]
        return frozenset(node_of(info.name) for info in infos)


@dataclass(frozen=True, kw_only=True)
class FrozenGraph:
    """The result of freezing."""

    graph: GraphDef
    initializer: str | None
    """None where nothing is left to initialise."""
    folded: FoldedWeights


def freeze(source: GraphDef, endpoints: Endpoints, read_values: ReadValues) -> FrozenGraph:
    """Return `source` with the values of its variables as constants; `source` stays as it is.

    Raises NotFreezableError, naming op and node, for state that changes, and before any value is read when the weights are
    larger than one protobuf.
    """
    nodes = _copy_live_nodes(source, endpoints)
    cut_at_feeds(nodes, endpoints.signatures.values())
    asset_variables = _replace_assets(source, nodes, endpoints.assets)
    live = reach(nodes, endpoints.nodes)
    initializer = keep_needed_actions(nodes, endpoints.initializer, live)
    roots = sorted(endpoints.nodes | ({initializer} if initializer else set()))
    still_live = reach(nodes, roots)
    needed = [node for name, node in nodes.items() if name in still_live]
    variables = find_variables(needed)
    refuse_oversized(variables)

    functions = Functions(_copy_live_functions(source, needed))
    _replace_variables(needed, {each.name for each in variables})
    seeds = {each.name: each.dtype for each in variables if each.is_resource}
    seeds.update(dict.fromkeys(asset_variables, STRING))
    body = Body(scope=Scope(), nodes=needed)
    functions.rewrite(body, find_values(needed, seeds, scope=body.scope, functions=functions))

    graph = _assemble(source, [*needed, *body.added], roots, functions)
    refuse_unfreezable(graph.node, graph.library.function)
    mark_pure_calls(graph.node, {each.signature.name: each for each in graph.library.function})
    return FrozenGraph(graph=graph, initializer=initializer, folded=_fill(graph, variables, read_values))


def _copy_live_nodes(source: GraphDef, endpoints: Endpoints) -> dict[str, NodeDef]:
    by_name = {node.name: node for node in source.node}
    roots = endpoints.nodes | endpoints.assets | ({endpoints.initializer} if endpoints.initializer else set())
    live = reach(by_name, roots)
    copies = {}
    for node in source.node:
        if node.name in live:
            copies[node.name] = type(node)()
            copies[node.name].CopyFrom(node)
            strip_node(copies[node.name])
    return copies


def _copy_live_functions(source: GraphDef, nodes: Iterable[NodeDef]) -> dict[str, Any]:
    library = {function.signature.name: function for function in source.library.function}
    copies = {}
    for name in sorted(reach_functions(nodes, library)):
        copies[name] = type(library[name])()
        copies[name].CopyFrom(library[name])
        strip_function(copies[name])
    return copies


def _replace_assets(source: GraphDef, nodes: Mapping[str, NodeDef], assets: frozenset[str]) -> list[str]:
    """Give asset tensors no path of their own, and variables that hold an asset's path the tensor itself.

    Frozen like any other, such a variable would bake the training machine's path into the graph. Returns their names.
    """
    for name in assets & nodes.keys():
        become_constant(nodes[name], b"", STRING)  # the loader feeds the path of the servable's own copy
    held = {
        node_of(each.input[0]): node_of(each.input[1])
        for each in source.node
        if each.op in _ASSIGNMENTS and node_of(each.input[1]) in assets
    }
    for variable in held.keys() & nodes.keys():
        node = nodes[variable]
        node.op = "Identity"
        node.attr.clear()
        node.attr["T"].type = STRING
        set_inputs(node, [held[variable]], [])
    return sorted(held.keys() & nodes.keys())


def _replace_variables(nodes: Sequence[NodeDef], variables: set[str]) -> None:
    for node in nodes:
        if node.name in variables:
            dtype = node.attr["dtype"].type
            node.op = "Const"
            node.attr.clear()
            node.attr["dtype"].type = dtype
        elif node.op == "IsVariableInitialized":
            become_constant(node, True, BOOL)  # noqa: FBT003 - the value of the constant
        else:
            node.op = REFERENCE_TWINS.get(node.op, node.op)


def _assemble(
    source: GraphDef, nodes: Sequence[NodeDef], roots: Iterable[str], functions: Functions
) -> GraphDef:
    needed = reach({node.name: node for node in nodes}, roots)
    graph = type(source)()
    graph.versions.CopyFrom(source.versions)
    graph.node.extend(node for node in nodes if node.name in needed)
    for name in sorted(reach_functions(graph.node, functions.definitions)):
        graph.library.function.add().CopyFrom(functions.definitions[name])
    return graph


def _fill(graph: GraphDef, variables: Sequence[Variable], read_values: ReadValues) -> FoldedWeights:
    by_name = {node.name: node for node in graph.node}
    read = [each for each in variables if each.name in by_name]
    values = list(read_values(read))
    total = sum(int(np.asarray(each).nbytes) for each in values)
    if total > LIMIT_BYTES:  # shapes that the graph did not state
        message = f"expected at most {LIMIT_BYTES} bytes of weights, received {total}; serve the unfrozen SavedModel"
        raise NotFreezableError(message)
    for variable in reversed(read):
        become_constant(by_name[variable.name], values.pop(), variable.dtype)
    return FoldedWeights(variables=len(read), size_bytes=total)
