"""Where variable handles travel.

A handle is an edge of type resource. Once its variable is a constant, the same edge carries the value, so every node on the way
must be retyped. This finds all such edges of one body, before anything is changed: control flow may pass a handle along, loops may
pass it round, calls may hand it back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from model_export.errors import NotFreezableError
from model_export.freeze.call_shapes import CallShape, call_shape, callees
from model_export.graphs.references import Scope, data_inputs

if TYPE_CHECKING:
    from tensorflow.core.framework.function_pb2 import FunctionDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

Types = tuple[int | None, ...]
"""Per argument or result: the DataType of the value that replaces a handle, or None for an edge that stays as it is."""

PASSING: Final[Mapping[str, tuple[str, ...]]] = {
    "Identity": ("output",),
    "Enter": ("output",),
    "Exit": ("output",),
    "NextIteration": ("output",),
    "Merge": ("output",),
    "Switch": ("output_false", "output_true"),
}
"""Ops that hand their first input on, and the names of the outputs that carry it."""


class Callees(Protocol):
    """What flow needs to know of functions."""

    @property
    def definitions(self) -> Mapping[str, FunctionDef]:
        """The functions that can be called, by name."""

    def result_types(self, function: str, arguments: Types) -> Types:
        """Return which results carry values when the arguments do."""


def find_values(
    nodes: Sequence[NodeDef], seeds: Mapping[str, int], *, scope: Scope, functions: Callees
) -> dict[str, int]:
    """Return reference -> DataType for every edge that carried a handle of `seeds` and will carry its value."""
    inputs = [[scope.normal(each) for each in data_inputs(node)] for node in nodes]
    consumers: dict[str, list[int]] = defaultdict(list)
    for index, references in enumerate(inputs):
        for reference in references:
            consumers[reference].append(index)
    values = dict(seeds)
    # A model's main call takes hundreds of handles. Each node waits once, however many of its inputs become known meanwhile.
    waiting = dict.fromkeys(index for reference in seeds for index in consumers[reference])
    while waiting:
        index = next(iter(waiting))
        del waiting[index]
        types = tuple(values.get(each) for each in inputs[index])
        for reference, dtype in _outputs(nodes[index], types, scope, functions).items():
            if reference not in values:
                values[reference] = dtype
                waiting.update(dict.fromkeys(consumers[reference]))
    return values


def input_types(node: NodeDef, values: Mapping[str, int], scope: Scope) -> Types:
    """Return, per tensor input of `node`, the type of the value that arrives in place of a handle."""
    return tuple(values.get(scope.normal(each)) for each in data_inputs(node))


def call_result_types(node: NodeDef, shape: CallShape, arguments: Types, functions: Callees) -> Types:
    """Return which results of a calling node carry values, as far as all its functions agree."""
    if shape.is_loop:
        return arguments
    first, *others = (functions.result_types(each, arguments) for each in _called(node, shape))
    return tuple(
        each if all(other[index] == each for other in others) else None for index, each in enumerate(first)
    )


def refuse_disagreement(
    node: NodeDef, shape: CallShape, arguments: Types, functions: Callees, scope: Scope
) -> None:
    """Raise NotFreezableError where branches return other variables, or rounds of a loop replace them."""
    called = _called(node, shape)
    if shape.is_loop:
        if functions.result_types(called[-1], arguments) != arguments:
            _refuse(scope.describe(node), "a loop that replaces a variable by another while it runs")
        return
    results = [functions.result_types(each, arguments) for each in called]
    if any(each != results[0] for each in results):
        _refuse(
            scope.describe(node),
            "branches that return a variable in one case and none, or another type, in the next",
        )


def _called(node: NodeDef, shape: CallShape) -> list[str]:
    return [each.name for each in callees(node, shape)] or [node.op]


def _outputs(node: NodeDef, types: Types, scope: Scope, functions: Callees) -> dict[str, int]:
    carried = next((each for each in types if each is not None), None)
    if node.op in PASSING and carried is not None:
        return {
            scope.output(node.name, name, 0, index): carried for index, name in enumerate(PASSING[node.op])
        }
    if node.op == "IdentityN":
        return {
            scope.output(node.name, "output", i, i): each for i, each in enumerate(types) if each is not None
        }
    shape = call_shape(node, functions.definitions)
    if shape is None:
        return {}
    results = call_result_types(node, shape, types[shape.first_argument :], functions)
    names = _output_names(node, len(results), functions)
    return {scope.output(node.name, *names[i], i): each for i, each in enumerate(results) if each is not None}


def _output_names(node: NodeDef, count: int, functions: Callees) -> list[tuple[str, int]]:
    if node.op in functions.definitions:
        return [(each.name, 0) for each in functions.definitions[node.op].signature.output_arg]
    return [("out_tensors" if node.op == "BatchFunction" else "output", index) for index in range(count)]


def _refuse(where: str, what: str) -> None:
    message = f"expected variables that stay the same, received {what}: {where}; index one variable instead"
    raise NotFreezableError(message)
