"""Functions, specialised for arguments that carry values in place of handles.

A function that takes a handle is written anew for each combination of value types it is called with; the original stays for the
callers that still pass handles (of tables), and is pruned when nobody does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from model_export.errors import NotFreezableError
from model_export.freeze.call_shapes import CallShape, call_shape, callees
from model_export.freeze.flow import Types, call_result_types, find_values, input_types, refuse_disagreement
from model_export.freeze.rules import RULES, Body
from model_export.graphs.references import Scope

if TYPE_CHECKING:
    from tensorflow.core.framework.function_pb2 import FunctionDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

Key = tuple[str, Types]


class Functions:
    """The function library: what was there, and what was specialised."""

    def __init__(self, definitions: Mapping[str, FunctionDef]) -> None:
        self.definitions = dict(definitions)
        self._result_types: dict[Key, Types] = {}
        self._specialised: dict[Key, str] = {}
        self._open: set[Key] = set()

    def result_types(self, function: str, arguments: Types) -> Types:
        """Return which results carry values when the arguments do."""
        definition = self.definitions[function]
        if not any(arguments):
            return (None,) * len(definition.signature.output_arg)
        key = (function, arguments)
        if key not in self._result_types:
            values = self._once(key, lambda: self._values(function, arguments))
            self._result_types[key] = tuple(
                values.get(definition.ret[each.name]) for each in definition.signature.output_arg
            )
        return self._result_types[key]

    def specialise(self, function: str, arguments: Types) -> str:
        """Return the name of `function` for these arguments, writing it first where it does not exist yet."""
        if not any(arguments):
            return function
        key = (function, arguments)
        if key not in self._specialised:
            copy = type(self.definitions[function])()
            copy.CopyFrom(self.definitions[function])
            copy.signature.name = f"{function}__frozen_{len(self._specialised)}"
            self._specialised[key] = copy.signature.name
            self._retype(copy, self._values(function, arguments), arguments)
            self.definitions[copy.signature.name] = copy
        return self._specialised[key]

    def rewrite(self, body: Body, values: Mapping[str, int]) -> None:
        """Apply the rules to every node of a body that is reached by a value."""
        for node in body.nodes:
            types = input_types(node, values, body.scope)
            if any(each is not None for each in types):
                self._rewrite_node(node, types, body)
        for node in [*body.nodes, *body.added] if body.renamed else ():
            for index, reference in enumerate(node.input):
                node.input[index] = body.renamed.get(reference, reference)

    def _rewrite_node(self, node: NodeDef, types: Types, body: Body) -> None:
        shape = call_shape(node, self.definitions)
        if shape is not None:
            self._rewrite_call(node, shape, types, body.scope)
        elif node.op in RULES:
            RULES[node.op](node, types, body)
        else:
            message = (
                f"expected only reads of the model's variables, received {body.scope.describe(node)}, which needs a "
                "mutable one; export a signature that does not write (call the model with training=False)"
            )
            raise NotFreezableError(message)

    def _rewrite_call(self, node: NodeDef, shape: CallShape, types: Types, scope: Scope) -> None:
        arguments = types[shape.first_argument :]
        refuse_disagreement(node, shape, arguments, self, scope)
        results = call_result_types(node, shape, arguments, self)
        for reference in callees(node, shape):
            reference.name = self.specialise(reference.name, arguments)
        if not shape.functions:
            node.op = self.specialise(node.op, arguments)
            return
        _retype_attributes(node, shape.input_types, arguments)
        if shape.output_types:
            _retype_attributes(node, (shape.output_types,), results)
        _forget_shapes(node, results)

    def _values(self, function: str, arguments: Types) -> dict[str, int]:
        definition = self.definitions[function]
        names = (each.name for each in definition.signature.input_arg)
        seeds = {name: dtype for name, dtype in zip(names, arguments, strict=True) if dtype is not None}
        return find_values(definition.node_def, seeds, scope=Scope(function=function), functions=self)

    def _retype(self, function: FunctionDef, values: Mapping[str, int], arguments: Types) -> None:
        body = Body(scope=Scope(function=function.signature.name), nodes=list(function.node_def))
        for argument, dtype in zip(function.signature.input_arg, arguments, strict=True):
            if dtype is not None:
                argument.type = dtype
        for result in function.signature.output_arg:
            result.type = values.get(function.ret[result.name], result.type)
        self.rewrite(body, values)
        function.node_def.extend(body.added)
        for name, reference in dict(function.ret).items():
            function.ret[name] = body.renamed.get(reference, reference)

    def _once(self, key: Key, compute: Callable[[], dict[str, int]]) -> dict[str, int]:
        if key in self._open:
            message = f'expected functions that end, received "{key[0]}", which calls itself; write the recursion as a loop'
            raise NotFreezableError(message)
        self._open.add(key)
        try:
            return compute()
        finally:
            self._open.discard(key)


def _retype_attributes(node: NodeDef, attributes: tuple[str, ...], types: Types) -> None:
    remaining = list(types)
    for attribute in attributes:
        listed = node.attr[attribute].list.type
        for index in range(len(listed)):
            dtype = remaining.pop(0)
            if dtype is not None:
                listed[index] = dtype


def _forget_shapes(node: NodeDef, types: Types) -> None:
    if "output_shapes" in node.attr:
        for shape, dtype in zip(node.attr["output_shapes"].list.shape, types, strict=False):
            if dtype is not None:  # what is stated is the shape of a scalar handle
                shape.Clear()
                shape.unknown_rank = True
