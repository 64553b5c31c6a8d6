"""Python functions that a SavedModel keeps for `tf.saved_model.load`: their names, and what each may be called with.

Serving never calls them; `inspect` shows them, as `saved_model_cli show --all` does.
Field numbers are those of `tensorflow/core/protobuf/{saved_object_graph,struct}.proto`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from model_export.artifact import TensorSpec
from model_export.contract.dtypes import dtype_name
from model_export.contract.graph import read_shape
from model_export.contract.wire import BYTES, VARINT, Field, Message

_TENSOR_SPEC: Final = 33
_CONTAINERS: Final = frozenset({51, 52, 53, 54})
"""List, tuple, dict and named tuple."""


@dataclass(frozen=True, kw_only=True)
class Callable:
    """One way to call one function of the loaded object."""

    name: str
    inputs: tuple[TensorSpec, ...]


def read_functions(message: Message, object_graph: Field) -> tuple[Callable, ...]:
    """Return every concrete function that hangs directly on the root object, by name."""
    objects: list[Field] = []
    signatures: dict[str, Field] = {}
    for each in message.within(object_graph):
        if each.number == 1:
            objects.append(each)
        elif each.number == 2:
            entry = {part.number: part for part in message.within(each)}
            if {1, 2} <= entry.keys():
                signatures[message.text(entry[1])] = entry[2]
    found = (
        Callable(name=name, inputs=tuple(_inputs(message, signatures[concrete])))
        for name, place in _children(message, objects)
        for concrete in _concrete(message, objects[place])
        if concrete in signatures
    )
    return tuple(sorted(found, key=lambda each: each.name))


def _children(message: Message, objects: list[Field]) -> Iterator[tuple[str, int]]:
    for child in message.within(objects[0]) if objects else ():
        if child.number != 1:
            continue
        place, name = 0, ""
        for part in message.within(child):
            if part.number == 1 and part.kind == VARINT:
                place = part.start
            elif part.number == 2:
                name = message.text(part)
        if 0 < place < len(objects):
            yield name, place


def _concrete(message: Message, holder: Field) -> Iterator[str]:
    for each in message.within(holder):
        if each.number in {6, 8} and each.kind == BYTES:
            yield from (message.text(part) for part in message.within(each) if part.number == 1)


def _inputs(message: Message, concrete: Field) -> Iterator[TensorSpec]:
    waiting = [each for each in message.within(concrete) if each.number == 3]
    while waiting:
        inner: list[Field] = []
        for each in message.within(waiting.pop()):
            if each.number == _TENSOR_SPEC:
                yield _spec(message, each)
            elif each.number in _CONTAINERS:
                inner.extend(value for part in message.within(each) for value in _values(message, each, part))
        waiting.extend(reversed(inner))


def _values(message: Message, container: Field, part: Field) -> Iterator[Field]:
    """Yield the values in one part of a container: themselves in lists and tuples, the second half of a pair in the others."""
    if part.kind != BYTES:
        return
    if container.number in {51, 52}:
        yield part
    elif container.number == 53 or part.number == 2:  # field 1 of a named tuple is its name
        yield from (half for half in message.within(part) if half.number == 2)


def _spec(message: Message, field: Field) -> TensorSpec:
    name, dtype = "", 0
    axes: tuple[int | None, ...] | None = ()
    for each in message.within(field):
        if each.number == 1:
            name = message.text(each)
        elif each.number == 2:
            shape, is_open = read_shape(message, each)
            axes = None if is_open else shape
        elif each.number == 3 and each.kind == VARINT:
            dtype = each.start
    return TensorSpec(name=name, dtype=dtype_name(dtype), shape=axes)
