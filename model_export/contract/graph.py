"""The nodes of a GraphDef and its functions, as far as a contract needs them: operations, edges, calls and bytes of weights.

Tensor contents are measured, never read. Every occurrence of a field counts, as protocol buffers merge them: an operation in a
second `graph_def`, or under an attribute given twice, is seen as TensorFlow would see it. Two nodes of one name are refused, as
TensorFlow refuses them, because an honest writer makes none and a walk by name would miss one of the two.
Field numbers are those of `tensorflow/core/framework/{graph,node_def,function,attr_value,tensor,tensor_shape}.proto`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from model_export.contract.dtypes import element_bytes
from model_export.contract.wire import BYTES, VARINT, Field, Message, signed
from model_export.errors import ContractError

_VARIABLES: Final = frozenset({"VarHandleOp", "VariableV2", "Variable"})
MAX_NODES: Final = 400_000
"""Ten times the largest graphs that are served; as many take about 200 MB to walk."""
_MAX_AXES: Final = 254
"""TensorFlow's own limit on a tensor's rank (`tensor_shape.h`)."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation: what it is, what it reads and which functions it may call."""

    op: str
    inputs: tuple[str, ...]
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """The main graph, or one function: nodes by name, and the names of its arguments."""

    nodes: dict[str, Node] = field(default_factory=dict)
    arguments: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Graph:
    """A main graph with its function library."""

    main: Body = field(default_factory=Body)
    functions: dict[str, Body] = field(default_factory=dict)
    ops: Counter[str] = field(default_factory=Counter)
    """Operation -> how many nodes, over the main graph and every function."""
    node_count: int = 0
    constant_bytes: int = 0
    variable_bytes: int = 0


class GraphReader:
    """Fills one Graph from the GraphDef fields of a meta graph."""

    def __init__(self, message: Message) -> None:
        self.graph = Graph()
        self._message = message

    def read(self, graph_def: Field) -> None:
        """Add the nodes and functions of one GraphDef. Raises ContractError where it is damaged."""
        for each in self._message.within(graph_def):
            if each.number == 1:
                self._node(each, self.graph.main)
            elif each.number == 2:
                for entry in self._message.within(each):
                    if entry.number == 1:
                        self._function(entry)

    def _function(self, function: Field) -> None:
        body, name = Body(), ""
        for each in self._message.within(function):
            if each.number == 1:
                name = self._signature(each, body) or name
            elif each.number == 3:
                self._node(each, body)
        if name in self.graph.functions:
            raise ContractError(
                f"{self._message.where}: expected functions of different names, received {name!r} twice"
            )
        self.graph.functions[name] = body

    def _signature(self, op_def: Field, body: Body) -> str:
        name = ""
        for each in self._message.within(op_def):
            if each.number == 1:
                name = self._message.text(each)
            elif each.number == 2:
                body.arguments.update(
                    self._message.text(part) for part in self._message.within(each) if part.number == 1
                )
        return name

    def _node(self, node: Field, body: Body) -> None:
        name = op = ""
        inputs: list[str] = []
        attributes: list[Field] = []
        for each in self._message.within(node):
            if each.number == 1:
                name = self._message.text(each)
            elif each.number == 2:
                op = self._message.text(each)
            elif each.number == 3:
                inputs.append(self._message.text(each))
            elif each.number == 5:
                attributes.append(each)
        if name in body.nodes:
            raise ContractError(
                f"{self._message.where}: expected nodes of different names, received {name!r} twice; "
                "no TensorFlow loads this graph: export the model again"
            )
        self.graph.node_count += 1
        if self.graph.node_count > MAX_NODES:
            raise ContractError(
                f"{self._message.where}: expected at most {MAX_NODES} nodes, received more; export the model again as one frozen graph"
            )
        body.nodes[name] = Node(op, tuple(inputs), tuple(self._attributes(op, attributes)))
        self.graph.ops[op] += 1

    def _attributes(self, op: str, attributes: Iterable[Field]) -> list[str]:
        calls: list[str] = []
        kept: dict[str, Field] = {}
        for entry in attributes:
            key, value = "", None
            for part in self._message.within(entry):
                if part.number == 1:
                    key = self._message.text(part)
                elif part.number == 2:
                    value = part
            if value is not None:
                kept[key] = value
                calls.extend(self._calls(value))
        if op == "Const" and "value" in kept:
            self.graph.constant_bytes += self._tensor_bytes(kept["value"])
        elif op in _VARIABLES and {"dtype", "shape"} <= kept.keys():
            self.graph.variable_bytes += self._declared_bytes(kept["dtype"], kept["shape"])
        return calls

    def _calls(self, attribute: Field) -> Iterator[str]:
        """Yield the functions that an attribute names: directly, in a list, or inside another function's attributes."""
        waiting = (
            [attribute] if attribute.end - attribute.start > 2 else []
        )  # two bytes are a number: most attributes
        while waiting:
            for each in self._message.within(waiting.pop()):
                if each.kind != BYTES or each.number not in {1, 10}:
                    continue
                named = [each]
                if each.number == 1:
                    named = [
                        part for part in self._message.within(each) if part.number == 9 and part.kind == BYTES
                    ]
                for function in named:
                    for part in self._message.within(function):
                        if part.number == 1:
                            yield self._message.text(part)
                        elif part.number == 2:
                            waiting.extend(entry for entry in self._message.within(part) if entry.number == 2)

    def _tensor_bytes(self, attribute: Field) -> int:
        """Return the bytes that a constant takes in memory, or in the file where its elements have no fixed size."""
        total = 0
        for tensor in self._message.within(attribute):
            if tensor.number != 8:
                continue
            dtype, shape = 0, None
            for part in self._message.within(tensor):
                if part.number == 1 and part.kind == VARINT:
                    dtype = part.start
                elif part.number == 2:
                    shape = part
                elif part.number > 2:
                    break  # the elements themselves; a vocabulary may have a million of them
            size = element_bytes(dtype)
            total = tensor.end - tensor.start if size is None else size * self._elements(shape)
        return total

    def _declared_bytes(self, dtype: Field, shape: Field) -> int:
        number, elements = 0, 1
        for part in self._message.within(dtype):
            if part.number == 6:
                number = part.start
        for part in self._message.within(shape):
            if part.number == 7:
                elements = self._elements(part)
        return (element_bytes(number) or 0) * elements

    def _elements(self, shape: Field | None) -> int:
        axes, _ = ((), False) if shape is None else read_shape(self._message, shape)
        elements = 1
        for axis in axes:
            elements *= max(axis or 0, 0)
        return elements


def read_shape(message: Message, shape: Field) -> tuple[tuple[int | None, ...], bool]:
    """Return the axes of a TensorShapeProto, `None` where a size is open, and whether even the rank is open."""
    axes: list[int | None] = []
    is_open = False
    for each in message.within(shape):
        if each.number == 2:
            size = 0
            for part in message.within(each):
                if part.number == 1 and part.kind == VARINT:
                    size = signed(part.start)
            axes.append(None if size < 0 else size)
        elif each.number == 3 and each.kind == VARINT:
            is_open = bool(each.start)
    if len(axes) > _MAX_AXES:
        raise message.damaged(shape.start, f"a tensor of {len(axes)} axes")
    return tuple(axes), is_open
