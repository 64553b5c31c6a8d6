"""Tensor references, in the two dialects of TensorFlow's protobufs.

A graph says `node`, `node:1` and `^node`; a function body says `argument`, `node:output_name:0` and `^node`. Everything that
compares or invents references goes through here, so that no other module knows the dialects.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef


def node_of(reference: str) -> str:
    """Return the node (or function argument) that a reference points at."""
    return reference.removeprefix("^").partition(":")[0]


def is_control(reference: str) -> bool:
    """Tell an ordering edge from one that carries a tensor."""
    return reference.startswith("^")


def data_inputs(node: NodeDef) -> list[str]:
    """Return the references that carry tensors, in order."""
    return [each for each in node.input if each[:1] != "^"]


def control_inputs(node: NodeDef) -> list[str]:
    """Return the ordering edges."""
    return [each for each in node.input if each[:1] == "^"]


def set_inputs(node: NodeDef, data: Iterable[str], control: Iterable[str]) -> None:
    """Replace all inputs of a node; tensors come first, as TensorFlow demands."""
    replacement = [*data, *control]
    del node.input[:]
    node.input.extend(replacement)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The body that references are written in: the graph, or one function."""

    function: str | None = None
    """Name of the function; None for the graph itself."""

    def normal(self, reference: str) -> str:
        """Return the one spelling under which a tensor is known (`x:0` is `x` in a graph)."""
        return reference.removesuffix(":0") if self.function is None else reference

    def output(self, node: str, argument: str, position: int, flat_position: int) -> str:
        """Return the reference to an output: `position` within its named argument, `flat_position` among all outputs."""
        if self.function is not None:
            return f"{node}:{argument}:{position}"
        return node if flat_position == 0 else f"{node}:{flat_position}"

    def describe(self, node: NodeDef) -> str:
        """Name a node for an error message."""
        place = f' in function "{self.function}"' if self.function else ""
        return f'op {node.op} at node "{node.name}"{place}'
